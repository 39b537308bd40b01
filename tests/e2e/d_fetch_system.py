#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.dns import Dns, Unbound
from lib.fetch import Fetch, Pops, enter_own_network
from lib.process import run

PATH = "/a/1000"
SERVER = "127.0.0.53"  # the zone's own


def replace(s, path, text):
    run(["mount", "--bind", s.write(os.path.basename(path), text), path])


def world(s):
    """A real resolver, which the system asks, in front of the zone."""
    replace(s, "/etc/resolv.conf", "nameserver 127.0.0.1\n")
    replace(s, "/etc/hosts", "127.0.0.12 inhosts.test\n")
    pops = Pops(s)
    pops.dns = dns = Dns(s, SERVER, 53)
    dns.set("test", "NS", "ns.test")
    dns.set("ns.test", "A", SERVER)
    dns.ttl = 60
    for name, host in zip(pops.names, pops.hosts):
        dns.set(name, "A", host)
    dns.set("many.test", "CNAME", *pops.names)
    dns.set("pick.test", "CNAME", pops.names[1])
    dns.set("addrs.test", "A", *pops.hosts)
    Unbound(s, dns, 53)
    return pops


def through_the_resolver(s, pops, fetch):
    got = fetch("-w", "%{pop}", "-o", "/dev/null", pops.url(PATH, "pick.test"))
    s.equal((got.code, got.body), (0, b"pop2.test."), "pick")
    got = fetch(pops.url(PATH, "addrs.test"))
    s.equal((got.code, sorted(got.addresses("order"))), (0, pops.texts),
            "addrs: all of them, in any order")
    got = fetch(pops.url(PATH, "many.test"))
    s.equal((got.code, len(got.addresses("order"))), (0, 1),
            "of several CNAMEs a resolver carries one")
    got = fetch(pops.url(PATH, "inhosts.test"))
    s.equal((got.code, got.addresses("order")), (0, [pops.texts[1]]),
            "the file of hosts")
    s.equal(fetch(pops.url(PATH, "none.test")).code, 6, "no such name")


def from_the_zone(s, pops, fetch):
    got = fetch("--literal", pops.url(PATH, "many.test"))
    s.equal(got.code, 0, "--literal")
    s.equal(got.addresses("zone"), [f"{SERVER}:53"], "its server is found")
    s.equal(got.addresses("order"), pops.texts, "and has all, in order")
    pops.origins[0].kill()
    got = fetch("--literal", pops.url(PATH, "many.test"))
    s.equal((got.code, got.addresses("connected")), (0, [pops.texts[1]]),
            "past a dead one")


def without_a_resolver(s, pops, fetch):
    replace(s, "/etc/resolv.conf", "nameserver 127.0.0.99\n")
    got = fetch(pops.url(PATH, "pick.test"))
    s.equal(got.code, 6, "nobody answers at the resolver's port")


def test(s):
    """braid-fetch with the system's resolver (unbound), and past it."""
    s.need_root()
    s.need("unshare", "ip")
    s.need("unbound", "mount")
    pops = world(s)
    fetch = Fetch(s)
    for part in (through_the_resolver, from_the_zone, without_a_resolver):
        part(s, pops, fetch)


enter_own_network()
scenario.run(test)
