#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading

from lib import client, scenario
from lib.ask import ask
from lib.braidd import NO_ROOM, Braid
from lib.origins import Origin, greeter
from lib.process import Skip

ADDRESS = "192.0.2.1"
# What the new process may lock, with all others of its user: at some of these it
# has its sockets and not the rings of all its workers.
WORKERS, STEP_KIB, MOST_KIB = 8, 128, 8192


def test(s):
    """An upgrade to more workers that fails, at whichever step of the new
    process, loses nothing: no query and no connection goes to a socket of
    its own that ends with it."""
    port, web = s.port(), s.port()
    origin = Origin(s, greeter("a"))

    def config(workers):
        return {
            "global": {"workers": workers, "log": {"access": False}},
            "dns": {"bind": f"127.0.0.1:{port}", "zones": {
                "example.org": {"records": [
                    "@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
                    f"ns1 A {ADDRESS}"]}}},
            "listeners": {"web": {"bind": f"127.0.0.1:{web}", "pool": "o"}},
            "pools": {"o": {"servers": {"a": {"address": origin.text}}}}}

    b = Braid(s, config(1))
    b.write_config(config(WORKERS))
    over, done, lost = threading.Event(), [0] * 4, []

    def once(i):
        if i < 3:
            return ask(("127.0.0.1", port), "ns1.example.org",
                       tcp=i == 2).data("A") == [ADDRESS]
        with client.connect(("127.0.0.1", web)) as sock:
            return client.read_exactly(sock, 1) == b"a"

    def load(i):
        while not over.is_set():
            try:
                if not once(i):
                    lost.append(f"{i}: another answer")
            except Exception as error:  # shown below
                lost.append(f"{i}: {error!r}")
            done[i] += 1

    threads = [threading.Thread(target=load, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()

    def stop():
        over.set()
        for thread in threads:
            thread.join()
    s.defer(stop)

    failed = []

    def succeeds(kib):
        program = s.write(f"bin/braidd{kib}", "#!/bin/sh\n"
                          f"ulimit -l {kib}; exec {b.readable('braidd')} "
                          "\"$@\"\n", 0o755)
        answer = b.ctl_answer("upgrade", program, seconds=180)
        if answer["exit"]:
            s.check(NO_ROOM in answer["error"],
                    f"{kib} KiB: {answer['error'][-60:]}")
            failed.append("a thread could not" in answer["error"])
            return False
        b.pids.append(answer["data"]["pid"])
        return True

    if not any(succeeds(kib) for kib in range(STEP_KIB, MOST_KIB, STEP_KIB)):
        s.say("others hold the rest")
    stop()
    if not failed:
        raise Skip("this kernel does not count rings as locked memory")
    s.check(any(failed), f"{sum(failed)} of {len(failed)} failed with its "
            "sockets open")
    s.equal(lost, [], f"lost of {done}")
    b.stop()


scenario.run(test)
