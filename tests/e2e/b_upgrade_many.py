#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: serial
import resource
import threading

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter
from lib.transfer import HeldStream, Peer, Stream, exchange

UPGRADES, LIMIT = 14, 8 << 20


def test(s):
    """Fourteen old generations with live flows under the usual limit of
    locked memory, 8 MiB for all processes of the user: each gives back what
    its rings do not need any more, and its flows live on."""
    origin = Origin(s, greeter("a"))
    go_on = threading.Event()
    s.defer(go_on.set)
    data, slowly = Stream(1, 4 << 20), {"portion": 1 << 16, "pause": 0.01,
                                        "every": 1 << 16}
    peer = Peer(HeldStream(2, 4 << 20, go_on), slowly, slowly)
    sink = Origin(s, peer)
    port, bulk = s.port(), s.port()

    def limits():
        hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
        if hard == resource.RLIM_INFINITY or hard > LIMIT:
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (LIMIT, LIMIT))

    b = Braid(s, {
        "global": {"workers": 2},
        "upgrade": {"generations": 32},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"},
                      "bulk": {"bind": f"127.0.0.1:{bulk}", "pool": "b"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}},
                  "b": {"servers": {"a": {"address": sink.text}}}},
    }, preexec=limits)
    first, flows, done = b.memory_bytes(), [], []

    def opened():
        sock = client.connect(("127.0.0.1", port))
        client.read_exactly(sock, 1)
        return sock

    def transfer():
        exchange(s, ("127.0.0.1", bulk), peer, data, "meanwhile", slowly)
        done.append(True)

    thread = threading.Thread(target=transfer)
    thread.start()
    s.until(lambda: b.status()["flows"]["open"] > 0, "a transfer has begun")
    for i in range(UPGRADES):
        flows.append(b.opened(opened))
        flows += [opened() for _ in range(3)]
        answer = b.ctl_answer("upgrade", seconds=60)
        s.equal((answer["exit"], answer["error"]), (0, None),
                f"upgrade {i + 1}")
        b.pids.append(answer["data"]["pid"])
        lost = sum(not client.echoes(x, b"x" * 3000) for x in flows)
        s.equal(lost, 0, "flows lost")
    go_on.set()
    thread.join()
    s.equal(done, [True], "the transfer came through")
    s.equal(len(b.status()["generations"]), UPGRADES + 1, "generations")
    for _ in range(50):
        lost = sum(not client.echoes(x, b"y" * 20000) for x in flows)
        if lost:
            break
    s.equal(lost, 0, "flows lost while they work")
    young, b.pids = b.pids, b.pids[:1]
    s.say(f"private memory of the second generation: {b.memory_bytes() >> 10} "
          f"KiB, of the first when it began: {first >> 10} KiB")
    b.pids = young
    for sock in flows:
        sock.close()
    for pid in [b.process.pid] + b.pids[:-1]:
        b.wait_gone(pid, 60)
    b.stop()


scenario.run(test)
