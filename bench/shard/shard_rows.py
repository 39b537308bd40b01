# SPDX-License-Identifier: Apache-2.0
"""The rows on shaped paths: each opens a stage, measures, and says what it
found."""
import statistics

import loop_rows
import stage
from outcome import MB, Result, all_of, get_named, rates, say

FOUR = [100, 100, 100, 100]
UNEVEN = [100, 50, 20, 10]


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
        on.start_braid(run.template)
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
        on.start_braid(run.template)
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


def broken(run, on, name, harm, heal, size):
    """Each of the servers in turn is harmed, a little later in the download
    each time; "auto" once more. Dicts of the client with who and when."""
    out = []
    for i in [*range(on.count), 0]:
        listener = "on" if len(out) < on.count else "auto"
        mark = size * (len(out) + 1) // (on.count + 2)
        body = on.get(stage.LISTENERS[listener], size, mark=mark,
                      on_mark=lambda i=i: harm(i))[-1]
        heal(i)
        body.update(who=f"s{i + 1}", listener=listener, mark=mark, what=name)
        say(run, f"{name} s{i + 1} at {mark / MB:.0f} MB ({listener}): longest "
            f"stall {body['stall_ms']:.0f} ms at {body['stall_at'] / MB:.0f} "
            f"MB, {'right' if body['right'] else 'NOT RIGHT ' + str(body)}")
        out.append(body)
    return out


def conclude(result, got, what, goal_ms):
    right = sum(b["right"] for b in got)
    stall = max(b["stall_ms"] for b in got)
    result.goal(f"{what}: longest stall at the client, ms", f"{stall:.0f}",
                f"<= {goal_ms}", stall <= goal_ms)
    result.goal(f"{what}: SHA-256 right", f"{right} of {len(got)}", "all",
                right == len(got))
    result.table(
        ["", "server", "range", "at MB", "longest stall, ms", "there, MB",
         "Mbit/s in all", "SHA-256"],
        [(b["what"], b["who"], b["listener"], f"{b['mark'] / MB:.0f}",
          f"{b['stall_ms']:.0f}", f"{b['stall_at'] / MB:.0f}",
          f"{b['mbit_s']:.0f}", "right" if b["right"] else
          f"{b['bytes']} bytes, {b['error'] or 'closed'}") for b in got])


def kill(run):
    """A server is killed, or its host resets, in the middle of a download."""
    result = Result("Killed in mid-transfer, four paths of 100 Mbit/s")
    size = 200 * MB // run.divide
    with stage.Stage(run, FOUR) as on:
        on.start_braid(run.template)
        got = broken(run, on, "killed", on.kill_origin, on.start_origin, size)
        port = stage.ORIGIN_PORT
        got += broken(run, on, "reset", lambda i: on.paths.refuse(i, port),
                      on.paths.heal, size)
    conclude(result, got, "killed or reset", 250)
    return result


def silent(run):
    """All packets of a server are dropped in the middle of a download."""
    result = Result("Silent in mid-transfer, four paths of 100 Mbit/s")
    size = 200 * MB // run.divide
    with stage.Stage(run, FOUR) as on:
        on.start_braid(run.template)
        got = broken(run, on, "silent", on.paths.silence, on.paths.heal, size)
    conclude(result, got, "silent", 2000)
    return result


ROWS = {"refs": refs, "four": four, "uneven": uneven, "kill": kill,
        "silent": silent, **loop_rows.ROWS}
