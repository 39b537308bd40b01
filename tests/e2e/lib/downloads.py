# SPDX-License-Identifier: Apache-2.0
"""Downloads as a client sees them: what came, whether it is right, and how it
ended. A download is WHOLE, or ended visibly (RESET), or lied: all else."""

import socket
import time

from . import client, http1, tls_stream
from .content import Comparer

WHOLE, RESET = "whole", client.RESET


class Download:
    """One answer. contents: what its body may be of, from `first` on; ranges
    that the server chose are known by Content-Range."""

    def __init__(self, method="GET", limit_s=60):
        self.method = method
        self._deadline = time.monotonic() + limit_s
        self.head, self.end = None, None
        self.n, self.longest_gap_s = 0, 0.0
        self.compare = []  # one Comparer for each content it may be
        self._last = time.monotonic()

    @property
    def status(self):
        return self.head.status if self.head else None

    @property
    def right(self):
        """The contents, by their names, that all bytes so far agree with."""
        return [c.content.name for c in self.compare if c.wrong_at is None]

    def _take(self, data):
        now = time.monotonic()
        self.longest_gap_s = max(self.longest_gap_s, now - self._last)
        self._last = now
        if now > self._deadline:
            raise TimeoutError
        self.n += len(data)
        for compare in self.compare:
            compare(data)

    def read(self, reader, contents, on_data=None):
        """Returns itself. Raises nothing that the connection does."""
        try:
            self.head = reader.final_head()
            if self.head is None:
                self.end = "end before the answer"
                return self
            self.compare = [Comparer(c, self._first()) for c in contents]
            take = self._take if on_data is None else \
                (lambda data: (self._take(data), on_data(self)))
            reader.body(self.head, self.method, take)
            self.end = WHOLE
        except http1.Ended as ended:
            self.end = ended.how
        except TimeoutError:
            self.end = "too slow"
        return self

    def _first(self):
        text = self.head.get("Content-Range", "")
        if self.status != 206 or not text.startswith("bytes "):
            return 0
        return int(text[6:].split("-")[0])

    def __str__(self):
        return f"{self.status} {self.end} after {self.n}"


def open_reader(address, context=None, name=None, seconds=30,
                receive_buffer=None):
    """A connection, over TLS with a context, and the reader of its answers."""
    sock = client.connect(address, seconds, receive_buffer)
    if context:
        sock = tls_stream.End(sock, context, name=name)
    return sock, http1.Reader(sock.recv)


def abandon(sock):
    """A client that goes in the middle."""
    raw = getattr(sock, "sock", sock)
    try:
        raw.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


def nothing_left(s, b, before):
    """Braid holds no more than before: `before` are descriptors."""
    b.idle(30)
    status = b.status()
    s.equal(status["parked"]["bytes"], 0, "parked bytes")
    s.equal(sum(row["connections"] for row in b.ctl("servers")["servers"]), 0,
            "slots in use")
    pipes = int(status["pipes"]["now"]) * 2
    s.until(lambda: b.settled_descriptors() <= before + pipes,
            "the descriptors are as many as before")
