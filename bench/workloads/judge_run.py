# SPDX-License-Identifier: Apache-2.0
"""Records the judge set: real programs and servers with braidd between, each
program on its own port and on two of other kinds, all of it twice."""
import collections
import os
import random
import shutil
import signal
import threading
import time

import judge_programs
from braid import Braid
from judge_servers import Servers
from ports import ports_of

PASSES = ("cold", "warm")
BULK_AT_ONCE = 3  # more would take the processor from who types
TOGETHER_SECONDS = .3
STOP_SECONDS = 5
# A program that makes many flows must not outvote the others.
MOST_FLOWS = 4  # of a listener and pass


def _listeners(found, servers):
    """name -> (address, port, origin's port), and name -> truth."""
    listeners, manifest = {}, {}
    for i, program in enumerate(found):
        origin = servers.start(program.server)
        for n, port in enumerate(ports_of(program.port, i)):
            name = f"{program.name}-{n}"
            listeners[name] = (f"127.0.2.{i + 1}", port, origin)
            manifest[name] = (program.kind, program.name,
                              "foreign" if n else "own")
    return listeners, manifest


def _end_all():
    """All that runs in our process namespace, so that nobody writes into the
    folder while it is removed."""
    if os.getpid() == 1:
        os.kill(-1, signal.SIGKILL)


class Pass:
    """All runs of all programs once; those of a listener begin together, so
    that in the first pass none of them has much of a history."""

    def __init__(self, number, arguments, folder, servers):
        self.number, self.arguments = number, arguments
        self.folder, self.servers = folder, servers
        self.failures, self.threads = [], []
        self.stopped = threading.Event()
        self.bulk = threading.Semaphore(BULK_AT_ONCE)
        self.random = random.Random(f"{arguments.seed} {PASSES[number]}")

    def _run(self, wait, program, name, place):
        if self.stopped.wait(wait):
            return
        try:
            os.mkdir(place.scratch)
            if program.kind == "bulk":
                with self.bulk:
                    program.run(place)
            else:
                program.run(place)
        except Exception as error:  # pylint: disable=broad-exception-caught
            self.failures.append(f"{name}: {error!r}")
        finally:
            shutil.rmtree(place.scratch, ignore_errors=True)

    def begin(self, program, n, name, address):
        wait = self.random.uniform(0, self.arguments.seconds / len(PASSES))
        for run in range(program.runs):
            index = (self.number * 3 + n) * program.runs + run
            place = judge_programs.Place(
                *address, index, self.servers,
                random.Random(f"{self.arguments.seed} {name} {index}"),
                os.path.join(self.folder, f"run-{name}-{index}"))
            self.threads.append(threading.Thread(
                target=self._run, daemon=True, args=(
                    wait + self.random.uniform(0, TOGETHER_SECONDS), program,
                    name, place)))

    def finish(self):
        for thread in self.threads:
            thread.start()
        try:
            for thread in self.threads:
                thread.join()
        except BaseException:  # Ctrl-C
            self.stopped.set()
            _end_all()
            end = time.monotonic() + STOP_SECONDS
            while any(thread.is_alive() for thread in self.threads) and \
                    time.monotonic() < end:
                time.sleep(.1)
            raise
        return self.failures


def _wrong_counts(found, rows, which):
    """A run makes as many flows as it is known to make, each is recorded."""
    flows = collections.defaultdict(set)
    for row in rows:
        if row["_pass"] == which:
            flows[row["_listener"]].add(row["_flow"])
    for program in found:
        for n in range(3):
            name = f"{program.name}-{n}"
            have = len(flows[name])
            wanted = program.runs * (program.flows or 0)
            if have != wanted and (program.flows or not have):
                yield (f"{name}: {have} flows were recorded in the {which} "
                       f"pass, not {wanted}")


def _mark(rows, before, which):
    """Rows of flows that were not there before are of this pass."""
    for row in rows:
        row["_pass"] = before.get(row["_flow"], which)
    return {row["_flow"]: row["_pass"] for row in rows}


def record(arguments, folder):
    """rows, listener -> (class, program, own or foreign port), failures."""
    found, left_out = judge_programs.available()
    for text in left_out:
        print(f"left out: {text}")
    found = [program for program in found
             if not arguments.only or arguments.only in program.name]
    servers = Servers(folder, arguments.seed)
    braid, failures, passes = None, [], {}
    try:
        listeners, manifest = _listeners(found, servers)
        model = arguments.model
        if model:  # braidd wants to know who else could write it
            model = shutil.copy(model, os.path.join(folder, "model.so"))
            os.chmod(model, 0o644)
        braid = Braid(arguments.braidd, folder, listeners, model)
        for number, which in enumerate(PASSES):
            one = Pass(number, arguments, folder, servers)
            for program in found:
                for n in range(3):
                    name = f"{program.name}-{n}"
                    one.begin(program, n, name, listeners[name][:2])
            failures += one.finish()
            rows = braid.all_rows()
            passes = _mark(rows, passes, which)
            failures += _wrong_counts(found, rows, which)
    finally:
        status = braid.stop() if braid else 0
        servers.stop()
    if status:
        failures.append(f"braidd ended with exit status {status}")
    return rows, manifest, failures


def label(rows, manifest):
    """Truth of the manifest; of each listener and pass some flows, evenly."""
    flows = collections.defaultdict(dict)
    for row in rows:
        row["class"], row["group"], row["_port"] = manifest[row["_listener"]]
        flows[row["_listener"], row["_pass"]][row["_flow"]] = None
    kept = set()
    for found in map(list, flows.values()):
        step = max(1, len(found) / MOST_FLOWS)
        kept.update(found[int(i * step)]
                    for i in range(min(MOST_FLOWS, len(found))))
    return [row for row in rows if row["_flow"] in kept]
