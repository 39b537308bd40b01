#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 240
import threading
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.models import CLASSES, Models, config, mapped, put, said
from lib.origins import Origin, echo
from lib.servers import Nginx
from lib.storm import Storm
from lib.transfer import Stream

SWAPS, EVERY_S, LONG = 200, 0.03, 4
MIB = 1 << 20


class Long:
    """A transfer both ways that lasts as long as it is told to."""

    def __init__(self, s, port, seed, stop):
        self.s, self.port, self.seed, self.stop = s, port, seed, stop
        self.rounds, self.error = 0, None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            with client.connect(("127.0.0.1", self.port)) as sock:
                while not self.stop.is_set():
                    stream = Stream(1000 * self.seed + self.rounds, 100000)
                    data = b"".join(stream.parts())
                    if not client.echoes(sock, data):
                        raise OSError(f"round {self.rounds} differs")
                    self.rounds += 1
                    time.sleep(0.01)
                sock.shutdown(1)
                if sock.recv(1):
                    raise OSError("more than was sent")
        except Exception as error:
            self.error = error


def outlives(s, b, port, settings, path, models):
    """A flow that began under each model, at a listener that each reload has
    changed, so that it pins the plan; none holds the model."""
    kept = []
    for n, name in enumerate(CLASSES):
        put(models.path(name), path)
        settings["listeners"]["web"]["max_connections"] = 1000 + n
        b.reload(settings)
        sock = client.connect(("127.0.0.1", port))
        s.check(client.echoes(sock, b"question"), f"a flow under {name}")
        kept.append(sock)
    s.until(lambda: len(mapped(b.pid)) == 1,
            "five flows live, and one model is in memory")
    for sock in kept:
        s.check(client.echoes(sock, b"x" * 100000), "it goes on")
        sock.close()


def test(s):
    """Models swapped by reloads, by the same name and by another, under new
    connections and long flows: none fails or stalls, every byte arrives,
    the verdicts are the new model's, and old ones leave memory."""
    models = Models(s)
    for name in CLASSES:
        models.always(name)
    models.restless()
    path = models.path("model")
    put(models.path("bulk"), path)
    nginx, origin = Nginx(s), Origin(s, echo)
    port, small = s.port(), s.port()
    settings = config(port, origin.text, path)
    settings["global"] = {"log": {"access": False}}
    settings["listeners"]["small"] = {"bind": f"127.0.0.1:{small}",
                                      "pool": "n"}
    settings["pools"]["n"] = {"servers": {"n": {"address": nginx.text}}}
    b = Braid(s, settings, asan=":quarantine_size_mb=0:"
              "thread_local_quarantine_size_kb=0")
    outlives(s, b, port, settings, path, models)
    stop = threading.Event()
    storm = Storm(s, small, 300)
    flows = [Long(s, port, seed, stop) for seed in range(LONG)]
    order = [*CLASSES, "restless"]
    memory = []
    for n in range(SWAPS):
        name = order[n % len(order)]
        if n % 2:
            put(models.path(name), path)
            settings["profiler"]["model"] = path
        else:
            settings["profiler"]["model"] = models.path(name)
        b.reload(settings)
        if n % 25 == 24:
            memory.append(b.memory_bytes())
        time.sleep(EVERY_S)
    s.until(lambda: b.listener("small")["accepted"] > SWAPS,
            "more connections than swaps", 60)
    stop.set()
    for flow in flows:
        flow.thread.join(90)
        s.equal((flow.thread.is_alive(), flow.error), (False, None),
                f"a long flow of {flow.rounds} rounds ends well")
    done = storm.stop()
    s.equal(done["failed"], {}, f"of {done['done']} connections failed")
    s.check(done["done"] >= SWAPS, f"{done['done']} connections went well")
    s.say(f"slowest connection {done['slowest_ms']} ms, private memory "
          f"after 25, 50 ... swaps {[m >> 10 for m in memory]} KiB")
    s.until(lambda: len(mapped(b.pid)) == 1, "one model is in memory")
    s.check(min(after - before for before, after in zip(memory, memory[1:]))
            < MIB / 2, "memory does not grow with each of these")
    # Each answers with its own class, whatever was there before.
    b.idle()
    settings["global"] = {"log": {"access": True}}
    for name in (*CLASSES, *reversed(CLASSES)):
        put(models.path(name), path)
        settings["profiler"]["model"] = path
        b.reload(settings)
        s.equal(said(b, port, 3), {name}, "flows are")
    descriptors = b.settled_descriptors()
    for name in CLASSES:
        put(models.path(name), path)
        b.reload()
    s.until(lambda: len(mapped(b.pid)) == 1, "one model is in memory")
    s.until(lambda: b.settled_descriptors() <= descriptors,
            "descriptors do not get more")
    settings["profiler"] = {"mode": "off"}
    b.reload(settings)
    s.until(lambda: mapped(b.pid) == [], "none is when it is off")
    settings["profiler"] = {"mode": "act", "model": path}
    b.reload(settings)
    # One that cannot be unloaded is nobody else's model for all that.
    models.compile("stays", models.source("stays", ["push"]),
                   "-Wl,-z,nodelete")
    for name in ("stays", *CLASSES, "stays", *CLASSES):
        put(models.path(name), path)
        b.reload()
        s.equal(said(b, port), {"push" if name == "stays" else name},
                f"flows under {name} are")
    b.stop()


scenario.run(test, user="nobody", limit_seconds=200)
