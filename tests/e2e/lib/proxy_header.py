# SPDX-License-Identifier: Apache-2.0
"""PROXY headers as a server reads them ("The PROXY protocol", HAProxy's
doc/proxy-protocol.txt, section 2.2)."""

import socket
import struct

from . import client
from .process import Failure

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
ALPN, AUTHORITY, CRC32C, SSL = 0x01, 0x02, 0x03, 0x20
SSL_VERSION, SSL_CN, SSL_CIPHER = 0x21, 0x22, 0x23
# Bits of the SSL TLV's "client".
USED, CERT_CONN, CERT_SESS = 1, 2, 4


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def _tlvs(data):
    found = {}
    while data:
        kind, length = struct.unpack_from("!BH", data)
        if kind in found or len(data) < 3 + length:
            raise Failure(f"bad TLVs: {data!r}")
        found[kind] = data[3:3 + length]
        data = data[3 + length:]
    return found


class Header:
    """Of version 2, TCP over IPv4, read from the start of a connection."""

    def __init__(self, sock):
        head = client.read_exactly(sock, 16)
        if not head.startswith(SIGNATURE) or head[12:14] != b"\x21\x11":
            raise Failure(f"no such PROXY header: {head!r}")
        body = client.read_exactly(sock, struct.unpack("!H", head[14:])[0])
        source, destination, *ports = struct.unpack_from("!4s4sHH", body)
        self.source = socket.inet_ntoa(source), ports[0]
        self.destination = socket.inet_ntoa(destination), ports[1]
        self.tlvs = _tlvs(body[12:])
        if CRC32C in self.tlvs:
            value = self.tlvs[CRC32C]
            blank = body.replace(b"\x03\0\x04" + value, b"\x03\0\x04" +
                                 bytes(4))
            if crc32c(head + blank) != struct.unpack("!I", value)[0]:
                raise Failure("a wrong checksum")

    @property
    def ssl(self):
        """(bits of client, verify, its own TLVs), or None."""
        data = self.tlvs.get(SSL)
        if data is None:
            return None
        return *struct.unpack_from("!BI", data), _tlvs(data[5:])
