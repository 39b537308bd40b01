# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as a client and a server of a scenario read it: heads, framing,
and how a message ended. Strict: what is not well-formed is a Failure."""

from . import client
from .process import Failure


CUT = "cut"


class Ended(Exception):
    """The connection ended inside of a message; `how` is client.FIN,
    client.RESET, or CUT: of TLS, a FIN without close_notify."""

    def __init__(self, how):
        super().__init__(how)
        self.how = how


class Head:
    """line: the words of the first line; fields: (name as sent, value)."""

    def __init__(self, raw):
        self.raw = raw
        lines = raw[:-4].decode("latin-1").split("\r\n")
        self.line = lines[0].split(" ", 2)
        self.fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or not name or name != name.strip():
                raise Failure(f"malformed field {line!r}")
            self.fields.append((name, value.strip()))

    def get(self, name, default=None):
        found = self.all(name)
        return found[0] if found else default

    def all(self, name):
        return [v for k, v in self.fields if k.lower() == name.lower()]

    def has(self, name, token):
        """Whether a comma-separated list has that token."""
        return any(token == word.strip().lower()
                   for value in self.all(name) for word in value.split(","))

    @property
    def status(self):
        return int(self.line[1])


class Reader:
    """Messages from `receive`, a function like socket.recv, one by one."""

    def __init__(self, receive):
        self._receive = receive
        self.held = b""

    def more(self):
        try:
            data = self._receive(1 << 18)
        except ConnectionResetError:
            raise Ended(client.RESET) from None
        except ConnectionAbortedError:
            raise Ended(CUT) from None
        if not data:
            raise Ended(client.FIN)
        return data

    def line(self):
        """One line with its end."""
        while b"\r\n" not in self.held:
            self.held += self.more()
        line, _, self.held = self.held.partition(b"\r\n")
        return line + b"\r\n"

    def head(self):
        """The next head, or None at an end between messages."""
        while b"\r\n\r\n" not in self.held:
            try:
                self.held += self.more()
            except Ended as ended:
                if self.held or ended.how != client.FIN:
                    raise
                return None
        raw, _, self.held = self.held.partition(b"\r\n\r\n")
        return Head(raw + b"\r\n\r\n")

    def exactly(self, n, take):
        """Hands n bytes to take()."""
        while n:
            data = self.held or self.more()
            take(data[:n])
            self.held = data[n:]
            n -= min(n, len(data))

    def chunks(self, take):
        """A chunked body with its trailers, which are returned raw."""
        while True:
            size = int(self.line().split(b";")[0], 16)
            if not size:
                break
            self.exactly(size, take)
            if self.line() != b"\r\n":
                raise Failure("a chunk does not end where it should")
        trailers = b""
        while True:
            line = self.line()
            if line == b"\r\n":
                return trailers
            trailers += line

    def to_end(self, take):
        while True:
            data, self.held = self.held, b""
            try:
                take(data or self.more())
            except Ended as ended:
                if ended.how != client.FIN:
                    raise
                return

    def final_head(self):
        """Passes over 1xx."""
        while True:
            head = self.head()
            if head is None or head.status >= 200 or head.status == 101:
                return head

    def body(self, head, method, take):
        """The body of an answer to such a request. RFC 9112 6.3."""
        if method == "HEAD" or head.status in (204, 304):
            return
        if head.has("Transfer-Encoding", "chunked"):
            self.chunks(take)
        elif head.get("Content-Length") is not None:
            self.exactly(int(head.get("Content-Length")), take)
        else:
            self.to_end(take)
