#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import hashlib
import random
import threading

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, reset

BULK = 24 << 20
NOISE = random.Random(11).randbytes(BULK)


class Sender:
    """Sends n bytes and then resets, once told to."""

    def __init__(self, n):
        self.n = n
        self.go = threading.Event()

    def __call__(self, sock, _number):
        sock.recv(16)
        sock.sendall(NOISE[:self.n])
        self.go.wait()
        reset(sock)


class Sink:
    """Reads everything and notes what came and how it ended."""

    def __init__(self):
        self.got, self.end = 0, None
        self.digest = hashlib.sha256()
        self.ended = threading.Event()

    def __call__(self, sock, _number):
        try:
            while True:
                data = sock.recv(1 << 18)
                if not data:
                    self.end = client.FIN
                    break
                self.digest.update(data)
                self.got += len(data)
        except ConnectionResetError:
            self.end = client.RESET
        self.ended.set()


def test(s):
    """A reset on one side becomes a reset on the other, in relay and in
    splice, in both directions, behind every byte that came before it; an
    answer that ends with the connection and is cut by a reset never looks
    complete."""
    cases = {"relay": 2000, "splice": BULK}
    senders = {n: Sender(size) for n, size in cases.items()}
    sinks = {n: Sink() for n in cases}
    ports, listeners, pools = {}, {}, {}
    for n in cases:
        for kind, handler in (("down", senders[n]), ("up", sinks[n])):
            key = f"{n}-{kind}"
            ports[key] = s.port()
            origin = Origin(s, handler)
            listeners[key] = {"bind": f"127.0.0.1:{ports[key]}", "pool": key}
            pools[key] = {"servers": {"o": {"address": origin.text}}}
    b = Braid(s, {"listeners": listeners, "pools": pools})

    for n, size in cases.items():
        s.say(f"-- {n}: the server cuts its answer")
        with client.connect(("127.0.0.1", ports[f"{n}-down"])) as sock:
            sock.sendall(b"GET")
            sock.shutdown(1)
            s.check(client.read_exactly(sock, size) == NOISE[:size],
                    f"{size} bytes arrive as they were")
            senders[n].go.set()
            s.equal(client.read_end(sock), (b"", client.RESET), "the client")
        flow = b.wait_flows(1, listener=f"{n}-down")[0]
        s.equal((flow["end"], flow["bytes_out"]), ("SD", str(size)),
                "code and bytes")
        b.need_pipes()
        s.equal(flow["path"], {"relay": "relay", "splice": "splice-down"}[n],
                "path")

        s.say(f"-- {n}: the client cuts its upload")
        sock = client.connect(("127.0.0.1", ports[f"{n}-up"]))
        sock.sendall(NOISE[:size])
        s.until(lambda: sinks[n].got == size, "the server has all so far")
        s.equal(sinks[n].digest.hexdigest(),
                hashlib.sha256(NOISE[:size]).hexdigest(), "as they were")
        reset(sock)
        s.check(sinks[n].ended.wait(60), "the server sees an end")
        s.equal(sinks[n].end, client.RESET, "the server")
        flow = b.wait_flows(1, listener=f"{n}-up")[0]
        s.equal((flow["end"], flow["bytes_in"]), ("CD", str(size)),
                "code and bytes")
        s.equal(flow["path"], {"relay": "relay", "splice": "splice-up"}[n],
                "path")
    b.idle()
    m = b.metrics()
    s.equal(m.total("braid_worker_resets_passed_total"), 4,
            "braid_worker_resets_passed_total")
    b.stop()


scenario.run(test, user="nobody")
