# SPDX-License-Identifier: Apache-2.0
"""The network of a row: a client, the proxies, and servers behind shaped links.

    client 10.79.0.2 ── 10.79.0.1 proxy 10.79.1.1 ══ tbf 100 Mbit/s ══ 10.79.1.2 s1
                                        10.79.2.1 ══ tbf  50 Mbit/s ══ 10.79.2.2 s2
                                        ...

Each is a network namespace; the proxy's routes between client and servers too,
so that a client can also ask them directly. A link is shaped at both ends with
tc tbf; the client's is not shaped.
"""
import os
import subprocess

import procs
from lib import netns
from lib.process import Skip, run as run_program
from lib.scenario import find_program

CLIENT, NEAR = "10.79.0.2", "10.79.0.1"
# Large enough for a rate of Gbit/s, and a few ms of 100 Mbit/s.
BURST = "64kb"
# How long a packet may wait in the queue of a link: what a switch would hold.
QUEUE = "50ms"


class Made:
    """What a namespace of the scenarios' library asks of a scenario."""

    def __init__(self):
        self.undo = []

    def need_root(self):
        pass

    def need(self, *programs):
        for name in programs:
            if not find_program(name):
                raise Skip(f"needs {name}")

    def defer(self, undo):
        self.undo.append(undo)

    def close(self):
        while self.undo:
            try:
                self.undo.pop()()
            except Exception as why:  # the rest must be undone all the same
                print(f"clean-up: {why}", flush=True)


class Paths:
    """rates: of each link in Mbit/s; 0 is not shaped."""

    def __init__(self, rates):
        self.rates = rates
        self.made = Made()
        try:
            self.client = self._space()
            self.proxy = self._space()
            _, self.near_end = netns.join(self.client, self.proxy,
                                          f"{CLIENT}/24", f"{NEAR}/24")
            self.ends = []  # the proxy's, of the links to servers
            self.client.ip("route", "add", "default", "via", NEAR)
            self.servers = [self._server(i, rate)
                            for i, rate in enumerate(rates, 1)]
            self.sysctl(self.proxy, "net/ipv4/ip_forward", "1")
        except Exception:
            self.close()
            raise

    def _space(self):
        space = netns.Namespace(self.made)
        for name in ("cubic", "reno"):
            # BBR's pacing would be measured otherwise, see ../README.md.
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
        here, there = netns.join(self.proxy, space, f"10.79.{i}.1/24",
                                 f"10.79.{i}.2/24")
        self.ends.append(here)
        if rate:
            for one, end in ((self.proxy, here), (space, there)):
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

    def nft(self, space, text):
        done = run_program(["nsenter", f"--net={space.path}",
                            find_program("nft"), "-f", "-"], check=False,
                           input_text=text)
        if done.returncode:
            raise procs.BenchError(f"nft: {done.stderr.strip()}")

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
        subprocess.run(["nsenter", f"--net={self.servers[i].path}",
                        find_program("nft"), "delete", "table", "ip", "cut"],
                       check=False, capture_output=True)

    def carried(self):
        """Bytes that have come from each server, and gone to the client, with
        the headers of the frames."""
        def read():
            with open("/proc/thread-self/net/dev", encoding="ascii") as f:
                lines = [line.split(":") for line in f if ":" in line]
            return {name.strip(): rest.split() for name, rest in lines}
        counters = self.proxy.inside(read)
        return ([int(counters[end][0]) for end in self.ends],
                int(counters[self.near_end][8]))

    def kernel_bytes(self):
        """What the proxy's TCP sockets hold: memory of all their buffers."""
        done = run_program(["nsenter", f"--net={self.proxy.path}",
                            find_program("ss"), "-Htnm"])
        total = 0
        for part in done.stdout.split("skmem:(")[1:]:
            fields = part.split(")", 1)[0].split(",")
            # r: received and unread, t: sent, f: reserved, w: not yet sent.
            total += sum(int(x[1:]) for x in fields
                         if x[0] in "rfw" and x[1:].isdigit())
        return total

    def close(self):
        self.made.close()


def own_namespace():
    """Of this process: what is not shaped stays on its loopback."""
    return os.path.realpath("/proc/self/ns/net")
