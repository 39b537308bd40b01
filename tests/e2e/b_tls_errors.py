#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import ssl

from lib import client, scenario
from lib.braidd import Braid
from lib.certificates import Authority, TlsServer
from lib.origins import Origin, echo


def test(s):
    """TLS that fails, at either end: each cause has its counter, its words in
    the access log, and one line in the error log; what went well shows name,
    protocol, version, route and proxy."""
    ours, other = Authority(s, "ours"), Authority(s, "other")
    pair = ours.issue("www", "DNS:www.example.com")
    ours_client = ours.issue("client", "DNS:client")
    other_client = other.issue("stranger", "DNS:stranger")
    back = ours.issue("back", "DNS:back.example.com")
    origin = Origin(s, echo)
    wrong = TlsServer(s, "back", back)
    plain = Origin(s, lambda sock, _: sock.sendall(b"this is no TLS\r\n"))
    names = ("strict", "mutual", "new", "slow", "routed", "proxied", "badname",
             "noca", "notls")
    ports = {n: s.port() for n in names}

    def listener(name, pool="o", tls=None, **more):
        return {"bind": f"127.0.0.1:{ports[name]}", "pool": pool,
                "tls": {"certificates": [{"cert": pair[0], "key": pair[1]}],
                        **(tls or {})}, **more}

    def towards(origin, **tls):
        return {"connect": {"retries": 0, "timeout": "60s"}, "tls": tls,
                "servers": {"a": {"address": origin.text}}}
    config = {
        "limits": {"tls_memory": "64MiB"},
        "listeners": {
            "strict": listener("strict", tls={"strict_sni": True}),
            "mutual": listener("mutual", tls={"client_ca": ours.cert}),
            "new": listener("new", tls={"min": "1.3"}),
            "slow": listener("slow", timeout={"handshake": "200ms"}),
            "routed": listener("routed", tls={"alpn": ["h2", "http/1.1"]},
                               routes=[{"sni": "no.example.com", "pool": "o"},
                                       {"alpn": "h2", "pool": "o"}]),
            "proxied": listener("proxied", proxy_protocol="accept",
                                proxy_from="127.0.0.1"),
            **{n: {"bind": f"127.0.0.1:{ports[n]}", "pool": n}
               for n in ("badname", "noca", "notls")},
        },
        "pools": {
            "o": {"servers": {"a": {"address": origin.text}}},
            "badname": towards(wrong, ca=ours.cert, sni="www.example.com"),
            "noca": towards(wrong, ca=other.cert, sni="back.example.com"),
            "notls": towards(plain, ca=ours.cert, sni="back.example.com"),
        },
    }
    b = Braid(s, config)

    def context(pair=None, alpn=None, newest=None):
        made = ssl.create_default_context(cafile=ours.cert)
        made.check_hostname = False
        if pair:
            made.load_cert_chain(*pair)
        if alpn:
            made.set_alpn_protocols(alpn)
        if newest:
            made.maximum_version = newest
        return made

    def shake(listener, name="www.example.com", header=b"", **options):
        """A connection that echoes, or the error."""
        sock = client.connect(("127.0.0.1", ports[listener]))
        try:
            sock.sendall(header)
            sock = context(**options).wrap_socket(sock, server_hostname=name)
            good = client.echoes(sock)
            sock.close()
            return good
        except OSError:
            sock.close()
            return False

    def fails(cause, words, side, end, **fields):
        """The last line of that listener, and the counter."""
        flow = b.wait_flows(1, **fields)[-1]
        s.equal((flow["end"], flow.get("error")),
                (end, f"TLS with the {side}: {words}"), f"line of {fields}")
        s.equal(b.tls_failures(side, cause), 1, f"failures by {cause}")
        return flow

    # -- clients -------------------------------------------------------
    s.check(not shake("strict", "who.example.com"), "a name we have not")
    flow = fails("name_not_found", "no certificate for the name asked for",
                 "client", "CT", listener="strict")
    s.equal(flow["sni"], "who.example.com", "the name is in the line")
    s.check(not shake("mutual"), "no client certificate")
    fails("no_certificate", "the peer presented no certificate",
          "client", "CT", listener="mutual")
    s.check(not shake("mutual", pair=other_client), "a stranger's certificate")
    b.wait_flows(2, listener="mutual")
    s.equal(b.tls_failures("client", "unknown_ca"), 1, "failures by unknown_ca")
    s.check(shake("mutual", pair=ours_client), "a good client certificate")
    s.check(not shake("new", newest=ssl.TLSVersion.TLSv1_2), "an old client")
    fails("version", "no protocol version in common", "client", "CT",
          listener="new")
    with client.connect(("127.0.0.1", ports["new"])) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        client.read_end(sock)
    b.wait_flows(2, listener="new")
    s.equal(b.tls_failures("client", "not_tls"), 1, "failures by not_tls")
    s.check("first bytes are not TLS" in
            b.flows(listener="new")[-1]["error"], "said in the line")
    with client.connect(("127.0.0.1", ports["slow"])) as sock:
        client.read_end(sock)
    flow = b.wait_flows(1, listener="slow")[0]
    s.equal((flow["end"], flow["error"]), (
        "cT", "the TLS handshake took longer than timeout.handshake"),
        "a client that is too slow")

    # -- servers -------------------------------------------------------
    for name, cause, words in (
            ("badname", "name_mismatch",
             "the peer's certificate is for another name"),
            ("noca", "unknown_ca",
             "the peer's certificate has no trusted issuer"),
            ("notls", "not_tls", "the first bytes are not TLS")):
        client.ask(("127.0.0.1", ports[name]), b"x")
        fails(cause, words, "server", "SC", listener=name)
    # RFC 8446 6.2: bad_certificate, unknown_ca
    s.until(lambda: all(f"SSL alert number {n}" in wrong.process.output()
                        for n in (42, 48)), "alerts tell the server why")

    # -- what went well ------------------------------------------------
    s.check(shake("routed", alpn=["h2"]), "by protocol")
    s.check(shake("routed", alpn=["http/1.1"]), "by default")
    flows = b.wait_flows(2, listener="routed")
    s.equal({(f["sni"], f["alpn"], f["tls"], f["route"]) for f in flows}, {
        ("www.example.com", "h2", "TLSv1.3", "2"),
        ("www.example.com", "http/1.1", "TLSv1.3", "default")},
        "name, protocol, version, route")
    with client.connect(("127.0.0.1", ports["proxied"])) as raw:
        mine = raw.getsockname()[1]
        raw.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n")
        with context().wrap_socket(raw, server_hostname="a\tb c") as sock:
            s.check(client.echoes(sock), "behind a proxy")
            row = b.ctl("flows", "listener=proxied")["flows"][0]
            s.equal((row["tls"], row["sni"]), ("TLSv1.3", "a\tb c"),
                    "version and name of a live flow")
    flow = b.wait_flows(1, listener="proxied")[0]
    s.equal((flow["client"], flow["proxy"], flow["sni"]),
            ("192.0.2.1:4711", f"127.0.0.1:{mine}", "a?b?c"),
            "client, proxy, and a name with nothing in it")

    # -- the error log, status, metrics --------------------------------
    causes = {e["cause"] for e in b.events("TLS with clients failed")} | {
        b.wait_event("TLS with clients failed")["cause"]}
    s.check(causes <= {"name_not_found", "no_certificate", "unknown_ca",
                       "version", "not_tls"}, f"causes in the log: {causes}")
    b.wait_event("TLS with servers failed")
    b.wait_event("clients too slow: timeout.handshake")
    status = b.status()["tls"]
    s.equal((status["client_failures"] >= 5, status["server_failures"]),
            (True, 3), "failures in the status")
    s.equal(status["memory_limit"], 64 << 20, "limits.tls_memory")
    m = b.metrics()
    end = m.value("braid_certificate_expiry_seconds", listener="strict")
    want = ssl.cert_time_to_seconds(
        ssl._ssl._test_decode_cert(pair[0])["notAfter"])
    s.equal(end, want, "when the certificate ends")
    config["limits"]["tls_memory"] = "8MiB"
    b.reload(config)
    s.equal(b.status()["tls"]["memory_limit"], 8 << 20, "after a reload")
    s.until(lambda: any("a certificate expires in" in line["msg"]
                        for line in b.lines() if line["level"] == "warn"),
            "a warning of certificates that end soon")
    s.check(shake("mutual", pair=ours_client), "TLS after the reload")
    b.stop()


scenario.run(test, user="nobody")
