# SPDX-License-Identifier: Apache-2.0
"""The servers: bare echoes, Braid, Knot DNS, NSD, gdnsd.

Each serves the same zone, and the same resources where it can choose a POP by
weight for each client. Every server has a user and a folder of its own, one
core and one thread a kind.
"""
import os
import pwd
import shutil
import socket
import struct
import time

import peers
import procs

HERE = os.path.dirname(os.path.abspath(__file__))
START_SECONDS = 120
# They answer without records, and pick nothing.
ECHOES = ("echo", "joined")
RESOURCES = 100
POPS = (("pop1", 50), ("pop2", 30), ("pop3", 20))
ZONE_HEAD = """$ORIGIN example.org.
$TTL 300
@ SOA ns1 admin 1 7200 3600 1209600 30
@ NS ns1
ns1 A 192.0.2.1
"""


def write_zone(path, names, extra=""):
    with open(path, "w") as f:
        f.write(ZONE_HEAD)
        for i in range(names):
            f.write(f"n{i} A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}\n")
        f.write(extra)


def question(name, qtype=1):
    wire = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    return struct.pack(">6H", 4711, 0, 1, 0, 0, 0) + wire + b"\0" + \
        struct.pack(">2H", qtype, 1)


def wait_answer(process, port, name="n0.example.org", every=0.005):
    """Returns when it answers with a record; the seconds that took."""
    start = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(every)
        s.connect(("127.0.0.1", port))
        while time.monotonic() < start + START_SECONDS:
            process.check()
            try:
                s.send(question(name))
                got = s.recv(1500)
            except OSError:
                time.sleep(every)
                continue
            # The echo has no records.
            if got[3] & 15 == 0 and (got[7] or process.name in ECHOES):
                return time.monotonic() - start
    raise procs.BenchError(f"{process.name} does not answer at {port}")


class Server:
    """One kind of server; start() again begins with a fresh process."""

    name = ""
    picks = False
    tcp = True
    users = ("nobody",)

    def __init__(self, run, port):
        self.run = run
        self.port = port
        self.dir = os.path.join(run.temp, self.name)
        self.process = None
        self.zone = None
        self.started_s = 0

    def user(self):
        for name in self.users:
            try:
                pwd.getpwnam(name)
                return name
            except KeyError:
                continue
        return None

    def make_dir(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        if os.geteuid() == 0:
            entry = pwd.getpwnam(self.user())
            os.chown(self.dir, entry.pw_uid, entry.pw_gid)

    def fill(self, template, name, **values):
        path = os.path.join(self.dir, name)
        values = {"DIR": self.dir, "PORT": self.port, "ZONE": self.zone,
                  "USER": self.user() or "root", **values}
        peers.fill(os.path.join(HERE, "conf", template), path, values)
        os.chmod(path, 0o644)
        return path

    def start(self, zone, picks=False):
        self.stop()
        self.zone = zone
        self.launch(lambda: self.command(picks))

    def launch(self, command):
        self.make_dir()
        log = os.path.join(self.run.temp, self.name + ".log")
        # What an earlier process said would be taken for this one's.
        if os.path.exists(log):
            os.unlink(log)
        self.process = self.run.processes.start(
            self.name, command(), self.run.server_core, self.user(), log)
        self.started_s = wait_answer(self.process, self.port)
        self.pin()

    def pin(self):
        """Knot gives its threads cores by itself, the load's among them."""
        for pid in self.pids():
            for thread in os.listdir(f"/proc/{pid}/task"):
                os.sched_setaffinity(int(thread), {self.run.server_core})

    def stop(self):
        if self.process:
            self.run.processes.stop(self.process)
            self.process = None

    def pids(self):
        return self.process.pids() if self.process else []

    def memory_bytes(self):
        """Anonymous memory of all its processes; what they share (NSD forks
        after loading) counts once."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/smaps_rollup") as f:
                for line in f:
                    if line.startswith("Pss_Anon:"):
                        total += int(line.split()[1]) * 1024
        return total


class Echo(Server):
    name = "echo"
    tcp = False

    def command(self, picks):
        del picks
        return [f"{self.run.bin}/dnsecho", "127.0.0.1", str(self.port)]

    @staticmethod
    def version():
        return "recvmmsg and sendmmsg, 64 a call"


class Joined(Echo):
    """What the kernel costs when answers to one port go as one message, as
    Braid's do."""

    name = "joined"

    def command(self, picks):
        return super().command(picks) + ["join"]

    @staticmethod
    def version():
        return "the echo, answers to one port joined (UDP_SEGMENT)"


class Knot(Server):
    name = "knot"
    picks = True
    users = ("knot", "nobody")

    def command(self, picks):
        with open(os.path.join(self.dir, "geo.conf"), "w") as f:
            for i in range(RESOURCES):
                f.write(f"r{i}.example.org:\n")
                for pop, weight in POPS:
                    f.write(f"  - weight: {weight}\n"
                            f"    CNAME: r{i}--{pop}.pops.example.\n")
        conf = self.fill("knot.conf.in", "knot.conf",
                         MODULE="    module: mod-geoip/pick" if picks else "")
        return ["knotd", "-c", conf]

    @staticmethod
    def version():
        return peers.first_line(["knotd", "-V"])


class Nsd(Server):
    name = "nsd"
    users = ("nsd", "nobody")

    def command(self, picks):
        del picks
        return ["nsd", "-d", "-c", self.fill("nsd.conf.in", "nsd.conf")]

    @staticmethod
    def version():
        return peers.first_line(["nsd", "-v"])


class Gdnsd(Server):
    name = "gdnsd"
    picks = True
    users = ("gdnsd", "nobody")

    def command(self, picks):
        os.mkdir(os.path.join(self.dir, "zones"))
        target = os.path.join(self.dir, "zones", "example.org")
        shutil.copyfile(self.zone, target)
        resources = ""
        if picks:
            with open(target, "a") as f:
                for i in range(RESOURCES):
                    f.write(f"r{i} 30 DYNC weighted!r{i}\n")
            resources = "\n".join(
                f"    r{i} => {{ " + ", ".join(
                    f"{pop} => [ r{i}--{pop}.pops.example., {weight} ]"
                    for pop, weight in POPS) + " }"
                for i in range(RESOURCES))
        conf = self.fill("gdnsd.config.in", "config", RESOURCES=resources)
        # Without resources there is no plugin to set up.
        if not picks:
            with open(conf) as f:
                text = f.read()
            with open(conf, "w") as f:
                f.write(text[:text.index("plugins =>")])
        return ["gdnsd", "-c", self.dir, "start"]

    @staticmethod
    def version():
        return peers.first_line(["gdnsd", "version"])


class Braid(Server):
    name = "braid"
    picks = True
    users = ("braid", "nobody")

    def command(self, picks, weights=POPS):
        resources = pops = ""
        if picks:
            names = ", ".join(pop for pop, _ in weights)
            values = ", ".join(f"{pop}: {weight}" for pop, weight in weights)
            resources = "      resources:\n" + "\n".join(
                f"        r{i}: {{mode: pick, pops: [{names}], ttl: 30s, "
                f"weights: {{{values}}}}}" for i in range(RESOURCES))
            pops = "pops:\n" + "\n".join(
                f"  {pop}: {{addresses: 192.0.2.{20 + i}}}"
                for i, (pop, _) in enumerate(weights))
        conf = self.fill("braid.yaml.in", "braid.yaml", RESOURCES=resources,
                         POPS=pops)
        return [self.run.braidd, "-f", conf]

    def restart_with(self, weights):
        """The same zone and salt, other weights."""
        self.stop()
        self.launch(lambda: self.command(True, weights))

    def version(self):
        return peers.first_line([self.run.braidd, "-V"])


KINDS = {kind.name: kind for kind in (Echo, Joined, Braid, Knot, Nsd, Gdnsd)}
