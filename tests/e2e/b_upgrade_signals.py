#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 120
import os
import random
import signal
import threading
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter


def test(s):
    """A hundred signals in random order, HUP and USR2 to the newest and to
    old generations, while flows live and new ones come: none is lost, one
    process serves, no other is left behind. Then TERM among them ends all."""
    seed = int(os.environ.get("BRAID_SEED") or time.time_ns() % 1000000)
    choose = random.Random(seed)
    s.say(f"BRAID_SEED={seed}")
    origin = Origin(s, greeter("a"))
    port = s.port()
    b = Braid(s, {
        "global": {"log": {"access": False}},
        "upgrade": {"generations": 64},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    })

    def opened():
        sock = client.connect(("127.0.0.1", port))
        client.read_exactly(sock, 1)
        return sock

    b.wait_event("serving")
    held = [opened() for _ in range(20)]
    done, failed, over = [0], [], threading.Event()

    def come_and_go():
        while not over.is_set():
            try:
                sock = opened()
                if not client.echoes(sock):
                    failed.append("no echo")
                sock.close()
                done[0] += 1
            except Exception as error:
                failed.append(repr(error))

    thread = threading.Thread(target=come_and_go)
    thread.start()

    def pids():
        """Of all generations, oldest first; the last may not serve yet."""
        return [b.process.pid] + [int(line["pid"])
                                  for line in b.events("serving")[1:]]

    def send(pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    # At least one is taken: those that come while another, or a reload, is
    # under way are refused.
    s.until(lambda: send(pids()[-1], signal.SIGUSR2) or b.events("took over"),
            "an upgrade", every=0.5)
    for i in range(100):
        pid = pids()[-1] if choose.random() < 0.7 else choose.choice(pids())
        send(pid, choose.choice([signal.SIGHUP, signal.SIGUSR2]))
        if choose.random() < 0.3:
            time.sleep(choose.random() * 0.05)

    def heard(pid):
        """No signal waits for that process."""
        if b.is_gone(pid):
            return True
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                return all(int(line.split()[1], 16) == 0 for line in f
                           if line.startswith(("SigPnd:", "ShdPnd:")))
        except (FileNotFoundError, ProcessLookupError):
            return True

    def quiet():
        """No upgrade or reload is under way, and none will be: all signals
        were heard, and then a command was taken."""
        return all(heard(pid) for pid in pids()) and \
            b.ctl_answer("reload", seconds=60)["exit"] == 0

    s.until(quiet, "a reload is taken again", 60)
    s.until(lambda: b.status()["pid"] == pids()[-1] and
            len(pids()) == 1 + len(b.events("took over")),
            "the newest process answers", 60)
    over.set()
    thread.join()
    s.equal(failed, [], "new connections that failed")
    s.check(done[0] > 0, f"{done[0]} of them were made")
    s.check(all(client.echoes(x) for x in held), "all held flows live")
    status = b.status()
    upgrades = len(b.events("took over"))
    s.check(upgrades > 0, f"{upgrades} upgrades, "
            f"{len(b.events('upgrade refused'))} refused")
    s.equal(status["generation"], 1 + upgrades, "the newest generation")
    s.equal(status["pid"], pids()[-1], "which answers")
    b.pids = pids()[1:]
    s.equal(len(b.pids), upgrades, "processes that have begun to serve")

    s.say("-- old ones without flows are gone")
    s.until(lambda: len(b.status()["generations"]) ==
            sum(not b.is_gone(pid) for pid in [b.process.pid] + b.pids),
            "status lists all that live")

    s.say("-- TERM among the others")
    told = {b.pid}
    for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGTERM,
                   signal.SIGUSR2, signal.SIGHUP):
        send(b.pid, number)

    def all_gone():
        """Should it have handed over before the TERM, that was to an old one,
        and the new one has to be told, too."""
        newest = pids()[-1]
        if newest not in told:
            told.add(newest)
            send(newest, signal.SIGTERM)
        return all(b.is_gone(pid) for pid in pids())

    s.until(all_gone, "all processes are gone", 60)
    s.equal(b.exit_code(), 0, "the first generation's exit code")
    s.until(lambda: not os.path.exists(b.control),
            "the control socket is removed")


scenario.run(test)
