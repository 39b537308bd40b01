# SPDX-License-Identifier: Apache-2.0
"""Real recursive resolvers in a network namespace. They begin at a root
server of the scenario's, 127.0.0.1, port 53, and go down from there. With
trust anchors they validate."""

import base64
import hashlib
import struct

from .ask import ask, wire_name
from .process import Failure, wait_until
from .scenario import find_program

RD, AD, CD = 0x100, 0x20, 0x10
ROOT = "127.0.0.1"
# What braidd serves as "." beside cdn.example.
ROOT_ZONE = ["@ SOA a.root. h. 1 3600 600 86400 60", "@ NS a.root.",
             "a.root. A 127.0.0.1", "cdn.example. NS ns1.cdn.example.",
             "ns1.cdn.example. A 127.0.0.1"]
HINTS = ". 3600000 NS a.root.\na.root. 3600000 A "

UNBOUND = """\
server:
	username: ""
	chroot: ""
	directory: "{folder}"
	pidfile: ""
	use-syslog: no
	interface: {address}
	outgoing-interface: {outgoing}
	do-ip6: no
	do-daemonize: no
	do-not-query-localhost: no
	log-queries: yes
	root-hints: "{hints}"
{validation}remote-control:
	control-enable: no
"""
NAMED = """\
options {{
	directory "{folder}"; pid-file none; session-keyfile none;
	listen-on {{ {address}; }}; listen-on-v6 {{ none; }};
	query-source address {outgoing};
	recursion yes; allow-recursion {{ any; }};
	empty-zones-enable no; minimal-responses no;
{validation}}};
controls {{ }};
zone "." {{ type hint; file "{hints}"; }};
"""
KRESD = """\
net.listen('{address}', 53, {{ kind = 'dns' }})
net.outgoing_v4('{outgoing}')
net.ipv6 = false
modules = {{ 'hints > iterate' }}
cache.size = 10 * MB
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('detect_time_skew')
modules.unload('priming')
trust_anchors.remove('.')
{validation}hints.root({{ ['a.root.'] = {{ '{root}' }} }})
"""
RECURSOR = """\
local-address={address}
local-port=53
query-local-address={outgoing}
hint-file={hints}
socket-dir={folder}
config-dir={folder}
daemon=no
write-pid=no
dont-query=
security-poll-suffix=
packetcache-servfail-ttl=1
disable-syslog=yes
threads=1
qname-minimization=yes
{validation}"""
# Name: program, its configuration and file, its arguments.
KINDS = {
    "unbound": ("unbound", UNBOUND, "unbound.conf",
                ["-d", "-c", "{config}"]),
    "BIND": ("named", NAMED, "named.conf", ["-f", "-g", "-c", "{config}"]),
    "Knot Resolver": ("kresd", KRESD, "kresd.conf",
                      ["-n", "-q", "-c", "{config}", "{folder}"]),
    "PowerDNS Recursor": ("pdns_recursor", RECURSOR, "recursor.conf",
                          ["--config-dir={folder}"]),
}


class Anchor:
    """What a validator is told to trust: the key of a zone (absolute name),
    as the data of its DNSKEY record."""

    def __init__(self, zone, key):
        self.zone, self.key = zone, key
        self.dnskey = "%d %d %d" % struct.unpack("!HBB", key[:4])
        self.base64 = base64.b64encode(key[4:]).decode()

    @property
    def ds(self):
        """RFC 4034 section 5.1.4 and appendix B, SHA-256."""
        tag = sum(b << 8 if i % 2 == 0 else b for i, b in enumerate(self.key))
        digest = hashlib.sha256(wire_name(self.zone) + self.key).hexdigest()
        return f"{(tag + (tag >> 16)) & 0xFFFF} {self.key[3]} 2 {digest}"


def _unbound_validation(_s, anchors):
    """With its subnet module: what a client says of its subnet is asked
    with."""
    if not anchors:
        return '\tmodule-config: "iterator"\n'
    return ('\tmodule-config: "subnetcache validator iterator"\n'
            "\tval-permissive-mode: no\n\tval-log-level: 2\n"
            "\tsend-client-subnet: 127.0.0.0/8\n"
            "\tclient-subnet-always-forward: yes\n"
            "\tmax-ecs-tree-size-ipv4: 10000\n" + "".join(
                f'\ttrust-anchor: "{a.zone} DNSKEY {a.dnskey} {a.base64}"\n'
                for a in anchors))


def _named_validation(_s, anchors):
    if not anchors:
        return "\tdnssec-validation no;\n"
    return "\tdnssec-validation yes;\n};\ntrust-anchors {\n" + "".join(
        f'\t"{a.zone}" static-key {a.dnskey} "{a.base64}";\n'
        for a in anchors)


def _kresd_validation(_s, anchors):
    return "".join(f"trust_anchors.add('{a.zone} 3600 IN DS {a.ds}')\n"
                   for a in anchors)


def _recursor_validation(s, anchors):
    if not anchors:
        return "dnssec=off\n"
    path = s.write("recursor.lua", "clearTA('.')\n" + "".join(
        f"addTA('{a.zone}', '{a.ds}')\n" for a in anchors))
    return (f"dnssec=validate\nlua-config-file={path}\n"
            "use-incoming-edns-subnet=yes\n"
            "edns-subnet-allow-list=0.0.0.0/0\n")


VALIDATION = {"unbound": _unbound_validation, "BIND": _named_validation,
              "Knot Resolver": _kresd_validation,
              "PowerDNS Recursor": _recursor_validation}


class Resolver:
    """One of KINDS, at an address of loopback in the namespace; it asks from
    there, or from `outgoing`."""

    def __init__(self, s, space, kind, address, anchors=(), root=ROOT,
                 outgoing=None, prefix=()):
        program, config, file, arguments = KINDS[kind]
        name = f"{program}-{address}"
        self.kind, self.s, self.space = kind, s, space
        self.address = (address, 53)
        folder = s.make_folder(name)
        # BIND listens where an interface says that it has the address.
        space.add_address(f"{address}/32")
        values = {"folder": folder, "address": address, "root": root,
                  "outgoing": outgoing or address,
                  "hints": s.write(f"{name}/root.hints", HINTS + root + "\n"),
                  "validation": VALIDATION[kind](s, anchors)}
        values["config"] = s.write(f"{name}/{file}",
                                   config.format(**values))
        self.process = s.start(
            ["nsenter", f"--net={space.path}", *prefix, find_program(program),
             *(a.format(**values) for a in arguments)], program)
        wait_until(self._answers, f"{kind} to answer")

    def _answers(self):
        if not self.process.running:
            raise Failure(f"{self.kind} ended:\n{self.process.output()}")
        try:
            # CD: whatever validation says of it.
            return self.ask("ns1.cdn.example", flags=RD | CD,
                            timeout_s=5).rcode == "NOERROR"
        except OSError:
            return False

    def known(self, name, kind="A", **more):
        """As ask(), but a resolver that could not find out in its own time
        (SERVFAIL, or nothing) is asked again for a while: who asks knows that
        it can."""
        last = []

        def found():
            try:
                last[:] = [self.ask(name, kind, timeout_s=10, **more)]
            except TimeoutError:
                return False
            return last[0].rcode != "SERVFAIL"
        try:
            wait_until(found, f"{self.kind} to find {name}", every=0.5)
        except Failure:
            if not last:
                raise
        return last[0]  # SERVFAIL says more than that

    def ask(self, name, kind="A", flags=RD, **more):
        return self.space.inside(lambda: ask(self.address, name, kind,
                                             flags=flags, **more))
