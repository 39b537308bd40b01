#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import base64

from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority, TlsServer
from lib.s_client import shake
from lib.servers import Nginx

WAYS = {
    "TLS 1.3": ("-tls1_3",),
    "TLS 1.2, ticket": ("-tls1_2",),
    "TLS 1.2, session id": ("-tls1_2", "-no_ticket"),
}
TRIES = 100  # the kernel chooses the worker


def fields(der):
    """The parts of a sequence's content, as they stand."""
    while der:
        length, at = der[1], 2
        if length & 0x80:
            at += length & 0x7f
            length = int.from_bytes(der[2:at], "big")
        yield der[:at + length]
        der = der[at + length:]


def allow_early_data(file):
    """A session file as if the server had said that it takes early data:
    field 15 of OpenSSL's SSL_SESSION_ASN1."""
    with open(file, encoding="ascii") as f:
        begin, *text, end = f.read().split("\n")[:-1]
    der = base64.b64decode("".join(text))
    parts = [*fields(der[4:]), bytes.fromhex("af0402024000")]
    # Those without a tag of the sequence's own come first.
    parts.sort(key=lambda part: part[0] & 0x1f if part[0] & 0x80 else -1)
    body = b"".join(parts)
    der = b"\x30\x82" + len(body).to_bytes(2, "big") + body
    with open(file, "w", encoding="ascii") as f:
        f.write(f"{begin}\n{base64.encodebytes(der).decode()}{end}\n")


def test(s):
    """Sessions are resumed by every worker: TLS 1.3, and TLS 1.2 by ticket
    and by id; also after reloads, and, by ticket, after an upgrade. Early
    data is refused, and the connection goes on without."""
    authority = Authority(s)
    cert, key = authority.issue("www", "DNS:www.example.com")
    origin = Nginx(s)
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {
            "bind": f"127.0.0.1:{port}", "pool": "o",
            "tls": {"certificates": [{"cert": cert, "key": key}]}}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}}})
    files = {way: s.path(f"{n}.session") for n, way in enumerate(WAYS)}

    def resumed():
        """By each worker, so far."""
        m = b.metrics()
        return [m.value("braid_worker_tls_client_resumed_total",
                        worker=str(w)) for w in range(2)]

    def begin(way):
        done = shake(port, *WAYS[way], "-sess_out", files[way])
        s.equal((done.served, done.reused), (True, False),
                f"{way}: a full handshake")

    def resume(when):
        """The session that there is, by both workers."""
        for way, options in WAYS.items():
            before, n = resumed(), 0
            while any(map(lambda now, was: now == was, resumed(), before)):
                done = shake(port, *options, "-sess_in", files[way])
                n += 1
                if not (done.served and done.reused) or n == TRIES:
                    s.check(False, f"{way}, connection {n}: {done.output}")
            s.check(True, f"{way}: resumed by either worker {when}")

    for way in WAYS:
        begin(way)
    resume("at once")
    b.reload()
    resume("after a reload")
    authority.issue("www", "DNS:www.example.com")
    s.equal(b.reload()["summary"], "1 listener's TLS files changed (web)",
            "another certificate")
    resume("after a reload with another certificate")

    # Early data: never promised, and not taken from who sends it all the
    # same, with a session of ours or of somebody else.
    early = s.write("early.txt", "GET /early HTTP/1.1\r\n")
    file = files["TLS 1.3"]
    done = shake(port, "-tls1_3", "-sess_in", file, "-early_data", early)
    s.check(done.served and done.reused and
            "Early data was not sent" in done.output,
            "the session says that early data is not taken")
    other = TlsServer(s, "other", (cert, key))
    for what, at in (("ours", port), ("another server", other.port)):
        shake(at, "-tls1_3", "-sess_out", file)
        allow_early_data(file)
        done = shake(port, "-tls1_3", "-sess_in", file, "-early_data", early)
        s.equal((done.served, done.reused,
                 "Early data was rejected" in done.output),
                (True, at == port, True),
                f"early data in a session of {what}: served, resumed, refused")
    begin("TLS 1.3")

    old = b.pid
    b.upgrade()
    b.wait_gone(old)  # which accepts for a moment still
    done = shake(port, *WAYS["TLS 1.2, session id"], "-sess_in",
                 files["TLS 1.2, session id"])
    s.equal((done.served, done.reused), (True, False),
            "the cache of ids stays with the old process")
    begin("TLS 1.2, session id")
    resume("of the new process")
    m = b.metrics()
    s.equal(m.total("braid_tls_client_failures_total"),
            m.total("braid_tls_client_failures_total", cause="truncated"),
            "no handshake failed")
    b.stop()


scenario.run(test)
