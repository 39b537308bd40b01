# SPDX-License-Identifier: Apache-2.0
"""Byte-exact transfers: a stream from a seed, sent and received in chosen
portions, compared by SHA-256."""

import hashlib
import random
import socket
import threading
import time

from . import client
from .process import PATIENCE, Failure

_BLOCK = 1 << 20
_noise = random.Random(7).randbytes(4 * _BLOCK + 4096)


class Stream:
    """n bytes that differ from seed to seed and do not repeat by blocks."""

    def __init__(self, seed, n):
        self.seed, self.n = seed, n

    def parts(self):
        pick = random.Random(self.seed)
        left = self.n
        while left:
            at = pick.randrange(3 * _BLOCK)
            part = memoryview(_noise)[at:at + min(left, _BLOCK)]
            left -= len(part)
            yield part

    def digest(self):
        total = hashlib.sha256()
        for part in self.parts():
            total.update(part)
        return total.hexdigest()


class HeldStream(Stream):
    """Its second half comes when `event` is set: whoever receives it is under
    way until then, however fast it goes."""

    def __init__(self, seed, n, event):
        super().__init__(seed, n)
        self.event = event

    def parts(self):
        n = 0
        for part in super().parts():
            n += len(part)
            if 2 * n > self.n:
                self.event.wait()
            yield part


def send(sock, stream, portion=_BLOCK, pause=0.0, every=0):
    """In writes of `portion` bytes; pauses after each `every` bytes."""
    since = 0
    for part in stream.parts():
        at = 0
        while at < len(part):
            n = min(portion, len(part) - at)
            sock.sendall(part[at:at + n])
            at += n
            since += n
            if every and since >= every:
                since = 0
                time.sleep(pause)


def receive(sock, portion=1 << 18, pause=0.0, every=0):
    """To the FIN; the digest and the number of bytes."""
    total, n, since = hashlib.sha256(), 0, 0
    buffer = bytearray(portion)
    while True:
        got = sock.recv_into(buffer)
        if not got:
            return total.hexdigest(), n
        total.update(memoryview(buffer)[:got])
        n += got
        since += got
        if every and since >= every:
            since = 0
            time.sleep(pause)


class Peer:
    """A server side: sends one stream while it receives another. `way` is
    both(), or one over TLS."""

    def __init__(self, stream, send_options, receive_options, way=None):
        self.stream, self.way = stream, way or both
        self.send_options, self.receive_options = (send_options,
                                                   receive_options)
        self.result = None
        self.done = threading.Event()

    def __call__(self, sock, _number=0):
        try:
            self.result = self.way(sock, self.stream, self.send_options,
                                   self.receive_options)
        except Exception as error:  # shown by who waits
            self.result = error
        self.done.set()


def both(sock, stream, send_options, receive_options):
    """Sends and receives at once; ends its sending by a FIN. The digest and
    number of bytes received."""
    failed = []

    def body():
        try:
            send(sock, stream, **send_options)
            sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            failed.append(error)
    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    result = receive(sock, **receive_options)
    thread.join(60 * PATIENCE)
    if failed or thread.is_alive():
        raise Failure(f"sending: {failed or 'does not end'}")
    return result


def exchange(s, address, peer, stream, what, send_options=None,
             receive_options=None, seconds=90 * PATIENCE, way=both):
    """One connection to `address`, behind which `peer` serves; both must
    receive exactly what the other has sent."""
    peer.done.clear()
    with client.connect(address, seconds) as sock:
        got = way(sock, stream, send_options or {}, receive_options or {})
    if not peer.done.wait(seconds):
        raise Failure(f"{what}: the server's side does not end")
    if isinstance(peer.result, Exception):
        raise Failure(f"{what}: the server's side: {peer.result!r}")
    s.equal(got, (peer.stream.digest(), peer.stream.n),
            f"{what}: {peer.stream.n} bytes down")
    s.equal(peer.result, (stream.digest(), stream.n),
            f"{what}: {stream.n} bytes up")
