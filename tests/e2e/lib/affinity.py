# SPDX-License-Identifier: Apache-2.0
"""What source and maglev promise alike: a client keeps its server."""

from . import client
from .braidd import Braid
from .origins import Origin, greeter, name

CLIENTS = [f"127.0.{i // 100 + 1}.{i % 100 + 1}" for i in range(120)]


def who(port, address):
    """The name of the server that this client address gets."""
    with client.connect(("127.0.0.1", port), source=(address, 0)) as sock:
        return client.read_end(sock)[0].decode()


def mapping(port):
    return {a: who(port, a) for a in CLIENTS}


def moved(before, after):
    return {a for a in CLIENTS if before[a] != after[a]}


def scenario_of(s, balance):
    origins = {n: Origin(s, name(n)) for n in "abcd"}
    slots = {n: Origin(s, greeter(n)) for n in "xyz"}
    port, full = s.port(), s.port()
    config = {
        "global": {"workers": 2, "log": {"access": False}},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"},
                      "full": {"bind": f"127.0.0.1:{full}", "pool": "f"}},
        "pools": {
            "o": {"balance": balance,
                  "servers": {n: {"address": o.text}
                              for n, o in origins.items()},
                  "health": {"interval": "50ms", "rise": 1, "fall": 2}},
            "f": {"balance": balance,
                  "queue": {"length": 10, "timeout": "60s"},
                  "servers": {n: {"address": o.text, "max_connections": 1}
                              for n, o in slots.items()}}},
    }
    b = Braid(s, config, name="one")
    first = mapping(port)
    s.equal(set(first.values()), set("abcd"), "all servers have clients")
    s.equal(mapping(port), first, "each client gets its server again")

    s.say("-- one server goes: by health, and by the operator")
    lost = {a for a in CLIENTS if first[a] == "b"}
    origins["b"].down()
    s.until(lambda: b.server("o", "b")["health"] == "down", "b is down")
    then = mapping(port)
    s.equal(moved(first, then), lost, "exactly its clients moved")
    s.equal({then[a] for a in lost}, set("acd"), "to all others")
    origins["b"].up()
    s.until(lambda: b.server("o", "b")["health"] == "up", "b is up again")
    s.equal(mapping(port), first, "and they came back")
    b.braidctl("drain", "o", "c")
    then = mapping(port)
    s.equal(moved(first, then), {a for a in CLIENTS if first[a] == "c"},
            "who moved when c was drained")
    b.braidctl("ready", "o", "c")
    s.equal(mapping(port), first, "when it is ready again")

    s.say("-- full servers: the same next one, then the queue")
    held = []
    for _ in range(3):
        sock = client.connect(("127.0.0.1", full), source=(CLIENTS[0], 0))
        held.append((client.read_exactly(sock, 1).decode(), sock))
    order = [n for n, _ in held]
    s.equal(set(order), set("xyz"), "one client on three full servers")
    waits = client.connect(("127.0.0.1", full), source=(CLIENTS[0], 0))
    s.until(lambda: b.pool("f")["queued"] == 1, "a fourth waits")
    held[1][1].close()
    s.equal(client.read_exactly(waits, 1).decode(), order[1],
            "it gets the first slot that is free")
    for sock in (held[0][1], held[2][1], waits):
        sock.close()
    s.until(lambda: b.pool("f")["connections"] == 0, "all have ended")
    again = []
    for _ in range(3):
        sock = client.connect(("127.0.0.1", full), source=(CLIENTS[0], 0))
        again.append((client.read_exactly(sock, 1).decode(), sock))
    s.equal([n for n, _ in again], order, "the order is the same again")
    for _, sock in again:
        sock.close()
    b.idle()
    b.stop()

    s.say("-- another process, one worker, servers in another order")
    servers = config["pools"]["o"]["servers"]
    config["pools"]["o"]["servers"] = {n: servers[n] for n in "dbca"}
    config["global"]["workers"] = 1
    b = Braid(s, config, name="two")
    after = mapping(port)
    return b, config, port, first, after
