#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import ssl

from lib import client, scenario
from lib.braidd import Braid
from lib.certificates import (Authority, client_context, over_tls,
                              server_context)
from lib.origins import Origin
from lib.proxy_header import (ALPN, AUTHORITY, CERT_CONN, CERT_SESS, CRC32C,
                              SSL_CIPHER, SSL_CN, SSL_VERSION, USED, Header)
from lib.scenario import find_program
from lib.servers import wait_listening

FRONT, BACK = "www.example.com", "back.example.com"
HAPROXY = """
defaults
	mode http
	timeout client 60s
	timeout server 60s
	timeout connect 60s
frontend web
	bind 127.0.0.1:{port} accept-proxy ssl crt {pem}
	http-request return status 200 content-type text/plain lf-string \
"%[src]:%[src_port] %[dst_port] %[fc_pp_authority] %[ssl_fc_sni]"
"""


class Reader:
    """Reads a PROXY header, then is a TLS server."""

    def __init__(self, context):
        self.headers = []
        self.shake = over_tls(context, self.answer)

    def answer(self, tls, _number):
        tls.sendall(client.read_exactly(tls, 4).upper())
        tls.unwrap()

    def __call__(self, sock, number):
        self.headers.append(Header(sock))
        self.shake(sock, number)


def refuses(sock, _number):
    """Ends the connection once a ClientHello is there."""
    Header(sock)
    sock.recv(1)


def test(s):
    """A PROXY header of version 2 goes before the TLS handshake with a
    server, once to each that is tried, and says what is known of the client's
    TLS; HAProxy reads it too."""
    s.need("haproxy")
    authority = Authority(s)
    www = authority.issue("www", f"DNS:{FRONT}")
    back = authority.issue("back", f"DNS:{BACK}")
    somebody = authority.issue("somebody", "DNS:somebody")
    reader = Reader(server_context(back))
    servers = {"one": Origin(s, refuses).text, "two": Origin(s, reader).text}
    pem = s.write("back-both.pem", "".join(
        open(p, encoding="ascii").read() for p in back))
    port = s.port()
    haproxy = s.start([find_program("haproxy"), "-db", "-f", s.write(
        "haproxy.cfg", HAPROXY.format(port=port, pem=pem))], "haproxy")
    wait_listening(port, haproxy, "haproxy")
    ports = {n: s.port() for n in ("secure", "plain", "haproxy")}
    tls = {"certificates": [{"cert": www[0], "key": www[1]}],
           "client_ca": authority.cert, "client_verify": "optional",
           "alpn": ["h2", "http/1.1"]}
    pool = {"balance": "first", "proxy_protocol": "v2",
            "connect": {"timeout": "60s"},
            "tls": {"ca": authority.cert, "sni": BACK}}
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{ports[n]}",
                          "pool": "haproxy" if n == "haproxy" else "o",
                          **({"tls": tls} if n != "plain" else {})}
                      for n in ports},
        "pools": {"o": {**pool, "servers": {
            n: {"address": a} for n, a in servers.items()}},
            "haproxy": {**pool, "servers": {
                "h": {"address": f"127.0.0.1:{port}"}}}},
    })

    def context(pair=None, version=ssl.TLSVersion.TLSv1_3):
        made = client_context(authority.cert, version)
        made.set_alpn_protocols(["http/1.1"])
        if pair:
            made.load_cert_chain(*pair)
        return made

    def ask(made, session=None):
        """A request over TLS: the header it led to, and the session."""
        raw = client.connect(("127.0.0.1", ports["secure"]))
        mine = raw.getsockname()
        with made.wrap_socket(raw, server_hostname=FRONT,
                              session=session) as sock:
            sock.sendall(b"ping")
            s.equal(client.read_end(sock), (b"PING", client.FIN),
                    f"an answer, resumed: {sock.session_reused}")
            header = reader.headers[-1]
            s.equal((header.source, header.destination), (
                mine, ("127.0.0.1", ports["secure"])), "the addresses")
            s.check(CRC32C in header.tlvs, "a checksum that is right")
            s.equal((header.tlvs[AUTHORITY], header.tlvs[ALPN]),
                    (FRONT.encode(), b"http/1.1"), "name and protocol")
            s.equal(header.ssl[2][SSL_CIPHER], sock.cipher()[0].encode(),
                    "the cipher")
            s.equal(header.ssl[2][SSL_VERSION], sock.version().encode(),
                    "the version")
            return header.ssl, sock.session

    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        made = context(somebody, version)
        (bits, verify, more), session = ask(made)
        s.equal((bits, verify, more.get(SSL_CN)), (
            USED | CERT_CONN | CERT_SESS, 0, b"somebody"), "a certificate")
        (bits, verify, more), _ = ask(made, session)
        s.equal((bits, verify, more.get(SSL_CN)), (
            USED | CERT_SESS, 0, b"somebody"), "of the session before")
        (bits, verify, more), _ = ask(context(version=version))
        s.equal((bits, verify != 0, more.get(SSL_CN)), (USED, True, None),
                "no certificate")
    s.equal(client.ask(("127.0.0.1", ports["plain"]), b"ping"),
            (b"PING", client.FIN), "a client without TLS")
    s.equal(set(reader.headers[-1].tlvs), {CRC32C}, "nothing to say of it")
    s.equal({(f["end"], f["retries"], f["tried"]) for f in b.wait_flows(7)},
            {("--", "1", "one")}, "each was tried elsewhere before")
    s.equal(len(reader.headers), 7, "headers that the second server got")

    with context().wrap_socket(
            client.connect(("127.0.0.1", ports["haproxy"])),
            server_hostname=FRONT) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = client.read_end(sock)[0].decode()
        mine = sock.getsockname()[1]
    s.equal(answer.rpartition("\r\n")[2], f"127.0.0.1:{mine} "
            f"{ports['haproxy']} {FRONT} {BACK}", "what HAProxy says")
    b.idle()
    b.stop()


scenario.run(test)
