#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.s_client import shake
from lib.servers import Nginx, curl


def test(s):
    """OCSP responses are stapled to their certificates, by TLS 1.2 and 1.3,
    for who asks; a new file counts from a reload on; a file that is missing,
    broken or about another certificate is refused with its place."""
    s.need("curl")
    authority = Authority(s)
    pairs = {n: authority.issue(n, f"DNS:{n}.example.com")
             for n in ("one", "two", "bare")}
    for cert, _ in pairs.values():  # curl wants to see the issuer
        with open(cert, "a", encoding="ascii") as f, \
                open(authority.cert, encoding="ascii") as issuer:
            f.write(issuer.read())
    staples = {n: s.path(f"{n}.ocsp") for n in ("one", "two")}
    origin = Nginx(s)
    port = s.port()
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o",
                              "tls": {"certificates": [
                                  {"cert": c, "key": k,
                                   **({"ocsp": staples[n]} if n in staples
                                      else {})}
                                  for n, (c, k) in pairs.items()]}}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}}}
    for name, file in staples.items():
        authority.vouch(pairs[name][0], file)
    b = Braid(s, config)

    def asked(name, version="-tls1_3", *options):
        done = shake(port, version, "-servername", f"{name}.example.com",
                     *options)
        s.equal((done.served, done.subject), (True, name),
                f"{name}, {version}: served, certificate")
        return done

    def stapled():
        """When the response of "one" ends: that tells them apart."""
        return asked("one", "-tls1_3", "-status").staple_until

    for version in ("-tls1_2", "-tls1_3"):
        for name in pairs:
            s.equal(asked(name, version, "-status").staple,
                    "good" if name in staples else None, "its response")
        s.equal(asked("one", version).staple, None, "who does not ask")
    for name in staples:  # curl compares it with the certificate
        done = curl(f"https://{name}.example.com:{port}/name", "--cacert",
                    authority.cert, "--cert-status", "--resolve",
                    f"{name}.example.com:{port}:127.0.0.1")
        s.equal(done.stdout, "nginx", f"curl is content with {name}'s")

    first = stapled()
    authority.vouch(pairs["one"][0], staples["one"], days=5)
    s.equal(stapled(), first, "until a reload, the one before")
    b.reload()
    second = stapled()
    s.check(second != first, f"afterwards the new one: {second}")

    def put(bytes_):
        with open(staples["one"], "wb") as f:
            f.write(bytes_)

    with open(staples["one"], "rb") as f:
        good = f.read()
    with open(staples["two"], "rb") as f:
        foreign = f.read()
    for what, spoil, words in (
            ("missing", lambda: os.unlink(staples["one"]),
             "No such file or directory"),
            ("empty", lambda: put(b""),
             "is not an OCSP response in DER format"),
            ("cut off", lambda: put(good[:-1]),
             "is not an OCSP response in DER format"),
            ("of another certificate", lambda: put(foreign),
             "is the OCSP response of another certificate")):
        spoil()
        answer = b.ctl_answer("reload")
        s.equal((answer["exit"], answer["data"]["lines"]),
                (78, [f"{b.place_of(staples['one'])}: listeners.web.tls."
                      f"certificates.1.ocsp: {staples['one']}: {words}"]),
                f"a response that is {what}: the answer")
        s.equal(stapled(), second, "the one before stays")
    authority.vouch(pairs["one"][0], staples["one"], revoked=True)
    lines = b.reload()["lines"]
    s.check(any("says that the certificate is revoked" in line
                for line in lines), f"a warning: {lines}")
    s.equal(asked("one", "-tls1_3", "-status").staple, "revoked",
            "a sad truth is told all the same")
    b.stop()


scenario.run(test)
