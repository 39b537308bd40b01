#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The figures of the judge set (bench/workloads/judge.py): by hand, and against
what braid-train counts of the same rows. usage: test_judge.py BIN_FOLDER"""

import argparse
import csv
import functools
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "bench/workloads"))

# pylint: disable=wrong-import-position
import judge  # noqa: E402
import judge_run  # noqa: E402
import judge_score  # noqa: E402
from compiled import CompiledModel, compile_builtin  # noqa: E402
from judge_score import Figures, Flow, verdict_of  # noqa: E402

TRAIN = ""
FEATURES = ("listener_port", "protocol", "protocol_kind", "up_bytes",
            "down_bytes", "turns", "http_length_kib", "tls_sni",
            "history_flows", "history_kib", "history_kbps", "history_ms")
KINDS = ("bulk", "push", "request")


def make_row(flow, kind, verdict="unknown", checkpoint="first", **values):
    return {"_flow": str(flow), "_listener": f"{kind}-0", "_pass": "cold",
            "_port": "own", "_checkpoint": checkpoint, "_verdict": verdict,
            "_up_bytes": "10", "_down_bytes": "20", "_duration_ms": "30",
            "class": kind, "group": f"{kind}-{flow % 6}",
            **{name: str(values.get(name, 0)) for name in FEATURES}}


def random_rows(seed, kinds=KINDS):
    """Mostly told by bytes, ports and history; some not at all."""
    draw = random.Random(seed)
    rows = []
    for flow in range(300):
        kind = draw.choice(kinds)
        k = KINDS.index(kind) if draw.random() < .8 else draw.randrange(3)
        rows.append(make_row(
            flow, kind, draw.choice(kinds), listener_port=k,
            up_bytes=draw.randrange(1000) * (k + 1),
            history_flows=k + draw.randrange(2)))
    return rows


def write(path, rows):
    with open(path, "w", encoding="ascii", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
    return path


def flow_of(kind, *rows, program="p", which="cold", port="own"):
    return Flow(kind, program, which, port, list(rows))


def ask_of(model):
    return functools.partial(verdict_of, model)


def run(*argv):
    return subprocess.run([TRAIN, *argv], capture_output=True, text=True,
                          check=True).stdout


class ByHand(unittest.TestCase):
    def test_figures(self):
        f = Figures([("bulk", "bulk")] * 6 + [("bulk", "push")] * 2 +
                    [("push", "push")] * 3 + [("push", "unknown")] +
                    [("push", "stream")])
        self.assertEqual(f.n, 13)
        self.assertEqual(f.classes, ["bulk", "push", "stream"])
        self.assertAlmostEqual(f.accuracy, 9 / 13)
        self.assertAlmostEqual(f.unknown, 1 / 13)
        self.assertAlmostEqual(f.recall("bulk"), 6 / 8)
        self.assertAlmostEqual(f.precision("bulk"), 1)
        self.assertAlmostEqual(f.recall("push"), 3 / 5)
        self.assertAlmostEqual(f.precision("push"), 3 / 5)
        self.assertAlmostEqual(f.f1("bulk"), 12 / 14)
        self.assertAlmostEqual(f.macro_f1, (12 / 14 + 6 / 10 + 0) / 3)
        self.assertEqual(Figures([]).macro_f1, 0)

    def test_which_verdict_counts(self):
        flows = [
            flow_of("bulk", make_row(1, "bulk", "request"),
                    make_row(1, "bulk", "push", "16KiB", down_bytes=20000),
                    make_row(1, "bulk", "bulk", "1MiB", up_bytes=40000,
                             down_bytes=40000),
                    make_row(1, "bulk", "push", "4s", down_bytes=10**7)),
            flow_of("push", make_row(2, "push", "push"))]
        end = judge_score.at_end(flows)
        self.assertEqual(end.count, {("bulk", "push"): 1,
                                     ("push", "push"): 1})
        at = judge_score.at_checkpoint(flows, "first")
        self.assertEqual(at.count, {("bulk", "request"): 1,
                                    ("push", "push"): 1})
        early = judge_score.at_bytes(flows, 65536)
        self.assertEqual(early.count, {("bulk", "bulk"): 1})

    def test_told_apart(self):
        flows = [flow_of(kind, make_row(i, kind, said), program=program)
                 for i, (kind, said, program) in enumerate((
                     ("bulk", "bulk", "scp"), ("bulk", "push", "scp"),
                     ("interactive", "bulk", "shell"),
                     ("interactive", "interactive", "shell"),
                     ("push", "push", "other")))]
        kinds, count = judge_score.told_apart(flows, ("shell",), ("scp",))
        self.assertEqual(kinds, ["bulk", "interactive"])
        self.assertEqual(count, {
            ("bulk", "bulk"): 1, ("bulk", "another"): 1,
            ("interactive", "bulk"): 1, ("interactive", "interactive"): 1})

    def test_cold(self):
        self.assertTrue(flow_of("bulk", make_row(1, "bulk")).is_cold)
        self.assertFalse(flow_of("bulk", make_row(1, "bulk"), make_row(
            1, "bulk", history_flows=1)).is_cold)

    def test_no_program_outvotes_others(self):
        rows = []
        for flow in range(100):
            for listener in ("a", "b"):
                row = make_row(flow * 2 + (listener == "b"), "bulk")
                row["_listener"] = listener
                rows += [row, dict(row)]
        rows.append(dict(rows[0], _flow="last", _pass="warm"))
        manifest = {"a": ("bulk", "p", "own"), "b": ("push", "q", "foreign")}
        kept = judge_run.label(rows, manifest)
        flows = {(row["_listener"], row["_pass"], row["_flow"])
                 for row in kept}
        most = judge_run.MOST_FLOWS
        self.assertEqual(len(flows), 2 * most + 1)
        # Whole flows, from all over the pass.
        self.assertEqual(len(kept), 2 * 2 * most + 1)
        self.assertEqual([row["_flow"] for row in kept
                          if row["_listener"] == "a"][:-1:2],
                         ["0", "50", "100", "150"])
        self.assertEqual({(row["class"], row["group"], row["_port"])
                          for row in kept}, set(manifest.values()))


class AgainstTheTrainer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # pylint: disable=consider-using-with
        cls.folder = tempfile.TemporaryDirectory(prefix="braid-test-judge.")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.rows = write(cls.path("rows.csv"), random_rows(1))
        cls.model = cls.path("m.so")
        run("fit", "--folds", "0", "--so", cls.model, cls.rows)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    def model_of_all(self):  # whatever its confidence
        model = CompiledModel(self.model)
        model.sure = model.sure_first = 0
        return model

    def test_same_figures(self):
        """Of rows that the model has not seen, and of a part of the classes
        too, of which it says one that is not there."""
        for kinds in (KINDS, KINDS[:2]):
            path = write(self.path("fresh.csv"), random_rows(2, kinds))
            said = run("eval", "--model", self.model, path)
            wanted = re.search(r"Accuracy ([\d.]+), macro-F1 ([\d.]+[\d])",
                               said).groups()
            end = judge_score.at_end(judge_score.read(path),
                                     ask_of(self.model_of_all()))
            self.assertLess(end.accuracy, 1)
            self.assertEqual((f"{end.accuracy:.4f}", f"{end.macro_f1:.4f}"),
                             wanted, kinds)

    def test_unsure_is_unknown(self):
        """More is asked of the first verdict, as profiler/profile.h has it."""
        flows = judge_score.read(self.rows)
        model = CompiledModel(self.model)
        self.assertTrue(0 < model.sure <= model.sure_first < 10000)
        model.sure, model.sure_first = 0, 10001
        self.assertEqual(judge_score.at_end(flows, ask_of(model)).unknown, 1)
        for flow in flows:
            flow.rows[0]["_checkpoint"] = "answer"
        self.assertEqual(judge_score.at_end(flows, ask_of(model)).unknown, 0)

    def test_without_ports(self):
        flows = judge_score.read(self.rows)
        model = self.model_of_all()
        row = dict(flows[0].rows[0])
        blind = judge_score.at_end(
            flows, lambda row: verdict_of(model, row, judge.NO_PORT))
        self.assertLess(blind.accuracy,
                        judge_score.at_end(flows, ask_of(model)).accuracy)
        self.assertEqual(flows[0].rows[0], row)

    def test_builtin(self):
        source = self.path("builtin.c")
        run("fit", "--folds", "0", "--builtin", "-o", source, self.rows)
        built = CompiledModel(compile_builtin(
            self.folder.name, source))
        other = CompiledModel(self.model)
        for flow in judge_score.read(self.rows):
            self.assertEqual(built.ask(flow.rows[0]), other.ask(flow.rows[0]))

    def test_report(self):
        flows = judge_score.read(self.rows)
        wanted = argparse.Namespace(blind=False, model=self.model,
                                    trainer=TRAIN)
        text = judge.report(wanted, flows)
        eval_says = run("eval", "--model", self.model, self.rows)
        self.assertIn(re.search(r"Accuracy [^\n]*", eval_says).group(0), text)
        self.assertIn("| none of these | 300 |", text)

    def test_blind_is_blind(self):
        """Whatever was said, the same text: nothing of it shows."""
        wanted = argparse.Namespace(blind=True, model=self.model)
        flows = judge_score.read(self.rows)
        text = judge.report(wanted, flows)
        for flow in flows:
            for row in flow.rows:
                row["_verdict"], row["_confidence"] = "bulk", "9999"
        self.assertEqual(judge.report(wanted, flows), text)

    def test_other_files_are_refused(self):
        rows = random_rows(1)
        for row in rows:
            del row["_pass"]
        path = write(self.path("other.csv"), rows)
        with self.assertRaisesRegex(SystemExit, "no column _pass"):
            judge_score.read(path)


if __name__ == "__main__":
    TRAIN = os.path.join(os.path.abspath(sys.argv.pop(1)), "braid-train")
    unittest.main()
