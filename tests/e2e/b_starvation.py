#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: serial
# ctest: timeout 240
import resource
import statistics
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.netns import Namespace
from lib.origins import Origin, listen

STALLED, BULK = 1000, 1 << 20
BLOCK = b"\x99" * 65536


def put(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def answer(sock, _number):
    """ "bulk" gets BULK bytes, anything else is echoed."""
    while True:
        data = sock.recv(4096)
        if not data:
            return
        if data == b"bulk":
            for _ in range(BULK // len(BLOCK)):
                sock.sendall(BLOCK)
        else:
            sock.sendall(data)


def rounds(s, idle, n=20):
    """Echoes on all idle flows, n times; says how long one takes. That is a
    figure to read, not to judge by: the machine may be busy."""
    took = []
    for _ in range(n):
        for sock in idle:
            began = time.monotonic()
            if not client.echoes(sock, b"still there?"):
                s.check(False, "an idle flow has no answer")
            took.append((time.monotonic() - began) * 1e6)
    took.sort()
    s.say(f"an echo: median {statistics.median(took):.0f} us, "
          f"p99 {took[len(took) * 99 // 100]:.0f} us")


def test(s):
    """1,000 clients that ask for a megabyte and do not read cost the others
    nothing: idle flows answer, new ones are served, bulk still flows, no ring
    buffer and no parked memory is used up; and all get their bytes in the
    end."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # A network of their own, whose sockets keep little in the kernel: what
    # clients do not take must show in braidd.
    space = Namespace(s)
    for key in ("rmem", "wmem"):
        space.inside(lambda: put(f"/proc/sys/net/ipv4/tcp_{key}",
                                 "4096 32768 65536"))
    address, at = ("127.0.0.1", s.port()), ("127.0.0.1", s.port())
    origin = Origin(s, answer, at, space.inside(lambda: listen(at)))

    def connect(**options):
        return space.inside(lambda: client.connect(address, **options))

    b = Braid(s, {
        "limits": {"parked_total": "64MiB"},
        # tcp.user_timeout is off: who does not read lives.
        "listeners": {"web": {"bind": "%s:%d" % address, "pool": "o",
                              "timeout": {"idle": "1h"}}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    }, namespace=space)
    idle = [connect() for _ in range(50)]
    rounds(s, idle)
    s.check(True, "50 idle flows")
    stalled = []
    for _ in range(STALLED):
        sock = connect(receive_buffer=4096)
        sock.sendall(b"bulk")
        stalled.append(sock)

    def quiet():
        """No byte moves any more."""
        row = b.listener("web")
        now = row["bytes_out"], row["connections"]
        quiet.same = quiet.same + 1 if now == quiet.last else 0
        quiet.last = now
        return quiet.same >= 10 and now[1] == STALLED + 50
    quiet.last, quiet.same = None, 0
    s.until(quiet, f"all {STALLED} are stalled", 60, 0.1)
    s.check(b.listener("web")["bytes_out"] < STALLED * BULK,
            "most of their bytes have not been sent")
    status = b.status()
    s.check(status["parked"]["bytes"] <= status["parked"]["limit"],
            f"{status['parked']['bytes'] >> 10} KiB are parked")
    empty = status["ring_buffers"]["found_empty"]

    rounds(s, idle)
    s.check(True, "1,000 echoes on the idle flows")
    for _ in range(100):
        with connect() as sock:
            if not client.echoes(sock):
                s.check(False, "a new flow has no answer")
    s.check(True, "100 new flows are served")
    with connect() as sock:
        for _ in range(16):
            sock.sendall(b"bulk")
            client.read_exactly(sock, BULK)
    s.check(True, "16 MiB reach a client that reads")
    m = space.inside(b.metrics)
    s.equal(m.total("braid_ring_buffers_empty_total"), empty,
            "receives that found no ring buffer meanwhile")
    s.equal(m.total("braid_worker_parked_full_total"), 0,
            "flows ended for want of parked memory")
    memory = b.memory_bytes()
    s.say(f"private memory: {memory >> 20} MiB")

    s.say("-- they begin to read")
    for sock in stalled[::2]:
        if client.read_exactly(sock, BULK) != BLOCK * (BULK // len(BLOCK)):
            s.check(False, "wrong bytes")
    s.check(True, "every second one gets all its bytes")
    for sock in stalled + idle:
        sock.close()
    b.idle()
    s.equal(b.status()["parked"]["bytes"], 0, "parked bytes at the end")
    s.equal(space.inside(b.metrics).total("braid_worker_log_dropped_total"), 0,
            "lost log lines")
    b.stop()


scenario.run(test, user="nobody", limit_seconds=220)
