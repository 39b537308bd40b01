#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.certificates import RSA, Authority
from lib.s_client import shake
from lib.servers import Nginx

# Asked for, shown: exact names before wildcards, which stand for one label;
# the first certificate for all others.
NAMES = (
    (None, "first"),
    ("first.example.com", "first"),
    ("FIRST.example.COM", "first"),
    ("www.example.com", "exact"),
    ("mail.example.com", "wild"),
    ("a.mail.example.com", "first"),
    ("example.com", "first"),
    ("deep.sub.example.com", "deep"),
    ("other.sub.example.com", "first"),
    ("two.example.org", "exact"),
    ("unknown.example.net", "first"),
)
# What the client can do, the key type of the certificate that it gets.
KINDS = (
    (("-tls1_3",), "ECDSA"),
    (("-tls1_3", "-sigalgs", "ECDSA+SHA256:RSA-PSS+SHA256"), "ECDSA"),
    (("-tls1_3", "-sigalgs", "RSA-PSS+SHA256"), "RSA-PSS"),
    (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), "ECDSA"),
    (("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), "RSA-PSS"),
    (("-tls1_2", "-sigalgs", "RSA+SHA256"), "RSA"),
)


def test(s):
    """The certificate by the name that the client asks for, and by the kinds
    of key that it knows, by TLS 1.2 and 1.3; who asks for none or for an
    unknown one; strict_sni; min."""
    authority = Authority(s)

    def issued(name, *names, **options):
        cert, key = authority.issue(
            name, ",".join(f"DNS:{n}.example.{d}" for n, d in names),
            **options)
        return {"cert": cert, "key": key}
    certificates = [
        issued("first", ("first", "com")),
        issued("wild", ("*", "com")),
        issued("exact", ("www", "com"), ("two", "org")),
        issued("deep", ("deep.sub", "com")),
        issued("ecdsa", ("both", "com")),
        issued("rsa", ("both", "com"), key_type=RSA),
        # Of two of one kind the first counts.
        issued("second", ("both", "com"), ("www", "com")),
    ]
    origin = Nginx(s)
    ports = {n: s.port() for n in ("web", "strict", "new")}
    tls = {"web": {}, "strict": {"strict_sni": True}, "new": {"min": "1.3"}}
    b = Braid(s, {
        "listeners": {n: {
            "bind": f"127.0.0.1:{p}", "pool": "o",
            "tls": {"certificates": certificates, **tls[n]}}
            for n, p in ports.items()},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}}})

    def asked(listener, name, *options):
        return shake(ports[listener],
                     *(("-servername", name) if name else ()), *options)

    def counts(cause, n):
        """Soon after the client has its alert."""
        s.until(lambda: b.tls_failures("client", cause) >= n, "counted")
        s.equal(b.tls_failures("client", cause), n, f"failures by {cause}")

    for version in ("-tls1_2", "-tls1_3"):
        for name, want in NAMES:
            done = asked("web", name, version)
            s.equal((done.served, done.subject), (True, want),
                    f"{name}, {version}: served, certificate")
    for options, want in KINDS:
        done = asked("web", "both.example.com", *options)
        s.equal((done.served, done.signature, done.subject),
                (True, want, "ecdsa" if want == "ECDSA" else "rsa"),
                f"{' '.join(options)}: served, signature, certificate")
    # The set of the default has one kind of key only.
    done = asked("web", None, "-tls1_2", "-sigalgs", "RSA+SHA256")
    s.equal((done.served, done.alert), (False, "40"), "no key for a client")
    counts("no_shared_cipher", 1)

    for name, served in (("www.example.com", True), (None, False),
                         ("a.mail.example.com", False)):
        done = asked("strict", name)
        s.equal((done.served, done.alert), (served, None if served else "112"),
                f"strict_sni, {name}: served, alert")
    counts("name_not_found", 2)

    for version, served in (("-tls1_3", True), ("-tls1_2", False)):
        done = asked("new", None, version)
        s.equal((done.served, done.alert), (served, None if served else "70"),
                f"min 1.3, {version}: served, alert")
    for listener in ("web", "new"):
        done = asked(listener, None, "-tls1_1", "-cipher",
                     "DEFAULT@SECLEVEL=0")
        s.equal((done.served, done.alert), (False, "70"), "TLS 1.1 is refused")
    counts("version", 3)
    line = b.wait_flows(1, listener="web", sni="www.example.com")[0]
    s.equal(line["tls"], "TLSv1.2", "name and version in the access log")
    b.stop()


scenario.run(test)
