#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.s_client import shake
from lib.servers import Nginx

REFUSED = "TLS with the client: the peer"
CAUSES = {
    "no_certificate": f"{REFUSED} presented no certificate",
    "unknown_ca": f"{REFUSED}'s certificate has no trusted issuer",
    "expired": f"{REFUSED}'s certificate is expired or not yet valid",
    "revoked": f"{REFUSED}'s certificate is revoked",
    "crl": "TLS with the client: no usable revocation list for the peer's "
           "certificate",
}
# RFC 8446 6.2; TLS 1.2 has no alert for a certificate that is missing.
ALERTS = {"no_certificate": {"-tls1_3": "116", "-tls1_2": "40"},
          "unknown_ca": "48", "expired": "45", "revoked": "44", "crl": "48"}


def test(s):
    """Mutual TLS: who has no certificate, one of strangers, one that has
    expired or is revoked, gets an alert that says so, and is counted and
    logged by cause. A session does not outlive a revocation list."""
    ours, other = Authority(s, "ours"), Authority(s, "other")
    cert, key = ours.issue("www", "DNS:www.example.com")
    clients = {
        "alice": ours.issue("alice", "DNS:alice"),
        "bob": ours.issue("bob", "DNS:bob"),
        "late": ours.issue("late", "DNS:late", days=-1),
        "stranger": other.issue("stranger", "DNS:stranger"),
    }
    origin = Nginx(s)
    port, lax = s.port(), s.port()
    tls = {"certificates": [{"cert": cert, "key": key}],
           "client_ca": ours.cert, "client_crl": ours.revoke()}
    b = Braid(s, {
        "listeners": {
            "web": {"bind": f"127.0.0.1:{port}", "pool": "o", "tls": tls},
            "lax": {"bind": f"127.0.0.1:{lax}", "pool": "o",
                    "tls": {**tls, "client_verify": "optional"}}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}}})
    counted = dict.fromkeys(CAUSES, 0)

    def connect(who, version, *options, to=port):
        pair = ("-cert", clients[who][0], "-key", clients[who][1]) \
            if who else ()
        return shake(to, version, *pair, *options)

    def accepted(who, version, *options, to=port):
        done = connect(who, version, *options, to=to)
        s.check(done.served, f"{who or 'nobody'} is let in, {version}")
        return done

    def refused(who, cause, version, *options, to=port):
        done = connect(who, version, *options, to=to)
        alert = ALERTS[cause]
        if isinstance(alert, dict):
            alert = alert[version]
        s.equal((done.served, done.alert, done.reused), (False, alert, False),
                f"{who or 'nobody'} is refused, {version}: answer and alert")
        counted[cause] += 1
        b.wait_flows(counted[cause], end="CT", error=CAUSES[cause])
        s.equal(b.tls_failures("client", cause), counted[cause],
                f"counted as {cause}")

    for version in ("-tls1_2", "-tls1_3"):
        accepted("alice", version)
        refused(None, "no_certificate", version)
        refused("stranger", "unknown_ca", version)
        refused("late", "expired", version)
        accepted(None, version, to=lax)
        refused("stranger", "unknown_ca", version, to=lax)

    sessions = {v: s.path(f"bob{v}.session") for v in ("-tls1_2", "-tls1_3")}
    for version, file in sessions.items():
        accepted("bob", version, "-sess_out", file)
        done = accepted("bob", version, "-sess_in", file)
        s.check(done.reused, "he resumes his session")
        accepted("bob", version, "-sess_out", file)
    ours.revoke(clients["bob"][0])
    accepted("bob", "-tls1_3")
    s.check(True, "the list on disk counts from the next reload on")
    b.reload()
    for version, file in sessions.items():
        refused("bob", "revoked", version)
        refused("bob", "revoked", version, "-sess_in", file)
        refused("bob", "revoked", version, to=lax)
        accepted("alice", version)

    # A list of somebody else says nothing of ours.
    other.revoke(file=tls["client_crl"])
    b.reload()
    refused("alice", "crl", "-tls1_3")
    ours.revoke(file=tls["client_crl"])
    b.reload()
    accepted("bob", "-tls1_3")

    s.equal({c: b.tls_failures("client", c) for c in CAUSES}, counted,
            "failures by cause at the end")
    line = b.wait_event("TLS with clients failed")
    s.check(line["cause"] in CAUSES and
            CAUSES[line["cause"]].endswith(line["hint"]),
            f"the error log: {line['cause']}: {line['hint']}")
    b.stop()


scenario.run(test)
