# SPDX-License-Identifier: Apache-2.0
"""A zone with something of everything, and what to ask about it."""

APEX = "rich.example"
TEXT = r"""$ORIGIN rich.example.
$TTL 600
@ SOA ns1 hostmaster 2026010101 3600 600 86400 60
@ NS ns1
@ NS ns2
@ NS ns.elsewhere.test.
@ MX 10 mail
@ A 192.0.2.80
@ TXT "apex"
@ CAA 0 issue "ca.test"
ns1 A 192.0.2.53
ns1 AAAA 2001:db8::53
ns2 300 A 192.0.2.54
mail A 192.0.2.25
mail AAAA 2001:db8::25
www A 192.0.2.1
www A 192.0.2.2
www AAAA 2001:db8::1
UPPER.Case A 192.0.2.3
UPPER.Case TXT "Case Of Text"
; every type
all A 192.0.2.4
all AAAA 2001:db8::4
all MX 10 mail
all MX 20 mx.elsewhere.test.
all TXT "one" "two"
all CAA 128 issuewild "ca.test; a=b"
all NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:a@b.test!" .
all TLSA 3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
all SSHFP 4 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
all LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
all HINFO "cpu" "os"
all RP hostmaster all
all URI 10 1 "https://www.rich.example/"
all SRV 0 5 5060 www
all SVCB 1 www alpn=h2 port=8443
all HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.4
all TYPE65400 \# 4 0a0b0c0d
all PTR www
_sip._tcp SRV 10 60 5060 www
_sip._tcp SRV 10 20 5060 ns1
_sip._tcp SRV 20 0 5060 away.elsewhere.test.
_svc SVCB 0 target.svc
target.svc SVCB 1 www alpn=h2
target.svc A 192.0.2.30
alias.svc HTTPS 0 all
srv.svc HTTPS 1 www alpn=h3
none.srv SRV 0 0 0 .
null.mx MX 0 .
10.2.0.192 PTR www
; aliases
c1 CNAME c2
c2 CNAME c3
c3 CNAME www
dangling CNAME nothing
loop1 CNAME loop2
loop2 CNAME loop1
self CNAME self
outside CNAME www.elsewhere.test.
intocut CNAME host.glued
ontowild CNAME foo.wild
ontoent CNAME ent.deep
ontodname CNAME x.old
; wildcards
*.wild A 192.0.2.5
*.wild TXT "wild"
*.wild MX 10 mail
host.sub.wild A 192.0.2.6
*.deeper.wild TXT "deeper"
*.cwild CNAME www
*.ewild CNAME nothing.wild
a.*.cwild TXT "below a wildcard"
*.ent.wildent A 192.0.2.7
x.y.ent.wildent A 192.0.2.8
*.mxwild MX 5 *.mxwild
*.mxwild A 192.0.2.9
; empty non-terminals
a.ent.deep A 192.0.2.10
very.long.way.down.here.deep TXT "down"
; DNAME
old DNAME new
x.new A 192.0.2.11
*.new TXT "wild and renamed"
far DNAME elsewhere.test.
chain DNAME old
lo DNAME lo2
lo2 DNAME lo
long DNAME aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.ccccccccccccccccccccccccccccccccccccccccccccccc
; delegations
glued NS ns.glued
ns.glued A 192.0.2.60
ns.glued AAAA 2001:db8::60
sibling NS ns.glued
sibling NS ns1.sibling
ns1.sibling A 192.0.2.61
unglued NS ns.elsewhere.test.
inzone NS ns1
secure NS ns.secure
secure DS 12345 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
ns.secure A 192.0.2.62
below.ent.cut NS ns.elsewhere.test.
; letters that are written in a special way
a\.b A 192.0.2.70
sp\032ace TXT "space"
\000\255 TXT "bytes"
sl\092ash TXT "a\"b\\c\200"
under_score A 192.0.2.71
*\.x TXT "no wildcard"
a*b TXT "no wildcard either"
; size
long.txt TXT "%(long)s" "%(long)s" "%(long)s" "%(long)s" "%(long)s"
mid.txt TXT "%(long)s" "%(long)s"
""" % {"long": "x" * 250} + "".join(
    f"many A 198.51.100.{i}\n" for i in range(1, 101)) + "".join(
    f"forty A 198.51.100.{i}\n" for i in range(1, 41)) + "".join(
    f"manymx MX {i} h{i}\nh{i} A 203.0.113.{i}\n" for i in range(1, 31)) + \
    "big NS a.ns.big\n" + "".join(
        f"big NS n{i}.ns.big\nn{i}.ns.big A 203.0.113.{i}\n"
        f"n{i}.ns.big AAAA 2001:db8:1::{i}\n" for i in range(1, 13)) + \
    "a.ns.big A 203.0.113.200\n"

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "HINFO": 13,
         "MX": 15, "TXT": 16, "RP": 17, "AAAA": 28, "LOC": 29, "SRV": 33,
         "NAPTR": 35, "DNAME": 39, "DS": 43, "SSHFP": 44, "NSEC": 47,
         "DNSKEY": 48, "NSEC3PARAM": 51, "TLSA": 52, "SVCB": 64, "HTTPS": 65,
         "URI": 256, "CAA": 257, "TYPE65400": 65400, "TYPE65401": 65401}
# Where each question is put in each way; elsewhere all types in one way.
MAIN_TYPES = ("A", "MX", "TXT", "NS", "DS", "SOA", "CNAME", "DNAME", "HTTPS",
              "NSEC", "SVCB", "SRV")


def _labels(text):
    """A name of the file as its labels, escapes undone."""
    labels, label, i = [], b"", 0
    while i < len(text):
        if text[i] == ".":
            labels.append(label)
            label = b""
        elif text[i] == "\\" and text[i + 1].isdigit():
            label += bytes([int(text[i + 1:i + 4])])
            i += 3
        elif text[i] == "\\":
            label += text[i + 1].encode()
            i += 1
        else:
            label += text[i].encode()
        i += 1
    return labels + ([label] if label else [])


def _wire(labels):
    return b"".join(bytes([len(x)]) + x for x in labels) + b"\0"


def _above(owner, apex):
    """The owner and all names between it and the apex."""
    return [owner[i:] for i in range(len(owner) - len(apex) + 1)]


def names():
    """Wire forms: all that are there, beside, below and above them, and in
    another case."""
    apex = _labels(APEX)
    asked = {}
    for line in TEXT.splitlines():
        if not line or line[0] in "$;":
            continue
        text = line.split(" ")[0]
        if text[0] == "h" and text[1:].isdigit():
            continue  # thirty times the same
        owner = apex if text == "@" else _labels(text) + apex
        for name in _above(owner, apex):
            for new in (name, [b"nope"] + name, [b"x", b"y"] + name,
                        [b"zz" + name[0]] + name[1:], [b"*"] + name):
                asked[_wire(new)] = None
    for text in ("foo.wild", "a.b.wild", "sub.wild", "x.sub.wild", "e.wildent",
                 "z.ent.wildent", "x.old.old", "x.chain", "a.b.lo",
                 "q" * 63 + "." + "r" * 30 + ".long", "s" * 8 + ".long",
                 "X.OLD", "Www", "GLUED", "FOO.WiLd"):
        asked[_wire(_labels(text) + apex)] = None
    asked[_wire(_labels("RICH.example"))] = None
    asked[_wire(_labels("example"))] = None
    asked[_wire(_labels("other.test"))] = None
    return [name for name in asked if len(name) <= 255]
