# SPDX-License-Identifier: Apache-2.0
"""What may go wrong with a server in the middle of a download, and when.

A Trouble is one fault of one transfer. The first server that comes to its
moment has it from then on and for good, whatever connection it is asked on;
the others are in order. Moments, by the answer that a server is giving:

    first      of the answer that begins at byte 0, soon after its head
    boundary   of the first piece that begins later, before its first byte
    mid        of a later such piece, in its middle
    last       of the piece that ends with the representation, in its middle

A fault that can only be seen in a head is there from the head of that answer
on."""

import threading
import time

from .content import Content
from .range_origin import Entity, Killed

MOMENTS = ("first", "boundary", "mid", "last")
SOON = 20_000


class Trouble:
    def __init__(self, kind, moment):
        self.kind, self.moment = kind, moment
        self.armed = True
        self.server = None
        self.struck = 0  # answers that were not as they should be
        self._pieces = 0
        self._lock = threading.Lock()

    # -- when ----------------------------------------------------------
    def _is_now(self, answer):
        """Whether this answer has the moment in it."""
        if self.moment == "first":
            return answer.first == 0
        if answer.first == 0 or answer.status != 206:
            return False
        self._pieces += 1
        if self.moment == "mid":
            return self._pieces >= 3
        return self.moment == "boundary" or answer.end == answer.entity.size

    def _offset(self, answer):
        if self.moment == "first":
            return min(SOON, answer.end)
        if self.moment == "boundary":
            return answer.first
        return (answer.first + answer.end) // 2

    def __call__(self, server, request, answer):
        if not self.armed or answer.status not in (200, 206, 416):
            return None
        with self._lock:
            mine = self.server is server
            if not mine and self.server is None and self._is_now(answer):
                self.server, mine = server, True
                offset = self._offset(answer)
            elif mine:
                offset = answer.first
            if not mine:
                return None
            self.struck += 1
        if self.kind in IN_BODY:
            return Fault(IN_BODY[self.kind], offset)
        if self.kind in OTHERS:
            _other(server, request, answer, OTHERS[self.kind](answer.entity))
        else:
            IN_HEAD[self.kind](answer, self.struck)
        return None


class Fault:
    """Something that happens at an offset of the representation."""

    def __init__(self, act, offset):
        self.act, self.offset = act, offset

    def cut(self, at, portion):
        """What may be sent before it happens."""
        return portion[:max(0, self.offset - at)]

    def strike(self, server, wire, answer, at):
        if at >= self.offset:
            self.act(server, wire, answer, at)


# -- in the body -------------------------------------------------------
def _kill(server, _wire, _answer, _at):
    server.kill()
    raise Killed("killed")


def _reset(_server, _wire, _answer, _at):
    raise Killed("reset")


def _fin(_server, wire, _answer, _at):
    raise ConnectionError("closes early, in order")


def _stall(_server, wire, _answer, _at):
    wire.wait_gone()


def _crawl(_server, wire, answer, at):
    """1 KB a second."""
    for part in answer.entity.content.parts(at, answer.end):
        while part:
            wire.send(part[:100])
            part = part[100:]
            time.sleep(0.1)
            if wire.killed:
                break
    raise ConnectionError("done")


# -- in the head -------------------------------------------------------
def _other(server, request, answer, entity):
    """The answer of a server that holds that entity, and does not care for
    If-Range."""
    date = answer.fields[:1]
    answer.__dict__.update(server.of_entity(
        request, entity, minds_if_range=False).__dict__)
    answer.fields = date + answer.fields


def _whole(answer, entity):
    """A range is not taken."""
    answer.status, answer.entity, answer.body = 200, entity, None
    answer.first, answer.end = 0, entity.size
    answer.set("Content-Range", None)


def _etag_flip(answer, n):
    """By If-Range, which it obeys, another one each time."""
    entity = Entity(answer.entity.content, f'"flipped-{n}"')
    _whole(answer, entity)
    answer.set("ETag", entity.etag)


def _ignore_range(answer, _n):
    _whole(answer, answer.entity)


def _no_ranges(answer, _n):
    _whole(answer, answer.entity)
    answer.set("Accept-Ranges", "none")


def _wrong_range(answer, n):
    if answer.status != 206:
        return
    first, end, size = answer.first, answer.end, answer.entity.size
    answer.set("Content-Range", (
        f"bytes {first + 1}-{end}/{size}", f"bytes {first}-{end - 1}/*",
        f"bytes {first}-{end - 1}/{size + 1}", None, "bytes",
        f"bytes 0-{end - first - 1}/{size}")[n % 6])


def _short(answer, _n):
    """Legal: less than was asked for."""
    if answer.status == 206:
        answer.end = answer.first + max(1, (answer.end - answer.first) // 3)
        answer.set("Content-Range", f"bytes {answer.first}-{answer.end - 1}/"
                                    f"{answer.entity.size}")


def _chunked(answer, _n):
    answer.chunked = True


def _gzip(answer, _n):
    """The same tag and length for coded bytes: as wrong as can be."""
    answer.entity = Entity(corrupted(answer.entity).content,
                           answer.entity.etag, coding="gzip")
    answer.set("Content-Encoding", "gzip")


def _status(status):
    def change(answer, _n):
        if status == 416:
            answer.set("Content-Range", f"bytes */{answer.entity.size}")
        else:
            answer.set("Content-Range", None)
        answer.status, answer.body = status, b"no\n"
    return change


IN_BODY = {"kill": _kill, "RST": _reset, "FIN early": _fin, "stall": _stall,
           "1 KB/s": _crawl}
IN_HEAD = {"ETag flip": _etag_flip, "200 for 206": _ignore_range,
           "wrong range": _wrong_range, "no ranges": _no_ranges,
           "chunked": _chunked, "gzip": _gzip, "500": _status(500),
           "416": _status(416), "short 206": _short}


def corrupted(entity):
    """What a replica holds that went wrong, or was not updated."""
    return Entity(Content(entity.content.name + " corrupted", entity.size))


class _Front(Content):
    """The first `size` bytes of another content."""

    def __init__(self, content, size):
        super().__init__(content.name, size)


def truncated(entity):
    return Entity(_Front(entity.content, entity.size // 2), entity.etag)


def unseen(entity):
    """Other bytes under the same tag: only a digest tells."""
    return Entity(corrupted(entity).content, entity.etag)


def undigested(entity):
    """Not even what the server says of its digest, only its bytes."""
    other = unseen(entity)
    other.digest_of = entity.content
    return other


# What the server holds in place of the entity.
UNSEEN = {"same ETag": unseen, "same digest": undigested}
OTHERS = {"corrupt": corrupted, "truncate": truncated, **UNSEEN}
KINDS = [*IN_BODY, *OTHERS, *IN_HEAD]
