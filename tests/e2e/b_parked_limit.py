#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading

from lib import client, scenario
from lib.braidd import Braid
from lib.netns import Namespace
from lib.origins import Origin, listen

STALLED, BULK = 200, 1 << 20
BLOCK = b"\x77" * 65536


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


def put(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def test(s):
    """When clients that do not read have used up limits.parked_total it is
    never exceeded, other flows and new ones go on, and all of it is given
    back."""
    space = Namespace(s)
    for key in ("rmem", "wmem"):
        space.inside(lambda: put(f"/proc/sys/net/ipv4/tcp_{key}",
                                 "4096 32768 65536"))
    address, at = ("127.0.0.1", s.port()), ("127.0.0.1", s.port())
    origin = Origin(s, answer, at, space.inside(lambda: listen(at)))
    b = Braid(s, {
        "limits": {"parked_total": "1MiB"},
        "listeners": {"web": {"bind": "%s:%d" % address, "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    }, namespace=space)

    def connect(**options):
        return space.inside(lambda: client.connect(address, **options))

    idle = [connect() for _ in range(20)]
    s.check(all(client.echoes(sock) for sock in idle), "20 idle flows")
    highest, stop = [0], threading.Event()

    def watch():
        while not stop.is_set():
            highest[0] = max(highest[0], b.status()["parked"]["bytes"])
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        stalled = []
        for _ in range(STALLED):
            sock = connect(receive_buffer=4096)
            sock.sendall(b"bulk")
            stalled.append(sock)
        s.until(lambda: highest[0] > 900000, "nearly all of it is in use")
        for _ in range(20):
            if not all(client.echoes(sock, b"still there?") for sock in idle):
                s.check(False, "an idle flow has no answer")
        s.check(True, "400 echoes on the idle flows")
        for _ in range(50):
            with connect() as sock:
                if not client.echoes(sock):
                    s.check(False, "a new flow has no answer")
        s.check(True, "50 new flows are served")
    finally:
        stop.set()
        watcher.join()
    s.check(highest[0] <= 1 << 20, f"at most {highest[0]} bytes were parked")
    for sock in stalled:
        sock.close()
    s.until(lambda: b.status()["parked"]["bytes"] == 0, "all is given back")
    with connect() as sock:
        sock.sendall(b"bulk")
        s.check(client.read_exactly(sock, BULK) == BLOCK *
                (BULK // len(BLOCK)), "bulk for a client that reads")
    for sock in idle:
        sock.close()
    b.idle()
    b.stop()


scenario.run(test, user="root")
