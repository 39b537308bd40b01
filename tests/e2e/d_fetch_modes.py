#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import ssl
import threading

from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority, server_context
from lib.content import Content
from lib.fetch import Fetch, enter_own_network
from lib.origins import Origin
from lib.range_origin import Library, RangeOrigin

HOSTS = [f"127.0.0.{i}" for i in (11, 12, 13)]
POPS = ["pop1", "pop2", "pop3"]
PATH = "/a/100000"
BODY = Content(PATH, 100000).bytes()


def config(port):
    def mode(name, **more):
        return {"mode": name, "pops": POPS, "n": 3, **more}
    return {
        "dns": {"bind": f"127.0.0.1:{port}", "zones": {"cdn.example": {
            "records": ["@ SOA ns1 hostmaster 1 3600 600 86400 1", "@ NS ns1",
                        "ns1 A 127.0.0.1"],
            "resources": {
                "@": mode("rank", alpn=["http/1.1"], ttl="5s"),
                "pick": mode("pick", ttl="5s"),
                "many": mode("addrs", ttl="5s"),
                "raw": mode("literal", allow=["127.0.0.1/32"], ttl="5s")}}}},
        "pops": {name: {"addresses": [host],
                        "health": {"type": "tcp", "port": 80,
                                   "interval": "100ms", "timeout": "1s",
                                   "fall": 2, "rise": 2}}
                 for name, host in zip(POPS, HOSTS)}}


def over_tls(context):
    """A page over TLS, which asks for one connection each."""
    def talk(sock, _number):
        with context.wrap_socket(sock, server_side=True) as tls:
            if not tls.recv(65536):
                return
            tls.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
                        b"Content-Length: 4\r\n\r\npage")
            try:
                tls.unwrap()
            except (OSError, ssl.SSLError):
                pass
    return talk


def each_mode(s, fetch, ca):
    url = "http://{}.cdn.example" + PATH
    got = fetch(url.format("pick"), "-w", "", "--no-remember")
    s.check(got.code == 0 and got.body == BODY, "pick")
    s.equal(len(got.addresses("order")), 1, "it names one POP")
    first = got.addresses("order")
    got = fetch(url.format("many"), "--no-remember")
    s.check(got.code == 0 and got.body == BODY, "addrs")
    s.equal(sorted(got.addresses("order")), [f"{h}:80" for h in HOSTS],
            "it names all")
    got = fetch("--literal", url.format("raw"), "--no-remember")
    s.check(got.code == 0 and got.body == BODY, "literal")
    names = [name for name, _, _ in got.of("order")]
    s.equal(sorted(names), [f"raw--{p}.cdn.example." for p in POPS],
            "it names all, one CNAME each")
    got = fetch("--cacert", ca, "--stagger", "60000", "https://cdn.example/",
                "--no-remember")
    s.equal((got.code, got.body), (0, b"page"), "rank")
    s.equal(len(got.addresses("order")), 3, "it names all")
    s.equal(got.addresses("connected"), got.addresses("order")[:1],
            "the one of priority 1 is the first")
    return HOSTS.index(first[0].split(":")[0])


def one_dies(s, fetch, origins, chosen):
    """The POP of this client dies while it fetches: it never fails."""
    fetches = [("--retry", "4", "http://pick.cdn.example" + PATH),
               ("http://many.cdn.example" + PATH,),
               ("--literal", "http://raw.cdn.example" + PATH)]
    dying = threading.Timer(0.2, origins[chosen].kill)
    dying.start()
    failed, dead = [], f"{HOSTS[chosen]}:80"
    for _ in range(12):
        for arguments in fetches:
            got = fetch(*arguments)
            if got.code or got.body != BODY:
                failed.append((arguments, got.code, got.said))
    dying.join()
    s.check(not failed, f"none of 36 fetches has failed: {failed}")

    def left():
        got = fetch(*fetches[0])
        many = fetch(*fetches[1])
        return got.code == 0 and dead not in (
            got.addresses("order") + many.addresses("order"))
    s.until(left, "the DNS does not name the dead one any more")


def test(s):
    """braid-fetch before braidd's own DNS, in each mode; a POP dies."""
    s.need_root()
    s.need("unshare", "ip")
    authority = Authority(s)
    context = server_context(authority.issue("pop", "DNS:cdn.example"))
    library = Library()
    origins = [RangeOrigin(s, library, address=(host, 80)) for host in HOSTS]
    for host in HOSTS:
        Origin(s, over_tls(context), (host, 443))
    port = s.port()
    b = Braid(s, config(port))
    fetch = Fetch(s, f"127.0.0.1:{port}")
    chosen = each_mode(s, fetch, authority.cert)
    one_dies(s, fetch, origins, chosen)
    b.stop()


enter_own_network()
scenario.run(test)
