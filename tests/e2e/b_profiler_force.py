#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 240
import concurrent.futures
import hashlib
import threading
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.certificates import Authority, client_context, server_context
from lib.models import CLASSES, Models, put
from lib.origins import Origin, reset
from lib.process import Failure
from lib.proxy_header import Header
from lib.tls_stream import way
from lib.transfer import Peer, Stream, both, exchange

MIB = 1 << 20
NAME = "www.example.com"
FAST = {}
TURNS, TURN = 60, 900
# As a camera sends: some KiB, and a pause.
PACED = {"portion": 6000, "pause": 0.005, "every": 6000}
SHORT = {"portion": 700}
SWAPS, SWAP_EVERY_S = 7, 0.1


class Kind:
    """One kind of traffic, with a listener, a pool and an origin of its own;
    go() makes a flow of it and raises when a byte is wrong."""

    def __init__(self, s, name):
        self.s, self.name = s, name
        self.port = s.port()
        self.listener, self.pool = {}, {}
        self.origin = Origin(s, lambda sock, number: None)
        self.flows = 0

    @property
    def address(self):
        return "127.0.0.1", self.port

    def go(self, seed):
        self.flows += 1
        self.flow(seed)


class Transfer(Kind):
    """Both ways at once; either may be nothing. `ways`: how the client and
    the server speak."""

    def __init__(self, s, name, down, up, send=FAST, ways=(both, both)):
        super().__init__(s, name)
        self.down, self.up, self.send = down, up, send
        self.ways = ways

    def serve(self, peer):
        self.origin.handler = peer

    def flow(self, seed):
        peer = Peer(Stream(2 * seed, self.down), self.send, {}, self.ways[1])
        self.serve(peer)
        exchange(self.s, self.address, peer, Stream(2 * seed + 1, self.up),
                 self.name, self.send, way=self.ways[0])


class BehindHeader(Transfer):
    """The server is told of the client first."""

    def serve(self, peer):
        def handler(sock, number):
            Header(sock)
            peer(sock, number)
        self.origin.handler = handler


class ServerFirst(Transfer):
    def serve(self, peer):
        def handler(sock, number):
            sock.sendall(b"220 ready\r\n")
            if client.read_exactly(sock, 6) != b"HELO\r\n":
                raise OSError("no HELO")
            peer(sock, number)

        def greeted(sock, *arguments):
            if client.read_exactly(sock, 11) != b"220 ready\r\n":
                raise Failure("another greeting")
            sock.sendall(b"HELO\r\n")
            return both(sock, *arguments)
        self.ways = greeted, both
        self.origin.handler = handler


class Turns(Kind):
    """Requests and answers, one after the other, each with its digest."""

    def flow(self, seed):
        def handler(sock, _number):
            for _ in range(TURNS):
                data = client.read_exactly(sock, TURN)
                sock.sendall(hashlib.sha256(data).digest() + data[::-1])
        self.origin.handler = handler
        stream = b"".join(Stream(seed, TURNS * TURN).parts())
        with client.connect(self.address) as sock:
            for at in range(0, len(stream), TURN):
                part = stream[at:at + TURN]
                sock.sendall(part)
                if client.read_exactly(sock, 32 + TURN) != \
                        hashlib.sha256(part).digest() + part[::-1]:
                    raise Failure(f"{self.name}: the answer at {at} differs")
            self.s.equal(client.read_end(sock), (b"", client.FIN),
                         f"{self.name}: {TURNS} answers, and then")


class HalfClosed(Kind):
    """The whole answer comes after the client's FIN."""

    def flow(self, seed):
        up, down = Stream(seed, 2 * MIB), Stream(seed + 1, 2 * MIB)
        got = []

        def handler(sock, _number):
            data, _ = client.read_end(sock)
            got.append(hashlib.sha256(data).hexdigest())
            for part in down.parts():
                sock.sendall(part)
        self.origin.handler = handler
        with client.connect(self.address) as sock:
            for part in up.parts():
                sock.sendall(part)
            sock.shutdown(1)
            data, end = client.read_end(sock)
        self.s.equal((got, hashlib.sha256(data).hexdigest(), end),
                     ([up.digest()], down.digest(), client.FIN),
                     f"{self.name}: both digests, and the end")


class ServerResets(Kind):
    """In the middle: what was sent before arrives, and then the reset."""

    def flow(self, seed):
        stream, go = Stream(seed, 3 * MIB), threading.Event()

        def handler(sock, _number):
            for part in stream.parts():
                sock.sendall(part)
            go.wait(30)
            reset(sock)
        self.origin.handler = handler
        with client.connect(self.address) as sock:
            data = client.read_exactly(sock, stream.n)
            go.set()
            self.s.equal((hashlib.sha256(data).hexdigest(),
                          client.read_end(sock)),
                         (stream.digest(), (b"", client.RESET)),
                         f"{self.name}: all, and then the reset")


class ClientResets(Kind):
    def flow(self, seed):
        stream, come, ended = Stream(seed, 3 * MIB), threading.Event(), []

        def handler(sock, _number):
            data = client.read_exactly(sock, stream.n)
            come.set()
            ended.append((hashlib.sha256(data).hexdigest(),
                          client.read_end(sock)))
        self.origin.handler = handler
        sock = client.connect(self.address)
        for part in stream.parts():
            sock.sendall(part)
        if not come.wait(30):
            raise Failure(f"{self.name}: not all has arrived")
        reset(sock)
        self.s.until(lambda: ended, f"{self.name}: the server's side ends")
        self.s.equal(ended, [(stream.digest(), (b"", client.RESET))],
                     f"{self.name}: all, and then the reset")


def make_kinds(s):
    authority = Authority(s)
    pair = authority.issue("www", f"DNS:{NAME}")
    asks = way(client_context(authority.cert), name=NAME)
    answers = way(server_context(pair), True)
    kinds = [
        Turns(s, "requests"), HalfClosed(s, "half-closed"),
        ServerResets(s, "server-resets"), ClientResets(s, "client-resets"),
        Transfer(s, "bulk-down", 6 * MIB + 11, 40),
        Transfer(s, "bulk-up", 40, 6 * MIB + 11),
        Transfer(s, "both-ways", 4 * MIB + 1, 4 * MIB - 1),
        Transfer(s, "paced", 300000, 60000, PACED),
        Transfer(s, "small-writes", 300000, 200000, SHORT),
        Transfer(s, "nothing", 0, 0),
        Transfer(s, "tls-ended", 2 * MIB, 700000, ways=(asks, both)),
        Transfer(s, "tls-both", 700000, 2 * MIB, ways=(asks, answers)),
        Transfer(s, "tls-passed", 2 * MIB, 700000, ways=(asks, answers)),
        BehindHeader(s, "proxy-out", 2 * MIB, 700000),
        ServerFirst(s, "server-first", 2 * MIB, 700000),
    ]
    of = {kind.name: kind for kind in kinds}
    for name in ("tls-ended", "tls-both"):
        of[name].listener = {"tls": {"certificates": [
            {"cert": pair[0], "key": pair[1]}]}}
    of["tls-both"].pool = {"tls": {"ca": authority.cert, "sni": NAME}}
    of["proxy-out"].pool = {"proxy_protocol": "v2"}
    return kinds


def config(kinds, profiler):
    return {
        "listeners": {k.name: {"bind": f"127.0.0.1:{k.port}", "pool": k.name,
                               "timeout": {"idle": "60s",
                                           "half_closed": "60s"},
                               **k.listener} for k in kinds},
        "pools": {k.name: {"servers": {"a": {"address": k.origin.text}},
                           **k.pool} for k in kinds},
        "profiler": {"mode": "act", **profiler},
    }


def run_all(kinds, seed):
    """A flow of every kind at once; the first error is raised."""
    with concurrent.futures.ThreadPoolExecutor(len(kinds)) as pool:
        for done in [pool.submit(kind.go, 100 * seed + n)
                     for n, kind in enumerate(kinds)]:
            done.result()


class Swapper:
    """Puts another model at the path and reloads, again and again."""

    def __init__(self, b, models, path):
        self.b, self.models, self.path = b, models, path
        self.swaps, self.error = 0, None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        names = ("restless", *CLASSES)
        try:
            while not self.stop.is_set():
                put(self.models.path(names[self.swaps % len(names)]),
                    self.path)
                self.b.reload()
                self.swaps += 1
                time.sleep(SWAP_EVERY_S)
        except Exception as error:
            self.error = error

    def end(self):
        self.stop.set()
        self.thread.join(60)
        return self.error


def test(s):
    """Every class forced on every kind of traffic, then verdicts that change
    at each checkpoint, then models swapped meanwhile: SHA-256 of all bytes
    both ways are equal, ends are what they were, no flow is stuck."""
    kinds = make_kinds(s)
    b = Braid(s, config(kinds, {"pin": {"any": "unknown"}}))
    seed = 0
    for name in ("unknown", *CLASSES):
        s.say(f"-- {name}")
        seed += 1
        b.reload(config(kinds, {"pin": {"any": name}}))
        run_all(kinds, seed)
        for kind in kinds:
            line = b.wait_flows(kind.flows, listener=kind.name)[-1]
            # Who has said nothing has no class.
            want = (None, None) if kind.name == "nothing" else (name, "pin")
            s.equal((line.get("class"), line.get("class_at")), want,
                    f"class of {kind.name}")
    models = Models(s)
    for name in CLASSES:
        models.always(name)
    models.restless()
    path = put(models.path("restless"), models.path("model"))
    s.say("-- another class at each checkpoint")
    b.reload(config(kinds, {"model": path}))
    run_all(kinds, seed + 1)
    s.until(lambda: any("class_first" in line for line in b.flows()),
            "verdicts have changed within a flow")
    s.say("-- models swapped meanwhile")
    swapper = Swapper(b, models, path)
    while swapper.swaps < SWAPS and not swapper.error:
        seed += 1
        run_all(kinds, seed + 1)
    s.equal(swapper.end(), None, f"of {swapper.swaps} swaps, an error")
    b.idle()
    s.equal(b.status()["parked"]["bytes"], 0, "parked bytes at the end")
    b.stop()


scenario.run(test, user="nobody", limit_seconds=200)
