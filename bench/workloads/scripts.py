# SPDX-License-Identifier: Apache-2.0
"""What a flow is made of: a list of steps that both of its ends walk.

A step says who sends (UP: the client), which bytes, how long that end waits
before, and how fast it sends. The other end reads exactly as many bytes. So a
generator is a function from a random source to steps, and its two ends cannot
disagree.
"""
import math
import struct
from dataclasses import dataclass

UP, DOWN = 0, 1


@dataclass
class Step:
    way: int
    head: bytes = b""  # what is sent first
    fill: int = 0  # bytes after it
    wait: float = 0.0  # seconds
    rate: float = 0.0  # bytes a second; 0: as fast as it goes

    @property
    def bytes(self):
        return len(self.head) + self.fill


def up(head=b"", fill=0, wait=0.0, rate=0.0):
    return Step(UP, head, int(fill), wait, rate)


def down(head=b"", fill=0, wait=0.0, rate=0.0):
    return Step(DOWN, head, int(fill), wait, rate)


def size(r, low, high):
    """Between the two, evenly over their orders of magnitude."""
    return int(math.exp(r.uniform(math.log(low), math.log(high))))


def words(r, n):
    return bytes(r.choice(b"abcdefghijklmnopqrstuvwxyz ") for _ in range(n))


# -- how protocols look ----------------------------------------------------

def http_request(r, path, method="GET", length=0, more=""):
    body = f"Content-Length: {length}\r\n" if length else ""
    cookie = words(r, r.randint(0, 400)).replace(b" ", b"").decode()
    return (f"{method} {path} HTTP/1.1\r\nHost: app.example\r\n"
            f"User-Agent: agent/{r.randint(1, 99)}\r\nAccept: */*\r\n{more}"
            f"{body}Cookie: s={cookie}\r\n\r\n").encode()


def http_answer(r, kind, length=None, status="200 OK", more=""):
    body = "" if length is None else f"Content-Length: {length}\r\n"
    return (f"HTTP/1.1 {status}\r\nServer: o/{r.randint(1, 9)}\r\n"
            f"Content-Type: {kind}\r\n{body}{more}\r\n").encode()


def record(kind, n):
    """Header of a TLS record of n bytes."""
    return struct.pack(">BHH", kind, 0x0303, n)


def tls_open(r):
    """A handshake by its sizes; its inside is no ClientHello."""
    hello = r.choice([r.randint(220, 330), 512, r.randint(500, 700),
                      r.randint(1600, 1800)])
    yield up(record(22, hello) + b"\1", hello - 1)
    yield down(record(22, 90), r.choice(
        [r.randint(200, 300), r.randint(1200, 5000)]),
        wait=r.uniform(.0002, .003))
    yield up(record(20, 1), r.randint(60, 90))


def tls(way, n, wait=0.0, rate=0.0):
    return Step(way, record(23, min(n, 16384)), int(n), wait, rate)


def ssh_open(r):
    yield down(b"SSH-2.0-Server_%d\r\n" % r.randint(1, 99), wait=.003)
    yield up(b"SSH-2.0-Client_%d\r\n" % r.randint(1, 99))
    yield up(struct.pack(">I", 1400), r.randint(1000, 1500))
    yield down(struct.pack(">I", 1000), r.randint(800, 1200))
    yield up(fill=r.choice([48, 1208]))
    yield down(fill=r.randint(400, 1600), wait=.004)
    for _ in range(r.randint(3, 5)):
        yield up(fill=r.randint(44, 500))
        yield down(fill=r.randint(28, 200), wait=r.uniform(.0005, .02))


def through_tls(r, steps):
    """The same behaviour, but nothing of it can be read."""
    yield from tls_open(r)
    for step in steps:
        yield tls(step.way, step.bytes + 17, step.wait, step.rate)
