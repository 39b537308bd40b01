#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How well a model says what it has not learned from: generators that were
left out, whole ones and each once, or with --ask the rows of another file. A
verdict that is not sure counts as unknown, as braidd takes it."""
import argparse
import collections
import csv
import os
import random
import subprocess
import tempfile

import table
from compiled import CompiledModel

FOLDS = 5
UNKNOWN = "unknown"
CHECKPOINTS = ("first", "answer", "16reads", "16KiB", "64KiB", "1MiB", "250ms",
               "1s", "4s")
LAST = "last of each flow"


class Model:
    def __init__(self, trainer, options, rows, folder):
        path = os.path.join(folder, "rows.csv")
        # A path of its own: the loader would hand out the last one again.
        self.path = tempfile.mktemp(".so", dir=folder)
        table.write(rows, path)
        done = subprocess.run(
            [trainer, "fit", *options, "--folds", "0", "--so", self.path,
             path], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        self.model = CompiledModel(self.path)

    def ask(self, rows):
        """The rows again, with what the model says of each."""
        asked = []
        for row in rows:
            said, is_sure = self.model.ask(row)
            asked.append({**row, "_said": said, "_known": is_sure})
        return asked


def deal(rows):
    """Generators to folds: each class evenly, the same every time."""
    kinds = collections.defaultdict(set)
    for row in rows:
        kinds[row["class"]].add(row["group"])
    fold = {}
    for groups in kinds.values():
        groups = sorted(groups)
        random.Random(1).shuffle(groups)
        fold.update({group: i % FOLDS for i, group in enumerate(groups)})
    return fold


def verdict(row):
    return row["_said"] if row["_known"] else UNKNOWN


def figures(rows):
    """Accuracy, macro-F1, what is unknown, F1 by class; each generator
    weighs the same."""
    count = collections.Counter(row["group"] for row in rows)
    told = collections.Counter()
    for row in rows:
        told[row["class"], verdict(row)] += 1 / count[row["group"]]
    total = sum(told.values())
    classes = sorted({row["class"] for row in rows})
    scores = {}
    for kind in classes:
        right = told[kind, kind]
        said = sum(n for (_, v), n in told.items() if v == kind)
        is_it = sum(n for (k, _), n in told.items() if k == kind)
        scores[kind] = (right / said if said else 0, right / is_it,
                        2 * right / (said + is_it))
    return (sum(told[kind, kind] for kind in classes) / total,
            sum(f1 for *_, f1 in scores.values()) / len(classes),
            sum(told[kind, UNKNOWN] for kind in classes) / total, scores)


def report(rows, details):
    print("| verdicts | rows | right | unknown | wrong | macro-F1 "
          "| F1 (precision, recall) |\n|---|---:|---:|---:|---:|---:|---|")
    last = list({row["_flow"]: row for row in rows}.values())
    for name, some in [("all", rows), *(
            (at, [row for row in rows if row["_checkpoint"] == at])
            for at in CHECKPOINTS), (LAST, last)]:
        if not some:
            continue
        right, f1, unknown, scores = figures(some)
        text = ", ".join(f"{kind} {f:.2f} ({p:.2f}, {r:.2f})"
                         for kind, (p, r, f) in scores.items())
        print(f"| {name} | {len(some)} | {right:.3f} | {unknown:.3f} "
              f"| {1 - right - unknown:.3f} | {f1:.3f} | {text} |")
    if not details:
        return
    told = collections.defaultdict(collections.Counter)
    for row in last:
        told[row["group"]][verdict(row)] += 1
    print("\n| generator | flows | last verdicts |\n|---|---:|---|")
    for group, counter in sorted(told.items()):
        text = ", ".join(f"{kind} {n}" for kind, n in counter.most_common())
        print(f"| {group} | {sum(counter.values())} | {text} |")


def read(path):
    with open(path, encoding="ascii", newline="") as file:
        return list(csv.DictReader(file))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trainer", required=True, help="braid-train")
    parser.add_argument("--ask", metavar="FILE.csv",
                        help="learn from all rows, ask about these")
    parser.add_argument("--only", metavar="CHECKPOINT",
                        help="learn and ask at this one alone")
    parser.add_argument("--no-port", action="store_true")
    parser.add_argument("--no-history", action="store_true")
    parser.add_argument("--generators", action="store_true",
                        help="a line for each generator, too")
    parser.add_argument("rows", help="FILE.csv of run.py train")
    parser.add_argument("options", nargs=argparse.REMAINDER,
                        help="of braid-train fit")
    arguments = parser.parse_args()
    sets = [read(path) for path in (arguments.rows, arguments.ask) if path]
    for rows in sets:
        for row in rows:
            if arguments.no_port:
                row["listener_port"] = "0"
            if arguments.no_history:
                row.update(table.NO_HISTORY)
    if arguments.only:
        sets = [[row for row in rows if row["_checkpoint"] == arguments.only]
                for rows in sets]
    trainer = os.path.abspath(arguments.trainer)
    with tempfile.TemporaryDirectory(prefix="braid-score.") as folder:
        if arguments.ask:
            asked = Model(trainer, arguments.options, sets[0],
                          folder).ask(sets[1])
        else:
            asked = []
            fold = deal(sets[0])
            for i in range(FOLDS):
                parts = [[row for row in sets[0]
                          if (fold[row["group"]] == i) == asked]
                         for asked in (False, True)]
                asked += Model(trainer, arguments.options, parts[0],
                               folder).ask(parts[1])
    report(asked, arguments.generators)


if __name__ == "__main__":
    main()
