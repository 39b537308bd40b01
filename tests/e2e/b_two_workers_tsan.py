#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: label tsan
# ctest: timeout 300
import threading

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, echo, greeter
from lib.transfer import Peer, Stream, exchange

MIB = 1 << 20


def test(s):
    """Two workers, control, clerk and api at once: traffic, queues, health,
    reloads, control commands and scrapes side by side. In small numbers, so
    that the thread sanitizer can watch."""
    servers = {n: Origin(s, greeter(n)) for n in "abc"}
    echoes, bulk = Origin(s, echo), Origin(s, lambda sock, number: None)
    dead = f"127.0.0.1:{s.port()}"
    ports = {n: s.port() for n in ("named", "echo", "bulk", "extra")}

    def config(i):
        named = {n: {"address": o.text, "weight": 1 + (i + k) % 3,
                     "max_connections": 2}
                 for k, (n, o) in enumerate(servers.items())}
        named["dead"] = {"address": dead}
        if i % 2:
            del named["c"]
        result = {
            "listeners": {
                n: {"bind": f"127.0.0.1:{ports[n]}", "pool": n}
                for n in ("named", "echo", "bulk")},
            "pools": {
                "named": {
                    "balance": ("rr", "least", "p2c")[i % 3],
                    "servers": named,
                    "queue": {"length": 100, "timeout": "60s"},
                    "health": {"interval": "100ms", "fall": 1 + i % 3}},
                "echo": {"servers": {"e": {"address": echoes.text}}},
                "bulk": {"servers": {"b": {"address": bulk.text}}}},
        }
        if i % 3 == 0:
            result["listeners"]["extra"] = {
                "bind": f"127.0.0.1:{ports['extra']}", "pool": "echo"}
        return result

    b = Braid(s, config(0))
    held = [client.connect(("127.0.0.1", ports["echo"])) for _ in range(20)]
    stop, errors, counts = threading.Event(), [], {}

    def named():
        text, end = b"", None
        with client.connect(("127.0.0.1", ports["named"])) as sock:
            text = client.read_exactly(sock, 1)
            sock.shutdown(1)
            end = client.read_end(sock)
        if text not in (b"a", b"b", b"c") or end != (b"", client.FIN):
            raise ValueError(f"{text} {end}")

    def echo_held():
        for sock in held:
            if not client.echoes(sock, b"x" * 5000):
                raise ValueError("no echo")

    def scrape():
        if b.metrics().value("braid_workers") != 2:
            raise ValueError("workers")

    def command():
        for name in ("status", "servers", "pools", "listeners", "flows"):
            b.ctl(name)
        b.ctl("weight", "named", "a", 3)
        b.ctl("drain", "named", "b")
        b.ctl("ready", "named", "b")
        b.ctl("weight", "named", "a", "reset")

    def repeat(what):
        while not stop.is_set() and not errors:
            try:
                what()
                counts[what.__name__] = counts.get(what.__name__, 0) + 1
            except Exception as error:  # reported below
                errors.append(f"{what.__name__}: {error!r}")

    threads = [threading.Thread(target=repeat, args=(f,))
               for f in (named, named, named, echo_held, scrape, command)]
    for thread in threads:
        thread.start()
    try:
        for i in range(1, 25):
            b.reload(config(i))
            if i % 8 == 0:
                peer = Peer(Stream(i, 6 * MIB), {}, {})
                bulk.handler = peer
                exchange(s, ("127.0.0.1", ports["bulk"]), peer,
                         Stream(i + 100, 5 * MIB), "bulk")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    s.equal(errors, [], "errors")
    s.equal(set(counts), {"named", "echo_held", "scrape", "command"},
            f"what went on meanwhile: {counts}")
    s.check(all(client.echoes(sock) for sock in held), "held flows work")
    s.equal(b.status()["config"]["reloads"], 24, "reloads")
    for sock in held:
        sock.close()
    b.idle(60)
    # At least those that were held: each is at one of two by chance.
    workers = {f["worker"] for f in b.wait_flows(20)}
    s.equal(workers, {"0", "1"}, "workers that had flows")
    b.stop(60)


scenario.run(test, user="nobody", limit_seconds=280)
