#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 240
import os
import random
import socket
import threading
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, reset

BLOCK = bytes(range(256)) * 1024
CLIENTS, ROUNDS = 24, 150


def misbehave(sock, pick):
    """Some steps of sending, reading, waiting, then some way to end."""
    sock.settimeout(10)
    for _ in range(pick.randrange(6)):
        step = pick.randrange(5)
        if step == 0:
            sock.sendall(BLOCK[:pick.randrange(1, 5000)])
        elif step == 1:
            for _ in range(pick.randrange(1, 12)):
                sock.sendall(BLOCK)
        elif step == 2:
            sock.settimeout(pick.random() / 20 + 0.001)
            sock.recv(pick.choice((1, 1000, 1 << 18)))
            sock.settimeout(10)
        elif step == 3:
            time.sleep(pick.random() / 50)
        else:
            sock.shutdown(socket.SHUT_WR)
    end = pick.randrange(4)
    if end == 0:
        reset(sock)
    elif end == 1:
        sock.close()
    elif end == 2:
        sock.shutdown(socket.SHUT_RDWR)
    else:
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1 << 18):
            pass


def test(s):
    """Clients and servers that send, stall, half-close, reset and leave at
    any moment, in relay and splice, while servers come and go and the
    configuration is reloaded: nothing is left of it afterwards."""
    seed = int(os.environ.get("BRAID_SEED") or random.randrange(1 << 30))
    s.say(f"BRAID_SEED={seed}")

    def handler(sock, number):
        misbehave(sock, random.Random(seed * 1000003 + number))

    origins = [Origin(s, handler) for _ in range(3)]
    dead = f"127.0.0.1:{s.port()}"
    port = s.port()

    def config(i):
        servers = {f"s{k}": {"address": o.text, "max_connections": 9}
                   for k, o in enumerate(origins)}
        servers["dead"] = {"address": dead, "weight": i % 2}
        return {
            "listeners": {"web": {
                "bind": f"127.0.0.1:{port}", "pool": "o",
                "max_connections": 40,
                "timeout": {"idle": "2s", "half_closed": "1s"}}},
            "pools": {"o": {"servers": servers,
                            "connect": {"timeout": "1s", "retries": 2},
                            "queue": {"length": 16, "timeout": "500ms"},
                            "health": {"interval": "100ms", "fall": 1,
                                       "rise": 1}}}}

    b = Braid(s, config(0))
    before = b.settled_descriptors()

    def one_client(number):
        pick = random.Random(seed + number)
        for _ in range(ROUNDS):
            try:
                misbehave(client.connect(("127.0.0.1", port)), pick)
            except OSError:
                pass

    threads = [threading.Thread(target=one_client, args=(i,))
               for i in range(CLIENTS)]
    for thread in threads:
        thread.start()
    i = 0
    while any(thread.is_alive() for thread in threads):
        i += 1
        b.reload(config(i))
        b.ctl("flows")
        if i % 5 == 0:
            origins[i % 3].down()
            time.sleep(0.1)
            origins[i % 3].up()
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    b.idle(30)
    n = CLIENTS * ROUNDS
    s.check(b.listener("web")["accepted"] >= n * 9 // 10,
            f"{b.listener('web')['accepted']} connections, {i} reloads")
    flows = b.wait_flows(b.listener("web")["accepted"] -
                         b.status()["flows"]["log_dropped"], 60)
    codes = {}
    for f in flows:
        codes[f["end"]] = codes.get(f["end"], 0) + 1
    s.say(f"codes: {codes}")
    s.check(len(codes) >= 4, "they ended in many ways")
    s.check(not any(code.startswith(("R", "K")) for code in codes),
            "none for want of a resource")
    if {f["path"] for f in flows} == {"relay"}:
        b.need_pipes()
    s.check(any(f["path"] != "relay" for f in flows), "some were spliced")
    status = b.status()
    s.equal((status["parked"]["bytes"], status["connections"]["now"],
             status["flows"]["directions_splicing"]), (0, 0, 0),
            "parked bytes, connections, directions splicing")
    s.equal([row["connections"] for row in b.ctl("servers")["servers"]],
            [0] * 4, "slots in use")
    s.equal(b.pool("o")["queued"], 0, "queued")
    s.until(lambda: sum(o.n_open for o in origins) == 0,
            "no connection is left at the servers")
    pipes = int(status["pipes"]["now"]) * 2
    # Those of a health check may be among them.
    s.until(lambda: b.settled_descriptors() <= before + pipes + 4,
            f"{before} descriptors again, and {pipes} of pipes")
    b.reload(config(0))
    b.stop()


scenario.run(test, user="nobody", limit_seconds=220)
