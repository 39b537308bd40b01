# SPDX-License-Identifier: Apache-2.0
"""Asks a DNS server and reads what it says: one message at a time, over UDP
or TCP, with the options of EDNS that scenarios need."""

import ipaddress
import random
import socket
import struct

from .process import Failure

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15,
         "TXT": 16, "AAAA": 28, "SRV": 33, "DNAME": 39, "DS": 43,
         "RRSIG": 46, "NSEC": 47, "DNSKEY": 48, "CDS": 59, "CDNSKEY": 60,
         "SVCB": 64, "HTTPS": 65, "IXFR": 251, "AXFR": 252, "ANY": 255}
NAMES = {number: name for name, number in TYPES.items()}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN",
          4: "NOTIMP", 5: "REFUSED", 16: "BADVERS", 23: "BADCOOKIE"}
OPT, SUBNET, COOKIE = 41, 8, 10
# How long an answer is waited for that must come. It bounds a broken run.
ANSWER_S = 60


def wire_name(text):
    wire = b""
    for label in text.rstrip(".").split("."):
        if label:
            wire += bytes([len(label)]) + label.encode()
    return wire + b"\0"


def read_name(message, at):
    """The name as text with its last dot, and where it ends."""
    labels, end = [], None
    while True:
        length = message[at]
        if length >= 0xC0:
            end = end or at + 2
            at = (length & 0x3F) << 8 | message[at + 1]
        elif length:
            labels.append(message[at + 1:at + 1 + length].decode("latin-1"))
            at += 1 + length
        else:
            return ".".join(labels) + ".", end or at + 1


def _read_data(message, kind, at, length):
    if kind in (1, 28):
        return str(ipaddress.ip_address(message[at:at + length]))
    if kind in (2, 5, 12, 39):
        return read_name(message, at)[0]
    if kind == 15:
        return (struct.unpack("!H", message[at:at + 2])[0],
                read_name(message, at + 2)[0])
    if kind == 16:
        return b"".join(_strings(message[at:at + length])).decode()
    if kind == 33:
        return (*struct.unpack("!HHH", message[at:at + 6]),
                read_name(message, at + 6)[0])
    if kind in (64, 65):
        target, end = read_name(message, at + 2)
        return (struct.unpack("!H", message[at:at + 2])[0], target,
                message[end:at + length])
    return message[at:at + length]


def _strings(data):
    while data:
        yield data[1:1 + data[0]]
        data = data[1 + data[0]:]


class Record:
    def __init__(self, name, kind, ttl, data):
        self.name, self.kind, self.ttl, self.data = name, kind, ttl, data

    def __repr__(self):
        return f"{self.name} {self.ttl} {self.kind} {self.data}"


class Answer:
    """What one message says. `answer`, `authority`, `additional` are lists of
    Record, without OPT; `options` is {code: bytes}, None without EDNS."""

    def __init__(self, message):
        self.bytes = message
        (self.id, self.flags, questions, *counts) = struct.unpack(
            "!HHHHHH", message[:12])
        self.aa, self.tc = bool(self.flags & 0x400), bool(self.flags & 0x200)
        self.code = self.flags & 15
        self.options, self.questions, at = None, [], 12
        for _ in range(questions):
            name, at = read_name(message, at)
            self.questions.append((name, *struct.unpack(
                "!HH", message[at:at + 4])))
            at += 4
        sections = []
        for count in counts:
            records = []
            for _ in range(count):
                at = self._record(message, at, records)
            sections.append(records)
        self.answer, self.authority, self.additional = sections
        if at != len(message):
            raise Failure(f"{len(message) - at} bytes behind the answer")

    def _record(self, message, at, records):
        name, at = read_name(message, at)
        kind, group, ttl, length = struct.unpack("!HHIH", message[at:at + 10])
        at += 10
        if kind == OPT:
            self.size = group
            self.code |= ttl >> 24 << 4
            self.options = dict(_options(message[at:at + length]))
        else:
            records.append(Record(name, NAMES.get(kind, f"TYPE{kind}"), ttl,
                                  _read_data(message, kind, at, length)))
        return at + length

    @property
    def rcode(self):
        return RCODES.get(self.code, str(self.code))

    def data(self, kind):
        """Of the answer's records of that type, in their order."""
        return [r.data for r in self.answer if r.kind == kind]

    @property
    def scope(self):
        """Of the client subnet that it echoes."""
        return self.options[SUBNET][3]


def _options(data):
    while data:
        code, length = struct.unpack("!HH", data[:4])
        yield code, data[4:4 + length]
        data = data[4 + length:]


def subnet(text):
    """The option for "192.0.2.0/24"."""
    net = ipaddress.ip_network(text, strict=False)
    size = (net.prefixlen + 7) // 8
    return SUBNET, struct.pack("!HBB", 1 if net.version == 4 else 2,
                               net.prefixlen, 0) + \
        net.network_address.packed[:size]


def query(name, kind="A", edns=1232, options=(), dnssec=False, flags=0,
          number=None):
    """The bytes of a question; edns=None: without OPT."""
    kind = TYPES[kind] if isinstance(kind, str) else kind
    extra = b""
    if edns is not None:
        data = b"".join(struct.pack("!HH", code, len(value)) + value
                        for code, value in options)
        extra = b"\0" + struct.pack("!HHIH", OPT, edns,
                                    0x8000 if dnssec else 0, len(data)) + data
    number = random.randrange(65536) if number is None else number
    return struct.pack("!HHHHHH", number, flags, 1, 0, 0,
                       1 if extra else 0) + \
        wire_name(name) + struct.pack("!HH", kind, 1) + extra


def _family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def send_udp(server, message, source=None, timeout_s=ANSWER_S):
    """The bytes that come back, which must be from whom was asked."""
    with socket.socket(_family(server[0]), socket.SOCK_DGRAM) as sock:
        if source:
            sock.bind((source, 0))
        sock.connect(server)
        sock.settimeout(timeout_s)
        sock.send(message)
        return sock.recv(65535)


def read_exactly(sock, n):
    data = b""
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            raise Failure(f"the connection ended after {len(data)} of {n}")
        data += more
    return data


def read_tcp(sock):
    return read_exactly(sock, struct.unpack("!H", read_exactly(sock, 2))[0])


def frame(message):
    return struct.pack("!H", len(message)) + message


def send_tcp(server, message, source=None, timeout_s=ANSWER_S):
    with socket.socket(_family(server[0]), socket.SOCK_STREAM) as sock:
        if source:
            sock.bind((source, 0))
        sock.settimeout(timeout_s)
        sock.connect(server)
        sock.sendall(frame(message))
        return read_tcp(sock)


def ask(server, name, kind="A", tcp=False, source=None, ecs=None,
        timeout_s=ANSWER_S, **more):
    """Asks (host, port); an Answer to this question, or a failure."""
    options = list(more.pop("options", ()))
    if ecs:
        options.append(subnet(ecs))
    message = query(name, kind, options=options, **more)
    send = send_tcp if tcp else send_udp
    answer = Answer(send(server, message, source, timeout_s))
    if answer.id != struct.unpack("!H", message[:2])[0]:
        raise Failure("the answer's id is not the question's")
    if not answer.flags & 0x8000:
        raise Failure("the answer is no response")
    return answer
