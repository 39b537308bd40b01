#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 240
import os
import random
import ssl
import time

from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority, client_context, server_context
from lib.origins import Origin
from lib.tls_stream import way
from lib.transfer import Peer, Stream, both, exchange

MIB = 1 << 20
# Each way at once.
BULK = int(os.environ.get("BRAID_E2E_TLS_MIB", "100")) * MIB
NAME = "www.example.com"
FAST = {}
TINY = {"portion": 7}
ODD = {"portion": 4099}
SIPS = {"portion": 1000, "pause": 0.002, "every": 40000}
# what, bytes down, bytes up, server sends, server receives, client the same
CASES = [
    ("nothing", 0, 0, FAST, FAST, FAST, FAST),
    ("one byte", 1, 1, FAST, FAST, FAST, FAST),
    ("tiny writes", 20011, 15013, TINY, FAST, TINY, FAST),
    ("odd writes", MIB + 17, MIB + 5, ODD, ODD, ODD, ODD),
    ("client that sips", MIB, MIB, FAST, FAST, FAST, SIPS),
    ("server that sips", MIB, MIB, FAST, SIPS, FAST, FAST),
    ("server ends first", 3, 2 * MIB, FAST, FAST, ODD, FAST),
    ("client ends first", 2 * MIB, 3, ODD, FAST, FAST, FAST),
    ("bulk both ways", BULK + 1, BULK - 1, FAST, FAST, FAST, FAST),
]
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def test(s):
    """Every byte arrives over TLS with the client, with the server and with
    both, in either version, both ways at once; each direction ends with
    close_notify, and the other goes on."""
    seed = int(os.environ.get("BRAID_SEED") or random.randrange(1 << 30))
    s.say(f"BRAID_SEED={seed}")
    pick = random.Random(seed)
    authority = Authority(s)
    pair = authority.issue("www", f"DNS:{NAME}")
    origins = {n: Origin(s, lambda sock, number: None)
               for n in ("front", "back", "both")}
    ports = {n: s.port() for n in origins}
    patient = {"timeout": {"idle": "60s", "half_closed": "60s"}}
    ours = {"tls": {"certificates": [{"cert": pair[0], "key": pair[1]}]}}
    theirs = {"tls": {"ca": authority.cert, "sni": NAME},
              "connect": {"timeout": "60s"}}  # with the handshake
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{ports[n]}", "pool": n,
                          **patient, **(ours if n != "back" else {})}
                      for n in origins},
        "pools": {n: {"servers": {"a": {"address": origins[n].text}},
                      **(theirs if n != "front" else {})} for n in origins},
    })

    def run(ends, version, case):
        what, down, up, *options = case
        serve = connect = both
        if ends != "front":
            serve = way(server_context(pair, version=version), True)
        if ends != "back":
            connect = way(client_context(authority.cert, version), name=NAME)
        peer = Peer(Stream(pick.random(), down), *options[:2], serve)
        origins[ends].handler = peer
        exchange(s, ("127.0.0.1", ports[ends]), peer,
                 Stream(pick.random(), up), what, *options[2:], way=connect)
        return down, up

    for ends in origins:
        done = 0
        for version in VERSIONS:
            s.say(f"-- {ends}, {version.name}")
            for case in CASES:
                begun = time.monotonic()
                down, up = run(ends, version, case)
                took = time.monotonic() - begun
                done += 1
                flow = b.wait_flows(done, listener=ends)[-1]
                s.equal((flow["end"], int(flow["bytes_out"]),
                         int(flow["bytes_in"])), ("--", down, up),
                        "the access log agrees")
            s.say(f"{case[0]}: {took:.2f} s")
    b.idle()
    status = b.status()
    s.equal(status["parked"]["bytes"], 0, "parked bytes at the end")
    s.equal((status["tls"]["client_failures"],
             status["tls"]["server_failures"]), (0, 0), "failures of TLS")
    b.stop()


scenario.run(test, limit_seconds=220)
