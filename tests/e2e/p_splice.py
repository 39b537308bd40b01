#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin

BULK = 32 << 20
BLOCK = b"\x3c" * (1 << 18)


class Talker:
    """Answers "bulk" with BULK bytes, "tick" with one byte, else echoes."""

    def __call__(self, sock, _number):
        while True:
            data = sock.recv(4096)
            if not data:
                return
            if data == b"bulk":
                left = BULK
                while left:
                    left -= sock.send(BLOCK[:left])
            elif data == b"tick":
                sock.sendall(b".")
            else:
                sock.sendall(data)


def test(s):
    """Bulk is promoted to splice in mid-flow, demoted when it is slow, and
    small requests before and after it are answered on the same flow."""
    origin = Origin(s, Talker())
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    })
    sock = client.connect(("127.0.0.1", port))
    for i in range(50):
        s.checks += client.echoes(sock, b"before %d" % i)
    s.equal(b.status()["flows"]["promotions"], 0,
            "promotions after small requests")

    sock.sendall(b"bulk")
    s.check(client.read_exactly(sock, BULK) == BLOCK * (BULK // len(BLOCK)),
            f"{BULK} bytes arrive as they were")
    flows = b.ctl("flows")["flows"]
    s.equal([(f["mode_up"] == "splice", f["mode_down"]) for f in flows],
            [(False, "splice")], "the direction down is spliced now")
    status = b.status()["flows"]
    s.equal(status["promotions"], 1, "promotions")
    s.check(status["bytes_spliced"] > BULK // 2,
            f"most of it was spliced: {status['bytes_spliced']}")

    for i in range(50):
        if not client.echoes(sock, b"after %d" % i):
            s.check(False, "a small request on the spliced flow")
    s.check(True, "small requests are answered on the spliced flow")

    # Slower than 16 KiB/s over 5 s.
    ticking = threading.Event()

    def tick():
        while not ticking.is_set():
            sock.sendall(b"tick")
            sock.recv(1)
            time.sleep(0.2)
    thread = threading.Thread(target=tick)
    thread.start()
    try:
        s.until(lambda: b.status()["flows"]["demotions"] == 1,
                "it is demoted when slow", 60, 0.2)
    finally:
        ticking.set()
        thread.join()
    flows = b.ctl("flows")["flows"]
    s.check(flows[0]["mode_down"] != "splice",
            f"its mode now: {flows[0]['mode_down']}")
    for i in range(50):
        if not client.echoes(sock, b"relayed %d" % i):
            s.check(False, "a small request on the demoted flow")
    sock.sendall(b"bulk")
    s.check(client.read_exactly(sock, BULK) == BLOCK * (BULK // len(BLOCK)),
            "bulk again")
    s.check(b.status()["flows"]["promotions"] >= 2, "is promoted again")
    sock.shutdown(1)
    s.equal(client.read_end(sock), (b"", client.FIN), "it ends with")
    flow = b.wait_flows(1)[0]
    s.equal((flow["end"], flow["path"]), ("--", "splice-down"),
            "code and path in the access log")
    b.idle()
    s.equal(b.metrics().total("braid_worker_directions_splicing"), 0,
            "directions splicing at the end")
    b.stop()


scenario.run(test, user="root")
