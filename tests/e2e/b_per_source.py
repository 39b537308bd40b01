#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: label tsan
import concurrent.futures
import contextlib
import socket
import threading
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, echo
from lib.process import wait_until

LIMIT, FLOOD = 20, 1500
SAID_EVERY_S = 10  # of the same trouble


def test(s):
    """per_source.connections and .rate: a flood from one address is cut to
    its limit over all workers, while others connect beside it without a
    failure; limits hold through reloads, and memory stays where it was."""
    origin = Origin(s, echo)
    ports = {n: s.port() for n in ("count", "rate", "proxied")}

    def config(limit):
        return {
            "listeners": {
                "count": {"bind": f"127.0.0.1:{ports['count']}", "pool": "o",
                          "per_source": {"connections": limit}},
                "rate": {"bind": f"127.0.0.1:{ports['rate']}", "pool": "o",
                         "per_source": {"rate": "10/s"}},
                "proxied": {"bind": f"127.0.0.1:{ports['proxied']}",
                            "pool": "o", "proxy_protocol": "accept",
                            "proxy_from": "127.0.0.1",
                            "per_source": {"connections": 1}}},
            "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
        }
    b = Braid(s, config(LIMIT), asan=":quarantine_size_mb=0:"
              "thread_local_quarantine_size_kb=0")
    begun = time.monotonic()

    def enter(listener, source="127.0.0.1", header=b""):
        """A connection that works, or None when it is refused."""
        sock = None
        try:
            sock = client.connect(("127.0.0.1", ports[listener]),
                                  source=(source, 0))
            sock.sendall(header)
            if client.echoes(sock):
                return sock
        except OSError:
            pass
        if sock:
            sock.close()
        return None

    def count(listener, key):
        return b.listener(listener)[key]

    # -- connections ---------------------------------------------------
    held = [enter("count", "127.0.0.2") for _ in range(LIMIT)]
    s.check(all(held), f"{LIMIT} connections of one address")
    s.equal(enter("count", "127.0.0.2"), None, "one more")
    s.equal(count("count", "source_full"), 1, "it is counted")
    other = enter("count", "127.0.0.3")
    s.check(other, "another address gets in")
    held.pop().close()
    s.until(lambda: b.status()["flows"]["open"] == LIMIT, "one has ended")
    again = enter("count", "127.0.0.2")
    s.check(again, "one that ended makes room")

    # Live connections count on after a reload, and limits may change.
    b.reload(config(LIMIT + 1))
    more = enter("count", "127.0.0.2")
    s.check(more, "one more under a raised limit")
    s.equal(enter("count", "127.0.0.2"), None, "but not two")
    for sock in (*held, again, more, other):
        sock.close()
    b.idle()
    b.reload(config(LIMIT))

    # -- a flood beside others -----------------------------------------
    memory = b.memory_bytes()
    before = count("count", "source_full")
    stop, most, failed, good = threading.Event(), [], [], []

    def flood():
        """Keeps all that it gets, up to a bound of its own."""
        mine = []
        try:
            for _ in range(FLOOD):
                sock = socket.socket()
                sock.settimeout(30)
                mine.append(sock)
                sock.bind(("127.0.0.4", 0))
                with contextlib.suppress(ConnectionResetError):
                    sock.connect(("127.0.0.1", ports["count"]))
            # A connection is the flood's before its worker has looked at it.
            wait_until(lambda: count("count", "source_full") - before ==
                       FLOOD - LIMIT, "all but the limit to be refused")
            flows = b.ctl("flows", "listener=count", "limit=5000")["flows"]
            most.append(sum(f["client"].startswith("127.0.0.4:")
                            for f in flows))
        finally:
            stop.set()
            for sock in mine:
                sock.close()

    def guest(source):
        while not stop.is_set():
            sock = enter("count", source)
            (good if sock else failed).append(source)
            if sock:
                sock.close()

    threads = [threading.Thread(target=flood)] + [
        threading.Thread(target=guest, args=(f"127.0.0.{i}",))
        for i in (10, 11, 12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    s.equal(failed, [], "connections of others that failed")
    s.check(len(set(good)) == 3, f"all others got in, {len(good)} times")
    s.equal(most, [LIMIT], "flows of the flood")
    s.equal(count("count", "source_full") - before, FLOOD - LIMIT,
            "refused of the flood")

    def said():
        return b.events("connections refused", listener="count",
                        cause="per_source.connections")
    s.until(lambda: sum(int(e["count"]) for e in said()) ==
            count("count", "source_full"), "the log to tell of all of them")
    s.check(len(said()) <= 1 + (time.monotonic() - begun) / SAID_EVERY_S,
            f"in {len(said())} lines")
    b.idle()
    grown = b.memory_bytes() - memory
    s.check(grown < 16 << 20, f"memory has grown by {grown >> 10} KiB")

    # -- rate ----------------------------------------------------------
    # At once: who takes his time is let in.
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        got = list(pool.map(lambda _: enter("rate", "127.0.0.5"), range(200)))
    let_in, fast = sum(map(bool, got)), count("rate", "source_fast")
    s.equal(let_in + fast, 200, "let in and refused")
    s.check(let_in >= 10, f"a burst of one second gets in ({let_in})")
    s.check(fast > 0, f"the rest does not ({fast})")
    s.check(enter("rate", "127.0.0.6"), "another address gets in")
    s.until(lambda: enter("rate", "127.0.0.5"), "it gets in again, later")
    m = b.metrics()
    s.check(m.value("braid_listener_source_fast_total", listener="rate")
            >= fast, "the metric")
    b.wait_event("connections refused", listener="rate",
                 cause="per_source.rate", example="127.0.0.5")

    # -- behind a proxy, the client that the header names ---------------
    def header(source):
        return f"PROXY TCP4 {source} 127.0.0.1 4711 80\r\n".encode()
    one = enter("proxied", header=header("192.0.2.1"))
    two = enter("proxied", header=header("192.0.2.2"))
    s.check(one and two, "two clients of one proxy")
    s.equal(enter("proxied", header=header("192.0.2.1")), None,
            "a second connection of one of them")
    flow = b.wait_flows(1, listener="proxied", end="PP")[0]
    s.equal(flow["error"], "the source has per_source.connections already",
            "its line in the log")
    checks = [enter("proxied", header=b"PROXY UNKNOWN\r\n")
              for _ in range(3)]
    s.check(all(checks), "what the proxy asks for itself is not limited")
    status = b.status()["refused"]
    s.equal((status["source_evicted"], status["source_untracked"]), (0, 0),
            "sources forgotten or not counted")
    b.stop()


scenario.run(test, user="nobody")
