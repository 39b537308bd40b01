#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 300
import os
import random
import re
import socket
import struct
import threading
import time

from lib import scenario
from lib.ask import Answer, ask, frame, query, read_tcp, subnet
from lib.braidd import Braid
from lib.process import Failure
from lib.scenario import find_program

STORM_S = 8
QUIET_S = 2
ROUNDS_MAX = 8
NAMES = 2000
POPS = ["near", "far", "third"]
QUESTIONS = """\
www.example.org A
shop.cdn.example A
none.example.org AAAA
h7.example.org A
top.cdn.example HTTPS
_x._tcp.cdn.example SRV
many.cdn.example A
a.sub.example.org A
example.org SOA
"""


class World:
    """A zone of a file, a signed one with resources of most modes, POPs."""

    def __init__(self, s, rng):
        self.s, self.rng, self.port = s, rng, s.port()
        self.server = ("127.0.0.1", self.port)
        self.file = s.path("example.zone")
        self.key = s.path("zone.key")
        s.run([os.path.join(s.bin, "braidctl"), "dns", "key", "cdn.example",
               self.key])
        s.keep_secret(self.key)
        self.number = 0
        self.write()

    def write(self):
        self.number += 1
        with open(self.file + ".new", "w", encoding="ascii") as f:
            f.write(f"$TTL 60\n@ SOA ns1 hostmaster {self.number} 1h 10m 1d "
                    "60\n@ NS ns1\nns1 A 192.0.2.53\nwww A 192.0.2.1\n"
                    "sub NS ns.sub\nns.sub A 192.0.2.7\n")
            f.writelines(f"h{i} A 192.0.2.{i % 250}\n" for i in range(NAMES))
        os.chmod(self.file + ".new", 0o644)
        os.replace(self.file + ".new", self.file)

    def config(self):
        weights = {pop: self.rng.randint(1, 9) for pop in POPS}

        def mode(name, **more):
            return {"mode": name, "pops": POPS, "weights": weights, **more}
        return {
            "dns": {"bind": f"127.0.0.1:{self.port}",
                    "rrl": {"rate": 0}, "zones": {
                "example.org": {"file": self.file, "transfer": {
                    "allow": ["127.0.0.0/8"]}},
                "cdn.example": {
                    "records": ["@ SOA ns1 hostmaster 1 1h 10m 1d 60",
                                "@ NS ns1", "ns1 A 192.0.2.53"],
                    "dnssec": {"key": self.key},
                    "resources": {
                        "shop": mode("pick"), "many": mode("addrs", n=2),
                        "top": mode("rank", n=3, alpn=["h2"]),
                        "_x._tcp": mode("srv", port=5222)}}}},
            "pops": {pop: {"addresses": [f"192.0.2.{i}0", f"2001:db8::{i}"],
                           "slow_start": "1s"}
                     for i, pop in enumerate(POPS, 1)}}

    def drops(self):
        """Datagrams that its sockets had no room for, by the kernel."""
        with open("/proc/net/udp", encoding="ascii") as f:
            rows = [line.split() for line in f.read().splitlines()[1:]]
        return sum(int(row[-1]) for row in rows
                   if int(row[1].split(":")[1], 16) == self.port)


class Crowd:
    """Threads that go on until they are told to stop; what goes wrong in one
    of them is the scenario's."""

    def __init__(self, s):
        self.stopping = threading.Event()
        self.counts, self.wrong, self.threads = {}, [], []
        s.defer(self.stop)

    def add(self, name, step):
        def run():
            while not self.stopping.is_set():
                try:
                    step()
                except Exception as wrong:  # whatever it is
                    self.wrong.append(f"{name}: {wrong!r}")
                    return
                self.counts[name] = self.counts.get(name, 0) + 1
        self.counts[name] = 0
        thread = threading.Thread(target=run)
        self.threads.append(thread)
        thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def mutated(rng, message):
    """Some bytes are others, or missing, or one too many."""
    data = bytearray(message)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data[at] = rng.randrange(256)
        elif kind == 1:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 2 and len(data) > 2:
            del data[at:at + rng.randint(1, 8)]
        else:
            data[at:at] = rng.randbytes(rng.randint(1, 8))
        if not data:
            data = bytearray(b"\0")
    return bytes(data[:1400])


def seeds(rng):
    name, kind = rng.choice(QUESTIONS.splitlines()).split()
    options = [subnet(f"10.{rng.randrange(256)}.{rng.randrange(256)}.0/24")]
    if rng.random() < .5:
        options.append((10, rng.randbytes(rng.choice((8, 24, 7, 41)))))
    return query(name, kind, options=options, dnssec=rng.random() < .5)


def garbage(s, world, rng):
    """Datagrams of all kinds, whose answers nobody reads."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.9", 0))
    s.defer(sock.close)

    def step():
        data = rng.randbytes(rng.randrange(600)) if rng.random() < .2 else \
            mutated(rng, seeds(rng))
        sock.sendto(data, world.server)
        time.sleep(0.002)
    return step


def tcp_flood(world, rng):
    """Connections that ask, ask half, send garbage, or say nothing."""
    def step():
        socks = []
        try:
            for _ in range(rng.randint(1, 40)):
                sock = socket.socket()
                socks.append(sock)
                sock.settimeout(10)
                sock.bind(("127.0.0.8", 0))
                try:
                    sock.connect(world.server)
                    data = rng.choice((
                        b"", frame(seeds(rng)), frame(seeds(rng))[:-3],
                        frame(mutated(rng, seeds(rng))), rng.randbytes(40),
                        b"".join(frame(seeds(rng)) for _ in range(20))))
                    sock.sendall(data)
                except OSError:
                    pass  # refused at the limit, or closed meanwhile
            time.sleep(rng.random() * .05)
        finally:
            for sock in socks:
                if rng.random() < .3:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                    struct.pack("ii", 1, 0))
                sock.close()
    return step


def transfer(world):
    """A zone of one serial, whole, whatever is loaded meanwhile; one that is
    cut off by an upgrade's end is begun again."""
    def step():
        with socket.create_connection(world.server, 60) as sock:
            sock.sendall(frame(query("example.org", "AXFR", edns=None)))
            records = []
            while len([r for r in records if r.kind == "SOA"]) < 2:
                a = Answer(read_tcp(sock))
                if a.rcode != "NOERROR" or not a.answer:
                    raise Failure(f"a transfer: {a.rcode}")
                records += a.answer
        # The names before its numbers may be pointers.
        if records[0].data[-20:] != records[-1].data[-20:] or \
                len(records) != NAMES + 7:
            raise Failure(f"a transfer of {len(records)} records, of "
                          f"{records[0]} to {records[-1]}")
    return step


def polite(world, rng):
    """Asks one question after the other and reads what it gets; again, as
    clients do, where the kernel had no room for it."""
    allowed = {f"shop--{pop}.cdn.example." for pop in POPS}

    def asked(*question, **more):
        while True:
            before = world.drops()
            try:
                return ask(world.server, *question, timeout_s=10, **more)
            except TimeoutError:
                if world.drops() == before:
                    raise

    def step():
        a = asked("shop.cdn.example", tcp=rng.random() < .1,
                  ecs=f"10.{rng.randrange(256)}.{rng.randrange(256)}.0/24")
        if a.rcode != "NOERROR" or not set(a.data("CNAME")) <= allowed or \
                len(a.data("CNAME")) != 1:
            raise Failure(f"{a.rcode} {a.answer}")
        a = asked(f"h{rng.randrange(NAMES)}.example.org")
        if len(a.data("A")) != 1:
            raise Failure(f"{a.rcode} {a.answer}")
    return step


def operate(world, b, rng):
    """What an operator may do, at once and in any order."""
    pop = rng.choice(POPS)
    kind = rng.randrange(8)
    if kind == 0:
        world.write()
        b.ctl("dns", "reload", "example.org")
    elif kind == 1:
        b.reload(world.config())
    elif kind == 2:
        b.ctl("drain", f"pop:{pop}")
    elif kind == 3:
        b.ctl_answer("drain", f"pop:{pop}", "--in",
                     rng.choice(("0", "100ms", "1s", "1m")))
    elif kind == 4:
        b.ctl("ready", f"pop:{pop}")
    elif kind == 5:
        b.ctl("weight", f"pop:{pop}", str(rng.randrange(200)))
    elif kind == 6:
        b.ctl("dns", "stats")
        b.ctl("dns", "explain", "shop.cdn.example", "--from", "10.1.2.0/24")
    else:
        b.ctl("dns", "dump", "cdn.example")
        b.metrics()


def load_of(s, world, seconds):
    names = s.write("queries", QUESTIONS)
    return s.start([
        find_program("dnsperf"), "-s", "127.0.0.1", "-p", world.port, "-d",
        names, "-c", 4, "-q", 20, "-Q", 800, "-t", 20, "-l", seconds],
        "dnsperf")


def crowd_of(s, world, rng):
    def own():
        return random.Random(rng.random())
    crowd = Crowd(s)
    crowd.add("garbage", garbage(s, world, own()))
    crowd.add("TCP flood", tcp_flood(world, own()))
    crowd.add("transfers", transfer(world))
    crowd.add("polite", polite(world, own()))
    return crowd


def weather(s, world, b, rng, seconds, upgrades):
    """The storm; then nothing is lost and nobody was answered wrongly."""
    drops = world.drops()
    crowd = crowd_of(s, world, rng)
    load = load_of(s, world, seconds)
    done = 0
    while load.running:
        operate(world, b, rng)
        done += 1
        if upgrades and done % 25 == 1:
            old = b.pid
            b.upgrade()
            upgrades -= 1
            b.wait_gone(old)
    crowd.stop()
    s.equal(crowd.wrong, [], "what went wrong")
    s.say(f"{done} commands; rounds of {crowd.counts}")
    s.equal(load.wait(60), 0, "dnsperf ends with")
    sent, _, lost = map(int, re.search(
        r"Queries sent:\s+(\d+)\s+Queries completed:\s+(\d+).*"
        r"\s+Queries lost:\s+(\d+)", load.output()).groups())
    drops = world.drops() - drops
    s.say(f"{sent} queries; the kernel had no room for {drops} datagrams")
    s.check(lost <= drops, f"lost: {lost}, of those")


def settled(s, b):
    s.until(lambda: not b.status()["dns"]["tcp_connections"],
            "all connections have ended")
    return b.settled_descriptors(), b.memory_bytes()


def test(s):
    """Reloads, drains, changes of weights, transfers, garbage, floods of TCP
    connections and upgrades under dnsperf: no query of a polite client is lost
    or answered wrongly, and nothing stays behind."""
    s.need("dnsperf")
    seed = int(os.environ.get("BRAID_SEED", random.randrange(1 << 32)))
    s.say(f"BRAID_SEED={seed}")
    rng = random.Random(seed)
    world = World(s, rng)
    b = Braid(s, world.config(),
              asan=":quarantine_size_mb=0:thread_local_quarantine_size_kb=0")
    weather(s, world, b, rng, STORM_S, upgrades=3)
    s.check(len(b.pids) > 0, f"{len(b.pids)} upgrades")
    s.say("-- what stays behind")
    # Lines would touch the log's queue for the first time, a KiB each.
    b.ctl("log-level", "error")
    descriptors, memory = settled(s, b)
    for _ in range(ROUNDS_MAX):
        before = memory
        weather(s, world, b, rng, QUIET_S, upgrades=0)
        now, memory = settled(s, b)
        s.check(now <= descriptors, f"{now} descriptors, {descriptors} before")
        s.say(f"{(memory - before) >> 10} KiB more")
        if memory - before < 64 << 10:
            break
    else:
        s.check(False, "memory grows with each round")
    b.ctl("log-level", "info")
    b.stop()


scenario.run(test)
