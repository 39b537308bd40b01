#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin

TOTAL = 8 << 20
BLOCK = bytes(range(256)) * 256


class Server:
    """The first word of the client says what it does."""

    def __init__(self):
        self.got = {}
        self.lock = threading.Lock()

    def __call__(self, sock, _number):
        word = client.read_exactly(sock, 5)
        if word == b"drip ":  # writes a byte now and then
            for i in range(20):
                sock.sendall(b"%c" % (65 + i))
                time.sleep(0.1)
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
            time.sleep(60)
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
    origin = Origin(s, Server())
    port, quick = s.port(), s.port()
    b = Braid(s, {
        "listeners": {
            "web": {"bind": f"127.0.0.1:{port}", "pool": "o",
                    "timeout": {"idle": "1500ms", "half_closed": "1500ms"}},
            "half": {"bind": f"127.0.0.1:{quick}", "pool": "o",
                     "timeout": {"idle": "60s", "half_closed": "300ms"}}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    })
    address = ("127.0.0.1", port)
    results = {}

    def drip():
        with client.connect(address) as sock:
            sock.sendall(b"drip ")
            results["drip"] = client.read_end(sock)

    def type_slowly():
        with client.connect(address) as sock:
            for c in b"echo ":
                sock.sendall(b"%c" % c)
                time.sleep(0.3)
            text = b"slow typing"
            for c in text:
                sock.sendall(b"%c" % c)
                time.sleep(0.2)
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
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    s.equal(results.get("drip"), (bytes(range(65, 85)), client.FIN),
            "a server that drips for longer than timeout.idle")
    s.equal(results.get("type"), b"slow typing", "a client that types slowly")
    s.equal(results.get("read"), TOTAL, "a client that reads slowly")
    s.equal(results.get("sips"), (b"%d" % TOTAL, client.FIN),
            "a server that reads slowly")
    s.equal({f["end"] for f in b.wait_flows(4)}, {"--"}, "codes")

    s.say("-- no byte at all")
    silent = client.connect(address)
    silent.sendall(b"stall")
    s.equal(client.read_end(silent), (b"", client.RESET),
            "the server does not answer within timeout.idle")
    s.equal(b.wait_flows(5)[-1]["end"], "sD", "its code")
    stalled = client.connect(address, receive_buffer=4096)
    stalled.sendall(b"flood")
    flow = b.wait_flows(6)[-1]
    s.equal(flow["end"], "cD", "a client that stops reading for that long")
    stalled.close()

    s.say("-- half-closed")
    half = client.connect(("127.0.0.1", quick))
    half.sendall(b"stall")
    half.shutdown(1)
    s.equal(client.read_end(half), (b"", client.RESET),
            "the server is silent for longer than timeout.half_closed")
    s.equal(b.wait_flows(1, listener="half")[0]["end"], "sD", "its code")
    s.equal(b.metrics().total("braid_worker_idle_timeouts_total"), 3,
            "braid_worker_idle_timeouts_total")
    b.idle()
    b.stop()


scenario.run(test, user="root")
