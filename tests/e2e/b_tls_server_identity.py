#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import ssl

from lib import client, scenario
from lib.braidd import Braid, sanitizer_env, suspicious
from lib.certificates import Authority, over_tls, say, server_context
from lib.origins import Origin

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Asked:
    """A TLS server that notes the names it is asked for."""

    def __init__(self, s, pair, answer, **options):
        self.names = []
        context = server_context(pair, **options)
        context.set_alpn_protocols(["http/1.1"])
        context.sni_callback = lambda _sock, name, _context: (
            self.names.append(name))

        def handler(tls, number):
            self.shown = tls.getpeercert()
            self.alpn = tls.selected_alpn_protocol()
            say(answer)(tls, number)
        self.handler = over_tls(context, handler)
        self.text = Origin(s, self.handler).text


def bad_files(s, b, config, ours):
    """Files that cannot be used: at start exit 78 with file, line and column;
    at a reload the verdict says the same and what runs goes on."""
    broken = s.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n"
                     "-----END CERTIFICATE-----\n")
    empty = s.write("empty.pem", "")
    stranger = ours.issue("stranger", "DNS:stranger")
    missing = s.path("missing.pem")
    cases = [
        ("ca", {"ca": missing}, missing), ("ca", {"ca": broken}, broken),
        ("ca", {"ca": empty}, empty), ("ca", {"ca": s.folder}, s.folder),
        ("crl", {"ca": ours.cert, "crl": missing}, missing),
        ("cert", {"ca": ours.cert, "cert": missing, "key": stranger[1]},
         missing),
        ("cert", {"ca": ours.cert, "cert": broken, "key": stranger[1]},
         broken),
        ("key", {"ca": ours.cert, "cert": stranger[0], "key": missing},
         missing),
        ("key", {"ca": ours.cert, "cert": stranger[0], "key": broken}, broken),
        ("key", {"ca": ours.cert, "cert": stranger[0],
                 "key": config["pools"]["mutual"]["tls"]["key"]}, "belong"),
    ]
    program = os.path.join(s.bin, "braidd")
    for key, tls, words in cases:
        text = (f"listeners: {{web: {{bind: '127.0.0.1:{s.port()}', "
                f"pool: o}}}}\npools:\n  o:\n    servers: {{a: {{address: "
                f"'127.0.0.1:1'}}}}\n    tls:\n" +
                "".join(f"      {k}: {v}\n" for k, v in tls.items()))
        file = s.write("bad.yaml", text)
        line = text.splitlines().index(f"      {key}: {tls[key]}") + 1
        done = s.run([program, "-f", file], check=False, env=sanitizer_env())
        s.equal((done.returncode, suspicious(done.stderr)), (78, None),
                f"a bad {key}: exit code")
        s.check(done.stderr.startswith(f"{file}:{line}:{9 + len(key)}: "
                                       f"pools.o.tls.{key}: ") and
                words in done.stderr, done.stderr.strip())
        s.equal(len(done.stderr.splitlines()), 1, "lines of it")
        changed = {**config, "pools": {**config["pools"], "named": {
            **config["pools"]["named"], "tls": tls}}}
        b.write_config(changed)
        answer = b.ctl_answer("reload", seconds=60)
        s.check(answer["exit"] and words in str(answer) and
                f"pools.named.tls.{key}: " in str(answer),
                f"a reload is refused: {answer}")
    b.write_config(config)


def test(s):
    """Who a server is to be and what Braid shows it: names asked for, ALPN,
    certificates demanded by servers, verification off, files that are bad or
    replaced."""
    ours, other = Authority(s, "ours"), Authority(s, "other")
    pair = ours.issue("back", "DNS:back.example.com,IP:127.0.0.1")
    strange = other.issue("strange", "DNS:who.example.com")
    mine = ours.issue("mine", "DNS:braid")
    theirs = other.issue("theirs", "DNS:braid")
    servers = {
        "named": Asked(s, pair, b"named"),
        "byaddress": Asked(s, pair, b"byaddress"),
        "any": Asked(s, strange, b"any"),
        "mutual": Asked(s, pair, b"mutual", client_ca=ours.cert),
        "mutual12": Asked(s, pair, b"mutual12", client_ca=ours.cert,
                          version=V12),
    }
    full = {"ca": ours.cert, "sni": "back.example.com"}
    shows = {**full, "cert": mine[0], "key": mine[1]}
    tls = {
        "named": {**full, "alpn": "http/1.1"}, "byaddress": {"ca": ours.cert},
        "any": {"verify": "none", "sni": "any.example.com"},
        "mutual": shows, "mutual12": shows,
    }
    # Who shows nothing, or what the server does not know, in either version.
    for version in ("mutual", "mutual12"):
        servers[f"{version}-absent"] = servers[version]
        tls[f"{version}-absent"] = full
        servers[f"{version}-wrong"] = servers[version]
        tls[f"{version}-wrong"] = {**full, "cert": theirs[0],
                                   "key": theirs[1]}
    ports = {n: s.port() for n in servers}
    config = {
        "listeners": {n: {"bind": f"127.0.0.1:{ports[n]}", "pool": n}
                      for n in servers},
        "pools": {n: {"tls": tls[n],
                      "connect": {"retries": 0, "timeout": "60s"},
                      "servers": {"a": {"address": servers[n].text}}}
                  for n in servers}}
    b = Braid(s, config)

    def answer(name):
        return client.ask(("127.0.0.1", ports[name]))

    def counted(cause):
        m = b.metrics()
        return sum(m.value("braid_tls_server_failures_total", worker=str(w),
                           cause=cause) for w in range(2))

    for name in ("named", "byaddress", "any", "mutual", "mutual12"):
        s.equal(answer(name), (name.encode(), client.FIN), name)
    s.equal(servers["named"].names, ["back.example.com"], "the name asked for")
    s.equal(servers["named"].alpn, "http/1.1", "the protocol")
    s.equal(servers["any"].names, ["any.example.com"], "also unverified")
    s.equal(servers["byaddress"].names, [None], "an address is no name")
    s.equal({servers[n].shown["subject"][0][0][1] for n in
             ("mutual", "mutual12")}, {"mine"}, "the certificate shown")

    for name, code in (("mutual-absent", "SD"), ("mutual-wrong", "SD"),
                       ("mutual12-absent", "SC"), ("mutual12-wrong", "SC")):
        before = counted("peer_certificate") + counted("peer_alert")
        s.equal(answer(name), (b"", client.RESET), name)
        flow = b.wait_flows(1, listener=name)[0]
        s.equal(flow["end"], code, f"{name}: its code")
        s.check(flow["error"].startswith("TLS with the server: the peer "),
                f"{name}: {flow['error']}")
        s.equal(counted("peer_certificate") + counted("peer_alert") - before,
                1, "it is counted")

    bad_files(s, b, config, ours)
    s.equal(answer("named"), (b"named", client.FIN), "what runs goes on")

    # Files replaced under the same names count from the next reload on.
    for at, by in ((ours.cert, other.cert), (mine[0], theirs[0]),
                   (mine[1], theirs[1])):
        shutil.copy(by, at)
    s.equal(answer("named"), (b"named", client.FIN), "before the reload")
    held = client.connect(("127.0.0.1", ports["mutual"]))
    s.equal(client.read_exactly(held, 6), b"mutual", "a flow of before")
    b.reload(config)
    s.equal(answer("named"), (b"", client.RESET), "after it, another issuer")
    s.check(b.wait_flows(
        1, listener="named", error="TLS with the server: the peer's "
        "certificate has no trusted issuer"), "its line")
    s.equal(client.read_end(held), (b"", client.FIN), "the flow of before")
    held.close()
    b.idle()
    b.stop()


scenario.run(test)
