#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: label tsan
# ctest: timeout 300
import os
import re

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.process import Failure
from lib.scenario import find_program

ROUNDS_MAX = 250


def test(s):
    """Reloads of one zone and of all, and POPs that come and go, under dnsperf:
    each query gets its answer."""
    s.need("dnsperf")
    port = s.port()
    server = ("127.0.0.1", port)
    file = s.path("example.zone")

    def write(number):
        with open(file + ".new", "w", encoding="ascii") as f:
            f.write(f"$TTL 60\n@ SOA ns1 hostmaster {number} 1h 10m 1d 60\n"
                    f"@ NS ns1\nns1 A 192.0.2.53\nwww A 192.0.2.{number}\n")
        os.chmod(file + ".new", 0o644)
        os.replace(file + ".new", file)

    def config(number):
        return {"dns": {"bind": f"127.0.0.1:{port}", "zones": {
                    "example.org": {"file": file},
                    "cdn.example": {
                        "records": [f"@ SOA ns1 hostmaster {number} 1h 10m 1d "
                                    "60", "@ NS ns1", "ns1 A 192.0.2.53"],
                        "resources": {"shop": {"pops": ["near", "far"]}}}}},
                "pops": {"near": {"addresses": ["192.0.2.10"]},
                         "far": {"addresses": ["192.0.2.20"]}}}

    write(1)
    b = Braid(s, config(1))
    names = s.write("queries", "www.example.org A\nshop.cdn.example A\n"
                    "none.example.org AAAA\nns1.cdn.example A\n")
    load = s.start([
        find_program("dnsperf"), "-s", "127.0.0.1", "-p", port, "-d", names,
        "-c", 4, "-q", 20, "-Q", 2000, "-l", 6, "-t", 60], "dnsperf")
    s.until(lambda: b.status()["dns"]["queries"] > 100, "the load has begun")
    number = 1
    while load.running and number < ROUNDS_MAX:
        number += 1
        write(number)
        b.ctl("dns", "reload", "example.org")
        if ask(server, "www.example.org").data("A") != [f"192.0.2.{number}"]:
            raise Failure(f"the zone is not that of round {number}")
        b.ctl("drain", "pop:near")
        b.reload(config(number))
        b.ctl("ready", "pop:near")
    s.check(number > 2, f"the zone has been the new one {number - 1} times")
    s.equal(load.wait(90), 0, "dnsperf ends with")
    found = re.search(r"Queries sent:\s+(\d+)\s+Queries completed:\s+(\d+).*"
                      r"\s+Queries lost:\s+(\d+)", load.output())
    sent, done, lost = map(int, found.groups())
    s.say(f"{sent} sent, {done} answered, {lost} lost")
    s.equal((done, lost), (sent, 0), "answered and lost")
    b.stop()


scenario.run(test)
