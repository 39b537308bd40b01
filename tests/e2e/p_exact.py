#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 240
import os
import random
import threading

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin
from lib.transfer import Peer, Stream, exchange

MIB = 1 << 20
FAST = {}
TINY = {"portion": 7}
ODD = {"portion": 4099}
STUTTER = {"portion": 65536, "pause": 0.05, "every": 3 * MIB}
SIPS = {"portion": 1000, "pause": 0.002, "every": 40000}
# what, bytes down, bytes up, server sends, server receives, client the same
CASES = [
    ("nothing", 0, 0, FAST, FAST, FAST, FAST),
    ("one byte down", 1, 0, FAST, FAST, FAST, FAST),
    ("one byte up", 0, 1, FAST, FAST, FAST, FAST),
    ("small", None, None, FAST, FAST, FAST, FAST),
    ("tiny writes", 20011, 15013, TINY, FAST, TINY, FAST),
    ("odd writes", 3 * MIB + 17, 2 * MIB + 5, ODD, ODD, ODD, ODD),
    ("stuttering server", 20 * MIB, 18 * MIB, STUTTER, STUTTER, FAST, FAST),
    ("stuttering client", 20 * MIB, 18 * MIB, FAST, FAST, STUTTER, STUTTER),
    ("client that sips", 4 * MIB, 4 * MIB, FAST, FAST, FAST, SIPS),
    ("server that sips", 4 * MIB, 4 * MIB, FAST, SIPS, FAST, FAST),
    ("one way down", 300 * MIB, 3, FAST, FAST, FAST, FAST),
    ("one way up", 3, 300 * MIB, FAST, FAST, FAST, FAST),
    ("both ways", 120 * MIB + 1, 120 * MIB - 1, FAST, FAST, FAST, FAST),
]


def half_close(s, b, port, origin):
    """One side ends first and still gets everything of the other's."""
    for first in ("client", "server"):
        ready = threading.Event()
        got = []

        def handler(sock, _number):
            if first == "server":
                sock.sendall(b"early")
                sock.shutdown(1)
                ready.set()
                got.append(client.read_end(sock))
            else:
                got.append(client.read_end(sock))
                ready.set()
                sock.sendall(b"late" * 100000)

        origin.handler = handler
        with client.connect(("127.0.0.1", port)) as sock:
            if first == "client":
                sock.sendall(b"question")
                sock.shutdown(1)
                s.check(ready.wait(60), "the client's FIN reaches the server")
                s.equal(client.read_end(sock), (b"late" * 100000, client.FIN),
                        "and the answer comes after it")
            else:
                s.equal(client.read_end(sock), (b"early", client.FIN),
                        "the server's FIN reaches the client")
                sock.sendall(b"more" * 100000)
                sock.shutdown(1)
        s.until(lambda: got, "the server has read to the end")
        want = {"client": b"question", "server": b"more" * 100000}[first]
        s.equal(got[0], (want, client.FIN), f"{first} ends first")


def pipelined(s, b, port, origin):
    """Requests sent in one go are answered in order."""
    def handler(sock, _number):
        rest = b""
        while True:
            data = sock.recv(999)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                sock.sendall(b"<" + line + b">")
    origin.handler = handler
    with client.connect(("127.0.0.1", port)) as sock:
        requests = [b"request %d" % i for i in range(5000)]
        threading.Thread(target=lambda: (
            sock.sendall(b"\n".join(requests) + b"\n"),
            sock.shutdown(1))).start()
        answer, end = client.read_end(sock)
    s.equal(end, client.FIN, "5,000 pipelined requests end with")
    s.check(answer == b"".join(b"<" + r + b">" for r in requests),
            "and are answered in order")


def test(s):
    """Every byte arrives, both ways at once, at any size, whatever the
    portions and pauses of the peers."""
    seed = int(os.environ.get("BRAID_SEED") or random.randrange(1 << 30))
    s.say(f"BRAID_SEED={seed}")
    pick = random.Random(seed)
    port = s.port()
    origin = Origin(s, lambda sock, number: None)
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o",
                              "timeout": {"idle": "60s",
                                          "half_closed": "60s"}}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    })
    done = 0
    for what, down, up, *options in CASES:
        if down is None:
            down, up = pick.randrange(100000), pick.randrange(100000)
        peer = Peer(Stream(pick.random(), down), options[0], options[1])
        origin.handler = peer
        exchange(s, ("127.0.0.1", port), peer, Stream(pick.random(), up),
                 what, options[2], options[3])
        done += 1
        flow = b.wait_flows(done)[-1]
        s.equal((flow["end"], int(flow["bytes_out"]), int(flow["bytes_in"])),
                ("--", down, up), "the access log agrees")
    half_close(s, b, port, origin)
    pipelined(s, b, port, origin)
    b.idle()
    m = b.metrics()
    if not m.total("braid_worker_promotions_total"):
        b.need_pipes()
    s.check(m.total("braid_worker_promotions_total") > 0 and
            m.total("braid_worker_relayed_bytes_total") > 0,
            "both relay and splice had their part")
    s.equal(b.status()["parked"]["bytes"], 0, "parked bytes at the end")
    b.stop()


scenario.run(test, user="nobody", limit_seconds=220)
