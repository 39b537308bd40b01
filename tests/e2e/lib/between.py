# SPDX-License-Identifier: Apache-2.0
"""Three namespaces: clients, Braid as their router, servers behind it.

    client 10.78.1.2 ── 10.78.1.1 middle 10.78.2.1 ── 10.78.2.2 server
           fd78:1::2    fd78:1::1        fd78:2::1    fd78:2::2
"""

from .netns import Namespace, join
from .origins import Origin, listen
from .process import Skip, run as run_program
from .scenario import find_program

CLIENT, SERVER = ("10.78.1.2", "fd78:1::2"), ("10.78.2.2", "fd78:2::2")
NEAR, BACK = ("10.78.1.1", "fd78:1::1"), ("10.78.2.1", "fd78:2::1")
# Addresses that nobody has: only a firewall's rule leads to a listener.
ELSEWHERE = ("203.0.113.10", "2001:db8:113::10")

# What belongs to a transparent socket goes to it, whatever the address.
MARK = "meta l4proto tcp socket transparent 1 socket wildcard 0 " \
       "meta mark set 1 accept"


class Between:
    def __init__(self, s):
        s.need("nft")
        self.client, self.middle, self.server = (Namespace(s)
                                                 for _ in range(3))
        self._join(self.client, CLIENT, NEAR)
        self._join(self.server, SERVER, BACK)
        for v in ("-4", "-6"):
            self.middle.ip(v, "rule", "add", "fwmark", "1", "lookup", "100")
            self.middle.ip(v, "route", "add", "local", "default", "dev", "lo",
                           "table", "100")

    def _join(self, outer, theirs, ours):
        end, our_end = join(outer, self.middle, f"{theirs[0]}/24",
                            f"{ours[0]}/24")
        for space, address, device in ((outer, theirs[1], end),
                                       (self.middle, ours[1], our_end)):
            space.ip("address", "add", f"{address}/64", "dev", device,
                     "nodad")
        outer.ip("route", "add", "default", "via", ours[0])
        outer.ip("-6", "route", "add", "default", "via", ours[1])

    def rules(self, *lines):
        """The firewall of the middle: these rules before the routing."""
        text = "\n".join(("table inet braid {", "chain divert {",
                          "type filter hook prerouting priority mangle;",
                          *lines, "}", "}"))
        done = run_program(
            ["nsenter", f"--net={self.middle.path}", find_program("nft"),
             "-f", "-"], check=False, input_text=text)
        if done.returncode:
            raise Skip(f"nft has no such rules here: {done.stderr.strip()}")

    def forward(self):
        """The middle routes what is not for it."""
        def switch():
            with open("/proc/sys/net/ipv4/ip_forward", "w",
                      encoding="ascii") as f:
                f.write("1")
        self.middle.inside(switch)

    def origin(self, s, handler, six=False, port=9001):
        address = (SERVER[six], port)
        return Origin(s, handler, address,
                      self.server.inside(lambda: listen(address)))
