# SPDX-License-Identifier: Apache-2.0
"""One end of a TLS connection that sends and receives at once, from a single
thread: Python's own TLS sockets cannot be used by two, nor half closed."""

import hashlib
import select
import ssl
import time

from . import client
from .process import Failure

NOTIFY = "close_notify"  # beside client.FIN (without it) and client.RESET
_OUT_MAX = 1 << 20  # ciphertext that is made ahead


class End:
    """A connected socket after its handshake."""

    def __init__(self, sock, context, server_side=False, name=None):
        self.sock = sock
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.into, self.out, server_side, name)
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                sock.sendall(self.out.read())
                self._receive(1 << 16)
        sock.sendall(self.out.read())

    def _receive(self, n):
        """False at the end of the stream."""
        data = self.sock.recv(n)
        if data:
            self.into.write(data)
        else:
            self.into.write_eof()
        return bool(data)

    def cipher(self, plain):
        """The records that carry it."""
        self.tls.write(plain)
        return self.out.read()

    def send(self, plain):
        self.sock.sendall(self.cipher(plain))

    def say_end(self):
        """Makes our close_notify; what comes can still be read."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass

    def read(self, n=1 << 16):
        """Some plaintext, None when there is none yet, or how it ended."""
        try:
            return self.tls.read(n) or NOTIFY
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            return NOTIFY
        except ssl.SSLEOFError:
            return client.FIN

    def read_end(self):
        """All plaintext, and how it ended."""
        parts = bytearray()
        while True:
            got = self.read()
            if isinstance(got, str):
                return bytes(parts), got
            if got:
                parts += got
                continue
            try:
                self._receive(1 << 16)
            except ConnectionResetError:
                return bytes(parts), client.RESET

    def read_exactly(self, n):
        parts = bytearray()
        while len(parts) < n:
            got = self.read(n - len(parts))
            if isinstance(got, str):
                raise Failure(f"{got} after {len(parts)} of {n} bytes")
            if got:
                parts += got
            else:
                self._receive(1 << 16)
        return bytes(parts)


    def recv(self, n=1 << 16):
        """As of a socket: nothing after close_notify. An end without it is
        an error of its own, for those who can tell a reset from it."""
        while True:
            got = self.read(n)
            if got == NOTIFY:
                return b""
            if got == client.FIN:
                raise ConnectionAbortedError("no close_notify")
            if got:
                return got
            self._receive(n)

    sendall = send

    def shutdown(self, _how=None):
        """Half-closes: the other side still speaks."""
        self.say_end()
        self.sock.sendall(self.out.read())

    def close(self):
        self.sock.close()


class _Sender:
    def __init__(self, end, stream, portion=1 << 20, pause=0.0, every=0):
        self.end = end
        self.plain = (part[at:at + portion] for part in stream.parts()
                      for at in range(0, len(part), portion))
        self.pause, self.every, self.since = pause, every, 0
        self.due, self.done, self.rest = 0.0, False, memoryview(b"")

    def make(self, now):
        while (not self.done and now >= self.due and
               self.end.out.pending < _OUT_MAX):
            part = next(self.plain, None)
            if part is None:
                self.end.say_end()
                self.done = True
                return
            self.end.tls.write(part)
            self.since += len(part)
            if self.every and self.since >= self.every:
                self.since, self.due = 0, now + self.pause

    @property
    def waits(self):
        return bool(self.rest) or self.end.out.pending > 0

    def push(self):
        if not self.rest:
            self.rest = memoryview(self.end.out.read())
        self.rest = self.rest[self.end.sock.send(self.rest):]


class _Receiver:
    def __init__(self, end, portion=1 << 18, pause=0.0, every=0):
        self.end, self.portion = end, portion
        self.pause, self.every, self.since = pause, every, 0
        self.due, self.ended = 0.0, None
        self.total, self.n = hashlib.sha256(), 0

    def take(self):
        """What is there already."""
        while not self.ended:
            got = self.end.read(1 << 16)
            if got is None:
                return
            if isinstance(got, str):
                self.ended = got
                return
            self.total.update(got)
            self.n += len(got)
            self.since += len(got)

    def pull(self, now):
        self.end._receive(self.portion)
        self.take()
        if self.every and self.since >= self.every:
            self.since, self.due = 0, now + self.pause


def both(sock, stream, send_options, receive_options, context,
         server_side=False, name=None, seconds=60):
    """As transfer.both(): the digest and number of bytes received. Each side
    ends with close_notify, and nothing else counts as an end."""
    sock.settimeout(seconds)
    end = End(sock, context, server_side, name)
    sock.setblocking(False)
    sender = _Sender(end, stream, **send_options)
    receiver = _Receiver(end, **receive_options)
    while not (sender.done and receiver.ended and not sender.waits):
        receiver.take()
        sender.make(time.monotonic())
        now = time.monotonic()
        dues = [x.due - now for x in (sender, receiver) if x.due > now]
        reads = [sock] if not receiver.ended and now >= receiver.due else []
        readable, writable, _ = select.select(
            reads, [sock] if sender.waits else [], [],
            min(dues, default=seconds))
        if not (readable or writable or dues):
            raise Failure(f"nothing moves; {receiver.n} bytes received")
        try:
            if writable:
                sender.push()
            if readable:
                receiver.pull(time.monotonic())
        except (BlockingIOError, InterruptedError):
            pass
    if receiver.ended != NOTIFY:
        raise Failure(f"{receiver.n} bytes end with {receiver.ended}")
    return receiver.total.hexdigest(), receiver.n


def way(context, server_side=False, name=None):
    """both() for transfer.Peer and transfer.exchange()."""
    return lambda *arguments: both(*arguments, context, server_side, name)
