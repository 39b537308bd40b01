# SPDX-License-Identifier: Apache-2.0
"""Real recursive resolvers in a network namespace. They begin at a root
server of the scenario's, 127.0.0.1, port 53, and go down from there."""

from .ask import ask
from .process import Failure, wait_until
from .scenario import find_program

ROOT = "127.0.0.1"
# What braidd serves as "." beside cdn.example.
ROOT_ZONE = ["@ SOA a.root. h. 1 3600 600 86400 60", "@ NS a.root.",
             "a.root. A 127.0.0.1", "cdn.example. NS ns1.cdn.example.",
             "ns1.cdn.example. A 127.0.0.1"]
HINTS = f". 3600000 NS a.root.\na.root. 3600000 A {ROOT}\n"

UNBOUND = """\
server:
	username: ""
	chroot: ""
	directory: "{folder}"
	pidfile: ""
	use-syslog: no
	interface: {address}
	outgoing-interface: {address}
	do-ip6: no
	do-daemonize: no
	do-not-query-localhost: no
	log-queries: yes
	root-hints: "{hints}"
	module-config: "iterator"
remote-control:
	control-enable: no
"""
NAMED = """\
options {{
	directory "{folder}"; pid-file none; session-keyfile none;
	listen-on {{ {address}; }}; listen-on-v6 {{ none; }};
	query-source address {address};
	recursion yes; allow-recursion {{ any; }}; dnssec-validation no;
	empty-zones-enable no; minimal-responses no;
}};
controls {{ }};
zone "." {{ type hint; file "{hints}"; }};
"""
KRESD = """\
net.listen('{address}', 53, {{ kind = 'dns' }})
net.outgoing_v4('{address}')
net.ipv6 = false
modules = {{ 'hints > iterate' }}
cache.size = 10 * MB
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('detect_time_skew')
modules.unload('priming')
trust_anchors.remove('.')
hints.root({{ ['a.root.'] = {{ '{root}' }} }})
"""
RECURSOR = """\
local-address={address}
local-port=53
query-local-address={address}
hint-file={hints}
socket-dir={folder}
config-dir={folder}
daemon=no
write-pid=no
dont-query=
dnssec=off
security-poll-suffix=
disable-syslog=yes
threads=1
qname-minimization=yes
"""
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


class Resolver:
    """One of KINDS, at an address of loopback in the namespace."""

    def __init__(self, s, space, kind, address):
        program, config, name, arguments = KINDS[kind]
        self.kind, self.s, self.space = kind, s, space
        self.address = (address, 53)
        folder = s.make_folder(program)
        # BIND listens where an interface says that it has the address.
        space.add_address(f"{address}/32")
        values = {"folder": folder, "address": address, "root": ROOT,
                  "hints": s.write(f"{program}/root.hints", HINTS)}
        values["config"] = s.write(f"{program}/{name}",
                                   config.format(**values))
        self.process = s.start(
            ["nsenter", f"--net={space.path}", find_program(program),
             *(a.format(**values) for a in arguments)], program)
        wait_until(self._answers, f"{kind} to answer")

    def _answers(self):
        if not self.process.running:
            raise Failure(f"{self.kind} ended:\n{self.process.output()}")
        try:
            return self.ask("ns1.cdn.example").rcode == "NOERROR"
        except OSError:
            return False

    def ask(self, name, kind="A"):
        return self.space.inside(lambda: ask(self.address, name, kind,
                                             flags=0x100))
