#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import re
import threading
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin
from lib.transfer import Stream, receive

MIB = 1 << 20


def test(s):
    """A flow that is taken for a stream while it is slow gets a pace, and
    loses it when it would go faster: a verdict that is wrong must not hold a
    transfer down to its end."""
    s.need("ss")
    go, done = threading.Event(), threading.Event()
    stream = Stream(5, 256 * MIB)

    def handler(sock, _number):
        sock.recv(100)
        while not go.is_set():
            sock.sendall(b"drop by drop")
            time.sleep(0.02)
        sock.sendall(b"!")
        for part in stream.parts():
            sock.sendall(part)
            if done.is_set():
                return
    origin, port = Origin(s, handler), s.port()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
        "profiler": {"mode": "act", "pin": {"any": "stream"}},
    })

    def bound():
        """SO_MAX_PACING_RATE of the client's socket, None where there is
        none; ss shows it behind the rate."""
        text = s.run(["ss", "-tinH", "state", "established", "sport", "=",
                      f":{port}"]).stdout
        found = re.search(r"pacing_rate [^ /]+/(\S+)", text)
        return found[1] if found else None

    with client.connect(("127.0.0.1", port)) as sock:
        sock.sendall(b"film")

        def drops():
            sock.recv(1 << 16)
            return bound()
        s.say(f"the pace: {s.until(drops, 'the stream has a pace')}")
        go.set()
        while b"!" not in sock.recv(1 << 16, 0x2):  # MSG_PEEK
            sock.recv(12)
        while sock.recv(1) != b"!":
            pass
        got = []
        reader = threading.Thread(
            target=lambda: got.append(receive(sock)), daemon=True)
        reader.start()
        s.until(lambda: got or bound() is None,
                "the transfer is not held down any more")
        reader.join(300)
        s.equal(got, [(stream.digest(), stream.n)], "all of it, as it was")
    line = b.wait_flows(1)[0]
    s.equal((line["class"], line["end"]), ("stream", "--"), "class, end")
    b.stop()


scenario.run(test, user="nobody")
