#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 240
import collections
import os
import random
import signal
import threading
import time

from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority, client_context
from lib.downloads import (RESET, WHOLE, Download, abandon, nothing_left,
                           open_reader)
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import NAME, request

TRANSFERS = int(os.environ.get("BRAID_E2E_TRANSFERS", "200"))
LARGEST = 64 << 20
CLIENTS, SERVERS, ROUNDS = 8, 4, 4
FLAT_BYTES = 512 << 10
SHARD = {"range": "on", "min_size": "256KiB", "piece": "512KiB", "max": 4}
# Bytes a second of each connection to a server: whole transfers take long
# enough to lose servers on their way.
RATE_BPS = 24 << 20


class Left(Exception):
    """A client has seen enough."""


class Killer(threading.Thread):
    """Kills and revives servers all the time; one is always there, if not the
    same for long."""

    def __init__(self, seed, origins):
        super().__init__(daemon=True)
        self.pick, self.origins = random.Random(seed), origins
        self.safe = 0
        self.over = threading.Event()
        self.kills = 0

    def run(self):
        while not self.over.wait(self.pick.uniform(0.01, 0.1)):
            last, self.safe = self.safe, self.pick.randrange(SERVERS)
            self.origins[self.safe].revive()
            for i, origin in enumerate(self.origins):
                if i in (self.safe, last) or self.pick.random() < 0.5:
                    origin.revive()
                else:
                    self.kills += 1
                    origin.kill()

    def stop(self):
        self.over.set()
        self.join()
        for origin in self.origins:
            origin.revive()


class Transfer:
    """One client's doings, all chosen by the seed and its number."""

    def __init__(self, seed, number, library):
        self.pick = random.Random(seed * 1_000_003 + number)
        self.library = library
        self.kind = self.pick.choice(
            ("whole", "whole", "whole", "range", "open", "suffix", "HEAD",
             "If-None-Match", "abort", "slow", "pipelined"))

    def path(self):
        """Most are small, some are very large."""
        size = int(2 ** (26 * self.pick.random() ** 1.5))
        # Few names: what is expected of them is hashed once.
        return f"/n{self.pick.randrange(4)}/{1 + size % LARGEST}"

    def run(self, connect, tally):
        path = self.path()
        entity = self.library.find(path)
        fields, method, first, end = [], "GET", 0, entity.size
        if self.kind in ("range", "open"):
            first = self.pick.randrange(end)
            if self.kind == "range":
                end = self.pick.randrange(first, end) + 1
            last = end - 1 if self.kind == "range" else ""
            fields.append(f"Range: bytes={first}-{last}")
        elif self.kind == "suffix":
            first = end - self.pick.randrange(1, end + 1)
            fields.append(f"Range: bytes=-{end - first}")
        elif self.kind == "HEAD":
            method = "HEAD"
        elif self.kind == "If-None-Match":
            fields.append(f"If-None-Match: {entity.etag}")
        text = request(f"{method} {path} HTTP/1.1", *fields)
        n = self.pick.randrange(2, 5) if self.kind == "pipelined" else 1
        sock, reader = connect(1 << 16 if self.kind == "slow" else None)
        try:
            sock.sendall(text * n)
            for _ in range(n):
                got = Download(method, 120).read(
                    reader, [entity.content], self._habit(sock, entity))
                tally.add(self.kind, self._judge(got, method, first, end))
                if got.end != WHOLE:
                    return
        except Left:
            tally.add(self.kind, "left")
        finally:
            sock.close()

    def _habit(self, sock, entity):
        """What it does while it reads."""
        if self.kind == "abort":
            until = self.pick.randrange(entity.size)

            def leave(got):
                if got.n > until:
                    abandon(sock)
                    raise Left
            return leave
        if self.kind == "slow":
            return lambda got: time.sleep(0.002)
        return None

    @staticmethod
    def _judge(got, method, first, end):
        if got.compare and not got.right:
            return f"WRONG at {got.compare[0].wrong_at}: {got}"
        if got.end != WHOLE:
            # Before an answer nothing was promised.
            ended = got.status is None or got.end == RESET
            return RESET if ended else f"SHORT: {got}"
        if method == "HEAD" or got.status == 304:
            return "no body" if got.n == 0 else f"WRONG: {got}"
        whole = (got.compare[0].first, got.compare[0].at) == (first, end)
        if got.status not in (200, 206) or not whole:
            return f"WRONG: {got}, of {first}-{end}"
        return WHOLE


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.outcomes = collections.Counter()

    def add(self, kind, outcome):
        with self.lock:
            self.outcomes[kind, outcome] += 1

    def lies(self):
        return {k: n for k, n in self.outcomes.items()
                if k[1].startswith(("WRONG", "SHORT"))}

    def by_kind(self):
        rows = collections.defaultdict(dict)
        for (kind, outcome), n in sorted(self.outcomes.items()):
            rows[kind][outcome] = n
        return rows


def run_round(seed, numbers, library, connects, tally):
    """CLIENTS at once take the next number each; how one ends is no business
    of the others."""
    lock, left, failed = threading.Lock(), iter(numbers), []

    def client():
        while True:
            with lock:
                number = next(left, None)
            if number is None:
                return
            one = Transfer(seed, number, library)
            try:
                one.run(connects[number % len(connects)], tally)
            except ConnectionError:  # before there was an answer
                tally.add(one.kind, RESET)
            except Exception as error:
                failed.append((number, error))

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0][1]


def test(s):
    """Clients that download all kinds of things in all kinds of ways, while
    servers are killed and revived all the time: no byte is wrong, no success
    is short, and nothing is left behind."""
    seed = int(os.environ.get("BRAID_SEED") or random.randrange(1 << 30))
    s.say(f"BRAID_SEED={seed} BRAID_E2E_TRANSFERS={TRANSFERS}")
    authority = Authority(s)
    pair = authority.issue("www", f"DNS:{NAME}")
    context = client_context(authority.cert)
    library = Library()
    origins = [RangeOrigin(s, library, rate_bps=RATE_BPS)
               for _ in range(SERVERS)]
    plain, tls = s.port(), s.port()
    b = Braid(s, {
        "global": {"log": {"level": "warn", "access": False}},
        "listeners": {
            "plain": {"bind": f"127.0.0.1:{plain}", "pool": "o"},
            "tls": {"bind": f"127.0.0.1:{tls}", "pool": "o", "tls": {
                "certificates": [{"cert": pair[0], "key": pair[1]}]}}},
        "pools": {"o": {"shard": SHARD, "servers": {
            f"s{i}": {"address": o.text} for i, o in enumerate(origins)}}}},
        asan=":quarantine_size_mb=0:thread_local_quarantine_size_kb=0")
    connects = [
        lambda size: open_reader(("127.0.0.1", plain), receive_buffer=size),
        lambda size: open_reader(("127.0.0.1", tls), context, NAME,
                                 receive_buffer=size)]
    before, memory = b.settled_descriptors(), []
    tally = Tally()
    killer = Killer(seed, origins)
    killer.start()
    for i in range(ROUNDS):
        run_round(seed, range(i * TRANSFERS // ROUNDS,
                              (i + 1) * TRANSFERS // ROUNDS),
                  library, connects, tally)
        b.idle(30)
        memory.append(b.memory_bytes())
        s.say(f"{memory[-1] >> 10} KiB after {(i + 1) * TRANSFERS // ROUNDS} "
              f"transfers")
    killer.stop()
    for kind, row in tally.by_kind().items():
        s.say(f"{kind:14} {row}")
    s.equal(tally.lies(), {}, "wrong bytes, and successes that are short")
    good = sum(n for (_, o), n in tally.outcomes.items() if o == WHOLE)
    s.check(good >= TRANSFERS // 2, f"{good} downloads are whole, with "
                                    f"{killer.kills} kills of servers")
    metrics = b.metrics()
    sums = {x: int(metrics.total(f"braid_shard_{x}_total")) for x in
            ("flows", "pieces", "migrations", "continued", "flows_failed")}
    s.check(sums["flows"] and sums["pieces"] > sums["flows"] and
            sums["migrations"], f"the engine was at work: {sums}")
    # Rings and slabs are touched for the first time as load varies, which has
    # an end; a leak would be there in each round.
    grown = min(b - a for a, b in zip(memory, memory[1:]))
    s.check(grown < FLAT_BYTES, f"{grown} bytes more in the round with the "
                                "least growth")
    nothing_left(s, b, before)
    b.process.send(signal.SIGTERM)
    s.equal(b.exit_code(), 0, "exit code")


scenario.run(test, limit_seconds=int(os.environ.get("BRAID_E2E_LIMIT_S",
                                                    "220")))
