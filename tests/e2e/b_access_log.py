#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, echo, reset

FIELDS = {"ts", "level", "msg", "id", "listener", "client", "pool", "server",
          "address", "end", "retries", "path", "queue_ms", "connect_ms",
          "first_byte_ms", "total_ms", "bytes_in", "bytes_out", "worker"}


def cuts(sock, _number):
    """Answers in part and resets."""
    sock.recv(100)
    sock.sendall(b"half of it")
    time.sleep(0.1)
    reset(sock)


def test(s):
    """One line for each connection: its fields, plausible times, and the
    termination code of each way to end."""
    echoes, cutter = Origin(s, echo), Origin(s, cuts)
    dead = f"127.0.0.1:{s.port()}"
    ports = {n: s.port() for n in ("echo", "cut", "dead", "full", "gone",
                                   "quick")}
    pools = {
        "echo": {"servers": {"e": {"address": echoes.text}}},
        "cut": {"servers": {"c": {"address": cutter.text}}},
        "dead": {"connect": {"retries": 0},
                 "servers": {"d": {"address": dead}}},
        "full": {"queue": {"length": 5, "timeout": "200ms"},
                 "servers": {"f": {"address": echoes.text,
                                   "max_connections": 1}}},
    }
    listeners = {n: {"bind": f"127.0.0.1:{p}", "pool": n}
                 for n, p in ports.items()}
    listeners["gone"]["pool"] = "echo"
    listeners["quick"].update(pool="echo", timeout={"idle": "300ms"})
    b = Braid(s, {"listeners": listeners, "pools": pools})

    def one(listener):
        flows = b.wait_flows(1, listener=listener)
        s.equal(len(flows), 1, f"lines of {listener}")
        flow = flows[0]
        s.check(FIELDS <= set(flow), f"all fields: {sorted(flow)}")
        s.equal(flow["client"].rsplit(":", 1)[0], "127.0.0.1", "client")
        return flow

    # Normal: the time of each phase is known to lie between two sleeps.
    before = time.monotonic()
    with client.connect(("127.0.0.1", ports["echo"])) as sock:
        mine = sock.getsockname()[1]
        s.until(lambda: [row["state"] for row in b.ctl("flows")["flows"]] ==
                ["established"], "it has its server")
        time.sleep(0.2)
        client.echoes(sock, b"12345")
        time.sleep(0.1)
        sock.shutdown(1)
        client.read_end(sock)
    f = one("echo")
    after = (time.monotonic() - before) * 1000
    s.equal((f["end"], f["server"], f["address"], f["retries"], f["path"],
             f["bytes_in"], f["bytes_out"]),
            ("--", "e", echoes.text, "0", "relay", "5", "5"), "a normal end")
    s.equal(f["client"], f"127.0.0.1:{mine}", "the client's address")
    phases = [float(f[k]) for k in ("queue_ms", "connect_ms",
                                    "first_byte_ms")]
    s.check(min(phases) >= 0 and phases[2] >= 190,
            "no time is negative; the first byte came after the pause")
    s.check(sum(phases) + 90 <= float(f["total_ms"]) <= after,
            "phases and the second pause are within the total, and that "
            "within what passed until the line was there")
    s.check("error" not in f, "no error field")

    with client.connect(("127.0.0.1", ports["cut"])) as sock:
        sock.sendall(b"give")
        s.equal(client.read_end(sock), (b"half of it", client.RESET),
                "the server's reset is passed on")
    f = one("cut")
    s.equal((f["end"], f["bytes_out"]), ("SD", "10"), "the server resets")

    sock = client.connect(("127.0.0.1", ports["gone"]))
    client.echoes(sock)
    reset(sock)
    s.equal(one("gone")["end"], "CD", "the client resets")

    s.equal(client.ask(("127.0.0.1", ports["dead"])), (b"", client.RESET),
            "no server answers: a reset")
    f = one("dead")
    s.equal((f["end"], f["server"], f["connect_ms"], f["first_byte_ms"]),
            ("SC", "d", "-", "-"), "connect refused")
    s.check("refused" in f["error"], f"error: {f['error']}")

    held = client.connect(("127.0.0.1", ports["full"]))
    client.echoes(held)
    s.equal(client.ask(("127.0.0.1", ports["full"])), (b"", client.RESET),
            "the queue's timeout: a reset")
    f = one("full")
    s.equal((f["end"], f["server"], f["connect_ms"]), ("sQ", "-", "-"),
            "queue timeout")
    s.equal(f["error"], "no free connection slot within queue.timeout",
            "its cause")
    held.close()

    # Idle: who was expected to speak is to blame. On a busy machine the time
    # may be over before the echo.
    sock = client.connect(("127.0.0.1", ports["quick"]))
    while not client.echoes(sock):
        sock.close()
        sock = client.connect(("127.0.0.1", ports["quick"]))
    who = "%s:%d" % sock.getsockname()
    s.equal(client.read_end(sock), (b"", client.RESET), "timeout.idle")
    f = b.wait_flows(1, listener="quick", client=who)[0]
    s.equal(f["end"], "cD", "idle timeout")
    s.check(float(f["total_ms"]) >= 300, f"after {f['total_ms']} ms")
    b.idle()
    ids = [f["id"] for f in b.flows()]
    s.equal(len(ids), len(set(ids)), "every flow has an id of its own")
    b.reload()
    b.stop()


scenario.run(test, user="nobody")
