#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal
import socket

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter
from lib.servers import listens


def test(s):
    """Listeners come and go without touching others; a removed one's queue is
    served to the end and its flows stay; an address may move to another
    listener."""
    origins = {n: Origin(s, greeter(n)) for n in "ab"}
    stay, go, path = s.port(), s.port(), s.path("braidd/go.sock")
    pools = {n: {"servers": {n: {"address": o.text}}}
             for n, o in origins.items()}
    config = {
        "global": {"workers": 2},
        "listeners": {
            "stay": {"bind": f"127.0.0.1:{stay}", "pool": "a"},
            "go": {"bind": [f"127.0.0.1:{go}", f"unix:{path}"],
                   "pool": "a"}},
        "pools": pools,
    }
    b = Braid(s, config)

    def opened(address):
        sock = client.connect(address)
        return sock, client.read_exactly(sock, 1)

    held_stay, _ = opened(("127.0.0.1", stay))
    held_go, _ = opened(("127.0.0.1", go))
    held_unix, _ = opened(path)

    s.say("-- removed while connections wait in its queue")
    del config["listeners"]["go"]
    b.write_config(config)
    # The connections are in the kernel's queue when the signal is taken.
    with b.stopped_meanwhile():
        waiting = [client.connect(("127.0.0.1", go)) for _ in range(50)]
        waiting += [client.connect(path) for _ in range(20)]
        os.kill(b.pid, signal.SIGHUP)
    s.check(all(client.read_exactly(sock, 1) == b"a" for sock in waiting),
            "all that waited are served")
    b.wait_event("reloaded")
    # Who connected to see it might be served.
    s.until(lambda: not listens(go), "then the address is closed")
    s.until(lambda: not os.path.exists(path), "the unix socket is removed")
    for sock, what in ((held_stay, "the other listener's flow"),
                       (held_go, "a flow of the removed listener"),
                       (held_unix, "and one of its unix socket")):
        s.check(client.echoes(sock), f"{what} works")
    s.equal([r["listener"] for r in b.ctl("listeners")["listeners"]],
            ["stay"], "listeners in force")
    for sock in waiting + [held_go, held_unix]:
        sock.shutdown(1)
        s.checks += client.read_end(sock)[1] == client.FIN
    flows = b.wait_flows(72, listener="go")
    s.equal({f["end"] for f in flows}, {"--"}, "codes of its flows")

    s.say("-- added again, with another pool")
    config["listeners"]["new"] = {
        "bind": [f"127.0.0.1:{go}", f"[::1]:{go}"], "pool": "b"}
    b.reload(config)
    s.equal(opened(("127.0.0.1", go))[1], b"b", "its address answers")
    s.equal(opened(("::1", go))[1], b"b", "and its second one")

    s.say("-- an address moves while connections wait in its queue")
    config["listeners"]["new"]["bind"] = [f"[::1]:{go}"]
    config["listeners"]["stay"]["bind"] = [f"127.0.0.1:{stay}",
                                           f"127.0.0.1:{go}"]
    b.write_config(config)
    reloads = b.status()["config"]["reloads"]
    with b.stopped_meanwhile():
        waiting = [client.connect(("127.0.0.1", go)) for _ in range(50)]
        os.kill(b.pid, signal.SIGHUP)
    s.check({client.read_exactly(sock, 1) for sock in waiting} <= {b"a", b"b"},
            "those in its queue are served")
    s.until(lambda: b.status()["config"]["reloads"] > reloads, "reloaded")
    s.equal(opened(("127.0.0.1", go))[1], b"a",
            "new connections get the other listener's pool")
    s.equal(opened(("::1", go))[1], b"b", "what did not move is as before")
    s.check(client.echoes(held_stay), "the first flow of all works")
    held_stay.close()
    for sock in waiting:
        sock.close()

    s.say("-- refused: the address is somebody else's")
    with socket.socket() as other:
        other.bind(("127.0.0.1", s.port()))
        other.listen(1)
        config["listeners"]["taken"] = {
            "bind": "127.0.0.1:%d" % other.getsockname()[1], "pool": "a"}
        b.write_config(config)
        s.equal(b.ctl_answer("reload")["exit"], 78, "exit status")
    b.idle()
    b.stop()


scenario.run(test, user="root")
