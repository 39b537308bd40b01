#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import hashlib
import random
import subprocess
import threading

from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.origins import Origin, echo
from lib.s_client import shake
from lib.scenario import find_program
from lib.servers import Nginx

ROUNDS = 4
# s_client takes some capital letters for commands.
BLOCKS = [random.Random(n).randbytes(8191).hex().encode() for n in range(16)]


class Stream:
    """openssl s_client that sends without pause to a server that echoes,
    until it is told to end; what came back is compared with what was sent."""

    def __init__(self, s, port, options):
        self.process = subprocess.Popen(
            [find_program("openssl"), "s_client", "-connect",
             f"127.0.0.1:{port}", "-quiet", "-no_ign_eof", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        s.defer(self.process.kill)
        self.stop = threading.Event()
        self.sent, self.received = hashlib.sha256(), hashlib.sha256()
        self.n_sent = self.n_received = 0
        self.threads = [threading.Thread(target=t, daemon=True)
                        for t in (self._send, self._receive)]
        for thread in self.threads:
            thread.start()

    def _send(self):
        try:
            while not self.stop.is_set():
                block = BLOCKS[self.n_sent % len(BLOCKS)]
                self.process.stdin.write(block)
                self.sent.update(block)
                self.n_sent += len(block)
            self.process.stdin.flush()
        except OSError:
            pass  # the digests will differ

    def _receive(self):
        while True:
            data = self.process.stdout.read1(1 << 16)
            if not data:
                return
            self.received.update(data)
            self.n_received += len(data)

    def moves(self, s, what):
        """More than the buffers on the way could hold."""
        at = self.n_received
        s.until(lambda: self.n_received > at + (4 << 20), what, 60)

    def end(self, s):
        self.stop.set()
        self.threads[0].join(60)
        s.until(lambda: self.n_received >= self.n_sent, "all is back", 60)
        self.process.stdin.close()
        self.threads[1].join(60)
        s.equal(self.process.wait(90), 0, "s_client ends with")
        s.equal((self.n_received, self.received.hexdigest()),
                (self.n_sent, self.sent.hexdigest()),
                f"{self.n_sent >> 20} MiB, each way")


def test(s):
    """Certificates that are replaced on disk count for new connections from
    a reload on, while TLS flows with traffic in both directions go on without
    losing a byte."""
    authority = Authority(s)
    site = {"cert": s.path("site.pem"), "key": s.path("site.key")}

    def install(n):
        cert, key = authority.issue(f"www{n}", "DNS:www.example.com")
        for source, target in ((cert, site["cert"]), (key, site["key"])):
            with open(source, encoding="ascii") as f:
                s.write(target, f.read())
    install(0)
    origin, web = Origin(s, echo), Nginx(s)
    port, live = s.port(), s.port()
    tls = {"certificates": [site]}
    b = Braid(s, {
        "listeners": {
            "web": {"bind": f"127.0.0.1:{port}", "pool": "web", "tls": tls},
            "live": {"bind": f"127.0.0.1:{live}", "pool": "echo",
                     "tls": tls}},
        "pools": {"web": {"servers": {"a": {"address": web.text}}},
                  "echo": {"servers": {"a": {"address": origin.text}}}}})
    s.equal(shake(port).subject, "www0", "the first certificate")
    streams = [Stream(s, live, options)
               for options in (("-tls1_3",), ("-tls1_2",))]
    for n in range(1, ROUNDS + 1):
        for stream in streams:
            stream.moves(s, f"bytes move before reload {n}")
        install(n)
        s.equal(shake(port).subject, f"www{n - 1}", "until the reload")
        s.equal(b.reload()["accepted"], True, f"reload {n}")
        for version in ("-tls1_2", "-tls1_3"):
            done = shake(port, version)
            s.equal((done.served, done.subject), (True, f"www{n}"),
                    f"{version}: served, certificate")
    for stream in streams:
        stream.moves(s, "bytes move after them")
        stream.end(s)
    flows = b.wait_flows(len(streams), listener="live")
    s.equal([f["end"] for f in flows], ["--"] * len(streams),
            "orderly ends in the access log")
    b.idle()
    b.stop()


scenario.run(test)
