#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority, TlsServer
from lib.origins import Origin, echo


def test(s):
    """tls checks: a handshake is enough without a tls block; with it the
    certificate must be what the block wants, and the log says what is wrong
    with the others."""
    authority, stranger = Authority(s), Authority(s, "stranger")
    good = authority.issue("good", "DNS:good.example,IP:127.0.0.1")
    other = authority.issue("other", "DNS:other.example")
    strange = stranger.issue("strange", "DNS:good.example,IP:127.0.0.1")
    plain, mute = Origin(s, echo), Origin(s, lambda sock, _n: sock.recv(9999)
                                          and sock.recv(1))
    servers = {"good": TlsServer(s, "good", good).text,
               "other": TlsServer(s, "other", other).text,
               "strange": TlsServer(s, "strange", strange).text,
               "plain": plain.text}
    health = {"type": "tls", "interval": "200ms", "timeout": "60s", "rise": 1,
              "fall": 1, "fail_open": "0%"}
    pool = {"servers": {n: {"address": a} for n, a in servers.items()},
            "health": health}
    silent = {"servers": {"mute": {"address": mute.text}},
              "health": {**health, "timeout": "500ms"}}
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{s.port()}", "pool": "any"}},
        "pools": {
            "any": pool,
            "named": {**pool, "tls": {"ca": authority.cert,
                                      "sni": "good.example"}},
            "byaddress": {**pool, "tls": {"ca": authority.cert}},
            "silent": silent,
            "silent-named": {**silent, "tls": {"ca": authority.cert,
                                               "sni": "good.example"}}}}
    b = Braid(s, config)

    def expect(pool_name, server, health, *words):
        def is_so():
            row = b.server(pool_name, server)
            return row["health"] == health and \
                all(word in row["cause"] for word in words)
        s.until(is_so, f"{pool_name}/{server} is {health}: {words}")

    for server in ("good", "other", "strange"):
        expect("any", server, "up", "TLS handshake done, TLSv1.3")
    expect("named", "good", "up")
    expect("byaddress", "good", "up")
    expect("named", "other", "down", "another name")
    expect("byaddress", "other", "down", "another name")
    expect("named", "strange", "down", "no trusted issuer")
    expect("byaddress", "strange", "down", "no trusted issuer")
    for pool_name in ("any", "named", "byaddress"):
        expect(pool_name, "plain", "down", "TLS: ")
    for pool_name in ("silent", "silent-named"):
        expect(pool_name, "mute", "down", "TLS handshake")
    line = b.wait_event("server down", pool="named", server="strange")
    s.check("no trusted issuer" in line["cause"], "the log has the cause")

    # Another authority in the file: what was refused is accepted, and the
    # other way round; a check in flight does not keep the old one.
    for name in ("named", "byaddress"):
        config["pools"][name]["tls"]["ca"] = stranger.cert
    b.reload(config)
    for name in ("named", "byaddress"):
        expect(name, "strange", "up")
        expect(name, "good", "down", "no trusted issuer")
    expect("any", "good", "up")
    b.stop()


scenario.run(test)
