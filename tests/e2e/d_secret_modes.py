#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.braidd import Braid, sanitizer_env
from lib.certificates import Authority
from lib.process import run as run_program

SAYS = "is a secret that every user of this machine may"


def write_files(s):
    """Each secret by the key that names it."""
    authority = Authority(s)
    cert, tls_key = authority.issue("web", "DNS:web.example")
    _, client_key = authority.issue("client", "DNS:client.example")
    with open(cert, encoding="ascii") as c, open(
            tls_key, encoding="ascii") as k:
        both = s.write("both.pem", c.read() + k.read())
    zone_key = s.path("zone.key")
    s.run([os.path.join(s.bin, "braidctl"), "dns", "key", "cdn.example",
           zone_key])
    return {
        "listeners.web.tls.certificates.1.key": tls_key,
        "listeners.web.tls.certificates.2.cert": both,
        "pools.origins.tls.key": client_key,
        "dns.cookies.secret": s.write("cookies", "0123456789abcdef" * 2),
        "dns.zones.cdn.example.dnssec.key": zone_key,
        "dns.zones.cdn.example.transfer.tsig.file": s.write(
            "tsig", "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"),
    }, cert


def config(s, files, cert):
    """All of them in use."""
    def of(key):
        return files[key]
    prefix = "listeners.web.tls.certificates."
    return {
        "listeners": {"web": {
            "bind": f"127.0.0.1:{s.port()}", "pool": "origins",
            "tls": {"certificates": [
                {"cert": cert, "key": of(prefix + "1.key")},
                {"cert": of(prefix + "2.cert")}]}}},
        "pools": {"origins": {
            "tls": {"verify": "none", "cert": s.path("client.pem"),
                    "key": of("pools.origins.tls.key")},
            "servers": {"a": {"address": f"127.0.0.1:{s.port()}"}}}},
        "dns": {"bind": f"127.0.0.1:{s.port()}",
                "cookies": {"secret": of("dns.cookies.secret")},
                "zones": {"cdn.example": {
                    "records": ["@ SOA ns1 hostmaster 1 3600 600 86400 60",
                                "@ NS ns1", "ns1 A 192.0.2.53"],
                    "dnssec": {"key": of(
                        "dns.zones.cdn.example.dnssec.key")},
                    "transfer": {"allow": "127.0.0.1", "tsig": {
                        "name": "k", "file": of(
                            "dns.zones.cdn.example.transfer.tsig.file")}}}}}}


def test(s):
    """Files of secrets that everybody may read or write are warned of, at the
    line of their key, by `braidd -c` and each reload; those that a group may
    read are not, nor those in closed folders, and neither are certificates."""
    files, cert = write_files(s)
    for path in files.values():
        s.keep_secret(path)
    b = Braid(s, config(s, files, cert))
    s.equal(SAYS in b.process.output(), False, "nothing to warn of")

    def warned():
        done = run_program([os.path.join(s.bin, "braidd"), "-c", "-f", b.file],
                           env=sanitizer_env())
        return [line for line in done.stderr.splitlines() if SAYS in line]
    s.equal(warned(), [], "nor for -c")
    for key, path in files.items():
        s.keep_secret(path, 0o644)
        said = warned()
        s.equal(len(said), 1, f"{key}: one warning")
        s.check(said[0] == f"{b.place_of(path)}: warning: {key}: {path} {SAYS}"
                " read (mode 0644): chmod o= it", said[0][-90:])
        s.keep_secret(path)
    if s.is_root:
        s.keep_secret(path, 0o644)
        folder, mode = os.path.dirname(path), os.stat(s.path(".")).st_mode
        os.chmod(folder, 0o750)
        s.equal(warned(), [], "nobody else comes as far as the file")
        os.chmod(folder, mode)
        s.equal(len(warned()), 1, "and now they do")
    s.keep_secret(path, 0o642)
    s.check("may write (mode 0642)" in warned()[0], "so is writing")

    def told():
        return [line for line in b.reload()["lines"] if SAYS in line]
    s.equal(len(told()), 1, "a reload says it")
    s.check(SAYS in b.process.output(), "and so does the log")
    s.keep_secret(path)
    s.equal(told(), [], "and no longer when it is mended")
    b.stop()


scenario.run(test)
