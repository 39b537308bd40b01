#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 240
import hashlib
import os
import random
import socket
import ssl
import threading
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.certificates import Authority, client_context
from lib.origins import Origin, reset

CLIENTS, REQUESTS = 8, 60
RETRIES = 3
RESETS = RETRIES - 1  # one for a connection that was closed meanwhile
SIZES = (0, 1, 17, 1000, 4096, 20_000, 70_000, 400_000, 1_500_000)


class Gone(Exception):
    """The other side has ended or reset the connection."""


class Reader:
    """Messages off a socket, as strictly as this scenario writes them."""

    def __init__(self, sock):
        self.sock, self.rest = sock, b""

    def _more(self):
        try:
            data = self.sock.recv(65536)
        except OSError as error:
            raise Gone(str(error)) from error
        if not data:
            raise Gone("end")
        self.rest += data

    def take(self, n):
        while len(self.rest) < n:
            self._more()
        data, self.rest = self.rest[:n], self.rest[n:]
        return data

    def until(self, mark):
        while mark not in self.rest:
            self._more()
        return self.take(self.rest.index(mark) + len(mark))

    def message(self, bodyless=lambda first: False):
        """First line, fields, body (data only)."""
        lines = self.until(b"\r\n\r\n").decode().split("\r\n")[:-2]
        fields = dict(line.split(": ", 1) for line in lines[1:])
        if bodyless(lines[0]):
            return lines[0], fields, b""
        if fields.get("Transfer-Encoding") != "chunked":
            return (lines[0], fields,
                    self.take(int(fields.get("Content-Length", 0))))
        body = b""
        while True:
            n = int(self.until(b"\r\n").split(b";")[0], 16)
            if not n:
                while self.until(b"\r\n") != b"\r\n":
                    pass
                return lines[0], fields, body
            body += self.take(n)
            self.take(2)


def content(name, n):
    seed = hashlib.sha256(name.encode()).digest()
    return (seed * (n // len(seed) + 1))[:n]


def framed(rng, body):
    """The fields and bytes of a body, by length or in chunks."""
    if rng.random() < 0.5:
        return f"Content-Length: {len(body)}\r\n", body
    out, at = b"", 0
    while at < len(body):
        n = rng.choice((1, 5, 900, 16_000, 100_000))
        part = body[at:at + n]
        out += b"%x%s\r\n" % (len(part), rng.choice((b"", b";a=b"))) + \
            part + b"\r\n"
        at += n
    trailers = rng.choice((b"", b"X-Sum: 1\r\n"))
    return "Transfer-Encoding: chunked\r\n", out + b"0\r\n" + trailers + b"\r\n"


def dribble(rng, sock, data):
    """Cut anywhere, sometimes with a pause."""
    at = 0
    while at < len(data):
        n = rng.choice((1, 3, 40, 700, 5000, 60_000, len(data)))
        sock.sendall(data[at:at + n])
        at += n
        if rng.random() < 0.02:
            time.sleep(0.003)


def server(seed, resets):
    """resets: of each path since its last answer, by all servers; so few that
    the pool's attempts suffice."""
    def handler(sock, number):
        rng = random.Random(f"{seed} server {number}")
        reader, lives = Reader(sock), rng.choice((1, 2, 5, 1000))
        while True:
            try:
                first, _, body = reader.message()
            except Gone:
                return
            method, path, _ = first.split()
            if method == "GET" and rng.random() < 0.03 and \
                    resets.get(path, 0) < RESETS:
                resets[path] = resets.get(path, 0) + 1
                reset(sock)
                return
            resets[path] = 0
            status, said = "200 OK", b""
            if path.startswith("/none"):
                status, fields, sent = "204 No Content", "", b""
            else:
                size = int(path.rsplit("-", 1)[1])
                said = content(path, size)
                fields, sent = framed(rng, said)
            lives -= 1
            says = not lives and method == "POST"
            head = "HTTP/1.1 %s\r\n%sX-Path: %s\r\nX-Body: %s\r\n%s\r\n" % (
                status, fields, path, hashlib.sha256(body).hexdigest(),
                "Connection: close\r\n" if says else "")
            early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            out = rng.choice((b"", b"", early)) + head.encode() + \
                (b"" if method == "HEAD" else sent)
            try:
                dribble(rng, sock, out)
            except OSError:
                return
            # What follows a POST may not be sent twice: it is told.
            if says or (lives <= 0 and method != "POST" and
                        rng.random() < 0.5):
                return

    return handler


def question(rng, n):
    method = rng.choice(("GET", "GET", "GET", "HEAD", "POST"))
    path = rng.choice((f"/c{n}-{rng.choice(SIZES)}", f"/none{n}"))
    fields, body, raw = "", b"", b""
    if method == "POST":
        body = content(f"up {n}", rng.choice(SIZES))
        fields, raw = framed(rng, body)
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"
    return method, path, body, head.encode() + raw


class Client:
    def __init__(self, seed, number, connect):
        self.rng = random.Random(f"{seed} client {number}")
        self.number, self.connect = number, connect
        self.answered = self.broken = self.connections = 0
        self.wrong = []
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        left = REQUESTS
        while left > 0 and not self.wrong:
            n = min(left, self.rng.choice((1, 2, 3, 8, 20)))
            try:
                with self.connect() as sock:
                    self.connections += 1
                    left -= max(1, self._talk(sock, n))
            except OSError as error:
                self.wrong.append(f"connection: {error!r}")

    def _talk(self, sock, n):
        """Questions in one go or one by one; how many were answered."""
        asked = [question(self.rng, f"{self.number}.{i}") for i in range(n)]
        reader, pipelined = Reader(sock), self.rng.random() < 0.4
        done, posts = 0, False
        sender = None
        data = b"".join(raw for *_, raw in asked)
        # A TLS connection of Python's is for one thread at a time: there only
        # what fits in the buffers on the way is sent before it is read.
        if isinstance(sock, ssl.SSLSocket) and len(data) > 8000:
            pipelined = False
        if pipelined:
            sender = threading.Thread(
                target=self._send, args=(sock, data), daemon=True)
            sender.start()
            if isinstance(sock, ssl.SSLSocket):
                sender.join()
        for method, path, body, raw in asked:
            posts |= method == "POST"
            if not pipelined:
                self._send(sock, raw)
            try:
                first, fields, got = self._answer(reader, method)
            except Gone as gone:
                # Nobody knows whether a POST was done; what was pipelined
                # behind one that failed is not answered either.
                if not posts:
                    self.wrong.append(f"{method} {path}: {gone}")
                self.broken += 1
                break
            size = 0 if path.startswith("/none") or method == "HEAD" \
                else int(path.rsplit("-", 1)[1])
            if (fields["X-Path"], fields["X-Body"]) != (
                    path, hashlib.sha256(body).hexdigest()) or \
                    got != content(path, size):
                self.wrong.append(
                    f"{method} {path}: {first} {fields} {len(got)} bytes")
                break
            done += 1
            self.answered += 1
            if fields.get("Connection") == "close":
                break
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has been reset
        if sender:
            sender.join()
        return done

    def _send(self, sock, data):
        try:
            dribble(self.rng, sock, data)
        except OSError:
            pass

    @staticmethod
    def _answer(reader, method):
        while True:
            first, fields, body = reader.message(
                lambda line: method == "HEAD" or
                line.split()[1] in ("103", "204"))
            if " 103 " not in first:
                return first, fields, body


def pipe_ends(b):
    """Descriptors that braidd keeps for pipes, whether they are in use."""
    return 2 * int(b.metrics().total("braid_worker_pipes"))


def test(s):
    """Random messages on connections that live on, in packets cut anywhere,
    pipelined or not, over servers that close or reset when they like: each
    answer is the one of its request, whole, and no GET or HEAD fails."""
    seed = os.environ.get("BRAID_SEED") or str(random.randrange(1 << 32))
    s.say(f"BRAID_SEED={seed}")
    ca = Authority(s)
    cert, key = ca.issue("www", "DNS:www.example.com")
    resets = {}
    origins = [Origin(s, server(f"{seed}.{i}", resets)) for i in range(3)]
    plain, tls = s.port(), s.port()
    b = Braid(s, {
        "listeners": {
            "plain": {"bind": f"127.0.0.1:{plain}", "pool": "o"},
            "tls": {"bind": f"127.0.0.1:{tls}", "pool": "o",
                    "tls": {"certificates": [{"cert": cert, "key": key}]}},
        },
        "pools": {"o": {
            "shard": {"range": "auto", "min_size": "64KiB"},
            "connect": {"retries": RETRIES},
            "servers": {f"s{i}": {"address": o.text}
                        for i, o in enumerate(origins)}}},
    })
    descriptors = b.settled_descriptors() - pipe_ends(b)
    context = client_context(ca.cert)

    def by_tls():
        return context.wrap_socket(client.connect(("127.0.0.1", tls)),
                                   server_hostname="www.example.com")

    ways = (lambda: client.connect(("127.0.0.1", plain)), by_tls)
    clients = [Client(seed, i, ways[i % 2]) for i in range(CLIENTS)]
    for one in clients:
        one.thread.start()
    for one in clients:
        one.thread.join()
    for one in clients:
        s.equal(one.wrong, [], f"client {one.number}: {one.answered} answers "
                f"on {one.connections} connections, {one.broken} broken")
    b.idle()
    s.until(lambda: b.descriptors() - pipe_ends(b) <= descriptors + 2,
            "no descriptor is left but of pipes")
    b.stop()


scenario.run(test)
