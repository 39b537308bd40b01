#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal
import threading

from lib import client, scenario
from lib.braidd import NO_ROOM, Braid
from lib.origins import Origin, greeter
from lib.transfer import HeldStream, Peer, Stream, exchange


def test(s):
    """An upgrade: live flows stay with the old process to the last byte, new
    ones are the new process's, on the same sockets; braidctl and /metrics
    move over; the old process ends with its last flow."""
    origin = Origin(s, greeter("a"))
    go_on = threading.Event()
    s.defer(go_on.set)
    down, up = HeldStream(11, 24 << 20, go_on), Stream(12, 24 << 20)
    slowly = {"portion": 1 << 18, "pause": 0.01, "every": 1 << 18}
    peer = Peer(down, slowly, {})
    sink = Origin(s, peer)
    port, bulk, unix = s.port(), s.port(), s.path("braidd/web.sock")
    config = {
        "listeners": {
            "web": {"bind": [f"127.0.0.1:{port}", f"unix:{unix}"],
                    "pool": "o"},
            "bulk": {"bind": f"127.0.0.1:{bulk}", "pool": "b"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}},
                  "b": {"servers": {"a": {"address": sink.text}}}},
    }
    b = Braid(s, config)
    first = b.process.pid
    here = ("127.0.0.1", port)

    def opened(at=here):
        sock = client.connect(at)
        client.read_exactly(sock, 1)
        return sock

    held = [opened() for _ in range(20)] + [opened(unix)]
    inode = os.stat(b.control).st_ino
    unix_inode = os.stat(unix).st_ino

    s.say("-- while a transfer runs")
    results = []

    def transfer():
        exchange(s, ("127.0.0.1", bulk), peer, up, "across the upgrade",
                 slowly)
        results.append(True)

    worker = threading.Thread(target=transfer)
    worker.start()
    s.until(lambda: b.status()["flows"]["open"] > len(held),
            "the transfer has begun")
    answer = b.upgrade()
    go_on.set()
    s.equal(answer["old_pid"], first, "old pid of the answer")
    s.check(answer["pid"] not in (0, first), "a new process serves")
    s.check(answer["flows_left"] >= len(held), "flows left with the old one")

    status = b.status()
    s.equal((status["pid"], status["generation"], status["state"]),
            (answer["pid"], 2, "serving"), "who answers at the socket")
    s.equal(os.stat(b.control).st_ino, inode, "the control socket's file")
    rows = {r["pid"]: r for r in status["generations"]}
    s.equal(set(rows), {first, answer["pid"]}, "generations in status")
    s.until(lambda: {r["pid"]: r for r in b.status()["generations"]}
            [first]["flows"] >= len(held), "status shows the flows left")
    s.check("generation" in b.braidctl("status").stdout,
            "braidctl status shows generations")

    s.say("-- flows of both")
    young = [b.opened(opened) for _ in range(10)]
    young.append(b.opened(lambda: opened(unix)))
    s.equal(b.status()["flows"]["open"], len(young),
            "new flows are the new process's")
    s.check(all(client.echoes(x) for x in held + young), "all flows live")
    worker.join()
    s.equal(results, [True], "the transfer came through")
    s.equal(b.metrics().value("braid_generations"), 2, "braid_generations")
    s.until(lambda: b.metrics().value("braid_connections") ==
            len(held) + len(young), "braid_connections is that of both")

    s.say("-- the old process ends with its last flow")
    s.check(b.process.running, "it lives on with them")
    for sock in held:
        sock.close()
    b.wait_gone(first)
    s.until(lambda: len(b.status()["generations"]) == 1,
            "status shows one generation")
    b.wait_event("old generation ended", pid=str(first))
    s.equal(os.stat(unix).st_ino, unix_inode, "the unix socket's file stays")
    s.check(all(client.echoes(x) for x in young), "the others live on")
    opened(unix).close()

    s.say("-- by signal")
    told = -1

    def told_to():
        """Again when others held the memory that it needs."""
        nonlocal told
        n = sum(NO_ROOM in line["cause"] for line in b.events(
            "upgrade failed, this process goes on"))
        if n > told:
            os.kill(b.pid, signal.SIGUSR2)
            told = n
        return b.events("took over", generation="3")
    line = s.until(told_to, "it took over")[0]
    s.equal(line["from_pid"], str(answer["pid"]), "from")
    b.pids.append(s.until(
        lambda: b.status()["pid"] not in (first, answer["pid"]) and
        b.status()["pid"], "the third generation answers"))
    s.check(all(client.echoes(x) for x in young), "flows live on")
    for sock in young:
        sock.close()
    b.wait_gone(answer["pid"])
    opened().close()
    b.stop()
    s.check(not os.path.exists(b.control) and not os.path.exists(unix),
            "the last one removes its files")


scenario.run(test)
