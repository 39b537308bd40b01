#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name
from lib.process import wait_until


def test(s):
    """Addresses move between listeners, listeners are renamed, and options of
    their sockets change, 60 times while clients connect: no connection is
    refused or lost."""
    origins = [Origin(s, name("x")), Origin(s, name("y"))]
    first, second = s.port(), s.port()

    def config(i):
        names = ("even", "odd") if i % 2 else ("odd", "even")
        if i % 5 == 0:
            names = ("renamed", names[1])
        listeners = {
            names[0]: {"bind": f"127.0.0.1:{first}", "pool": "p"},
            names[1]: {"bind": [f"127.0.0.1:{second}"], "pool": "q"}}
        if i % 3 == 0:
            listeners[names[1]]["bind"].append(f"127.0.0.1:{first}")
            del listeners[names[0]]
        for listener in listeners.values():
            listener["backlog"] = 1000 + i
            listener["tcp"] = {"keepalive": f"{60 + i}s"}
        return {
            "listeners": listeners,
            "pools": {
                n: {"servers": {"s": {"address": origins[(i + k) % 2].text}}}
                for k, n in enumerate("pq")}}

    b = Braid(s, config(1))
    stop, errors, counts = threading.Event(), [], [0] * 4

    def ask(number, port):
        while not stop.is_set() and not errors:
            try:
                answer = client.ask(("127.0.0.1", port))
                if answer not in ((b"x", client.FIN), (b"y", client.FIN)):
                    raise ValueError(answer)
                counts[number] += 1
            except Exception as error:  # reported below
                errors.append(repr(error))

    threads = [threading.Thread(target=ask, args=(i, (first, second)[i % 2]))
               for i in range(4)]
    for thread in threads:
        thread.start()

    def all_asked(before):
        return errors or all(n > was for n, was in zip(counts, before))
    try:
        for i in range(2, 62):
            b.reload(config(i))
            before = list(counts)
            wait_until(lambda: all_asked(before), "connections")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    s.equal(errors, [], "errors of clients")
    s.check(min(counts) >= 60, f"connections meanwhile: {counts}")
    b.idle()
    s.equal({f["end"] for f in b.wait_flows(sum(counts))}, {"--"}, "codes")
    s.until(lambda: b.descriptors() < 60, "few descriptors at the end")
    b.stop()


scenario.run(test, user="root")
