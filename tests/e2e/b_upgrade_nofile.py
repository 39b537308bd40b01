#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter
from lib.scenario import NAMELESS, NOBODY

# More than the old process and the new one need for it.
STEPS = 40


def test(s):
    """Too few file descriptors at any step of an upgrade, in the old process
    or in the new one before it has raised its limit: it is refused with the
    reason, the old one goes on and holds nothing of it."""
    s.need("prlimit")
    s.need("setpriv")
    origin = Origin(s, greeter("a"))
    ports = [s.port() for _ in range(6)]
    b = Braid(s, {
        "upgrade": {"generations": 16},
        "listeners": {f"l{i}": {"bind": f"127.0.0.1:{port}", "pool": "o"}
                      for i, port in enumerate(ports)},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    })
    whole, first = b.descriptor_limit(), b.pid

    def limit(most):
        """The soft limit of braidd, which its own user may change."""
        as_user = ["setpriv", f"--reuid={NAMELESS}", f"--regid={NOBODY}",
                   "--clear-groups"] if s.is_root else []
        s.run([*as_user, "prlimit", f"--pid={first}",
               f"--nofile={most}:{whole}"])

    def opened(port):
        sock = client.connect(("127.0.0.1", port))
        client.read_exactly(sock, 1)
        return sock

    held = [opened(port) for port in ports]
    b.metrics()
    before = b.settled_descriptors()

    def fails(most):
        """Whether an upgrade is refused, as it has to be then."""
        limit(most)
        answer = b.ctl_answer("upgrade", seconds=60)
        limit(whole)
        if answer["exit"] == 0:
            b.pids.append(answer["data"]["pid"])
            return False
        s.check("oo many open files" in answer["error"],
                f"{most} descriptors: {answer['error']}")
        s.equal((b.status()["pid"], b.status()["state"]),
                (first, "serving"), "who serves")
        s.check(all(client.echoes(x) for x in held), "flows live")
        for port in ports:
            opened(port).close()
        s.until(lambda: b.status()["flows"]["open"] == len(held),
                "the others have ended")
        s.until(lambda: b.settled_descriptors() == before,
                f"{before} descriptors")
        return True

    s.say("-- one more each time")
    refused, top = 0, b.highest_descriptor() + 2
    while refused < STEPS and fails(top + refused):
        refused += 1
    s.check(0 < refused < STEPS, f"it works at last, after {refused}")
    s.check(b.status()["pid"] == b.pid != first, "a new process serves")
    s.equal(b.status()["generation"], 2, "its generation")
    s.check(all(client.echoes(x) for x in held), "flows live")
    for port in ports:
        opened(port).close()
    for sock in held:
        sock.close()
    b.stop()


scenario.run(test)
