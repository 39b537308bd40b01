#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin

TOTAL = 8 << 20
# Longer than a busy machine stops somebody who is not meant to be idle.
IDLE_S = 8
BLOCK = bytes(range(256)) * 256


class Server:
    """The first word of the client says what it does."""

    def __init__(self):
        self.over = threading.Event()

    def __call__(self, sock, _number):
        word = client.read_exactly(sock, 5)
        if word == b"drip ":  # writes a byte now and then
            for i in range(20):
                sock.sendall(b"%c" % (65 + i))
                time.sleep(IDLE_S / 15)
        elif word == b"flood":  # writes as fast as it can
            for _ in range(TOTAL // len(BLOCK)):
                sock.sendall(BLOCK)
        elif word == b"sips ":  # reads slowly
            n = 0
            while True:
                data = sock.recv(100000)
                if not data:
                    break
                n += len(data)
                time.sleep(0.01)
            sock.sendall(b"%d" % n)
        elif word == b"stall":  # never reads
            self.over.wait()
        else:
            while True:
                data = sock.recv(4096)
                if not data:
                    return
                sock.sendall(data)


def test(s):
    """Slow writers and slow readers on both sides are served to the end and
    not taken for idle; who moves no byte for timeout.idle is ended, and so is
    a half-closed flow after its own timeout."""
    server = Server()
    s.defer(server.over.set)
    origin = Origin(s, server)
    ports = {n: s.port() for n in ("web", "silent", "stalled", "half")}
    idle = {"idle": f"{IDLE_S}s", "half_closed": f"{IDLE_S}s"}
    b = Braid(s, {
        "listeners": {
            n: {"bind": f"127.0.0.1:{port}", "pool": "o",
                "timeout": {"idle": "60s", "half_closed": "300ms"}
                if n == "half" else idle} for n, port in ports.items()},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    })
    address = ("127.0.0.1", ports["web"])
    results = {}

    def begin(name, word, receive_buffer=None):
        sock = client.connect(("127.0.0.1", ports[name]), 60, receive_buffer)
        sock.sendall(word)
        return sock

    def drip():
        with client.connect(address) as sock:
            sock.sendall(b"drip ")
            results["drip"] = client.read_end(sock)

    def type_slowly():
        with client.connect(address) as sock:
            for c in b"echo ":
                sock.sendall(b"%c" % c)
                time.sleep(IDLE_S / 12)
            text = b"slow typing"
            for c in text:
                sock.sendall(b"%c" % c)
                time.sleep(IDLE_S / 12)
            results["type"] = client.read_exactly(sock, len(text))

    def read_slowly():
        with client.connect(address, receive_buffer=8192) as sock:
            sock.sendall(b"flood")
            n = 0
            while True:
                data = sock.recv(65536)
                if not data:
                    break
                n += len(data)
                if n % 7 == 0:
                    time.sleep(0.02)
            results["read"] = n

    def send_to_sipper():
        with client.connect(address) as sock:
            sock.sendall(b"sips ")
            for _ in range(TOTAL // len(BLOCK)):
                sock.sendall(BLOCK)
            sock.shutdown(1)
            results["sips"] = client.read_end(sock)

    threads = [threading.Thread(target=f) for f in
               (drip, type_slowly, read_slowly, send_to_sipper)]
    # Meanwhile, those that move no byte.
    silent = begin("silent", b"stall")
    stalled = begin("stalled", b"flood", 4096)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(180)
    s.equal(results.get("drip"), (bytes(range(65, 85)), client.FIN),
            "a server that drips for longer than timeout.idle")
    s.equal(results.get("type"), b"slow typing", "a client that types slowly")
    s.equal(results.get("read"), TOTAL, "a client that reads slowly")
    s.equal(results.get("sips"), (b"%d" % TOTAL, client.FIN),
            "a server that reads slowly")
    s.equal({f["end"] for f in b.wait_flows(4, listener="web")}, {"--"},
            "codes")

    s.say("-- no byte at all")
    s.equal(client.read_end(silent), (b"", client.RESET),
            "the server does not answer within timeout.idle")
    s.equal(b.wait_flows(1, listener="silent")[0]["end"], "sD", "its code")
    s.equal(b.wait_flows(1, listener="stalled")[0]["end"], "cD",
            "a client that stops reading for that long")
    stalled.close()

    s.say("-- half-closed")
    half = begin("half", b"stall")
    half.shutdown(1)
    s.equal(client.read_end(half), (b"", client.RESET),
            "the server is silent for longer than timeout.half_closed")
    s.equal(b.wait_flows(1, listener="half")[0]["end"], "sD", "its code")
    s.equal(b.metrics().total("braid_worker_idle_timeouts_total"), 3,
            "braid_worker_idle_timeouts_total")
    b.idle()
    b.stop()


scenario.run(test, user="root")
