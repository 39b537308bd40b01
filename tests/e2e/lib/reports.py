# SPDX-License-Identifier: Apache-2.0
"""A DNS server with three POPs, each a real braidd with agent.listen before an
origin of its own, and a port of its own for the checks from the DNS server."""

from . import client
from .braidd import Braid
from .origins import Origin, echo

WEIGHTS = {"pop1": 50, "pop2": 30, "pop3": 20}


def split(weights):
    total = sum(weights.values())
    return {name: round(w / total, 6) for name, w in weights.items()}


class Node:
    def __init__(self, s, name, host, check, agent):
        self.host = host
        self.web = (host, s.port())
        self.check = Origin(s, echo, (host, check))
        self.origin = Origin(s, echo)
        self.braid = Braid(s, {
            "global": {"max_connections": 100, "workers": 1},
            "agent": {"listen": f"{host}:{agent}", "smooth": "0s"},
            "listeners": {"web": {"bind": f"{host}:{self.web[1]}",
                                  "pool": "o"}},
            "pools": {"o": {
                "servers": {"a": {"address": self.origin.text}},
                "health": {"interval": "100ms", "timeout": "1s", "rise": 1,
                           "fall": 1}}}}, name=name)
        self.held = []

    def load(self, connections):
        self.held = [client.connect(self.web) for _ in range(connections)]

    def unload(self):
        for sock in self.held:
            sock.close()
        self.held = []


class Steered:
    """What sends clients to them."""

    def __init__(self, s, network, pop=None):
        self.dns, check, agent = s.port(), s.port(), s.port()
        self.agent = agent
        self.nodes = {name: Node(s, name, f"{network}.{i}", check, agent)
                      for i, name in enumerate(WEIGHTS, 1)}
        self.pop = {
            "slow_start": 0,
            "health": {"interval": "100ms", "timeout": "1s", "rise": 1,
                       "fall": 1, "port": check},
            "agent": {"port": agent, "interval": "100ms", "timeout": "1s"},
            **(pop or {})}
        self.s = s
        self.braid = Braid(s, self.config(30))

    def config(self, ttl):
        return {
            "dns": {"bind": f"127.0.0.1:{self.dns}", "zones": {"cdn.example": {
                "records": ["@ SOA ns1 hostmaster 1 3600 600 86400 60",
                            "@ NS ns1", "ns1 A 192.0.2.53"],
                "resources": {"www": {"pops": list(WEIGHTS), "ttl": f"{ttl}s",
                                      "weights": WEIGHTS}}}}},
            "pops": {name: {"addresses": [node.host], **self.pop}
                     for name, node in self.nodes.items()}}

    def of(self, name):
        rows = self.braid.ctl("pops")["pops"]
        return next(row for row in rows if row["pop"] == name)

    def report(self, name):
        return self.of(name)["report"]

    def failed(self, name):
        """How often the POP's node was asked and said nothing."""
        rows = self.braid.ctl("servers", f"pop:{name}")["servers"]
        return rows[0]["agent"]["checks_failed"]

    def shares(self):
        """The split in force, by what `dns explain` says."""
        answer = self.braid.ctl("dns", "explain", "www.cdn.example", "A",
                                "--from", "10.1.0.0/20")
        weights = {pop["name"]: pop["weight"]
                   for pop in answer["decision"]["pops"]}
        return split(weights)

    def until_split(self, what, **weights):
        """Weights of 50, 30 and 20, times what is given in percent."""
        want = split({name: WEIGHTS[name] * weights.get(name, 100)
                      for name in WEIGHTS})
        self.s.until(lambda: self.shares() == want, what)
