#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.braidd import Braid
from lib.dns import Dns
from lib.models import Models, config, mapped, put, said
from lib.origins import Origin, echo

NAME = "origin.test"


def test(s):
    """When DNS changes an address, the model stays the one that the last
    reload has loaded: its file may be gone meanwhile, which must not hold up
    the addresses, or another be there, which must not come into force."""
    models = Models(s)
    models.always("push")
    path = put(models.always("bulk"), models.path("model"))
    dns = Dns(s)
    port, server_port = s.port(), s.port()
    for n in (2, 3, 4):
        Origin(s, echo, (f"127.0.0.{n}", server_port))
    dns.set(NAME, "A", "127.0.0.2")
    settings = config(port, f"{NAME}:{server_port}", path)
    settings["global"] = {"resolvers": [dns.text]}
    b = Braid(s, settings)
    loaded = mapped(b.pid)
    s.equal((said(b, port), len(loaded)), ({"bulk"}, 1), "classes, models")

    def follows(address):
        dns.set(NAME, "A", address)
        s.until(lambda: [row["address"] for row in
                         b.ctl("servers", "o")["servers"]] ==
                [f"{address}:{server_port}"], f"the server is {address}")
        s.equal(said(b, port), {"bulk"}, "flows there are")
        s.equal(mapped(b.pid), loaded, "the object in memory stays")

    os.unlink(path)
    follows("127.0.0.3")
    put(models.path("push"), path)
    follows("127.0.0.4")
    b.reload()
    s.equal(said(b, port), {"push"}, "a reload takes it")
    b.stop()


scenario.run(test, user="nobody")
