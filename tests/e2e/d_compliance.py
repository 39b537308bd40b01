#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import socket
import struct

from lib import scenario
from lib.ask import Answer, frame, query, read_tcp, wire_name
from lib.braidd import Braid

RECORDS = ["@ SOA ns1 hostmaster 7 3600 600 86400 60", "@ NS ns1",
           "@ A 192.0.2.80", "ns1 A 192.0.2.53", "www A 192.0.2.1",
           "alias CNAME www", *(f"many A 198.51.100.{i}"
                                for i in range(1, 101))]
ZONE = "example.org"
QUESTION = wire_name(ZONE) + struct.pack("!HH", 6, 1)
AA, TC, RD, RA, Z, AD, CD = 0x400, 0x200, 0x100, 0x80, 0x40, 0x20, 0x10
NSID, SUBNET, EXPIRE, COOKIE, KEEPALIVE, PADDING = 3, 8, 9, 10, 11, 12
UNKNOWN = 100
ANY_FLAG = AA | TC | RD | RA | Z | AD | CD


def opt(size=1232, ttl=0, data=b"", owner=b"\0", length=None):
    return owner + struct.pack("!HHIH", 41, size, ttl, len(data)
                               if length is None else length) + data


def option(code, data=b""):
    return struct.pack("!HH", code, len(data)) + data


def message(body=QUESTION, flags=0, opcode=0, counts=(1, 0, 0, 0)):
    return struct.pack("!HHHHHH", 4711, flags | opcode << 11, *counts) + body


def edns(*opts, flags=0, opcode=0):
    return message(QUESTION + b"".join(opts), flags, opcode,
                   (1, 0, 0, len(opts)))


def soa(kind=6, **more):
    """A query for the apex by a type's number."""
    return query(ZONE, kind, number=4711, **more)


# After ISC's list of probes (RFC 8906 section 8), by its names: the query;
# rcode, records in the answer, AA, EDNS, flags beside them. CD is cleared (RFC
# 4035 section 3.1.6).
PROBES = {
    "dns": (soa(edns=None), "NOERROR", 1, True, False, 0),
    "aaflag": (message(flags=AA), "NOERROR", 1, True, False, 0),
    "adflag": (message(flags=AD), "NOERROR", 1, True, False, 0),
    "cdflag": (message(flags=CD), "NOERROR", 1, True, False, 0),
    "raflag": (message(flags=RA), "NOERROR", 1, True, False, 0),
    "rdflag": (message(flags=RD), "NOERROR", 1, True, False, RD),
    "tcflag": (message(flags=TC), "NOERROR", 1, True, False, 0),
    "zflag": (message(flags=Z), "NOERROR", 1, True, False, 0),
    "opcode": (message(opcode=15), "NOTIMP", 0, False, False, 0),
    "opcodeflg": (message(flags=ANY_FLAG & ~RD, opcode=15), "NOTIMP", 0,
                  False, False, 0),
    "opcode with edns": (edns(opt(), opcode=15), "NOTIMP", 0, False, True, 0),
    "notify": (message(opcode=4), "NOTIMP", 0, False, False, 0),
    "notify with edns": (edns(opt(data=option(COOKIE, b"12345678")),
                              opcode=4), "NOTIMP", 0, False, True, 0),
    "update": (message(opcode=5), "NOTIMP", 0, False, False, 0),
    "type666": (soa(666, edns=None), "NOERROR", 0, True, False, 0),
    "dnskey": (soa(48), "NOERROR", 0, True, True, 0),
    "edns": (soa(), "NOERROR", 1, True, True, 0),
    "edns1": (edns(opt(ttl=1 << 16)), "BADVERS", 0, False, True, 0),
    "edns1opt": (edns(opt(ttl=1 << 16, data=option(UNKNOWN, b"x"))),
                 "BADVERS", 0, False, True, 0),
    "edns255": (edns(opt(ttl=255 << 16)), "BADVERS", 0, False, True, 0),
    "edns1flags": (edns(opt(ttl=1 << 16 | 0x7fff)), "BADVERS", 0, False,
                   True, 0),
    "ednsopt": (edns(opt(data=option(UNKNOWN))), "NOERROR", 1, True, True, 0),
    "ednsflags": (edns(opt(ttl=0x40)), "NOERROR", 1, True, True, 0),
    "do": (soa(dnssec=True), "NOERROR", 1, True, True, 0),
    "docd": (soa(dnssec=True, flags=CD), "NOERROR", 1, True, True, 0),
    "optlist": (edns(opt(data=option(NSID) + option(
        SUBNET, struct.pack("!HBB", 1, 0, 0)) + option(EXPIRE) + option(
        COOKIE, b"12345678") + option(KEEPALIVE) + option(PADDING, b"\0" * 9) +
        option(UNKNOWN, b"abc"))), "NOERROR", 1, True, True, 0),
    "edns size 0": (edns(opt(size=0)), "NOERROR", 1, True, True, 0),
    "edns size 65535": (edns(opt(size=65535)), "NOERROR", 1, True, True, 0),
    "class ANY": (message(wire_name(ZONE) + struct.pack("!HH", 6, 255)),
                  "REFUSED", 0, False, False, 0),
    "class CH": (message(wire_name("version.bind") + struct.pack(
        "!HH", 16, 3)), "REFUSED", 0, False, False, 0),
}
COOKIE_OPT = opt(data=option(COOKIE, b"12345678"))
# What is not well-formed, and nothing that is not answered at all.
MALFORMED = {
    "nothing behind the header": message(b""),
    "QDCOUNT 0": message(b"", counts=(0, 0, 0, 0)),
    "QDCOUNT 2": message(QUESTION * 2, counts=(2, 0, 0, 0)),
    "QDCOUNT 65535": message(counts=(65535, 0, 0, 0)),
    "a name that points to itself": message(b"\xc0\x0c\0\6\0\1"),
    "a name that points forward": message(b"\xc0\x12\0\6\0\1\3abc\0"),
    "a name that points into the header": message(b"\xc0\0\0\6\0\1"),
    "a label that points to itself": message(b"\1a\xc0\x0c\0\6\0\1"),
    "half a pointer": message(b"\xc0"),
    "a label of type 01": message(b"\x41abc\0\0\6\0\1"),
    "a label of type 10": message(b"\x81abc\0\0\6\0\1"),
    "a name of 256 bytes": message(b"\x3f" + b"a" * 63 + (b"\x3f" + b"b" * 63)
                                   * 2 + b"\x3e" + b"c" * 62 + b"\0\0\6\0\1"),
    "a name without its end": message(b"\7example"),
    "no type": message(wire_name(ZONE)),
    "half a class": message(QUESTION[:-1]),
    "OPT announced, none there": message(counts=(1, 0, 0, 1)),
    "half an OPT": message(QUESTION + opt()[:7], counts=(1, 0, 0, 1)),
    "OPT shorter than it says": edns(opt(length=5)),
    "an option longer than its OPT": edns(opt(data=b"\0\x0a\0\x20abcd")),
    "half an option": edns(opt(data=b"\0\x0a\0")),
    "two OPTs": edns(opt(), opt()),
    "OPT of another name than the root": edns(opt(owner=b"\1a\0")),
    "OPT in the answer section": message(QUESTION + opt(),
                                         counts=(1, 1, 0, 0)),
    "a client cookie of 7 bytes": edns(opt(data=option(COOKIE, b"1234567"))),
    "a cookie of 41 bytes": edns(opt(data=option(COOKIE, b"1" * 41))),
    "a subnet of no family": edns(opt(data=option(SUBNET, b"\0\x09\x18\0abc"))),
    "a subnet of too many bytes": edns(opt(data=option(
        SUBNET, b"\0\1\x18\0abcd"))),
    "bytes behind the message": message(QUESTION + b"\0\0\0"),
}
DROPPED = {"half a header": b"\x12\x67\0\0\0\1", "one byte": b"x",
           "a response": message(flags=0x8000),
           "a response of another kind": message(opcode=15, flags=0x8000)}


class Asker:
    """One UDP socket, one TCP connection. A query that is known to be answered
    goes behind each, so that silence shows without waiting."""

    def __init__(self, s, server):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.settimeout(60)
        self.udp.connect(server)
        s.defer(self.udp.close)
        self.server = server

    def over_udp(self, data):
        """What comes back; None: nothing before the next answer."""
        self.udp.send(data)
        self.udp.send(query(ZONE, "SOA", number=1))
        got = self.udp.recv(65535)
        if got[:2] == b"\0\1":
            return None
        self.udp.recv(65535)
        return got

    def over_tcp(self, data):
        with socket.create_connection(self.server, 60) as sock:
            sock.sendall(frame(data))
            return read_tcp(sock)


def probe(s, how, name, got, want):
    rcode, n, aa, has_edns, flags = want
    answer = Answer(got)
    s.equal((answer.rcode, len(answer.answer), answer.aa,
             answer.options is not None, answer.flags & ANY_FLAG & ~AA),
            (rcode, n, aa, has_edns, flags), f"{how} {name}")
    if has_edns and UNKNOWN in answer.options:
        s.check(False, f"{name}: an unknown option came back")
    return answer


def opt_ttl(got):
    """Extended rcode, version, flags; of a message that ends in its OPT."""
    at = got.rindex(b"\0\0\x29")
    return struct.unpack("!I", got[at + 5:at + 9])[0]


def probes(s, asker):
    for name, (data, *want) in PROBES.items():
        for how, send in (("UDP", asker.over_udp), ("TCP", asker.over_tcp)):
            got = send(data)
            probe(s, how, name, got, want)
            if want[3]:
                s.equal(opt_ttl(got) & 0xFFFFFF,
                        0x8000 if name in ("do", "docd") else 0,
                        f"{how} {name}: version 0, no flag but DO")
    for size in (None, 0, 512, 1232, 4096, 65535):
        got = asker.over_udp(query(f"many.{ZONE}", edns=size, number=4711))
        s.check(len(got) <= min(max(size or 512, 512), 1232) and
                Answer(got).tc, f"many records, EDNS {size}: TC, "
                f"{len(got)} bytes")
    got = asker.over_tcp(query(f"many.{ZONE}", number=4711))
    s.equal((Answer(got).tc, len(Answer(got).answer)), (False, 100),
            "all of them over TCP")


def malformed(s, asker):
    for name, data in MALFORMED.items():
        for how, send in (("UDP", asker.over_udp), ("TCP", asker.over_tcp)):
            got = send(data)
            answer = Answer(got)
            s.equal((got[:2], answer.flags & 0x8000, answer.rcode,
                     len(answer.answer)),
                    (data[:2], 0x8000, "FORMERR", 0), f"{how}: {name}")
    for name, data in DROPPED.items():
        s.equal(asker.over_udp(data), None, f"{name}: no answer")
    answer = Answer(asker.over_udp(message(COOKIE_OPT, counts=(0, 0, 0, 1))))
    s.equal((answer.rcode, len(answer.options[COOKIE])), ("NOERROR", 24),
            "no question but a cookie (RFC 7873 section 5.4)")


def test(s):
    """The probes of RFC 8906 and ISC's list, and what is malformed: nothing
    that a server must answer stays unanswered."""
    port = s.port()
    b = Braid(s, {"dns": {"bind": f"127.0.0.1:{port}",
                          "zones": {ZONE: {"records": RECORDS}}}})
    asker = Asker(s, ("127.0.0.1", port))
    probes(s, asker)
    malformed(s, asker)
    b.stop()


scenario.run(test)
