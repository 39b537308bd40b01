#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How well classes are told of generators that were not learned from: by
braid-train's folds of whole generators, of all verdicts and at each checkpoint,
and without what ports and history say."""
import argparse
import csv
import os
import re
import subprocess
import tempfile

import table

NO_PORT = {"listener_port": "0"}
CHECKPOINTS = ("first", "answer", "16reads", "250ms", "1s", "4s", "16KiB",
               "64KiB", "1MiB")


def score(program, options, rows, folder):
    """(accuracy, macro-F1, F1 by class) over the folds."""
    path = os.path.join(folder, "rows.csv")
    table.write(rows, path)
    done = subprocess.run([program, "fit", "--balance", *options, path],
                          capture_output=True, text=True, check=True)
    # The folds' figures come first, and end where the matrix begins.
    text = done.stdout[:done.stdout.index("| is, said to be")]
    figures = re.search(r"Accuracy ([\d.]+), macro-F1 (\d\.\d+)", text)
    classes = re.findall(
        r"^\| (\w+) \| [\d.]+ \| [\d.]+ \| [\d.]+ \| ([\d.]+) \|$", text, re.M)
    return (*figures.groups(), ", ".join(f"{n} {f}" for n, f in classes))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trainer", required=True, help="braid-train")
    parser.add_argument("rows", help="FILE.csv of run.py train")
    parser.add_argument("options", nargs=argparse.REMAINDER,
                        help="of braid-train fit")
    arguments = parser.parse_args()
    with open(arguments.rows, encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    bare = [{**row, **NO_PORT, **table.NO_HISTORY} for row in rows]
    sets = [("all", rows),
            ("all, no port", [{**row, **NO_PORT} for row in rows]),
            ("all, no port, no history", bare)]
    sets += [(name, [row for row in rows if row["_checkpoint"] == name])
             for name in CHECKPOINTS]
    last = list({row["_flow"]: row for row in rows}.values())
    sets.append(("last of each flow", last))
    print("| verdicts | rows | accuracy | macro-F1 | F1 |\n"
          "|---|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory(prefix="braid-score.") as folder:
        for name, some in sets:
            if not some:
                continue
            accuracy, f1, classes = score(
                os.path.abspath(arguments.trainer), arguments.options, some,
                folder)
            print(f"| {name} | {len(some)} | {accuracy} | {f1} | {classes} |",
                  flush=True)


if __name__ == "__main__":
    main()
