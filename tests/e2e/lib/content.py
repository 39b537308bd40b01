# SPDX-License-Identifier: Apache-2.0
"""The bytes of a representation, any part of it at any time: they follow from
its name, so that gigabytes need no memory and every side knows them."""

import hashlib
import random
import zlib

BLOCK = 1 << 20
_noise = memoryview(random.Random(11).randbytes(5 * BLOCK))


class Content:
    """`size` bytes; other names give other bytes at every offset's block."""

    def __init__(self, name, size):
        self.name, self.size = name, size
        self._digest = None

    def __eq__(self, other):
        return (self.name, self.size) == (other.name, other.size)

    def _block(self, number):
        # Odd distances: no two blocks of a transfer are the same by chance
        # of alignment.
        at = zlib.crc32(f"{self.name} {number}".encode()) % (4 * BLOCK)
        return _noise[at:at + BLOCK]

    def parts(self, first=0, end=None):
        """Views of the bytes from `first` to before `end`, in order."""
        end = self.size if end is None else end
        while first < end:
            number, at = divmod(first, BLOCK)
            part = self._block(number)[at:at + end - first]
            first += len(part)
            yield part

    def bytes(self, first=0, end=None):
        return b"".join(self.parts(first, end))

    def sha256(self):
        if self._digest is None:
            total = hashlib.sha256()
            for part in self.parts():
                total.update(part)
            self._digest = total.digest()
        return self._digest


class Comparer:
    """Compares what arrives with what should, and hashes it."""

    def __init__(self, content, first=0):
        self.content, self.at = content, first
        self.first = first
        self.wrong_at = None  # of the representation
        self._hash = hashlib.sha256()

    def __call__(self, data):
        self._hash.update(data)
        if self.wrong_at is None:
            self._compare(memoryview(data))
        self.at += len(data)

    def _compare(self, data):
        at = self.at
        for part in self.content.parts(at, at + len(data)):
            mine = data[at - self.at:at - self.at + len(part)]
            if at + len(part) > self.content.size or part != mine:
                self.wrong_at = at + _first_difference(part, mine)
                return
            at += len(part)

    @property
    def n(self):
        return self.at - self.first

    def is_whole(self):
        """By every byte, and by the hash of all as well."""
        return (self.wrong_at is None and self.at == self.content.size and
                (self.first > 0 or
                 self._hash.digest() == self.content.sha256()))


def _first_difference(a, b):
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y),
                min(len(a), len(b)))
