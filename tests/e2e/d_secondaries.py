#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.process import Failure
from lib.scenario import find_program

APEX = "cdn.example"
SECRET = "c2l4dGVlbiBieXRlcyBhdCBsZWFzdCwgdGhpcyBpcyBtb3Jl"
NAMED = """\
key "xfr" {{ algorithm hmac-sha256; secret "{secret}"; }};
server 127.0.0.1 {{ keys "xfr"; }};
options {{
    directory "{folder}"; pid-file "{folder}/pid"; session-keyfile none;
    listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; allow-transfer {{ none; }};
}};
controls {{}};
zone "{apex}" {{
    type secondary; file "{folder}/zone"; primaries port {primary} {{ 127.0.0.1; }};
    allow-notify {{ key "xfr"; }};
}};
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
    rrl-ratelimit: 0
remote-control:
    control-enable: no
key:
    name: "xfr"
    algorithm: hmac-sha256
    secret: "{secret}"
zone:
    name: {apex}
    allow-notify: 127.0.0.1 xfr
    request-xfr: 127.0.0.1@{primary} xfr
"""
KNOT = """\
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "{folder}"
key:
  - id: xfr
    algorithm: hmac-sha256
    secret: "{secret}"
remote:
  - id: braid
    address: 127.0.0.1@{primary}
    key: xfr
acl:
  - id: notify
    address: 127.0.0.1
    key: xfr
    action: notify
zone:
  - domain: {apex}
    master: braid
    acl: notify
    storage: "{folder}"
    zonefile-sync: -1
"""
SECONDARIES = {
    "BIND": ("named", NAMED, ["-g", "-c", "{config}"]),
    "NSD": ("nsd", NSD, ["-d", "-V", "2", "-c", "{config}"]),
    "Knot": ("knotd", KNOT, ["-c", "{config}"])}
POPS = {"pop1": {"addresses": ["192.0.2.10"]},
        "pop2": {"addresses": ["192.0.2.20"]}}


class Secondary:
    def __init__(self, s, kind, port, primary):
        self.kind, self.server = kind, ("127.0.0.1", port)
        program, config, arguments = SECONDARIES[kind]
        folder = s.make_folder(program)
        values = {"folder": folder, "port": port, "apex": APEX,
                  "primary": primary, "secret": SECRET}
        values["config"] = s.write(f"{program}/conf", config.format(**values))
        self.process = s.start(
            [find_program(program), *(a.format(**values) for a in arguments)],
            program)

    def ask(self, name, kind, **options):
        if not self.process.running:
            raise Failure(f"{self.kind} ended:\n{self.process.output()}")
        try:
            return ask(self.server, name, kind, **options)
        except OSError:
            return None

    def serial(self):
        a = self.ask(APEX, "SOA")
        soa = a.data("SOA") if a else []
        return int.from_bytes(soa[0][-20:-16], "big") if soa else None


def zone_text(serial, *records):
    return "\n".join(
        ["$TTL 60", f"@ SOA ns1 hostmaster {serial} 3600 600 86400 60",
         "@ NS ns1", "ns1 A 192.0.2.53", *records]) + "\n"


def key_file(s):
    path = s.path("zone.key")
    s.run([os.path.join(s.bin, "braidctl"), "dns", "key", APEX, path])
    return s.keep_secret(path)


def different(one, other, names):
    """What the two do not answer alike."""
    wrong = []
    for name, kind in names:
        answers = [a and sorted((r.name.lower(), r.kind, str(r.data))
                                for r in a.answer)
                   for a in (x(f"{name}.{APEX}", kind) for x in (one, other))]
        if not answers[0] or answers[0] != answers[1]:
            wrong.append((name, kind, *answers))
    return wrong


def test(s):
    """BIND, NSD and Knot as secondaries of a signed zone with a resource: each
    is told of every change, asks for IXFR, gets the whole zone, and serves
    what braidd serves: also after several changes at once, when nothing but
    signatures is new, and when another process tells it."""
    s.need(*(program for program, _, _ in SECONDARIES.values()))
    primary = s.port()
    ports = {kind: s.port() for kind in SECONDARIES}
    zone = s.write("zone.txt", zone_text(1, "www A 192.0.2.1"))
    secret = s.keep_secret(s.write("xfr.key", SECRET))
    b = Braid(s, {
        "dns": {"bind": f"127.0.0.1:{primary}", "zones": {APEX: {
            "file": zone, "dnssec": {"key": key_file(s)},
            "resources": {"shop": {"pops": list(POPS)}},
            "transfer": {"allow": ["127.0.0.1/32"],
                         "tsig": {"name": "xfr", "file": secret},
                         "notify": [f"127.0.0.1:{p}"
                                    for p in ports.values()]}}}},
        "pops": POPS})
    peers = [Secondary(s, kind, port, primary)
             for kind, port in ports.items()]

    def ours(name, kind):
        return ask(("127.0.0.1", primary), name, kind, dnssec=True)

    def serial():
        return b.ctl("dns")["zones"][0]["serial"]

    def change(*records):
        """The next serial, with these."""
        change.serial += 1
        s.write("zone.txt", zone_text(change.serial, *records))
    change.serial = 1

    def all_have(names):
        # NSD answers from what it had for a while, and has then SERVFAIL.
        for peer in peers:
            s.until(lambda: peer.serial() == serial() and not different(
                lambda n, k: peer.ask(n, k, dnssec=True), ours, names),
                f"{peer.kind} has and says the same", seconds=60)
    all_have([("www", "A"), ("shop--pop1", "A")])
    was = serial()
    change("www A 192.0.2.2", "more TXT new")
    b.ctl("dns", "reload", APEX)
    all_have([("www", "A"), ("more", "TXT"), ("shop--pop2", "A")])
    s.say("-- faster than it can be fetched")
    for i in range(4):
        change(f"www A 192.0.2.{10 + i}")
        b.reload()
    all_have([("www", "A"), ("shop--pop1", "A")])
    s.say("-- signatures alone, as when they are due")
    change("www A 192.0.2.13")
    b.ctl("dns", "reload", APEX)
    all_have([("www", "A"), ("shop--pop2", "A")])
    s.say("-- told by a new process")
    change("www A 192.0.2.20")
    b.upgrade()
    all_have([("www", "A")])
    s.equal(serial(), was + 7, "the serial rose with each")
    stats = b.ctl("dns", "stats")["types"]
    s.say(f"asked for: {stats['ixfr']} IXFR, {stats['axfr']} AXFR")
    s.check(b.metrics().value("braid_dns_queries_by_type_total", type="ixfr")
            >= 6, "by IXFR")
    b.stop()


scenario.run(test)
