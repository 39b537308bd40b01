# SPDX-License-Identifier: Apache-2.0
"""A client, Braid, and servers behind links of given rates; bench/shard uses it
too.

    client 10.79.0.2 ── 10.79.0.1 middle 10.79.1.1 ══ tbf 100 Mbit/s ══ 10.79.1.2 s1
                                         10.79.2.1 ══ tbf  50 Mbit/s ══ 10.79.2.2 s2
                                         ...

Each is a network namespace; the middle routes between client and servers too,
so that a client can also ask them directly. A link is shaped at both ends with
tc tbf; the client's is not shaped.
"""
from . import netns
from .process import Skip, run as run_program
from .scenario import find_program

CLIENT, NEAR = "10.79.0.2", "10.79.0.1"
# Large enough for a rate of Gbit/s, and a few ms of 100 Mbit/s.
BURST = "64kb"
# How long a packet may wait in the queue of a link: what a switch would hold.
QUEUE = "50ms"


class Paths:
    """rates: of each link in Mbit/s; 0 is not shaped."""

    def __init__(self, s, rates):
        s.need("tc", "nft", "ss")
        self.s = s
        self.client, self.middle = self._space(), self._space()
        _, self.near_end = netns.join(self.client, self.middle,
                                      f"{CLIENT}/24", f"{NEAR}/24")
        self.ends = []  # the middle's, of the links to servers
        self.client.ip("route", "add", "default", "via", NEAR)
        self.servers = [self._server(i, rate)
                        for i, rate in enumerate(rates, 1)]
        self.sysctl(self.middle, "net/ipv4/ip_forward", "1")

    def _space(self):
        space = netns.Namespace(self.s)
        for name in ("cubic", "reno"):
            # BBR's pacing would be measured otherwise (bench/README.md).
            if self.sysctl(space, "net/ipv4/tcp_congestion_control", name):
                break
        return space

    @staticmethod
    def sysctl(space, path, value):
        def write():
            try:
                with open(f"/proc/sys/{path}", "w", encoding="ascii") as f:
                    f.write(value)
                return True
            except OSError:
                return False
        return space.inside(write)

    def _server(self, i, rate):
        space = self._space()
        here, there = netns.join(self.middle, space, f"10.79.{i}.1/24",
                                 f"10.79.{i}.2/24")
        self.ends.append(here)
        if rate:
            for one, end in ((self.middle, here), (space, there)):
                self.tc(one, "qdisc", "add", "dev", end, "root", "tbf", "rate",
                        f"{rate}mbit", "burst", BURST, "latency", QUEUE)
        space.ip("route", "add", "default", "via", f"10.79.{i}.1")
        return space

    @staticmethod
    def tc(space, *arguments):
        run_program([find_program("tc"), "-n", space.name, *arguments])

    @staticmethod
    def address(i):
        """Of server i, counted from 0."""
        return f"10.79.{i + 1}.2"

    @staticmethod
    def nft(space, text):
        done = run_program(["nsenter", f"--net={space.path}",
                            find_program("nft"), "-f", "-"], check=False,
                           input_text=text)
        if done.returncode:
            raise Skip(f"nft has no such rules here: {done.stderr.strip()}")

    def refuse(self, i, port):
        """From now on the server's host answers everything for the port with a
        reset, as one does that was started anew."""
        self.nft(self.servers[i], "table ip cut { chain in { type filter hook "
                 f"input priority 0; tcp dport {port} reject with tcp reset; "
                 "}\n}\n")

    def silence(self, i):
        """From now on no packet comes or goes: nobody says why."""
        self.nft(self.servers[i], "table ip cut { chain in { type filter hook "
                 "input priority 0; drop; }\n chain out { type filter hook "
                 "output priority 0; drop; }\n}\n")

    def heal(self, i):
        self.nft(self.servers[i], "delete table ip cut\n")

    def carried(self):
        """Bytes that have come from each server, and gone to the client, with
        the headers of the frames."""
        def read():
            with open("/proc/thread-self/net/dev", encoding="ascii") as f:
                lines = [line.split(":") for line in f if ":" in line]
            return {name.strip(): rest.split() for name, rest in lines}
        counters = self.middle.inside(read)
        return ([int(counters[end][0]) for end in self.ends],
                int(counters[self.near_end][8]))

    def kernel_bytes(self):
        """What the middle's TCP sockets hold: memory of all their buffers."""
        done = run_program(["nsenter", f"--net={self.middle.path}",
                            find_program("ss"), "-Htnm"])
        total = 0
        for part in done.stdout.split("skmem:(")[1:]:
            fields = part.split(")", 1)[0].split(",")
            # r: received and unread, t: sent, f: reserved, w: not yet sent.
            total += sum(int(x[1:]) for x in fields
                         if x[0] in "rfw" and x[1:].isdigit())
        return total
