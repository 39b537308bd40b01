#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import client, scenario
from lib.between import BACK, CLIENT, MARK, NEAR, Between
from lib.braidd import Braid
from lib.origins import greeter

BIND, RAW = 1 << 10, 1 << 13


def capabilities(pid):
    """Those in effect, of each thread."""
    found = set()
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as f:
            found |= {int(line.split()[1], 16) for line in f
                      if line.startswith("CapEff:")}
    return found


def test(s):
    """With source: client servers see each client's address, in IPv4, IPv6
    and from a PROXY header; who has none of their family is refused. braidd
    keeps one capability for it, and only if it was asked for."""
    net = Between(s)
    net.rules(MARK)
    four = net.origin(s, greeter("4"))
    six = net.origin(s, greeter("6"), six=True)
    folder = s.make_folder("sockets", scenario.NOBODY)
    unix = os.path.join(folder, "in.sock")
    pools = {
        "four": {"servers": {"a": {"address": four.text}}, "source": "client",
                 "outlier": {"errors": 1},
                 "health": {"interval": "100ms"}},
        "six": {"servers": {"a": {"address": six.text}}, "source": "client"},
    }
    config = {
        "listeners": {
            "four": {"bind": f"{NEAR[0]}:8001", "pool": "four"},
            "six": {"bind": f"[{NEAR[1]}]:8001", "pool": "six"},
            "crossed": {"bind": f"[{NEAR[1]}]:8002", "pool": "four"},
            "unix": {"bind": f"unix:{unix}", "pool": "four"},
            "proxied": {"bind": f"{NEAR[0]}:8003", "pool": "four",
                        "proxy_protocol": "accept"},
        },
        "pools": pools,
    }
    b = Braid(s, config, namespace=net.middle, api=False)
    s.equal(capabilities(b.status()["pid"]), {BIND | RAW},
            "capabilities of all threads")

    def ask(address, said=b"", greeting=b"4"):
        """A connection that carries data; its client address."""
        sock = net.client.inside(lambda: client.connect(address))
        with sock:
            sock.sendall(said)
            s.equal(client.read_exactly(sock, 1), greeting, "who greets")
            data = os.urandom(1 << 18)
            sock.sendall(data)
            s.check(client.read_exactly(sock, len(data)) == data,
                    "bytes there and back are the same")
            return sock.getsockname()[0]

    s.until(lambda: b.server("four", "a")["health"] == "up", "checked")
    s.until(lambda: four.accepted, "the server has seen a check")
    s.equal({p[0] for p in four.peers}, {BACK[0]},
            "checks come from Braid itself")

    def seen(origin, since):
        """Client addresses; checks go on beside them."""
        return {p[0] for p in origin.peers[since:]} - {BACK[0]}

    n = four.accepted
    s.equal(ask((NEAR[0], 8001)), CLIENT[0], "the client's address")
    s.equal(seen(four, n), {CLIENT[0]}, "what the IPv4 server sees")
    s.equal(ask((NEAR[1], 8001), greeting=b"6"), CLIENT[1],
            "the client's address")
    s.equal({p[0] for p in six.peers}, {CLIENT[1]},
            "what the IPv6 server sees")
    n = four.accepted
    ask((NEAR[0], 8003), b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 80\r\n")
    s.equal(seen(four, n), {"198.51.100.7"}, "the PROXY header's client")

    s.say("-- who cannot be shown to the server")
    header = b"PROXY TCP4 %s 192.0.2.1 4711 80\r\n"
    refused = [("crossed", (NEAR[1], 8002), b""), ("unix", unix, b""),
               ("proxied", (NEAR[0], 8003), header % b"0.0.0.0"),
               ("proxied", (NEAR[0], 8003), header % b"224.0.0.1")]
    n = four.accepted
    for listener, address, said in refused:
        try:
            sock = net.client.inside(lambda: client.connect(address))
        except ConnectionResetError:
            s.say(f"{listener}: refused before connect() was back")
            continue
        with sock:
            if said:  # else it may have ended already
                sock.sendall(said)
            # A unix socket knows no reset; what is unread makes it one.
            data, end = client.read_end(sock)
            s.equal(data, b"", f"{listener}: what comes")
            s.check(end == client.RESET or listener == "unix",
                    f"{listener}: how it ends ({end})")
    flows = b.wait_flows(4, end="PC")
    s.equal(sorted(f["listener"] for f in flows),
            sorted(r[0] for r in refused), "the access log has them")
    s.equal({f["error"] for f in flows},
            {"no server can be connected from the client's address"}, "why")
    s.equal({f["retries"] for f in flows}, {"0"}, "retries")
    s.equal(seen(four, n), set(), "what the server sees of them")
    row = b.server("four", "a")
    s.equal((row["failures"], row["connect_errors"]), (0, 0),
            "what the server is blamed for")

    s.say("-- reloads, and what is kept for them")
    del pools["four"]["source"]
    b.reload(config)
    n = four.accepted
    ask((NEAR[0], 8001))
    s.equal({p[0] for p in four.peers[n:]}, {BACK[0]}, "without the key")
    pools["four"]["source"] = "client"
    b.reload(config)
    n = four.accepted
    ask((NEAR[0], 8001))
    s.equal(seen(four, n), {CLIENT[0]}, "with it again")
    b.idle()
    b.stop()

    listeners = {"four": config["listeners"]["four"]}
    with_it = {"listeners": listeners, "pools": {"four": pools["four"]}}
    plain = {"listeners": listeners,
             "pools": {"four": {"servers": pools["four"]["servers"]}}}
    b = Braid(s, plain, namespace=net.middle, api=False, name="plain")
    s.equal(capabilities(b.status()["pid"]), {BIND},
            "capabilities where nobody asked for it")
    b.write_config(with_it)
    answer = b.ctl_answer("reload", seconds=60)
    said = str(answer)
    s.check(answer["exit"] and "CAP_NET_RAW" in said and
            "pools.four.source: client" in said,
            f"a reload that asks for it is refused: {said}")
    n = four.accepted
    ask((NEAR[0], 8001))
    s.equal({p[0] for p in four.peers[n:]}, {BACK[0]},
            "the old configuration stays")
    b.stop()

    b = Braid(s, with_it, namespace=net.middle, api=False, user="nobody",
              name="nobody", wait=False)
    s.equal(b.exit_code(), 77, "as nobody, without the capability: exit code")
    said = b.process.output()
    s.check("CAP_NET_RAW" in said and "pools.four.source: client" in said,
            f"it says what is missing: {said.strip()}")
    b = Braid(s, with_it, namespace=net.middle, api=False, user="nobody",
              name="ambient", ambient="net_raw")
    n = four.accepted
    ask((NEAR[0], 8001))
    s.equal(seen(four, n), {CLIENT[0]}, "as nobody, with it")
    b.idle()
    b.stop()


scenario.run(test, user="root")
