# SPDX-License-Identifier: Apache-2.0
"""Other authoritative servers with the same zone, and their answers side by
side: records as facts that can be compared, whatever their compression."""

import collections
import socket
import struct

from . import rich_zone
from .ask import ANSWER_S, frame, read_name, read_tcp, wire_name
from .process import Failure, wait_until
from .rich_zone import APEX, MAIN_TYPES, TYPES
from .scenario import find_program

KNOT = """\
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    tcp-idle-timeout: 600
    tcp-io-timeout: 60000
log:
  - target: stderr
    any: warning
database:
    storage: "{folder}"
zone:
  - domain: {apex}
    file: "{zone}"
    storage: "{folder}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
"""
NSD = """\
server:
    server-count: 1
    ip-address: 127.0.0.1@{port}
    do-ip6: no
    username: ""
    chroot: ""
    database: ""
    zonesdir: "{folder}"
    pidfile: "{folder}/nsd.pid"
    xfrdfile: "{folder}/xfrd.state"
    xfrdir: "{folder}"
    zonelistfile: "{folder}/zone.list"
    cookie-secret-file: "{folder}/cookies"
    minimal-responses: no
    round-robin: no
    rrl-ratelimit: 0
    tcp-query-count: 0
    tcp-timeout: 600
remote-control:
    control-enable: no
zone:
    name: {apex}
    zonefile: "{zone}"
"""
PEERS = {"Knot": ("knotd", KNOT, ["-c", "{config}"]),
         "NSD": ("nsd", NSD, ["-d", "-c", "{config}"])}
# Types whose data holds names: bytes before the first name, then how many.
NAMES_IN = {2: (0, 1), 5: (0, 1), 6: (0, 2), 12: (0, 1), 15: (2, 1),
            17: (0, 2), 33: (6, 1), 39: (0, 1), 64: (2, 1), 65: (2, 1)}
NS, SOA, OPT, ANY = 2, 6, 41, 255
ALIASES = (5, 39)
TC, AA = 0x200, 0x400
# How a question is put: EDNS size, DO, over TCP.
WAYS = {"UDP": (None, False, False), "UDP 1232": (1232, False, False),
        "UDP 512 DO": (512, True, False), "UDP 1232 DO": (1232, True, False),
        "TCP DO": (1232, True, True)}


def start_peer(s, kind, apex, zone):
    """Where it listens."""
    program, config, arguments = PEERS[kind]
    folder, port = s.make_folder(program), s.port()
    values = {"folder": folder, "port": port, "apex": apex, "zone": zone}
    values["config"] = s.write(f"{program}/conf", config.format(**values))
    process = s.start([find_program(program),
                       *(a.format(**values) for a in arguments)], program)
    line = Line(("127.0.0.1", port))
    hello = question(wire_name(apex), SOA, 1)

    def answers():
        if not process.running:
            raise Failure(f"{kind} ended:\n{process.output()}")
        try:
            return Said(line.udp(hello)).answer
        except OSError:
            return None
    line.wait_most(1)  # what it drops at its start is not answered later
    wait_until(answers, f"{kind} to answer")
    line.wait_most(ANSWER_S)
    s.defer(line.close)
    return line


class Line:
    """A way to one server: a UDP socket, and a TCP connection when asked."""

    def __init__(self, server):
        self.server, self._tcp = server, None
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.wait_most(ANSWER_S)
        self._udp.connect(server)

    def wait_most(self, seconds):
        self._udp.settimeout(seconds)

    def udp(self, message):
        self._udp.send(message)
        while True:  # an answer to a question before may be late
            answer = self._udp.recv(65535)
            if answer[:2] == message[:2]:
                return answer

    def tcp(self, message):
        if not self._tcp:
            self._tcp = socket.create_connection(self.server, ANSWER_S)
            self._tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._tcp.sendall(frame(message))
        return read_tcp(self._tcp)

    def close(self):
        self._udp.close()
        if self._tcp:
            self._tcp.close()


def question(name, rr_type, number, size=None, dnssec=False):
    """name in wire form; size None: without EDNS."""
    opt = b"" if size is None else b"\0" + struct.pack(
        "!HHIH", OPT, size, 0x8000 if dnssec else 0, 0)
    return struct.pack("!HHHHHH", number, 0, 1, 0, 0, 1 if opt else 0) + \
        name + struct.pack("!HH", rr_type, 1) + opt


def _data(message, rr_type, at, length):
    """The data with its names spelled out and in lower case."""
    if rr_type not in NAMES_IN:
        return message[at:at + length]
    end, (before, n) = at + length, NAMES_IN[rr_type]
    parts = [message[at:at + before]]
    at += before
    for _ in range(n):
        name, at = read_name(message, at)
        parts.append(name.lower())
    return (*parts, message[at:end])


class Said:
    """What a message says: sections as sorted lists of (owner, type, TTL,
    data), without OPT."""

    def __init__(self, message):
        _, self.flags, n, *counts = struct.unpack("!HHHHHH", message[:12])
        self.rcode, at = self.flags & 15, 12
        self.size, self.has_opt = len(message), False
        self.tc, self.aa = bool(self.flags & TC), bool(self.flags & AA)
        for _ in range(n):
            at = read_name(message, at)[1] + 4
        self.question = message[12:at]
        self.sections = []
        for count in counts:
            records = []
            for _ in range(count):
                at = self._record(message, at, records)
            self.sections.append(sorted(records, key=repr))
        self.answer, self.authority, self.additional = self.sections

    def _record(self, message, at, records):
        owner, at = read_name(message, at)
        rr_type, _, ttl, length = struct.unpack("!HHIH",
                                                message[at:at + 10])
        at += 10
        if rr_type == OPT:
            self.has_opt = True
            self.rcode |= ttl >> 24 << 4
        else:
            records.append((owner.lower(), rr_type, ttl,
                            _data(message, rr_type, at, length)))
        return at + length

    def facts(self):
        """What must be the same, whoever says it. What is cut differs by
        server; whoever asked comes back over TCP."""
        facts = {"TC": self.tc, "EDNS": self.has_opt,
                 "question": self.question}
        if not self.tc:
            facts.update(rcode=self.rcode, AA=self.aa, answer=self.answer,
                         authority=self.authority)
            if any(r[1] == NS for r in self.authority):
                facts["glue"] = self.additional
        return facts


def _asked():
    for name in rich_zone.names():
        for rr_type in TYPES:
            for way in WAYS if rr_type in MAIN_TYPES else ["UDP 1232 DO"]:
                yield name, rr_type, way


Different = collections.namedtuple(
    "Different", "fact name type way knot nsd braid size")


def start_all(s, zone, bind):
    """Knot, NSD and Braid by name; Braid is there already."""
    lines = {kind: start_peer(s, kind, APEX, zone) for kind in PEERS}
    lines["Braid"] = Line(bind)
    s.defer(lines["Braid"].close)
    return lines


def compare(lines):
    """The number of questions; in what Braid is alone, as the others agree;
    and where all three differ."""
    n, alone, all_differ = 0, [], []
    for name, rr_type, way in _asked():
        n += 1
        size, dnssec, tcp = WAYS[way]
        message = question(name, TYPES[rr_type], n & 0xFFFF, size, dnssec)
        said = {kind: Said((line.tcp if tcp else line.udp)(message)).facts()
                for kind, line in lines.items()}
        size = 0  # of Braid's whole answer where only Braid cuts it
        if said["Braid"]["TC"] and not said["Knot"]["TC"]:
            size = len(lines["Braid"].tcp(message))
        facts = sorted({fact for f in said.values() for fact in f})
        for fact in facts:
            one = Different(fact, name, rr_type, way,
                            *(said[k].get(fact) for k in (*PEERS, "Braid")),
                            size)
            if one.knot == one.nsd != one.braid:
                alone.append(one)
            elif one.braid not in (one.knot, one.nsd):
                all_differ.append(one)
    return n, alone, all_differ


def has_no_room(one):
    """With EDNS, Braid keeps 6 bytes for an extended error."""
    return one.way == "UDP 512 DO" and 512 - 6 < one.size <= 512


def check(s, lines, known):
    """Braid says what Knot and NSD agree on; known(different) names the
    row of docs/dns-differences.md that says why not."""
    n, alone, all_differ = compare(lines)
    reasons = collections.Counter(map(known, alone + all_differ))
    for one in alone + all_differ:
        if not known(one):
            s.say(f"{one.name!r} {one.type} {one.way}: {one.fact} "
                  f"({one.size} bytes whole)\n"
                  f"    Knot:  {one.knot}\n    NSD:   {one.nsd}\n"
                  f"    Braid: {one.braid}")
    for reason, times in reasons.items():
        if not reason:
            continue
        s.say(f"{reason}: {times} facts of {n} questions differ")
    s.check(n > 10_000, f"{n} questions")
    s.check(None not in reasons, "Braid is alone in nothing unknown")


def check_any(s, lines):
    """RFC 8482: one of the rrsets that a name has; an alias is not
    followed."""
    n = 0
    for name in rich_zone.names():
        n += 1
        message = question(name, ANY, n, 1232)
        whole, braid = (Said(lines[kind].tcp(message))
                        for kind in ("Knot", "Braid"))
        sets = {r[:2] for r in braid.answer}
        aliases = {r for r in sets if r[1] in ALIASES}
        if not (aliases or whole.rcode == braid.rcode) or \
                not set(braid.answer) <= set(whole.answer) or \
                bool(whole.answer) != bool(braid.answer) or \
                len(sets - aliases) > 1:
            s.say(f"{name!r} ANY:\n    Knot:  {whole.answer}\n"
                  f"    Braid: {braid.answer}")
            raise Failure("ANY")
    s.say(f"ok: {n} times ANY: one rrset of what is there")
