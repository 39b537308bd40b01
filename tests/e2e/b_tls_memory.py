#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 240
import resource
import ssl

from lib import client, scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.origins import Echo

# OpenSSL's pools, one a worker, keep some spans (io/tls_memory.h).
CLIENTS, POOLS = 1000, 4 << 20
# Which worker and which hole of the allocator a client meets is chance, so that
# memory may once take a step; what clients leave behind is more in every span of
# so many rounds. The bound is half a KiB a client.
SPAN, SPANS = 4, 3
ROOM = SPAN * CLIENTS * 512


def test(s):
    """What 1,000 TLS clients leave behind when they have gone: nothing that
    another 1,000 would not use again, once the allocator has what it needs."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    authority = Authority(s)
    cert, key = authority.issue("www", "DNS:www.example.com")
    origin = Echo(s)
    port = s.port()
    # Sanitizers keep freed memory back: not more than they must.
    # Nor lines of the log: its ring is used round and round, 600 bytes a flow.
    b = Braid(s, {
        "global": {"log": {"access": False}},
        "listeners": {"web": {
            "bind": f"127.0.0.1:{port}", "pool": "o",
            "tls": {"certificates": [{"cert": cert, "key": key}]}}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}}},
        asan=":quarantine_size_mb=0")
    contexts = []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        contexts.append(ssl.create_default_context(cafile=authority.cert))
        contexts[-1].minimum_version = version
        contexts[-1].maximum_version = version

    def figures(when):
        private, tls = b.memory_bytes(), b.status()["tls"]["memory_bytes"]
        s.say(f"{when}: private {private >> 10} KiB, of it OpenSSL's "
              f"{tls >> 10} KiB")
        return private, tls

    def thousand():
        """They come, are answered, stay, and go."""
        socks = []
        for n in range(CLIENTS):
            sock = contexts[n % 2].wrap_socket(
                client.connect(("127.0.0.1", port)),
                server_hostname="www.example.com")
            if not client.echoes(sock):
                s.check(False, f"client {n} has no answer")
            socks.append(sock)
        s.equal(b.status()["flows"]["open"], CLIENTS, "clients at once")
        peak = figures("at peak")
        for sock in socks:
            sock.close()
        b.idle()
        return peak, figures("after")

    before = figures("before")
    peak, after = thousand()
    s.check(peak[1] > before[1] + CLIENTS * 1024, "they do cost memory")
    for _ in range(SPANS):
        last = after
        for _ in range(SPAN):
            _, after = thousand()
        if all(now <= then + ROOM for now, then in zip(after, last)):
            break
    else:
        s.check(False, "memory stands still after some thousands")
    s.check(after[1] <= before[1] + POOLS, "OpenSSL keeps little")
    b.stop()


scenario.run(test)
