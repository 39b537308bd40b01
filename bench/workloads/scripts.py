# SPDX-License-Identifier: Apache-2.0
"""What a flow is made of: a list of steps that both of its ends walk.

A step says who sends (UP: the client), which bytes, how long that end waits
before, and how fast it sends. The other end reads exactly as many bytes. So a
generator is a function from a random source to steps, and its two ends cannot
disagree.
"""
import math
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


def send(way, head=b"", fill=0, wait=0.0, rate=0.0):
    return Step(way, head, int(fill), wait, rate)


def size(r, low, high):
    """Between the two, evenly over their orders of magnitude."""
    return int(math.exp(r.uniform(math.log(low), math.log(high))))


def moment(r, low, high):
    """Seconds, as size()."""
    return math.exp(r.uniform(math.log(low), math.log(high)))


def words(r, n):
    return bytes(r.choice(b"abcdefghijklmnopqrstuvwxyz ") for _ in range(n))


def name(r, n=8):
    return words(r, n).replace(b" ", b"x").decode()


def paced(r, way, rate, seconds, tick, head=b""):
    """As many bytes a second, in pieces that are a tick apart."""
    jitter = r.choice([.02, .2, .5])
    for _ in range(max(2, int(seconds / tick))):
        n = max(60, int(rate * tick * r.uniform(1 - jitter, 1 + jitter)))
        yield send(way, head, n, tick)
