#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin

LATE = bytes(range(256)) * (32 << 12)


def send_what_fits(sock):
    """Until nothing has moved for a while; how much the other end has."""
    sent, before = 0, None
    sock.setblocking(False)
    while before != (sent, client.unacknowledged(sock)):
        before = sent, client.unacknowledged(sock)
        try:
            while True:
                sent += sock.send(LATE[sent:sent + (1 << 20)])
        except BlockingIOError:
            time.sleep(0.3)
    return sent - client.unacknowledged(sock)


def late_reader(s, b, origin, port):
    """A client that reads only once its upload could not be passed on: what
    the server had answered waits for it in Braid, as much as fits."""
    closed = threading.Event()
    arrived = []

    def handler(sock, _number):
        sock.recv(1)
        arrived.append(send_what_fits(sock))
        sock.close()  # what it has not read makes this a reset
        closed.set()

    def row():
        flows = b.ctl("flows", "listener=late")["flows"]
        return flows[0] if flows else None
    origin.handler = handler
    with client.connect(("127.0.0.1", port), receive_buffer=4096) as sock:
        sock.sendall(b"u" * 1000)
        s.check(closed.wait(60), "the server is gone")
        sock.sendall(b"u" * 1000)
        s.until(lambda: not row() or row()["bytes_up"] == 2000,
                "what came then was read, and could not be sent")
        got, end = client.read_end(sock)
        s.check(LATE.startswith(got) and len(got) >= arrived[0],
                f"{len(got)} bytes of the answer, {arrived[0]} had arrived")
        s.equal(end, client.RESET, "and then the reset")


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
    late = Origin(s, lambda sock, number: None)
    origins["late"] = late
    ports = {n: s.port() for n in origins}
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{ports[n]}", "pool": n}
                      for n in origins},
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

    for _ in range(2):
        late_reader(s, b, late, ports["late"])
    for n in sizes:
        for turn in range(10):
            sock = client.connect(("127.0.0.1", ports[n]))
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
    s.equal({f["end"] for f in b.wait_flows(22)}, {"SD"}, "codes")
    b.stop()


scenario.run(test, user="nobody")
