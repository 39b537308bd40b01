#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import concurrent.futures
import os
import ssl

from lib import client, origins, scenario
from lib.braidd import Braid
from lib.certificates import Authority, over_tls, say, server_context

NAME = "back.example.com"
# A TLS 1.2 record of a handshake (22) or of data (23), and its length.
GARBAGE = b"\x16\x03\x03\x00\x40" + b"\x5a" * 64


def certificates(s):
    """What TLS servers may show that they should not."""
    ours, other = Authority(s, "ours"), Authority(s, "other")
    pairs = {
        "good": ours.issue("good", f"DNS:{NAME}"),
        "name": ours.issue("name", "DNS:www.example.com"),
        "ca": other.issue("ca", f"DNS:{NAME}"),
        "expired": ours.issue("expired", f"DNS:{NAME}", days=-1),
        "self": (other.cert, other.key),
    }
    os.chmod(other.key, 0o644)
    return ours, pairs


def hello(sock):
    """A ClientHello, the whole record."""
    head = client.read_exactly(sock, 5)
    return head + client.read_exactly(sock, int.from_bytes(head[3:], "big"))


def after_hello(reply=b"", end=None):
    """A server that gets no further than an answer to the ClientHello."""
    def handler(sock, _number):
        hello(sock)
        sock.sendall(reply)
        if end == client.RESET:
            origins.reset(sock)
        elif end is None:
            sock.recv(1)  # until the other side has had enough
    return handler


class Flight:
    """The answer of a real server to a real ClientHello, cut or damaged."""

    def __init__(self, context, change):
        self.context, self.change = context, change

    def __call__(self, sock, _number):
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        into.write(hello(sock))
        try:
            self.context.wrap_bio(into, out, server_side=True).do_handshake()
        except ssl.SSLWantReadError:
            pass
        sock.sendall(self.change(out.read()))


def first_record(data):
    return data[:5 + int.from_bytes(data[3:5], "big")]


def flip(at):
    """One bit of the byte there."""
    def change(data):
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
    return change


def test(s):
    """A server that fails in its TLS handshake, in whatever way, costs the
    client nothing but a retry on another; where there is no other the client
    is closed. Each cause is counted and in the logs."""
    ours, pairs = certificates(s)
    good = server_context(pairs["good"])
    shown = {n: over_tls(server_context(pairs[n]), say(b"bad"))
             for n in ("name", "ca", "expired", "self")}
    tls = "TLS with the server: "
    malformed = tls + "a message that cannot be parsed or is out of order"
    trust = tls + "the peer's certificate has no trusted issuer"
    plain = "not_tls", tls + "the first bytes are not TLS"
    ended = "handshake_ended", "the connection ended within the TLS handshake"
    slow = "handshake_slow", "no whole TLS handshake in the time for it"
    faults = {  # handler, cause, what the log says of it
        "name": (shown["name"], "name_mismatch",
                 tls + "the peer's certificate is for another name"),
        "ca": (shown["ca"], "unknown_ca", trust),
        "self": (shown["self"], "unknown_ca", trust),
        "expired": (shown["expired"], "expired",
                    tls + "the peer's certificate is expired or not yet "
                    "valid"),
        "plain": (after_hello(b"HTTP/1.1 400 Bad Request\r\n\r\n"), *plain),
        "greets": (lambda sock, _n: sock.sendall(b"220 mail ESMTP\r\n") or
                   sock.recv(1), *plain),
        "closes": (after_hello(end=client.FIN), *ended),
        "resets": (after_hello(end=client.RESET), *ended),
        "alert": (after_hello(b"\x15\x03\x03\x00\x02\x02\x28"),
                  "peer_alert", tls + "the peer sent another alert"),
        "garbage": (after_hello(GARBAGE), "malformed", malformed),
        "between records": (Flight(good, first_record), *ended),
        "in a record": (Flight(good, lambda data: data[:700]), *ended),
        "in a header": (Flight(good, lambda data: data[:3]), *ended),
        "flipped": (Flight(good, flip(-10)), "bad_record", tls +
                    "a record that fails its integrity check or is too long"),
        "silent": (lambda sock, _n: sock.recv(99999) and sock.recv(99999),
                   *slow),
        "dribbles": (after_hello(GARBAGE[:5]), *slow),
    }
    origin = origins.Origin(s, over_tls(good, say(b"good")))
    listeners, pools, ports, late = {}, {}, {}, []
    for fault, (handler, cause, _) in faults.items():
        bad = origins.Origin(s, handler).text
        for kind, servers in (
                ("among", {"bad": bad, "good": origin.text}),
                ("alone", {"bad": bad})):
            name = f"{fault}-{kind}".replace(" ", "-")
            ports[name] = s.port()
            late += [name] if cause == slow[0] else []
            listeners[name] = {"bind": f"127.0.0.1:{ports[name]}",
                               "pool": name}
            pools[name] = {
                "balance": "first", "tls": {"ca": ours.cert, "sni": NAME},
                "connect": {"retries": len(servers) - 1,
                            "timeout": "5s" if cause == slow[0] else "60s"},
                "servers": {n: {"address": a} for n, a in servers.items()}}
    b = Braid(s, {"listeners": listeners, "pools": pools})

    def counted(cause):
        m = b.metrics()
        return sum(m.value("braid_tls_server_failures_total", worker=str(w),
                           cause=cause) for w in range(2))

    def ask(name):
        return client.ask(("127.0.0.1", ports[name]))

    # Those that take their time are asked at once: the good server gets as
    # little as the bad one.
    with concurrent.futures.ThreadPoolExecutor(len(late)) as pool:
        said = dict(zip(late, pool.map(ask, late)))
    s.equal(counted(slow[0]), len(late), f"failures by {slow[0]}")

    for fault, (_, cause, words) in faults.items():
        before = counted(cause)
        name = f"{fault}-among".replace(" ", "-")
        s.equal(said.get(name) or ask(name),
                (b"good", client.FIN), f"{fault}: a client among others")
        flow = b.wait_flows(1, listener=name)[0]
        s.equal((flow["end"], flow["retries"], flow["tried"], flow["server"],
                 flow.get("error")), ("--", "1", "bad", "good", None),
                "served by the other server")
        name = f"{fault}-alone".replace(" ", "-")
        s.equal(said.get(name) or ask(name), (b"", client.RESET),
                f"{fault}: nobody else")
        flow = b.wait_flows(1, listener=name)[0]
        s.equal((flow["end"], flow["error"]),
                ("sC" if cause == slow[0] else "SC", words), "its line")
        s.equal(counted(cause) - before, 0 if name in said else 2,
                f"failures by {cause}")
        row = b.server(name, "bad")
        error = "connect_timeouts" if cause == slow[0] else "connect_errors"
        s.equal((row[error], row["connections"]), (1, 0),
                f"{error} and connections of the server")
    said = b.wait_event("TLS with servers failed")["cause"]
    s.check(said in {cause for _, cause, _ in faults.values()},
            f"the error log has a cause: {said}")
    b.idle()
    b.stop()


scenario.run(test)
