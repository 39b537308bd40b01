# SPDX-License-Identifier: Apache-2.0
"""An HTTP/1.1 origin that does ranges, conditionals and keep-alive right, of
contents of any size, and whose every answer a scenario may change: see
range_faults.py.

    Library              path -> Entity, the same for all servers of a pool
    RangeOrigin          one server; one thread a connection
    Wire                 its end of a connection, which can be killed"""

import base64
import email.utils
import hashlib
import select
import socket
import time

from . import http1
from .content import Content
from .origins import Origin, reset

PORTION = 1 << 16
MODIFIED = 1_700_000_000  # long ago: a validator, RFC 9110 8.8.2.2


def http_date(seconds):
    return email.utils.formatdate(seconds, usegmt=True)


class Entity:
    """One representation."""

    def __init__(self, content, etag=None, modified=MODIFIED, coding=None):
        self.content, self.modified, self.coding = content, modified, coding
        tag = hashlib.sha256(content.name.encode()).hexdigest()[:16]
        self.etag = etag or f'"{tag}"'
        self.digest_of = content

    @property
    def size(self):
        return self.content.size


class Library:
    """Paths are /NAME/SIZE; others are not found, but for those put in."""

    def __init__(self):
        self.entities = {}

    def find(self, path):
        if path not in self.entities:
            words = path.split("/")
            if len(words) != 3 or not words[2].isdigit():
                return None
            self.entities[path] = Entity(Content(path, int(words[2])))
        return self.entities[path]


class Killed(OSError):
    """The server has been killed, or the client has gone."""


class Wire:
    """Whoever waits here notices within a moment when it has been killed."""

    def __init__(self, sock):
        self.sock = sock
        self.killed = False
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def kill(self):
        self.killed = True
        try:
            self.sock.shutdown(socket.SHUT_RD)  # says nothing to the peer
        except OSError:
            pass

    def wait(self, events, seconds=60.0):
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self.sock, events)
        while not self.killed:
            if poll.poll(20 if events & select.POLLOUT else 200):
                return
            if time.monotonic() > deadline:
                raise Killed("waited too long")
        raise Killed("killed")

    def wait_gone(self):
        """Until the client has had enough."""
        while True:
            self.wait(select.POLLRDHUP)
            if self.killed or not self.sock.recv(PORTION):
                raise Killed("gone")

    def recv(self, n=PORTION):
        while True:
            self.wait(select.POLLIN)
            try:
                data = self.sock.recv(n)
            except BlockingIOError:
                continue
            if self.killed:
                raise Killed("killed")
            return data

    def send(self, data):
        data = memoryview(data)
        while data:
            try:
                data = data[self.sock.send(data):]
            except BlockingIOError:
                self.wait(select.POLLOUT)
            if self.killed:
                raise Killed("killed")


class Answer:
    """What is about to be said. `first` and `end` are of the body within
    `entity`; a fault may change all of it, or how it is said."""

    def __init__(self, status, entity=None, first=0, end=0, body=None):
        self.status, self.entity = status, entity
        self.first, self.end = first, end
        self.body = body  # in place of the entity's bytes
        self.fields = []
        self.chunked = False

    @property
    def length(self):
        return self.end - self.first if self.body is None else len(self.body)

    def set(self, name, value):
        """In place of the field, or without it when value is None."""
        self.fields = [(k, v) for k, v in self.fields if k != name]
        if value is not None:
            self.fields.append((name, value))

    def parts(self):
        if self.body is not None:
            return iter([memoryview(self.body)])
        return self.entity.content.parts(self.first, self.end)

    def head(self):
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Said')}"]
        lines += [f"{k}: {v}" for k, v in self.fields]
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif self.status not in (204, 304):
            lines.append(f"Content-Length: {self.length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


REASONS = {200: "OK", 206: "Partial Content", 304: "Not Modified",
           404: "Not Found", 405: "Method Not Allowed",
           412: "Precondition Failed", 416: "Range Not Satisfiable",
           500: "Internal Server Error"}


class RangeOrigin(Origin):
    """trouble(server, request head, Answer) -> a Fault for the body or None,
    having changed the Answer as it likes. rate_bps: bytes a second of each
    connection. digests: Repr-Digest is said (RFC 9530)."""

    def __init__(self, s, library, trouble=None, rate_bps=None,
                 digests=False, address=None):
        self.library, self.trouble = library, trouble
        self.rate_bps, self.digests = rate_bps, digests
        self.wires = set()
        self.requests = []  # (method, target, Range or None)
        super().__init__(s, self._talk, address)

    # -- life ----------------------------------------------------------
    def kill(self):
        """Resets all connections and refuses new ones, as a crash does."""
        listener, self._listener = self._listener, None
        if listener:
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()
        with self._lock:
            wires = list(self.wires)
        for wire in wires:
            wire.kill()

    def revive(self):
        if self._listener is None:
            self.up()

    def down(self):
        self.kill()
        super().down()

    # -- a connection --------------------------------------------------
    def _talk(self, sock, _number):
        wire = Wire(sock)
        with self._lock:
            self.wires.add(wire)
        try:
            reader = http1.Reader(wire.recv)
            while self._listener and self._one(wire, reader):
                pass
        except Killed:
            reset(sock)
        except (http1.Ended, OSError):
            pass
        finally:
            with self._lock:
                self.wires.discard(wire)

    def _one(self, wire, reader):
        """One request; whether the connection goes on."""
        request = reader.head()
        if request is None:
            return False
        method, target, version = request.line
        self.requests.append((method, target, request.get("Range")))
        body = self._request_body(wire, reader, request)
        answer = self._answer(request, method, target, body)
        closes = (request.has("Connection", "close") or
                  version == "HTTP/1.0")
        if closes:
            answer.set("Connection", "close")
        fault = self.trouble(self, request, answer) if self.trouble else None
        self._say(wire, method, answer, fault)
        return not closes

    @staticmethod
    def _request_body(wire, reader, request):
        parts = []
        if request.has("Expect", "100-continue"):
            wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if request.has("Transfer-Encoding", "chunked"):
            reader.chunks(parts.append)
        else:
            reader.exactly(int(request.get("Content-Length", 0)),
                           parts.append)
        return b"".join(parts)

    def _say(self, wire, method, answer, fault):
        wire.send(answer.head())
        if method == "HEAD" or answer.status in (204, 304):
            return
        at, begun = answer.first, time.monotonic()
        if answer.body is not None:
            fault = None
        for part in answer.parts():
            while part:
                portion, part = part[:PORTION], part[PORTION:]
                if fault:
                    portion = fault.cut(at, portion)
                self._send_body(wire, answer, portion)
                at += len(portion)
                if fault:
                    fault.strike(self, wire, answer, at)
                self._pace(wire, at - answer.first, begun)
        if answer.chunked:
            wire.send(b"0\r\n\r\n")

    @staticmethod
    def _send_body(wire, answer, data):
        if answer.chunked and data:
            wire.send(b"%x\r\n" % len(data) + bytes(data) + b"\r\n")
        else:
            wire.send(data)

    def _pace(self, wire, n, begun):
        if self.rate_bps:
            ahead = begun + n / self.rate_bps - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            if wire.killed:
                raise Killed("killed")

    # -- what is said --------------------------------------------------
    def _answer(self, request, method, target, body):
        # The absolute form names the path, too. RFC 9112 3.2.2.
        path = "/" + target.split("/", 3)[3] if "://" in target else target
        entity = self.library.find(path)
        if method in ("POST", "PUT"):
            answer = Answer(200, body=body)  # an echo
        elif method not in ("GET", "HEAD"):
            answer = Answer(405, body=b"")
        elif entity is None:
            answer = Answer(404, body=b"not here\n")
        else:
            answer = self.of_entity(request, entity)
        answer.fields.insert(0, ("Date", http_date(time.time())))
        return answer

    def of_entity(self, request, entity, minds_if_range=True):
        """RFC 9110 13.2.2: the order of the preconditions."""
        answer = Answer(200, entity, 0, entity.size)
        status = _precondition(request, entity)
        if status:
            answer = Answer(status, entity, body=b"")
        elif request.get("Range") and (
                not minds_if_range or _range_holds(request, entity)):
            answer = _partial(request.get("Range"), entity)
        answer.fields += [("ETag", entity.etag),
                          ("Last-Modified", http_date(entity.modified)),
                          ("Accept-Ranges", "bytes")]
        if answer.status in (200, 206):
            if "Content-Type" not in dict(answer.fields):
                answer.fields.append(("Content-Type",
                                      "application/octet-stream"))
            if entity.coding:
                answer.fields.append(("Content-Encoding", entity.coding))
            if self.digests:
                text = base64.b64encode(entity.digest_of.sha256()).decode()
                answer.fields.append(("Repr-Digest", f"sha-256=:{text}:"))
        return answer


def _matches(value, etag, strong):
    tags = [tag.strip() for tag in value.split(",")]
    if "*" in tags:
        return True
    if strong:
        return etag in tags and not etag.startswith("W/")
    return etag.removeprefix("W/") in [t.removeprefix("W/") for t in tags]


def _seconds(value):
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except ValueError:
        return None


def _precondition(request, entity):
    value = request.get("If-Match")
    if value is not None:
        if not _matches(value, entity.etag, strong=True):
            return 412
    else:
        since = _seconds(request.get("If-Unmodified-Since", ""))
        if since is not None and entity.modified > since:
            return 412
    value = request.get("If-None-Match")
    if value is not None:
        return 304 if _matches(value, entity.etag, strong=False) else None
    since = _seconds(request.get("If-Modified-Since", ""))
    return 304 if since is not None and entity.modified <= since else None


def _range_holds(request, entity):
    value = request.get("If-Range")
    if value is None:
        return True
    if value.startswith('"'):
        return value == entity.etag
    return _seconds(value) == entity.modified


def _ranges(value, size):
    """[(first, end)], [] when none can be satisfied, None: not a range."""
    unit, _, specs = value.partition("=")
    if unit.strip() != "bytes":
        return None
    found = []
    for spec in specs.split(","):
        first, dash, last = spec.strip().partition("-")
        if not dash or not (first + last).isdigit():
            return None
        if not first:
            found.append((max(0, size - int(last)), size))
        else:
            end = min(int(last) + 1, size) if last else size
            found.append((int(first), end))
    return [(a, b) for a, b in found if a < b <= size]


def _partial(value, entity):
    size = entity.size
    ranges = _ranges(value, size)
    if ranges is None:
        return Answer(200, entity, 0, size)
    if not ranges:
        answer = Answer(416, body=b"")
        answer.fields.append(("Content-Range", f"bytes */{size}"))
        return answer
    if len(ranges) > 1:
        return _several(ranges, entity)
    first, end = ranges[0]
    answer = Answer(206, entity, first, end)
    answer.fields.append(("Content-Range", f"bytes {first}-{end - 1}/{size}"))
    return answer


def _several(ranges, entity):
    body = b""
    for first, end in ranges:
        body += (b"\r\n--separator\r\nContent-Range: bytes %d-%d/%d\r\n\r\n" %
                 (first, end - 1, entity.size))
        body += entity.content.bytes(first, end)
    answer = Answer(206, entity, body=body + b"\r\n--separator--\r\n")
    answer.fields.append(("Content-Type",
                          "multipart/byteranges; boundary=separator"))
    return answer
