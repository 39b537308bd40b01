#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 240
import concurrent.futures
import itertools
import os

from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority, client_context
from lib.downloads import (RESET, WHOLE, Download, nothing_left,
                           open_reader)
from lib.range_faults import (KINDS, MOMENTS, UNSEEN, Trouble, corrupted,
                              truncated)
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import NAME, request

SIZE, SMALL = 4 << 20, 3000
SHARD = {"range": os.environ.get("BRAID_E2E_SHARD", "on"),
         "min_size": "64KiB", "piece": "256KiB", "max": 4}
RATE_BPS = 8 << 20
AT_ONCE, SERVERS = 8, 4
PATIENCE_S = 60  # of the client, for a whole download
TRIES = 20  # of a download, until its fault happens as it is meant
OVER = ("plain", "tls")
WARM = ("new", "known")


class Cell:
    """One download, and the fault that is to happen in it. warm: it was
    downloaded before, so that pieces are asked for from the start."""

    def __init__(self, kind, moment, over, warm, pool):
        self.kind, self.moment, self.over = kind, moment, over
        self.warm = warm
        self.pool = pool
        self.name = f"{kind}-{moment}-{over}-{WARM[warm]}".replace(" ", "-").replace("/", "-")
        self._begin(0)

    def _begin(self, number):
        self.trouble = Trouble(self.kind, self.moment)
        self.path = f"/{self.name}-{number}/{SIZE}"
        self.outcome, self.gap_s = None, 0.0
        self.before = self.after = None

    def contents(self, library):
        entity = library.find(self.path)
        return [entity.content, corrupted(entity).content,
                truncated(entity).content]

    def run(self, library, port, context, troubles):
        """A moment that did not come, since the first server had brought all
        before, may come in another download."""
        for number in range(TRIES):
            self._begin(number)
            troubles[self.path] = self.trouble
            self._run(library, port, context)
            if self.trouble.struck and not self._left_home():
                return

    def _left_home(self):
        """Home was silent, as on a machine that stalls: asked again it has
        another tag, and nobody can go on."""
        return (self.kind == "ETag flip" and self.moment == "first" and
                self.trouble.struck > 1 and self.outcome == "error")

    def _run(self, library, port, context):
        sock, reader = open_reader(
            ("127.0.0.1", port), context if self.over == "tls" else None,
            NAME, PATIENCE_S)
        try:
            if self.warm:  # history is of the worker: the same connection
                self.trouble.armed = False
                self.before = self._next(sock, reader, library, self.path)
                self.trouble.armed = True
            sock.sendall(request(f"GET {self.path} HTTP/1.1"))
            got = Download(limit_s=PATIENCE_S).read(
                reader, self.contents(library))
            self.gap_s = got.longest_gap_s
            self.outcome = self._judge(got)
            # Only the whole can be verified: what went before is seen to be
            # of no use by the missing end.
            if self.kind == UNSEEN and got.end == RESET:
                self.outcome = "error"
            if got.end == WHOLE:
                self.after = self._next(sock, reader, library)
        finally:
            sock.close()

    def _judge(self, got):
        if got.status not in (None, 200):
            return f"status {got.status}"
        if got.end == WHOLE:
            whole = [i for i, c in enumerate(got.compare) if c.is_whole()]
            return ("identical" if whole[0] == 0 else "variant") if whole \
                else f"WRONG: {got}"
        if got.status is None:
            return f"no answer: {got.end}"
        # A digest tells at the end only, what has left by then is said to be
        # wrong by the reset.
        if not got.right and self.kind not in UNSEEN:
            return f"WRONG bytes, then {got}"
        return "error" if got.end == RESET else f"{got}"

    @staticmethod
    def _next(sock, reader, library, path=f"/next/{SMALL}"):
        """Whether the connection is good for a download."""
        sock.sendall(request(f"GET {path} HTTP/1.1"))
        got = Download().read(reader, [library.find(path).content])
        return got.end == WHOLE and got.compare[0].is_whole()

    def allowed(self):
        """The others hold the same entity, so nearly all must go well."""
        first = self.moment == "first"
        if self.kind in UNSEEN:  # checked by a digest: at least it is seen
            return {"identical", "error"} | ({"variant"} if first else set())
        if first and self.kind in ("500", "416"):
            # It is the answer; but for a piece another may be asked.
            return {f"status {self.kind}"} | (
                {"identical"} if self.warm else set())
        if first and self.kind in ("corrupt", "truncate", "gzip"):
            return {"variant"}  # home is not like the others: home alone
        return {"identical"}


def table(s, cells, warm):
    """One row a kind; marks: = identical, v the other representation as a
    whole, e a visible error, number a status."""
    marks = {"identical": "=", "variant": "v", "error": "e"}
    heads = [f"{moment} {over}" for moment in MOMENTS for over in OVER]
    cells = [c for c in cells if c.warm == warm]
    s.say(f"{WARM[warm]:14}" + "".join(f"{h:>15}" for h in heads) +
          "  longest gap")
    for kind in dict.fromkeys(c.kind for c in cells):
        row = {(c.moment, c.over): c for c in cells if c.kind == kind}
        text = ""
        for moment in MOMENTS:
            for over in OVER:
                c = row[moment, over]
                mark = marks.get(c.outcome, c.outcome.removeprefix("status "))
                text += f"{mark + ('' if c.trouble.struck else ' !'):>15}"
        gap = max(c.gap_s for c in row.values())
        s.say(f"{kind:14}{text}{gap * 1000:10.0f} ms")


def make(s, library, cells, troubles):
    """Servers and pools: who is killed is so for all that ask it, so those
    cells have servers of their own. troubles: by path."""
    def trouble(server, head, answer):
        found = troubles.get(head.line[1])
        return found(server, head, answer) if found else None

    pools = {}
    for pool in dict.fromkeys(c.pool for c in cells):
        origins = [RangeOrigin(s, library, trouble, RATE_BPS,
                               digests=pool == "verified")
                   for _ in range(SERVERS)]
        shard = dict(SHARD)
        if pool == "verified":
            shard["verify"] = "repr-digest"
        pools[pool] = {"shard": shard, "servers": {
            f"s{i}": {"address": o.text} for i, o in enumerate(origins)}}
    return pools


def plan():
    """Long ones first."""
    cells = []
    for where in itertools.product(MOMENTS, OVER, (False, True)):
        for kind in KINDS:
            pool = {"kill": "kill-%s-%s-%d" % where,
                    **dict.fromkeys(UNSEEN, "verified")}.get(kind, "common")
            cells.append(Cell(kind, *where, pool))
    slow = ("1 KB/s", "stall")
    return sorted(cells, key=lambda c: slow.index(c.kind)
                  if c.kind in slow else len(slow))


def test(s):
    """Whatever goes wrong with one of four servers in the middle of a
    download, at any moment: the client has the same bytes as if nothing had
    been, or sees that it has not. Never short, never of two kinds."""
    authority = Authority(s)
    pair = authority.issue("www", f"DNS:{NAME}")
    context = client_context(authority.cert)
    library, cells = Library(), plan()
    troubles = {}
    pools = make(s, library, cells, troubles)
    ports, listeners = {}, {}
    for pool in pools:
        for over in OVER:
            ports[pool, over] = port = s.port()
            listeners[f"{pool}-{over}"] = {
                "bind": f"127.0.0.1:{port}", "pool": pool}
            if over == "tls":
                listeners[f"{pool}-{over}"]["tls"] = {"certificates": [
                    {"cert": pair[0], "key": pair[1]}]}
    b = Braid(s, {"listeners": listeners, "pools": pools})
    before = b.settled_descriptors()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(c.run, library, ports[c.pool, c.over],
                                 context, troubles) for c in cells]:
            done.result()
    for warm in (False, True):
        table(s, cells, warm)
    wrong = [c for c in cells if c.outcome not in c.allowed()]
    for c in wrong:
        s.say(f"{c.path}: {c.outcome}, "
              f"allowed {c.allowed()}")
    s.equal(len(wrong), 0, f"of {len(cells)} downloads, those that must not "
                           f"end so")
    s.equal([c.path for c in cells if not c.trouble.struck], [],
            "faults that did not happen")
    s.equal([c.path for c in cells if False in (c.before, c.after)], [],
            "connections on which a request beside it went wrong")
    nothing_left(s, b, before)
    b.stop()


scenario.run(test, limit_seconds=200)
