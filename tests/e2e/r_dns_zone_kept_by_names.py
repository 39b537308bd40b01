#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import threading

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.dns import Dns

NAMES = 20000  # loading takes a while
CHANGES = 5


def test(s):
    """Addresses of names change while a zone is loaded anew: what has been
    loaded stays in force."""
    server = ("127.0.0.1", s.port())
    dns = Dns(s)
    dns.set("origin.test", "A", "127.0.0.2")
    file = s.path("big.zone")

    def write(serial):
        with open(file + ".new", "w", encoding="ascii") as f:
            f.write(f"$TTL 60\n@ SOA ns1 host {serial} 3600 600 86400 60\n"
                    "@ NS ns1\nns1 A 192.0.2.53\n" +
                    f"www TXT {serial}\n" +
                    "".join(f"h{i} A 192.0.2.1\n" for i in range(NAMES)))
        os.chmod(file + ".new", 0o644)
        os.replace(file + ".new", file)

    write(0)
    b = Braid(s, {
        "global": {"resolvers": [dns.text]},
        "dns": {"bind": f"127.0.0.1:{server[1]}",
                "zones": {"example.org": {"file": file}}},
        "listeners": {"web": {"bind": f"127.0.0.1:{s.port()}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": "origin.test:80"}}}}})
    done = threading.Event()
    s.defer(done.set)

    def change():
        i = 0
        while not done.wait(0.01):
            i += 1
            dns.set("origin.test", "A", f"127.0.0.{2 + i % 200}")

    thread = threading.Thread(target=change)
    thread.start()
    s.defer(lambda: (done.set(), thread.join()))

    def changes():
        return len(b.events("addresses of names changed"))

    seen = []

    def watch():
        while not done.is_set():
            seen.append(int(ask(server, "www.example.org",
                                "TXT").data("TXT")[0]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    s.defer(lambda: (done.set(), watcher.join()))
    i, before = 0, changes()
    # Names are looked at no oftener than each second.
    while changes() < before + CHANGES:
        i += 1
        write(i)
        s.until(lambda: not b.ctl_answer("dns", "reload",
                                         "example.org")["exit"],
                f"zone {i} is loaded")
    done.set()
    watcher.join()
    s.check(seen == sorted(seen), "no zone is followed by one before it")
    s.equal(ask(server, "www.example.org", "TXT").data("TXT"), [str(i)],
            "the last one stays")
    b.stop()


scenario.run(test)
