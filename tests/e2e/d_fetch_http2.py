#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import threading

from lib import scenario
from lib.certificates import Authority
from lib.dns import Dns
from lib.fetch import Fetch
from lib.process import wait_until
from lib.scenario import find_program
from lib.servers import wait_port

NGINX = """\
daemon off;
worker_processes 1;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 64; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {host}:{port} ssl http2;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        root {www};
        location /slow {{ alias {www}/file; {limit} }}
    }}
}}
"""
HOSTS = ("127.0.0.11", "127.0.0.12")
SIZE = 6_000_000
# The first comes to its end after some minutes: it dies before.
LIMITS = ("limit_rate_after 2m; limit_rate 20k;", "")


class Origin:
    def __init__(self, s, name, **values):
        folder = s.make_folder(name)
        config = s.write(f"{name}/nginx.conf", NGINX.format(
            folder=folder, user="root" if s.is_root else "nobody", **values))
        self.log = os.path.join(folder, "access.log")
        self.process = s.start(
            [find_program("nginx"), "-p", folder, "-c", config, "-e",
             f"{folder}/error.log"], name)
        wait_port(values["port"], name, values["host"])

    def requests(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read().splitlines()


def test(s):
    """Origins that speak HTTP/2 over TLS: a file as a whole, by HTTP/1.1 when
    that is asked for, and the rest from another origin when the first dies in
    the middle."""
    s.need("nginx", "openssl")
    authority, dns, port = Authority(s), Dns(s), s.port()
    cert, key = authority.issue("pop", "DNS:www.test")
    www = s.make_folder("www")
    body = os.urandom(SIZE)
    with open(os.path.join(www, "file"), "wb") as f:
        f.write(body)
    origins = [Origin(s, f"nginx{i}", host=host, port=port, cert=cert,
                      key=key, www=www, limit=LIMITS[i])
               for i, host in enumerate(HOSTS)]
    for i, host in enumerate(HOSTS):
        dns.set(f"pop{i}.test", "A", host)
    dns.set(f"_{port}._https.www.test", "HTTPS",
            (1, "pop0.test", ("h2", "http/1.1")), (2, "pop1.test", ("h2",)))
    dns.set("www.test", "A", HOSTS[0])
    fetch = Fetch(s, dns.text)
    url = f"https://www.test:{port}"
    # Nobody else is asked because a handshake took long.
    common = ("--no-remember", "--cacert", authority.cert, "--stagger",
              "60000", "-w", "%{http_version}")

    def got_whole(*arguments):
        out = s.path("out")
        got = fetch(*common, "-o", out, *arguments)
        with open(out, "rb") as f:
            s.check(got.code == 0 and f.read() == body, "the bytes")
        return got
    s.equal(got_whole(f"{url}/file").body, b"2", "by HTTP/2")
    s.until(lambda: "HTTP/2.0\" 200" in "".join(origins[0].requests()[-1:]),
            "says the origin")
    s.equal(got_whole("--http1.1", f"{url}/file").body, b"1.1",
            "by HTTP/1.1, when that is asked for")

    s.say("-- the first dies in the middle")
    out = s.path("out")
    os.unlink(out)

    def die():
        wait_until(lambda: os.path.exists(out) and
                   os.path.getsize(out) > SIZE // 5, "a part to be there")
        origins[0].process.end()
    killer = threading.Thread(target=die)
    killer.start()
    got = got_whole(f"{url}/slow")
    killer.join()
    s.equal((got.body, got.addresses("connected")),
            (b"2", [f"{host}:{port}" for host in HOSTS]),
            "it went on with the second, by HTTP/2")
    s.until(lambda: "HTTP/2.0\" 206" in "".join(origins[1].requests()[-1:]),
            "which was asked for the rest only")


scenario.run(test)
