#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import client, scenario
from lib.between import BACK, CLIENT, ELSEWHERE, MARK, NEAR, Between
from lib.braidd import Braid
from lib.origins import echo


def header_first(sock, number):
    """Sends the PROXY line back, then echoes."""
    line = b""
    while not line.endswith(b"\n"):
        byte = sock.recv(1)
        if not byte:
            return
        line += byte
    sock.sendall(line)
    echo(sock, number)


def test(s):
    """A transparent listener serves connections to addresses that nobody has,
    as an nft rule hands them over; the address meant is in the access log and
    in PROXY headers. A reload switches it on the sockets that are open."""
    net = Between(s)
    net.rules(
        MARK,
        f"ip daddr {ELSEWHERE[0]}/24 tcp dport 80 tproxy ip to :8080 "
        "meta mark set 1 accept",
        f"ip6 daddr {ELSEWHERE[1]} tcp dport 80 tproxy ip6 to :8080 "
        "meta mark set 1 accept")
    four = net.origin(s, header_first)
    six = net.origin(s, header_first, six=True)
    config = {
        "listeners": {
            # The last is no address of the host: only transparent sockets
            # may have it.
            "any4": {"bind": ["0.0.0.0:8080", "192.0.2.99:8090"],
                     "pool": "four", "transparent": True},
            "any6": {"bind": "[::]:8080", "pool": "six", "transparent": True},
        },
        "pools": {
            "four": {"servers": {"a": {"address": four.text}},
                     "proxy_protocol": "v1"},
            "six": {"servers": {"a": {"address": six.text}},
                    "proxy_protocol": "v1", "source": "client"},
        },
    }
    b = Braid(s, config, namespace=net.middle, api=False)
    flows = 0

    def ask(address, family):
        """A connection there; the address and port that it comes from."""
        nonlocal flows
        sock = net.client.inside(lambda: client.connect(address))
        with sock:
            s.equal(sock.getpeername()[:2], address, "whom the client meets")
            host, port = sock.getsockname()[:2]
            want = (f"PROXY {family} {host} {address[0]} {port} "
                    f"{address[1]}\r\n").encode()
            s.equal(client.read_exactly(sock, len(want)), want,
                    "the header that the server gets")
            data = os.urandom(1 << 18)
            sock.sendall(data)
            s.check(client.read_exactly(sock, len(data)) == data,
                    "bytes there and back are the same")
        flows += 1
        flow = b.wait_flows(flows)[-1]
        text = f"[{address[0]}]" if ":" in address[0] else address[0]
        s.equal(flow["to"], f"{text}:{address[1]}", "to= in the access log")
        return host

    # Several, so that both workers' sockets are met.
    for i in range(8):
        s.equal(ask((f"203.0.113.{10 + i}", 80), "TCP4"), CLIENT[0],
                "who asks")
    s.equal({p[0] for p in four.peers}, {BACK[0]}, "what the server sees")
    s.equal(ask((ELSEWHERE[1], 80), "TCP6"), CLIENT[1], "who asks")
    s.equal({p[0] for p in six.peers}, {CLIENT[1]},
            "source: client behind it: what the server sees")
    s.equal(ask((NEAR[0], 8080), "TCP4"), CLIENT[0], "directly")

    s.say("-- not transparent any more, and again")
    # What the rule does not take is refused in place of being lost.
    net.forward()
    net.middle.ip("route", "add", "unreachable", "203.0.113.0/24")
    config["listeners"]["any4"]["bind"] = "0.0.0.0:8080"
    config["listeners"]["any4"]["transparent"] = False
    b.reload(config)

    def turned_away():
        try:
            net.client.inside(lambda: client.connect((ELSEWHERE[0], 80)))
        except OSError as error:
            return error
        return None
    error = turned_away()
    s.check(error, f"a plain listener is not met: {error}")
    config["listeners"]["any4"]["transparent"] = True
    b.reload(config)
    ask((ELSEWHERE[0], 80), "TCP4")
    b.idle()
    b.stop()

    config["listeners"] = {"plain": {"bind": "192.0.2.99:8090",
                                     "pool": "four"}}
    refused = Braid(s, config, namespace=net.middle, api=False, name="plain",
                    wait=False)
    s.equal(refused.exit_code(), 69,
            "a plain listener at an address of others: exit code")
    s.check("192.0.2.99:8090" in refused.process.output(), "it is named")


scenario.run(test, user="root")
