#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import re

from lib import client, scenario
from lib.braidd import Braid
from lib.models import Models
from lib.origins import Origin, echo
from lib.scenario import NAMELESS

FIRST = {"ssh": b"SSH-2.0-x\r\n", "http": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"}


def test(s):
    """braidctl status and /metrics tell what the profiler is set to, by which
    model, how flows of each class have ended, and rows recorded and lost."""
    models = Models(s)
    origin = Origin(s, echo)
    port = s.port()
    path = os.path.join(s.make_folder("records", NAMELESS), "flows.csv")

    def config(**profiler):
        return {
            "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
            "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
            "profiler": profiler,
        }

    def flows(**counts):
        for name, n in counts.items():
            for _ in range(n):
                with client.connect(("127.0.0.1", port)) as sock:
                    s.check(client.echoes(sock, FIRST[name]),
                            f"a flow of {name}")
        b.idle()

    def status():
        return b.ctl("status")["profiler"]

    def lines():
        """What the table says, of the profiler and of what is recorded."""
        text = b.braidctl("status").stdout
        return re.findall(r"^(?:profiler +|  +(?=recorded))(.*)$", text, re.M)

    def counted():
        said = b.metrics()
        return {name: int(said.total("braid_profiled_flows_total",
                                     **{"class": name}))
                for name in status()["flows_ended"]}

    b = Braid(s, config(mode="off"))
    flows(ssh=2)
    found = status()
    s.equal((found["mode"], found["model"], set(found["flows_ended"].values())),
            ("off", "builtin", {0}), "while it is off: mode, model, flows")
    s.check("model_name" not in found, "no model is in memory")
    s.equal(lines(), [], "lines of the profiler")

    b.reload(config(mode="observe", model="none", record=path, record_share=1,
                    pin={"ssh": "interactive", "http": "bulk"}))
    flows(ssh=3, http=2)
    # A flow is recorded at its end, and written a little later.
    s.until(lambda: status()["rows_recorded"] >= 5, "rows are recorded")
    found, ended = status(), {"unknown": 0, "request": 0, "bulk": 2,
                              "stream": 0, "interactive": 3, "push": 0}
    s.equal(found["flows_ended"], ended, "flows ended by class")
    s.equal(counted(), ended, "and in the metrics")
    s.equal((found["mode"], found["model"], found["record"]),
            ("observe", "none", path), "mode, model, record")
    s.check("model_name" not in found, "none has no name")
    # Rows of the last flow may come between the two commands.
    s.until(lambda: lines() == [
        "observe  model none  ended: unknown 0, request 0, bulk 2, stream 0, "
        "interactive 3, push 0",
        f"recorded in {path}  rows {status()['rows_recorded']}, lost 0"],
            "the table")

    b.reload(config(mode="act", record=os.path.join(path, "none.csv"),
                    record_share=1))
    s.equal((status()["model"], status()["model_name"]),
            ("builtin", "default"), "the built-in model")
    flows(ssh=1)
    s.until(lambda: status()["rows_lost"] > 0, "rows are lost, and said so")
    b.reload(config(mode="act", model=models.always("push")))
    found = status()
    s.equal((found["mode"], found["model"], found["model_name"]),
            ("act", models.path("push"), "push"), "a model of a file")
    s.check(re.fullmatch("[0-9a-f]{16}", found["model_hash"]),
            f"its hash: {found['model_hash']}")
    s.check(lines()[0].startswith(
        f"act  model {models.path('push')} (push, {found['model_hash']})  "),
            "in the table too")
    flows(ssh=4)
    s.equal(status()["flows_ended"]["push"], 4, "flows ended as push")
    b.stop()


scenario.run(test, user="nobody")
