#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says how well flows of programs that no model has seen were told: the rows of
`run.py judge`, by the verdicts of the braidd that recorded them and, with
--model, by a model that is asked again. Looked at once: see README.md."""
import argparse
import collections
import functools
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

import judge_score as score
import table
from compiled import ROOT, CompiledModel, compile_builtin, features_of

SHELLS, COPIES = ("ssh-shell",), ("scp-down", "scp-up")
QUERIES = ("pgbench-select", "pgbench-tpcb", "psql-query")
DUMPS = ("psql-copy-out", "psql-copy-in", "pg-dump")
BULK_BYTES = 64 << 10
GOALS = {"accuracy": .9, "macro-F1": .85, "bulk": .9}
VERSIONS = (("nginx", "-v"), ("wrk", "-v"), ("psql", "--version"),
            ("ssh", "-V"), ("rsync", "--version"), ("git", "--version"),
            ("icecast2", "-v"), ("ffmpeg", "-version"),
            ("telnetd", "--version"))

# What is taken out of rows before a model is asked again.
NO_PORT = {"listener_port": "0", "protocol": "0", "protocol_kind": "0"}
FIRST_BYTES = re.compile("http_|tls_")


def _row(*cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def _table(names, rows):
    rule = "|" + "---|" + "---:|" * (len(names) - 1)
    return [_row(*names), rule, *(_row(*row) for row in rows), ""]


# -- what does not say how well --------------------------------------------

def describe(flows):
    """Flows, their sizes, durations and verdicts' number by program."""
    programs = collections.defaultdict(list)
    for flow in flows:
        programs[flow.kind, flow.program].append(flow)
    rows = []
    for (kind, name), some in sorted(programs.items()):
        rows.append((
            name, kind, len(some), sum(flow.port == "own" for flow in some),
            sum(flow.is_cold for flow in some),
            *(_spread(values) for values in (
                [flow.bytes[0] for flow in some],
                [flow.bytes[1] for flow in some],
                [flow.duration_ms for flow in some],
                [int(flow.rows[-1]["turns"]) for flow in some],
                [len(flow.rows) for flow in some]))))
    kinds = collections.Counter(flow.kind for flow in flows)
    return [
        ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items())) +
        f"; {len(flows)} flows of {len(programs)} programs.", "",
        "Each cell: least, median, most; turns as of the last verdict.", "",
        *_table(("program", "class", "flows", "own port", "cold", "bytes up",
                 "bytes down", "ms", "turns", "verdicts"), rows)]


def _spread(values):
    return f"{min(values)}, {statistics.median(values):.0f}, {max(values)}"


# -- what says it ----------------------------------------------------------

def _line(name, figures):
    return (name, figures.n, f"{figures.accuracy:.3f}",
            f"{figures.macro_f1:.3f}", f"{figures.unknown:.3f}",
            ", ".join(f"{kind} {figures.f1(kind):.2f}"
                      for kind in figures.classes))


HEAD = ("verdicts", "flows", "accuracy", "macro-F1", "unknown", "F1")


def goals(flows, ask):
    end = score.at_end(flows, ask)
    early = score.at_bytes(flows, BULK_BYTES, ask)
    rows = [("accuracy at the end", end.accuracy, GOALS["accuracy"]),
            ("macro-F1 at the end", end.macro_f1, GOALS["macro-F1"]),
            ("bulk by 64 KiB, recall", early.recall("bulk"), GOALS["bulk"]),
            ("bulk by 64 KiB, precision", early.precision("bulk"),
             GOALS["bulk"])]
    return _table(("goal", "is", "wanted", ""), [
        (name, f"{value:.3f}", f">= {goal}",
         "met" if value >= goal else "missed") for name, value, goal in rows])


def parts(flows, ask):
    """At the end, of parts of the flows."""
    chosen = [
        ("all", flows),
        ("own ports", [f for f in flows if f.port == "own"]),
        ("foreign ports", [f for f in flows if f.port != "own"]),
        ("cold: no history", [f for f in flows if f.is_cold]),
        ("warm: the second pass", [f for f in flows if f.which == "warm"])]
    rows = [_line(name, score.at_end(some, ask)) for name, some in chosen]
    names = list(dict.fromkeys(row["_checkpoint"] for flow in flows
                               for row in flow.rows))
    rows += [_line(f"at {name}", score.at_checkpoint(flows, name, ask))
             for name in names]
    rows.append(_line("first beyond 64 KiB",
                      score.at_bytes(flows, BULK_BYTES, ask)))
    return _table(HEAD, rows)


def matrix(figures):
    said = sorted({said for _, said in figures.count})
    return _table(("is, said to be", *said), [
        (kind, *(figures.count[kind, name] for name in said))
        for kind in figures.classes])


def apart(title, flows, one, other, ask):
    kinds, count = score.told_apart(flows, one, other, ask)
    if len(kinds) < 2:
        return [f"{title}: not in these rows.", ""]
    return [f"{title}:", "", *_table(
        ("is, said to be", *kinds, "another"),
        [(kind, *(count[kind, said] for said in (*kinds, "another")))
         for kind in kinds])]


def by_program(flows, ask):
    programs = collections.defaultdict(collections.Counter)
    for flow in flows:
        programs[flow.kind, flow.program][ask(flow.rows[-1])] += 1
    return _table(("program", "class", "right", "said at the end"), [
        (name, kind, f"{said[kind]} of {sum(said.values())}",
         ", ".join(f"{other} {n}" for other, n in said.most_common()))
        for (kind, name), said in sorted(programs.items())])


def blanked(flows, model):
    """At the end, asked again without some of what is known."""
    first = {name: "-1" if name == "http_length_kib" else "0"
             for name in features_of(flows[0].rows[0])
             if FIRST_BYTES.match(name)}
    rows = []
    for name, blank in (
            ("all features", {}),
            ("no port, no protocol", NO_PORT),
            ("nor HTTP and TLS fields", {**NO_PORT, **first}),
            ("no history", table.NO_HISTORY),
            ("none of these", {**NO_PORT, **first, **table.NO_HISTORY})):
        rows.append(_line(name, score.at_end(
            flows, lambda row, blank=blank: score.verdict_of(model, row, blank))))
    return _table(HEAD, rows)


def verdicts(flows, ask):
    return [*goals(flows, ask), *parts(flows, ask),
            *matrix(score.at_end(flows, ask)),
            *apart("SSH shells against scp", flows, SHELLS, COPIES, ask),
            *apart("Queries against COPY", flows, QUERIES, DUMPS, ask),
            *by_program(flows, ask)]


def by_trainer(program, model, flows, folder):
    """What braid-train says of the same last rows, without the threshold."""
    path = os.path.join(folder, "ends.csv")
    table.write([flow.rows[-1] for flow in flows], path)
    done = subprocess.run([program, "eval", "--model", model, path],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    return ["`braid-train eval` of the last rows, whatever the confidence: " +
            re.search(r"Accuracy [^\n]*", done.stdout).group(0), ""]


def asked_again(arguments, flows):
    with tempfile.TemporaryDirectory(prefix="braid-judge.") as folder:
        path = os.path.abspath(arguments.model) \
            if arguments.model != "builtin" else compile_builtin(folder)
        model = CompiledModel(path)
        ask = functools.partial(score.verdict_of, model)
        same = sum(ask(row) == row["_verdict"]
                   for flow in flows for row in flow.rows)
        n = sum(len(flow.rows) for flow in flows)
        lines = [f"## By the model {model.name}, asked again", "",
                 f"It says what braidd recorded in {same} of {n} rows.", "",
                 *blanked(flows, model)]
        if arguments.trainer:
            lines += by_trainer(arguments.trainer, path, flows, folder)
        if same != n:  # another model than the one of the recording
            lines += verdicts(flows, ask)
        return lines


# -- the report ------------------------------------------------------------

def _first_line(argv):
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False,
            env={**os.environ,
                 "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"})
    except OSError:
        return f"{argv[0]}: not installed"
    return ((done.stdout or done.stderr).splitlines() or [""])[0].strip()


def facts():
    git = ["git", "-C", ROOT, "-c", "safe.directory=*", "describe",
           "--always", "--dirty"]
    return [f"- kernel: {platform.release()}, {os.cpu_count()} cores",
            f"- commit: {_first_line(git)}",
            "- programs: " + "; ".join(map(_first_line, VERSIONS)), ""]


def report(arguments, flows):
    lines = [f"# Judge set of {time.strftime('%Y-%m-%d %H:%M')}", "", *facts(),
             "## The flows", "", *describe(flows)]
    if not arguments.blind:
        lines += ["## By the verdicts that were recorded", "",
                  *verdicts(flows, score.recorded)]
        if arguments.model:
            lines += asked_again(arguments, flows)
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", help="FILE.csv of run.py judge")
    parser.add_argument("--blind", action="store_true",
                        help="the flows only, and not how well they were told")
    parser.add_argument("--model", metavar="FILE.so|builtin",
                        help="ask it again, also without ports and protocols")
    parser.add_argument("--trainer", metavar="braid-train",
                        help="with --model: what its eval says")
    parser.add_argument("-o", "--output", metavar="FILE.md")
    arguments = parser.parse_args()
    try:
        flows = score.read(arguments.rows)
        if not flows:
            raise SystemExit(f"{arguments.rows}: no rows")
        text = report(arguments, flows)
        print(text)
        if arguments.output:
            with open(arguments.output, "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise SystemExit(f"judge.py: {error}") from None
    return 0


if __name__ == "__main__":
    sys.exit(main())
