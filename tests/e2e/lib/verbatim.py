# SPDX-License-Identifier: Apache-2.0
"""The same bytes said to a server and to Braid before it: what comes back
must be the same, and so must be what the server has seen.

    Case       what a client says, step by step
    play       says it; all that came back, and how it ended
    Ways       listeners for each setting of shard.range, plain and over TLS
    Recorder   an origin that keeps what it has heard and answers by count"""

import re
import socket
import threading

from . import client, tls_stream
from .certificates import client_context
from .origins import Origin

RANGES = ("off", "auto", "on")
PATIENCE_S = 30
NAME = "www.example.com"


class Case:
    """steps: bytes to send; ("until", bytes): read on to these; "fin".
    After the last all is read to the end."""

    def __init__(self, name, *steps, answers=(), portion=1 << 20):
        self.name, self.steps, self.answers = name, steps, answers
        self.portion = portion  # of an answer, at a time

    def __str__(self):
        return self.name

    @property
    def sent(self):
        return b"".join(x for x in self.steps if isinstance(x, bytes))


def request(line, *fields, body=b"", close=False):
    """One well-formed request."""
    lines = [line, "Host: " + NAME, *fields]
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def play(connect, case):
    """What came back, and how it ended."""
    sock = connect()
    got = bytearray()
    try:
        for step in case.steps:
            if isinstance(step, bytes):
                sock.sendall(step)
            elif step == "fin":
                sock.shutdown(socket.SHUT_WR)
            else:
                at = len(got)
                while got.find(step[1], at) < 0:
                    data = sock.recv(65536)
                    if not data:
                        return bytes(got), "early " + client.FIN
                    got += data
        while True:
            data = sock.recv(65536)
            if not data:
                return bytes(got), client.FIN
            got += data
    except (ConnectionResetError, BrokenPipeError):
        return bytes(got), client.RESET
    except ConnectionAbortedError:
        return bytes(got), "no close_notify"
    except TimeoutError:
        return bytes(got), "nothing more"
    finally:
        sock.close()


_DATE = re.compile(rb"(?m)^Date: [^\r]*")
_LENGTH = re.compile(rb"(?m)^Content-Length: [^\r]*")
_KEEP_ALIVE = re.compile(rb"(?m)^(Connection: keep-alive|Keep-Alive: [^\r]*)"
                         rb"\r\n")
_BOUNDARY = re.compile(rb"multipart/byteranges; boundary=([^\r]+)")


def same(got):
    """Without what differs from answer to answer, and what goes without
    saying on a connection (RFC 9112 9.3), which need not be the server's."""
    for boundary in _BOUNDARY.findall(got):
        got = got.replace(boundary, b"boundary")
        # Apache's is as long as the connection's number.
        got = _LENGTH.sub(b"Content-Length: some", got)
    return _KEEP_ALIVE.sub(b"", _DATE.sub(b"Date: now", got))


class Ways:
    """pools: {name: pool's configuration}; a listener for each of them by
    each setting of shard.range, plain and over TLS."""

    def __init__(self, s, authority, pools, shard, ranges=RANGES):
        pair = authority.issue("www", f"DNS:{NAME}")
        self.context = client_context(authority.cert)
        self.ports, self.listeners, self.pools = {}, {}, {}
        for name, pool in pools.items():
            for setting in ranges:
                whole = f"{name}-{setting}"
                self.pools[whole] = dict(pool)
                if setting != "off":
                    self.pools[whole]["shard"] = {"range": setting, **shard}
                for over in ("plain", "tls"):
                    self._listen(s, whole, over, pair)

    def _listen(self, s, pool, over, pair):
        port = s.port()
        listener = {"bind": f"127.0.0.1:{port}", "pool": pool}
        if over == "tls":
            listener["tls"] = {"certificates": [
                {"cert": pair[0], "key": pair[1]}]}
        self.listeners[f"{pool}-{over}"] = listener
        self.ports[f"{pool}-{over}"] = port

    def of(self, pool):
        """[(name, connect function)] of all ways to this pool."""
        return [(way, self._connector(way)) for way in self.ports
                if way.startswith(pool + "-")]

    def _connector(self, way):
        def connect():
            sock = client.connect(("127.0.0.1", self.ports[way]), PATIENCE_S)
            if way.endswith("-tls"):
                return tls_stream.End(sock, self.context, name=NAME)
            return sock
        return connect


def direct(server):
    host, port = server.text.rsplit(":", 1)
    return lambda: client.connect((host, int(port)), PATIENCE_S)


class Recorder:
    """An origin that understands nothing: `answers` is [(n, bytes)], each
    said when so many bytes have come in all, over all connections of the
    case; after the last of them it closes."""

    def __init__(self, s):
        self.origin = Origin(s, self._serve)
        self.text = self.origin.text
        self._lock = threading.Condition()
        self.begin(Case("nothing"))

    def begin(self, case):
        with self._lock:
            self.case, self.heard, self.said = case, bytearray(), 0

    def all_heard(self):
        """What came, once everything is said."""
        with self._lock:
            if not self._lock.wait_for(
                    lambda: self.said == len(self.case.answers) and
                    len(self.heard) >= len(self.case.sent),
                    PATIENCE_S):
                self.heard += b" and no more"
            return bytes(self.heard)

    def _serve(self, sock, _number):
        sock.settimeout(20)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            data = sock.recv(65536)
            with self._lock:
                self.heard += data
                while self.said < len(self.case.answers) and \
                        len(self.heard) >= self.case.answers[self.said][0]:
                    self._say(sock, self.case.answers[self.said][1])
                    self.said += 1
                self._lock.notify_all()
                over = (self.said == len(self.case.answers) and
                        len(self.heard) >= len(self.case.sent))
            if over or not data:
                return

    def _say(self, sock, answer):
        for at in range(0, len(answer), self.case.portion):
            sock.sendall(answer[at:at + self.case.portion])


def compare(s, server, ways, name, cases, view=same):
    """Braid must add and take nothing, by whatever way."""
    wanted = {}
    for case in cases:
        got, end = play(direct(server), case)
        wanted[case] = view(got), end
    s.check(all(end == "fin" for _, end in wanted.values()),
            f"{name}: {len(cases)} cases end in order without Braid")
    for way, connect in ways.of(name):
        wrong = []
        for case in cases:
            got, end = play(connect, case)
            if (view(got), end) != wanted[case]:
                wrong.append(case)
                s.say(f"{way}, {case}: {end}: {view(got)[:1500]!r}\n"
                      f"    wanted {wanted[case][1]}: "
                      f"{wanted[case][0][:1500]!r}")
        s.equal([str(case) for case in wrong], [],
                f"{way}: cases that differ")
