#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import time

from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority, TlsServer
from lib.client import connect, hello, read_exactly
from lib.origins import Origin, echo
from lib.s_client import shake
from lib.scenario import find_program
from lib.servers import Nginx, Redis, curl, wait_port

GREETING = b"220 mail.example.com ESMTP\r\n"
CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication no
GSSAPIAuthentication no
"""


class Sshd:
    """A real sshd that lets nobody in: a client that gets as far as being
    refused has done the key exchange and seen the right host key."""

    def __init__(self, s):
        s.need("sshd", "ssh", "ssh-keygen")
        self.s, self.port = s, s.port()
        folder = s.make_folder("sshd")
        s.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
               f"{folder}/host"])
        config = s.write("sshd/config", CONFIG.format(
            port=self.port, folder=folder))
        if s.is_root and not os.path.isdir("/run/sshd"):
            os.mkdir("/run/sshd", 0o755)
            s.defer(lambda: os.rmdir("/run/sshd"))
        s.start([find_program("sshd"), "-D", "-e", "-f", config], "sshd")
        wait_port(self.port, "sshd")
        with open(f"{folder}/host.pub", encoding="ascii") as f:
            self.key = " ".join(f.read().split()[:2])

    def visit(self, port):
        """What ssh says of a visit at this port."""
        known = self.s.write("sshd/known", f"[127.0.0.1]:{port} {self.key}\n")
        done = self.s.run(
            [find_program("ssh"), "-F", "none", "-o", "BatchMode=yes", "-o",
             "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={known}",
             "-p", port, "nobody@127.0.0.1", "true"], check=False)
        return done.stderr


def test(s):
    """One port for ssh, http, tls, redis and mail: each client reaches the
    server of its protocol, those that wait for the server to begin the one of
    the route for them, and all others the listener's pool."""
    authority = Authority(s)
    inside = TlsServer(s, "inside", authority.issue("inside", "DNS:a.example"))
    sshd, nginx, redis = Sshd(s), Nginx(s), Redis(s)
    mail = Origin(s, lambda sock, _n: (sock.sendall(GREETING), sock.recv(99)))
    rest = Origin(s, echo)
    pools = {"ssh": f"127.0.0.1:{sshd.port}", "web": nginx.text,
             "redis": redis.text, "tls": inside.text, "mail": mail.text,
             "rest": rest.text}
    # The second is for clients that say nothing, or not enough.
    port, hasty = s.port(), s.port()
    routes = [{"protocol": "ssh", "pool": "ssh"},
              {"protocol": ["redis"], "pool": "redis"},
              {"protocol": ["http", "http2"], "pool": "web"},
              {"protocol": "tls", "sni": "*.example", "pool": "tls"},
              {"protocol": ["smtp", "mysql"], "pool": "mail"}]
    b = Braid(s, {
        "listeners": {name: {
            "bind": f"127.0.0.1:{at}", "pool": "rest", "wait": wait,
            "timeout": {"first_bytes": "60s"}, "routes": routes}
            for name, at, wait in (("all", port, "60s"),
                                   ("hasty", hasty, "1s"))},
        "pools": {name: {"servers": {"a": {"address": address}}}
                  for name, address in pools.items()}})
    seen = []

    def went_to(pool, what):
        seen.append(pool)
        flow = b.wait_flows(len(seen))[-1]
        s.equal(flow["pool"], pool, f"{what} went to")

    s.check("Permission denied" in sshd.visit(port), "ssh: refused in the end")
    went_to("ssh", "ssh")
    s.equal(curl(f"http://127.0.0.1:{port}/name").stdout, "nginx", "curl")
    went_to("web", "curl")
    done = s.run(["redis-cli", "-p", port, "set", "a", "1"])
    s.equal(done.stdout.strip(), "OK", "redis-cli")
    went_to("redis", "redis-cli")
    s.equal(shake(port, "-servername", "a.example").subject, "inside",
            "TLS by name")
    went_to("tls", "TLS with the name")

    # Who is silent, and who speaks before the greeting.
    before = time.monotonic()
    with connect(("127.0.0.1", hasty)) as sock:
        s.equal(read_exactly(sock, len(GREETING)), GREETING, "the greeting")
        s.say(f"a silent client was greeted after "
              f"{(time.monotonic() - before) * 1000:.0f} ms (wait: 1 s)")
        sock.sendall(b"QUIT\r\n")
    went_to("mail", "the silent one")
    with connect(("127.0.0.1", port)) as sock:
        sock.sendall(b"EHLO here\r\n")
        s.equal(read_exactly(sock, len(GREETING)), GREETING, "the greeting")
    went_to("mail", "one that does not wait for the greeting")

    # All others: at once, or after wait when it could have been more. A byte
    # at a time is no other protocol.
    for data, at, pool in ((b"\xc3\x91\x92\x93 nobody's", port, "rest"),
                           (hello("b.test"), port, "rest"),
                           (b"SSH", hasty, "rest"),
                           (b"\x16\x03", port, None)):
        with b.stopped_meanwhile():  # a slow one would be silent
            sock = connect(("127.0.0.1", at))
            sock.sendall(data)
        with sock:
            if pool:
                s.equal(read_exactly(sock, len(data)), data, "the echo")
        if pool:
            went_to(pool, repr(data[:8]))
        else:
            # Ended before its ClientHello was whole.
            seen.append(None)
            b.wait_flows(len(seen))
    with connect(("127.0.0.1", port)) as sock:
        for byte in b"*1\r\n$4\r\nPING\r\n":
            sock.sendall(bytes([byte]))
            time.sleep(0.005)
        s.equal(read_exactly(sock, 7), b"+PONG\r\n", "PING byte by byte")
    went_to("redis", "PING byte by byte")
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
