#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import collections
import socket
import threading
import time

from lib import between, client, scenario
from lib.braidd import Braid
from lib.origins import reset
from lib.servers import Nginx, wrk

LIMIT, HELD, PORT = 40, 1000, 8080
SILENCE = "silence"
SAID_EVERY_S = 10  # of the same trouble
HERE = between.SERVER[0], PORT


class Flood:
    """Connects from one address for as long as it runs, keeps the last HELD
    connections and says nothing on them."""

    def __init__(self, space):
        self.begun, self.stop = 0, threading.Event()
        self.thread = threading.Thread(
            target=lambda: space.inside(self._run), daemon=True)
        self.thread.start()

    def _run(self):
        held = collections.deque()
        while not self.stop.is_set():
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(HERE)
            self.begun += 1
            held.append(sock)
            if len(held) > HELD:
                reset(held.popleft())
        for sock in held:
            reset(sock)

    def end(self):
        self.stop.set()
        self.thread.join(20)


def test(s):
    """A flood of connections from one address behind a router is cut to
    per_source.connections, however it is refused, while another client is
    served without a failure; drop leaves the refused waiting, without
    CAP_NET_ADMIN only those behind a router."""
    s.need("wrk")
    net = between.Between(s)
    net.forward()
    nginx = Nginx(s, namespace=net.server)

    def config(refuse, limit=LIMIT):
        return {
            "listeners": {"web": {
                "bind": f"{HERE[0]}:{PORT}", "pool": "o", "refuse": refuse,
                "per_source": {"connections": limit}}},
            "pools": {"o": {"servers": {"a": {"address": nginx.text}}}}}

    def start(name, **options):
        return Braid(s, config("reset"), namespace=net.server, api=False,
                     name=name, asan=":quarantine_size_mb=0:"
                     "thread_local_quarantine_size_kb=0", **options)

    def count():
        return b.listener("web")["source_full"]

    def refused(space, want):
        """What a client sees whose address may have no connection. Silence
        is that of a second after the refusal; an end is waited for."""
        def look():
            before = count()
            try:
                with client.connect(HERE) as sock:
                    s.until(lambda: count() > before, "it is refused")
                    if want == SILENCE:
                        sock.settimeout(1)
                    return client.read_end(sock)[1]
            except TimeoutError:
                return SILENCE
            except ConnectionResetError:
                return client.RESET
        return space.inside(look)

    def flooded():
        return sum(f["client"].startswith(between.CLIENT[0] + ":") for f in
                   b.ctl("flows", "listener=web", "limit=5000")["flows"])

    def beside_a_flood(refuse):
        b.reload(config(refuse))
        before, begun = count(), time.monotonic()
        flood = Flood(net.client)
        s.until(lambda: count() - before > LIMIT, f"{refuse}: a flood")
        seen = []
        watch = threading.Thread(target=lambda: [
            seen.append(flooded()) for _ in range(8) if not time.sleep(0.2)])
        watch.start()
        requests = 0
        while not requests:  # none if all of the time was somebody else's
            requests, errors = wrk(
                f"http://{HERE[0]}:{PORT}/small", connections=8, seconds=2,
                options=("-H", "Connection: close"), namespace=net.middle)
            s.equal(errors, {}, "what failed for the other client")
        watch.join()
        flood.end()
        took = time.monotonic() - begun
        # Workers are asked one after the other: all flows may end at the
        # first, and others take their place at the second, in between.
        # b_per_source is exact.
        s.check(max(seen) <= 2 * LIMIT, f"flows of the flood: {max(seen)}")
        s.say(f"refused {(count() - before) / took:.0f} a second of "
              f"{flood.begun / took:.0f} begun; requests beside it: "
              f"{requests / 2:.0f} a second")
        s.until(lambda: flooded() == 0, "the flood has ended")

    b, begun = start("plain"), time.monotonic()
    memory = b.memory_bytes()
    for refuse in ("reset", "close", "drop"):
        beside_a_flood(refuse)
    grown = b.memory_bytes() - memory
    s.check(grown < 48 << 20, f"memory has grown by {grown >> 10} KiB")
    s.equal([f for f in b.flows() if f["end"] == "PP"], [],
            "lines in the access log")
    s.check(len(b.events("connections refused")) <= 1 +
            (time.monotonic() - begun) / SAID_EVERY_S, "few in the error log")
    b.stop()

    # One address that holds all it may have. With a socket of its own: those
    # of the flood may still be in the queue of the other.
    b = start("quiet")

    def sees(refuse, space, want):
        b.reload(config(refuse, 1))
        with space.inside(lambda: client.connect(HERE)):
            s.until(lambda: b.status()["flows"]["open"] == 1, "one is open")
            end = refused(space, want)
        b.idle()
        return end
    for refuse, near, far in (("reset", client.RESET, client.RESET),
                              ("close", client.FIN, client.FIN),
                              ("drop", client.RESET, SILENCE)):
        s.equal((sees(refuse, net.middle, near),
                 sees(refuse, net.client, far)), (near, far), f"{refuse}: clients near and behind a router see")
    b.stop()
    b = start("privileged", ambient="net_admin")
    s.equal((sees("drop", net.middle, SILENCE),
             sees("drop", net.client, SILENCE)), (SILENCE, SILENCE),
            "drop with CAP_NET_ADMIN")
    b.stop()


scenario.run(test, user="nobody")
