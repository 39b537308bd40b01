#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 240
import os
import signal
import threading

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter

# What a new process sends instead of what it should; {} is the message.
FAKE = """#!/usr/bin/env python3
import os, socket, time
c = socket.socket(fileno=int(os.environ["BRAID_UPGRADE_FD"]))
c.setblocking(True)
{}
"""
HEAD = 'b"BRHD\\0\\1\\0'


def test(s):
    """Every stage at which a new process can fail leaves the old one serving:
    no flow lost, the reason in the log and in the answer, no descriptor, child
    or thread left behind. Then an upgrade works."""
    origin = Origin(s, greeter("a"))
    port = s.port()
    api = s.port()
    unix = s.path("braidd/web.sock")

    def config(**more):
        return {
            "api": {"listen": f"127.0.0.1:{api}"},
            "upgrade": {"timeout": "60s", **more.pop("upgrade", {})},
            "listeners": {"web": {"bind": [f"127.0.0.1:{port}",
                                           f"unix:{unix}"], "pool": "o"}},
            "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
            **more,
        }

    b = Braid(s, config())
    b.api_port = api
    first = b.process.pid
    here = ("127.0.0.1", port)

    def opened():
        sock = client.connect(here)
        client.read_exactly(sock, 1)
        return sock

    def script(name, text):
        return s.write(f"bin/{name}", text, 0o755)

    def children():
        own = []
        for task in os.listdir(f"/proc/{first}/task"):
            path = f"/proc/{first}/task/{task}/children"
            with open(path, encoding="ascii") as f:
                own += f.read().split()
        return own

    held = [opened() for _ in range(5)]
    b.metrics()
    before = b.settled_descriptors()
    threads = len(os.listdir(f"/proc/{first}/task"))
    failures = 0

    def fails(why, *arguments, exit_code=1):
        nonlocal failures
        failures += 1
        answer = b.ctl_answer("upgrade", *arguments, seconds=60)
        s.equal(answer["exit"], exit_code, f"exit status ({why})")
        s.check(why in answer["error"], f"the answer says \"{why}\": "
                f"{answer['error']}")
        if exit_code == 1:
            s.until(lambda: len(b.events(
                "upgrade failed, this process goes on")) == failures,
                "the log says it")
            line = b.events("upgrade failed, this process goes on")[-1]
            s.check(why in line["cause"], "with the cause")
        s.equal((b.status()["pid"], b.status()["state"]),
                (first, "serving"), "who serves")
        s.check(all(client.echoes(x) for x in held), "held flows live")
        opened().close()
        client.connect(unix).close()
        b.metrics()

    def impatient(timeout, *arguments):
        """Only where it is about the time: a busy machine is late."""
        b.reload(config(upgrade={"timeout": timeout}))
        fails(*arguments)
        b.reload(config())

    s.say("-- the program")
    fails("No such file", s.path("bin/none"))
    fails("ermission denied", s.write("bin/plain", "text", 0o644))
    fails("Exec format error", s.write("bin/odd", "\x01\x02", 0o755))
    failures -= 1
    fails("absolute path", "braidd", exit_code=64)
    fails("ended with status 0 before it was ready",
          script("true", "#!/bin/sh\nexit 0\n"))
    fails("ended by signal 9 before it was ready",
          script("killed", "#!/bin/sh\nkill -9 $$\n"))
    impatient("1s", "was not ready within 1000 ms",
              script("mute", "#!/bin/sh\nexec sleep 200\n"))

    s.say("-- the hand-over")
    fails("another version", script("younger", FAKE.format(
        'c.send(b"BRHD\\0\\x63\\0\\3"); time.sleep(200)')))
    fails("unexpected bytes", script("noise", FAKE.format(
        'c.send(b"hello, world"); time.sleep(200)')))
    fails("unexpected message", script("early", FAKE.format(
        f'c.send({HEAD}\\6"); time.sleep(200)')))
    fails("did not say which sockets", script("short", FAKE.format(
        f'c.send({HEAD}\\3"); time.sleep(200)')))
    fails("refuses: not today", script("polite", FAKE.format(
        f'c.send({HEAD}\\4not today"); time.sleep(200)')))
    fails("closed its channel", script("deaf", FAKE.format(
        'c.close(); os.closerange(3, 9); time.sleep(200)')))

    s.say("-- after it said that it is ready: it took control, api, a socket")
    ready = f'c.send({HEAD}\\3\\3\\3"); '
    fails("ended with status 7 before it served", script(
        "coward", FAKE.format(ready + "[c.recv(99) for _ in range(3)]; "
                              "os._exit(7)")))
    fails("ended by signal 11 before it served", script(
        "crasher", FAKE.format(ready + "[c.recv(99) for _ in range(3)]; "
                               "os.kill(os.getpid(), 11)")))
    impatient("3s", "was not ready within", script(
        "sleeper", FAKE.format(ready + "time.sleep(200)")))

    s.say("-- its configuration")
    b.write_config("listeners: {web: {}}\n")
    fails("missing")
    other = config()
    taken = s.port()
    Origin(s, greeter("x"), address=("127.0.0.1", taken))
    other["listeners"]["more"] = {"bind": f"127.0.0.1:{taken}", "pool": "o"}
    b.write_config(other)
    fails("another process listens there")
    b.write_config(config())

    s.say("-- one at a time, and no reload meanwhile")
    over = s.path("over")
    mute = script("mute2", f"#!/bin/sh\nwhile [ ! -e {over} ]; do sleep 0.05;"
                  " done\nexit 3\n")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(
        b.ctl_answer("upgrade", mute, seconds=60)))
    thread.start()
    s.until(lambda: b.events("upgrade", binary=mute), "one is under way")
    answer = b.ctl_answer("upgrade", mute)
    s.equal(answer["exit"], 75, "a second one")
    s.equal(b.ctl_answer("reload")["exit"], 75, "a reload")
    os.kill(first, signal.SIGHUP)
    b.wait_event("reload refused", cause="upgrading")
    s.write("over", "")
    thread.join()
    failures += 1
    s.equal(answers[0]["exit"], 1, "the first has failed")
    s.check("ended with status 3" in answers[0]["error"], "and says why")
    os.unlink(over)
    b.reload()

    s.say("-- nothing is left")
    s.until(lambda: b.settled_descriptors() == before, f"{before} descriptors")
    s.until(lambda: len(os.listdir(f"/proc/{first}/task")) == threads,
            f"{threads} threads")
    s.until(lambda: children() == [], "no child is left")
    s.check(all(client.echoes(x) for x in held), "held flows live")

    s.say("-- and then it works")
    b.upgrade()
    opened().close()
    answer = b.status()
    s.check(answer["pid"] != first and answer["generation"] == 2,
            "the second generation serves")

    s.say("-- as many old ones as upgrade.generations allows")
    b.write_config(config(upgrade={"generations": 2}))
    more = b.opened(opened)
    b.upgrade()
    s.equal(len(b.status()["generations"]), 3, "generations")
    answer = b.ctl_answer("upgrade")
    s.equal(answer["exit"], 75, "one more")
    s.check("upgrade.generations" in answer["error"], "why")
    s.check(client.echoes(more) and all(client.echoes(x) for x in held),
            "all flows live")

    s.say("-- TERM to the old one gives its flows global.drain, and no longer")
    os.kill(first, signal.SIGTERM)
    b.wait_gone(first)
    s.check(not any(client.echoes(x) for x in held), "they are gone")
    s.check(client.echoes(more), "others' are not")

    s.say("-- TERM while one is under way: the new one ends with it")
    newest = b.pid
    thread = threading.Thread(target=lambda: answers.append(
        b.ctl_answer("upgrade", mute, seconds=60)))
    s.until(lambda: len(b.status()["generations"]) == 2, "room for another")
    lines = len(b.events("upgrade", binary=mute))
    thread.start()
    s.until(lambda: len(b.events("upgrade", binary=mute)) > lines,
            "it is under way")
    os.kill(newest, signal.SIGTERM)
    thread.join()
    s.check("told to end" in answers[-1]["error"], answers[-1]["error"])
    for pid in b.pids:
        b.wait_gone(pid)
    s.check(not client.echoes(more), "the older generation ended, too")
    s.equal(b.exit_code(), 0, "the first generation's exit code")
    s.until(lambda: not os.path.exists(b.control),
            "the control socket is removed")


scenario.run(test, limit_seconds=230)
