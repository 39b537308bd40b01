# SPDX-License-Identifier: Apache-2.0
"""PROXY headers as a server reads them, and as a proxy may write them, also
wrong ones ("The PROXY protocol", HAProxy's
doc/proxy-protocol.txt, section 2.2)."""

import ipaddress
import socket
import struct

from . import client
from .process import Failure

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
UNSPEC, TCP4, TCP6, UNIX = 0x00, 0x11, 0x21, 0x31
ALPN, AUTHORITY, CRC32C, NOOP, UNIQUE_ID, SSL = 1, 2, 3, 4, 5, 0x20
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


def v1(source, destination):
    """source, destination: (address, port)."""
    protocol = "TCP6" if ":" in source[0] else "TCP4"
    return (f"PROXY {protocol} {source[0]} {destination[0]} "
            f"{source[1]} {destination[1]}\r\n").encode()


def addresses(source, destination):
    """As version 2 says them."""
    return (ipaddress.ip_address(source[0]).packed +
            ipaddress.ip_address(destination[0]).packed +
            struct.pack("!HH", source[1], destination[1]))


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def v2(family, body=b"", command=PROXY, crc=False, spoil=0):
    """body: addresses and TLVs. spoil: what is added to the checksum."""
    if crc:
        body += tlv(CRC32C, bytes(4))
    header = SIGNATURE + struct.pack("!BBH", command, family,
                                     len(body)) + body
    if crc:
        checksum = crc32c(header) + spoil & 0xffffffff
        header = header[:-4] + struct.pack("!I", checksum)
    return header
