#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, reset


def test(s):
    """A server that answers early and closes without reading the upload is
    reset by its kernel. Its answer still reaches the client, whole; only then
    comes the reset, by relay and by splice."""
    sizes = {"small": 6, "large": 3 << 20}
    answers = {n: bytes(range(256)) * (size // 256) + b"x" * (size % 256)
               for n, size in sizes.items()}

    def early(answer):
        def handler(sock, _number):
            sock.recv(1)
            sock.sendall(answer)
            # What it has not read makes this a reset.
        return handler

    origins = {n: Origin(s, early(a)) for n, a in answers.items()}
    ports = {n: s.port() for n in sizes}
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{ports[n]}", "pool": n}
                      for n in sizes},
        "pools": {n: {"servers": {"a": {"address": o.text}}}
                  for n, o in origins.items()},
    })

    failed = []

    def upload(sock):
        try:
            for _ in range(200):
                sock.sendall(b"u" * 65536)
                time.sleep(0.001)
        except OSError:
            failed.append(sock)  # the reset is told once, to either

    for n, port in ports.items():
        for turn in range(10):
            sock = client.connect(("127.0.0.1", port))
            sender = threading.Thread(target=upload, args=(sock,))
            sender.start()
            got = b""
            end = client.FIN
            while True:
                try:
                    part = sock.recv(65536)
                except OSError:
                    end = client.RESET
                    break
                if not part:
                    break
                got += part
            sender.join()
            sock.close()
            s.check(answers[n].startswith(got) and
                    (end == client.RESET or sock in failed),
                    f"{n} {turn}: a part of the answer, then a reset")
            s.say(f"{n}: {len(got)} of {len(answers[n])} bytes")
            if n == "small":
                s.equal(got, answers[n], "all of the answer")
    b.idle()
    s.equal({f["end"] for f in b.flows()}, {"SD"}, "codes")
    b.stop()


scenario.run(test, user="nobody")
