#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import concurrent.futures
import os
import signal
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name


def test(s):
    """TERM at any moment of the start, under load, and in the middle of
    reloads ends it cleanly; a hundred HUPs and reloads at once are one or a
    few reloads."""
    origin = Origin(s, name("a"))
    port = s.port()
    config = {
        "listeners": {"web": {"bind": [f"127.0.0.1:{port}",
                                       f"unix:{s.path('braidd/u.sock')}"],
                              "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}},
                        "health": {"interval": "20ms"}}},
    }
    codes = {}
    started = time.monotonic()
    Braid(s, config).stop()
    # Moments from exec until well after it serves, on this machine as it is.
    step = (time.monotonic() - started) / 20
    for i in range(30):
        b = Braid(s, config, wait=False)
        time.sleep(i * step)
        b.process.send(signal.SIGTERM)
        code = b.exit_code()
        # Before it has got ready to drain, TERM is what TERM always is.
        if code not in (0, -signal.SIGTERM):
            s.check(False, f"exit code {code}")
        codes[code] = codes.get(code, 0) + 1
    s.check(True, f"30 short lives, exit codes {codes}")

    s.say("-- many reloads at once")
    b = Braid(s, config)
    pid = b.status()["pid"]
    for _ in range(100):
        os.kill(pid, signal.SIGHUP)
    s.until(lambda: b.status()["config"]["reloads"] >= 1, "HUP is followed")
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        exits = {a["exit"] for a in pool.map(
            lambda _: b.ctl_answer("reload", seconds=120), range(100))}
    s.check(exits <= {0, 75}, f"exit codes of 100 reloads: {exits}")
    s.equal(client.names(("127.0.0.1", port), 10), {"a": 10}, "it serves")
    b.stop()

    s.say("-- TERM and INT amid reloads and traffic")
    for number in (signal.SIGTERM, signal.SIGINT) * 4:
        b = Braid(s, config)
        pid = b.status()["pid"]
        held = [client.connect(("127.0.0.1", port)) for _ in range(30)]
        for _ in range(5):
            os.kill(pid, signal.SIGHUP)
        os.kill(pid, number)
        for sock in held:
            try:
                client.read_end(sock)
            except OSError:
                pass
            sock.close()
        code = b.exit_code()
        if code:
            s.check(False, f"exit code {code}")
    s.check(True, "8 ends with exit code 0")
    s.check(not os.path.exists(b.control) and
            not os.path.exists(s.path("braidd/u.sock")),
            "the sockets' files are gone")


scenario.run(test, user="root")
