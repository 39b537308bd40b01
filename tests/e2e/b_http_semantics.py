#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 300
from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.questions import (LARGE, NOT_SCRIPTED, SMALL, files, questions,
                           uploads, validators)
from lib.range_origin import Library, RangeOrigin
from lib.servers import Apache, Nginx
from lib.verbatim import Ways, compare


def test(s):
    """What a client hears through Braid is what it would hear of the server
    itself, byte for byte but for the date: ranges, conditionals, pipelining,
    uploads, of three servers, with and without range shards, plain and over
    TLS."""
    nginx, scripted = Nginx(s), RangeOrigin(s, Library())
    servers = {"nginx": nginx, "scripted": scripted}
    files(nginx)
    apache = Apache(s, www=nginx.www)
    servers["apache"] = apache
    ways = Ways(s, Authority(s), {
        name: {"servers": {"a": {"address": server.text}}}
        for name, server in servers.items()},
        {"min_size": "1MiB"})
    b = Braid(s, {"listeners": ways.listeners, "pools": ways.pools})
    for name, server in servers.items():
        paths = ("/short", "/long")
        if server is scripted:
            paths = (f"/small/{SMALL}", f"/large/{LARGE}")
        cases = questions(*paths, *validators(s, server, paths))
        if server is scripted:
            cases = [c for c in cases if c.name not in NOT_SCRIPTED]
            cases += uploads()
        compare(s, server, ways, name, cases)
    b.idle()
    b.stop()


scenario.run(test, limit_seconds=280)
