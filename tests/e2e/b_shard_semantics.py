#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import re

from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.questions import (LARGE, NOT_SCRIPTED, SMALL, files, questions,
                           validators)
from lib.range_origin import Library, RangeOrigin
from lib.servers import Apache, Nginx
from lib.verbatim import Ways, compare, same

_HEAD = re.compile(rb"HTTP/1\.[01] \d{3} [^\n]*\r\n(?s:.*?)\r\n\r\n")


def in_any_order(got):
    """The fields of each head in the order of their names. The order of
    methods in Allow is another one in each process of Apache httpd."""
    def ordered(match):
        first, *fields = match[0].split(b"\r\n")[:-2]
        fields = [f if not f.startswith(b"Allow: ") else
                  b"Allow: " + b",".join(sorted(f[7:].split(b",")))
                  for f in fields]
        return b"\r\n".join([first, *sorted(fields)]) + b"\r\n\r\n"
    return _HEAD.sub(ordered, same(got))


def test(s):
    """An answer that came in pieces from several servers is the answer that
    one of them would have given: status, fields and bytes, for whole files,
    ranges and conditionals, of nginx, Apache httpd and a scripted server, and
    again when history makes Braid ask for pieces from the start."""
    library, nginx = Library(), [Nginx(s, "nginx-a")]
    files(nginx[0])
    nginx.append(Nginx(s, "nginx-b", www=nginx[0].www))
    servers = {"nginx": nginx,
               "apache": [Apache(s, name, www=nginx[0].www)
                          for name in ("apache-a", "apache-b")],
               "scripted": [RangeOrigin(s, library) for _ in range(2)]}
    ways = Ways(s, Authority(s), {
        name: {"servers": {f"s{i}": {"address": server.text}
                           for i, server in enumerate(group)}}
        for name, group in servers.items()},
        {"min_size": "64KiB", "piece": "64KiB"}, ranges=("auto", "on"))
    b = Braid(s, {"listeners": ways.listeners, "pools": ways.pools})
    for name, (server, _) in servers.items():
        paths = ("/short", "/long")
        if name == "scripted":
            paths = (f"/short/{SMALL}", f"/long/{LARGE}")
        cases = questions(*paths, *validators(s, server, paths))
        cases = [c for c in cases if name != "scripted" or
                 c.name not in NOT_SCRIPTED]
        for _ in range(2):
            compare(s, server, ways, name, cases, in_any_order)
    b.idle()
    b.stop()


scenario.run(test)
