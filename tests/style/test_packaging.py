#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is shipped beside the programs fits them: the metrics of the dashboard
and of the alerts exist, the configurations load, and docs/from-haproxy.md
names keys that are there and every directive of HAProxy's manual.
usage: test_packaging.py BIN_FOLDER"""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BIN = ""
MANUAL = "/usr/share/doc/haproxy/configuration.txt.gz"


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


def metrics():
    """Name to type, from the table that is printed from the source."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", read("docs/metrics.md"),
                      re.M)
    return dict(rows)


def used(expression):
    """Metrics of a PromQL expression: what is ours by its prefix."""
    return set(re.findall(r"\b((?:braid|process)_\w+)\b", expression))


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=False)


class Metrics(unittest.TestCase):
    def assert_known(self, expression, where):
        table = metrics()
        self.assertGreater(len(table), 50)
        names = used(expression)
        self.assertTrue(names, f"{where}: no metric in {expression}")
        for name in names:
            base = re.sub("_(bucket|sum|count)$", "", name)
            if table.get(base) == "histogram":
                self.assertNotEqual(base, name, f"{where}: {name} has no "
                                    "sample of this name")
            else:
                # An info metric's sample has a suffix that its row has not.
                self.assertIn(name, table, where)

    def test_dashboard(self):
        board = json.loads(read("packaging/grafana/braid.json"))
        ids = [panel["id"] for panel in board["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        places = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(cells & places, f"{panel['title']} overlaps")
            places |= cells
            if panel["type"] != "row":
                self.assertTrue(panel["targets"], panel["title"])
            for target in panel.get("targets", []):
                self.assert_known(target["expr"], panel["title"])
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                self.assert_known(variable["definition"], variable["name"])
        for note in board["annotations"]["list"]:
            self.assert_known(note["expr"], note["name"])

    def test_alerts(self):
        import yaml
        groups = yaml.safe_load(read("packaging/prometheus/alerts.yaml"))
        rules = [rule for group in groups["groups"]
                 for rule in group["rules"]]
        names = [rule["alert"] for rule in rules]
        self.assertGreater(len(names), 5)
        self.assertEqual(len(names), len(set(names)))
        for rule in rules:
            self.assert_known(rule["expr"], rule["alert"])
            self.assertIn(rule["labels"]["severity"],
                          ("critical", "warning", "info"))
            self.assertTrue(rule["annotations"]["summary"])

    def test_promtool_agrees(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")
        done = run("promtool", "check", "rules",
                   os.path.join(ROOT, "packaging/prometheus/alerts.yaml"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Scripts(unittest.TestCase):
    def test_maintainer_scripts_are_shell(self):
        for name in ("postinst", "prerm", "postrm"):
            path = os.path.join(ROOT, "packaging/debian", name)
            done = run("sh", "-n", path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(os.access(path, os.X_OK), name)

    def test_configuration_as_installed(self):
        done = run(os.path.join(BIN, "braidd"), "-c", "-f",
                   os.path.join(ROOT, "packaging/braid.yaml"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class FromHaproxy(unittest.TestCase):
    page = read("docs/from-haproxy.md")

    def example(self, language):
        found = re.findall(rf"^```{language}\n(.*?)^```", self.page,
                           re.S | re.M)
        self.assertEqual(len(found), 1, language)
        return found[0]

    def check(self, program, options, text):
        with tempfile.NamedTemporaryFile("w", suffix=".cfg") as f:
            f.write(text)
            f.flush()
            return run(program, *options, f.name)

    def test_example_for_braid(self):
        done = self.check(os.path.join(BIN, "braidd"), ("-c", "-f"),
                          self.example("yaml"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("2 listeners, 2 pools, 4 servers", done.stdout)

    def test_example_for_haproxy(self):
        path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        program = shutil.which("haproxy", path=path)
        if not program:
            self.skipTest("haproxy is not installed")
        # It looks up whom it will become.
        text = re.sub(r"^    (user|group|stats socket) .*\n", "",
                      self.example("haproxy"), flags=re.M)
        done = self.check(program, ("-c", "-f"), text)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_keys_exist(self):
        keys = set(re.findall(r"`((?:global|api|limits|upgrade|listeners|"
                              r"pools)\.[\w.*]+)`", self.page))
        self.assertGreater(len(keys), 30)
        for key in sorted(keys):
            done = run(os.path.join(BIN, "braidctl"), "explain", key)
            self.assertEqual(done.returncode, 0, f"{key}: {done.stderr}")

    def words(self):
        """What stands in backticks; a pattern such as tune.lua.* too."""
        text = re.sub(r"^```.*?^```", "", self.page, flags=re.S | re.M)
        return {re.sub(r"\s+", " ", word)
                for word in re.findall(r"`([^`]+)`", text)}

    def test_every_directive_is_named(self):
        if not os.path.exists(MANUAL):
            self.skipTest("haproxy-doc is not installed")
        with gzip.open(MANUAL, "rt", encoding="utf-8") as f:
            manual = f.read()
        matrix = manual.split("\n4.1. Proxy keywords matrix")[2 - 1]
        matrix = matrix.split("\n4.2. ")[0]
        wanted = set(re.findall(r"^([a-z][a-z_.-]*(?: [a-z0-9.-]+)*) +"
                                r"(?:\(.*?\))? +[X-]", matrix, re.M))
        options = manual.split("\n5.1. Bind options")[-1]
        options = options.split("\n5.3. ")[0]
        wanted |= set(re.findall(
            r"^([a-z][a-z0-9-]+)(?: [\[<{].*| \w+)?\n(?=  )", options, re.M))
        listed = manual.split("\n3. Global parameters")[1]
        listed = listed.split("\n3.1. ")[0]
        wanted |= set(re.findall(r"^   - ([a-z0-9][\w.-]+)", listed, re.M))
        self.assertGreater(len(wanted), 350)
        words = self.words()
        starts = tuple(word[:-1] for word in words if word.endswith("*")
                       and " " not in word)
        heads = {word.split(" ")[0] for word in words}
        missing = {word for word in wanted
                   if word not in words and not word.startswith(starts)
                   and (" " in word or word not in heads)}
        self.assertEqual(missing, set())


if __name__ == "__main__":
    BIN = sys.argv.pop(1)
    unittest.main()
