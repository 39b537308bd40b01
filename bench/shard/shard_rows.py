# SPDX-License-Identifier: Apache-2.0
"""The rows: each opens a stage, measures, and says what it found."""
import statistics

import stage

MB = 10**6
FOUR = [100, 100, 100, 100]
UNEVEN = [100, 50, 20, 10]


class Result:
    """Of one row: lines of the summary, and tables."""

    def __init__(self, title):
        self.title = title
        self.summary = []
        self.lines = []

    def goal(self, what, figure, goal, good):
        self.summary.append((what, figure, goal, "met" if good else "missed"))

    def report(self, what, figure):
        self.summary.append((what, figure, "report", ""))

    def text(self, line=""):
        self.lines.append(line)

    def table(self, head, rows):
        self.lines += ["| " + " | ".join(head) + " |",
                       "|---" * len(head) + "|"]
        self.lines += ["| " + " | ".join(map(str, r)) + " |" for r in rows]
        self.lines.append("")


def all_of(values, digits=1):
    return ", ".join(f"{v:.{digits}f}" for v in values)


def rates(got):
    return [g["mbit_s"] for g in got]


def say(run, text):
    run.say("  " + text)


def get_named(run, on, name, port, size, **kwargs):
    body = on.get_right(port, size, **kwargs)
    say(run, f"{name:8} {body['mbit_s']:9.1f} Mbit/s, longest stall "
        f"{body['stall_ms']:.0f} ms")
    return body


def refs(run):
    """Braid unsharded, and everybody else on the same paths."""
    result = Result("References: without range shards")
    rows = []
    size = 100 * MB // run.divide
    for shape, shares in ((FOUR, [.25] * 4), (UNEVEN, [.25] * 4),
                          (UNEVEN, [r / sum(UNEVEN) for r in UNEVEN])):
        with stage.Stage(run, shape) as on:
            names = "/".join(map(str, shape))
            if shape is FOUR:
                on.start_braid("braid-plain.yaml.in")
                on.start_haproxy()
                on.start_nginx()
                ports = {"no proxy": stage.ORIGIN_PORT,
                         "Braid": stage.LISTENERS["one"], **stage.PEER_PORTS}
                for name, port in ports.items():
                    address = on.origin_address(0)[0] \
                        if name == "no proxy" else None
                    body = get_named(run, on, name, port, size,
                                     address=address)
                    rows.append((names, f"one download, {name}",
                                 f"{body['mbit_s']:.1f}",
                                 f"{body['stall_ms']:.0f}"))
            bound = on.curls(2 * size, shares)
            kind = "equal parts" if len(set(shares)) == 1 else \
                "parts by rate, known before"
            say(run, f"4 curls, {kind}: {bound:.1f} Mbit/s")
            rows.append((names, f"4 curls at once, ranges, {kind}",
                         f"{bound:.1f}", ""))
            result.report(f"4 curls, {names}, {kind}, Mbit/s", f"{bound:.1f}")
    result.table(["paths, Mbit/s", "", "Mbit/s", "longest stall, ms"], rows)
    return result


def four(run):
    """The same paths four times, against one of them."""
    result = Result("Four paths of 100 Mbit/s, one GET of 200 MB")
    size = 200 * MB // run.divide
    got = {name: [] for name in ("one", "on", "auto")}
    with stage.Stage(run, FOUR) as on:
        on.start_braid()
        for i in range(run.rounds):
            for name in ("on", "auto") + (("one",) if i < 2 else ()):
                got[name].append(get_named(run, on, name,
                                           stage.LISTENERS[name], size))
    one = statistics.median(rates(got["one"]))
    for name in ("on", "auto"):
        ratio = statistics.median(rates(got[name])) / one
        result.goal(f"range: {name}, times one server", f"{ratio:.2f}",
                    ">= 3.9 (limit 4.0)", ratio >= 3.9)
    result.table(["", "Mbit/s, in order", "longest stall, ms, in order"],
                 [(name, all_of(rates(v)),
                   all_of([g["stall_ms"] for g in v], 0))
                  for name, v in got.items()])
    return result


def uneven(run):
    """Paths that differ by ten."""
    result = Result("Paths of 100, 50, 20 and 10 Mbit/s, one GET of 200 MB")
    size = 200 * MB // run.divide
    got = {"on": [], "auto": []}
    with stage.Stage(run, UNEVEN) as on:
        on.start_braid()
        for _ in range(run.rounds):
            for name, samples in got.items():
                samples.append(get_named(run, on, name,
                                         stage.LISTENERS[name], size))
    for name, samples in got.items():
        rate = statistics.median(rates(samples))
        result.goal(f"range: {name}, of the sum of 180 Mbit/s",
                    f"{rate / sum(UNEVEN):.3f}", ">= 0.9 (limit 0.957: "
                    "headers)", rate >= 0.9 * sum(UNEVEN))
    result.table(["", "Mbit/s, in order", "longest stall, ms, in order"],
                 [(name, all_of(rates(v)),
                   all_of([g["stall_ms"] for g in v], 0))
                  for name, v in got.items()])
    return result


ROWS = {"refs": refs, "four": four, "uneven": uneven}
