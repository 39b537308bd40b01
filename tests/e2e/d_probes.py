#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import re
import struct

from lib import scenario
from lib.ask import query
from lib.braidd import Braid
from lib.scenario import find_program

ZONE = "example.org"
RECORDS = ["@ SOA ns1 hostmaster 7 3600 600 86400 60", "@ NS ns1",
           "ns1 A 192.0.2.53",
           *(f"many A 198.51.100.{i}" for i in range(1, 101))]
PLAIN = ("NOERROR", 1, "qr aa", None)
WITH_EDNS = ("NOERROR", 1, "qr aa", "")
BADVERS = ("BADVERS", 0, "qr", "")
# The dig commands of RFC 8906 section 8, in kdig's words where it has them,
# in drill's, and what the section wants: rcode, records in the answer, flags,
# flags of EDNS (None: no OPT). drill sends a message that dig cannot make from
# a file.
BARE, KBARE = "+noedns +noad +norec", "+noedns +noadflag +nordflag"
PROBES = {
    "SOA": (f"{BARE} soa", f"{KBARE} SOA", "-o rd SOA", PLAIN),
    "unknown type": (
        f"{BARE} type1000", f"{KBARE} TYPE1000", "-o rd TYPE1000",
        ("NOERROR", 0, "qr aa", None)),
    "CD": (f"{BARE} +cd soa", f"{KBARE} +cdflag SOA",
                   "-o rd -o CD SOA", PLAIN),
    "AD": ("+noedns +norec +ad soa", f"{KBARE} +adflag SOA",
                   "-o rd -o AD SOA", PLAIN),
    "reserved bit": (f"{BARE} +zflag soa", f"{KBARE} +zflag SOA",
                             {"flags": 0x40}, PLAIN),
    "RD": ("+noedns +noad +rec soa", "+noedns +noadflag SOA", "SOA",
                   ("NOERROR", 1, "qr aa rd", None)),
    "unknown opcode": (
        f"{BARE} +opcode=15 +header-only soa", None, {"flags": 15 << 11},
        ("NOTIMP", 0, "qr", None)),
    "TCP": (f"{BARE} +tcp soa", f"{KBARE} +tcp SOA", "-t -o rd SOA",
                  PLAIN),
    "EDNS": ("+edns=0 +nocookie +noad +norec soa",
                   "+edns=0 +noadflag +nordflag SOA", "-b 1232 -o rd SOA",
                   WITH_EDNS),
    "EDNS version 1": (
        "+edns=1 +noednsneg +nocookie +noad +norec soa",
        "+edns=1 +noadflag +nordflag SOA", {"opt": 0x10000}, BADVERS),
    "unknown option": (
        "+edns=0 +nocookie +noad +norec +ednsopt=100 soa",
        "+noadflag +nordflag +ednsopt=100 SOA", {"options": [(100, b"")]},
        WITH_EDNS),
    "unknown flags": (
        "+edns=0 +nocookie +noad +norec +ednsflags=0x40 soa", None,
        {"opt": 0x40}, WITH_EDNS),
    "version 1, unknown flags": (
        "+edns=1 +noednsneg +nocookie +noad +norec +ednsflags=0x40 soa", None,
        {"opt": 0x10040}, BADVERS),
    "version 1, unknown option": (
        "+edns=1 +noednsneg +nocookie +noad +norec +ednsopt=100 soa",
        "+edns=1 +noadflag +nordflag +ednsopt=100 SOA",
        {"opt": 0x10000, "options": [(100, b"")]}, BADVERS),
    "version 1 with DO": (
        "+edns=1 +noednsneg +nocookie +noad +norec +dnssec soa",
        "+edns=1 +noadflag +nordflag +dnssec SOA", {"opt": 0x18000},
        ("BADVERS", 0, "qr", "do")),
    "DO": ("+edns=0 +nocookie +noad +norec +dnssec soa",
                 "+noadflag +nordflag +dnssec SOA", "-D -o rd SOA",
                 ("NOERROR", 1, "qr aa", "do")),
    "all common options": (
        "+edns=0 +noad +norec +cookie +nsid +expire +subnet=0.0.0.0/0 soa",
        "+noadflag +nordflag +cookie=0123456789abcdef +nsid +expire "
        "+subnet=0.0.0.0/0 SOA",
        {"options": [(3, b""), (8, b"\0\1\0\0"), (9, b""), (10, b"8 bytes.")]},
        WITH_EDNS),
    "cut at 512": (
        "+edns=0 +nocookie +bufsize=512 +ignore +noad +norec many",
        "+bufsize=512 +ignore +noadflag +nordflag many",
        "-b 512 -o rd many", ("NOERROR", 0, "qr aa tc", "")),
}
# In each one's words: rcode and flags, the answer's count, the OPT.
STATUS = {"dig": r"status: (\w+)", "kdig": r"status: (\w+)",
          "drill": r"rcode: (\w+)"}
EDNS = {"dig": r"; EDNS: version: 0, flags:([ \w]*);",
        "kdig": r"; Version: 0; flags:([ \w]*);",
        "drill": r"; EDNS: version 0; flags:([ \w]*);"}


def told(program, output):
    """rcode, answers, flags, EDNS flags as a program prints them."""
    status = re.search(STATUS[program], output)
    flags = re.search(r"^;; flags: ([ \w]*?) *;.*ANSWER: (\d+)", output,
                      re.M | re.I)
    if not status or not flags:
        return output
    edns = re.search(EDNS[program], output)
    rcode = {"NOTIMPL": "NOTIMP"}.get(status[1], status[1])
    if "; ext-rcode: 16 " in output:
        rcode = "BADVERS"
    return (rcode, int(flags[2]),
            " ".join(f for f in ("qr", "aa", "tc", "rd", "ra", "ad", "cd")
                     if f in flags[1].split()),
            edns and edns[1].strip())


def packet(opt=None, options=(), flags=0):
    """A question as drill reads it; opt: version and flags of EDNS."""
    edns = 1232 if opt is not None or options else None
    message = query(ZONE, "SOA", edns=edns, options=options, flags=flags)
    if opt:
        at = message.rindex(b"\0\0\x29") + 5
        message = message[:at] + struct.pack("!I", opt) + message[at + 4:]
    return message.hex()


def command(s, program, arguments, port):
    start = [find_program(program), "-p", port]
    if isinstance(arguments, dict):
        return [*start, "-f", s.write("packet", packet(**arguments)),
                "@127.0.0.1"]
    *words, last = arguments.split()
    asked = [f"many.{ZONE}"] if last == "many" else [ZONE, last]
    return [*start, "@127.0.0.1", *words, *asked]


def test(s):
    """dig, kdig and drill, asked as RFC 8906 section 8 does, read the
    answers that it wants."""
    s.need("dig", "kdig", "drill")
    port = str(s.port())
    b = Braid(s, {"dns": {"bind": f"127.0.0.1:{port}",
                          "zones": {ZONE: {"records": RECORDS}}}})
    for name, (dig, kdig, drill, want) in PROBES.items():
        for program, arguments in (("dig", dig), ("kdig", kdig),
                                   ("drill", drill)):
            if arguments is None:
                continue
            argv = command(s, program, arguments, port)
            done = s.run(argv, check=False)
            got = told(program, done.stdout + done.stderr)
            if got != want:
                s.say(f"{' '.join(argv)}\n{done.stdout}{done.stderr}")
            s.equal(got, want, f"{program}, {name}")
    b.stop()


scenario.run(test)
