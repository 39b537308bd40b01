#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import signal

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter


def start(s, origin, drain, name):
    port = s.port()
    b = Braid(s, {
        "global": {"drain": drain},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    }, name=name)
    held = []
    for _ in range(10):
        sock = client.connect(("127.0.0.1", port))
        client.read_exactly(sock, 1)
        held.append(sock)
    return b, port, held


def refuses(port):
    try:
        client.connect(("127.0.0.1", port)).close()
        return False
    except ConnectionResetError:  # it was in a queue that is gone
        return False
    except ConnectionRefusedError:
        return True


def test(s):
    """TERM stops accepting and waits for live flows, saying how many; the
    deadline or a second TERM resets what is left."""
    origin = Origin(s, greeter("a"))

    s.say("-- all flows end in time")
    b, port, held = start(s, origin, "600s", "patient")
    mine = {"%s:%d" % sock.getsockname() for sock in held}
    b.process.send(signal.SIGTERM)
    b.wait_event("draining", flows="10")
    s.until(lambda: refuses(port), "new connections are refused")
    s.equal(b.status()["state"], "draining", "state")
    s.equal(b.metrics().value("braid_draining"), 1, "braid_draining")
    s.equal(b.ctl_answer("reload")["exit"], 75, "a reload now: exit status")
    s.check(all(client.echoes(sock) for sock in held), "flows go on")
    for sock in held[:5]:
        sock.close()
    s.until(lambda: b.events("draining", flows="5"), "it reports progress")
    for sock in held[5:]:
        sock.shutdown(1)
        s.equal(client.read_end(sock), (b"", client.FIN), "ends well")
    s.equal(b.exit_code(), 0, "exit code")
    s.equal(b.events("stopped")[0]["how"], "drained", "how it stopped")
    # One that came before accepting had stopped is none of these.
    flows = [f for f in b.flows() if f["client"] in mine]
    s.equal({f["end"] for f in flows}, {"--"}, "codes of its flows")
    s.equal(len(flows), 10, "and all are in the log")

    s.say("-- the deadline comes")
    b, port, held = start(s, origin, "500ms", "deadline")
    b.process.send(signal.SIGTERM)
    s.equal({client.read_end(sock) for sock in held},
            {(b"", client.RESET)}, "flows at the deadline")
    s.equal(b.exit_code(), 0, "exit code")
    s.equal(b.events("stopped")[0]["how"], "killed", "how it stopped")
    s.equal([f["end"] for f in b.flows()], ["KD"] * 10, "codes")

    s.say("-- a second TERM")
    b, port, held = start(s, origin, "600s", "twice")
    b.process.send(signal.SIGTERM)
    b.wait_event("draining")
    b.process.send(signal.SIGTERM)
    s.equal({client.read_end(sock) for sock in held},
            {(b"", client.RESET)}, "flows")
    s.equal(b.exit_code(), 0, "exit code")
    s.equal([f["end"] for f in b.flows()], ["KD"] * 10, "codes")


scenario.run(test, user="root")
