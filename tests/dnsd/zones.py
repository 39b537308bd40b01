#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden zone files: each *.zone of zones/ is read as example.org, and what
comes out is compared with *.ok (its records) or *.err (its errors).

    zones.py ZONE_DUMP            compares
    zones.py ZONE_DUMP -u         writes what comes out; read it before you
                                  check it in
    zones.py ZONE_DUMP --field    compares with named-compilezone and
                                  ldns-read-zone: equal records from what we
                                  take, and what they refuse we refuse. A line
                                  with "; ours: why" is one that only we refuse.
                                  Exits with 77 where they are not installed.

And checks.txt: zones, what is said about them, and the verdict of
named-checkzone.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "zones")
CHECKS = os.path.join(os.path.dirname(GOLDEN), "checks.txt")
ORIGIN = "example.org"
PRELUDE = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"
SKIPPED = 77
SECONDS = 600
NOT_BIND = {
    "mark.zone": "a byte order mark",
}
# ldns 1.8 refuses these, or reads something else from them.
NOT_LDNS = {
    "include.zone": "$INCLUDE",
    "svcb.zone": "key1= with the bytes of an alpn",
    "syntax.zone": "parentheses around owner and type",
    "ttl_none.zone": "a TTL that only the SOA gives",
}


class Zones:
    def __init__(self, dump, folder):
        self.dump = os.path.abspath(dump)
        self.folder = folder
        self.names = sorted(n for n in os.listdir(folder)
                            if n.endswith(".zone"))
        self.findings = []

    def run(self, *args):
        done = subprocess.run(args, cwd=self.folder, capture_output=True,
                              timeout=SECONDS)
        return (done.returncode, done.stdout.decode("utf-8", "replace"),
                done.stderr.decode("utf-8", "replace"))

    def say(self, name, text):
        self.findings.append(f"{name}: {text}")

    def read(self, path):
        """Exit code and lines of zone_dump."""
        code, out, err = self.run(self.dump, path, ORIGIN)
        if code not in (0, 1) or err:
            raise RuntimeError(f"zone_dump {path}: {code}: {err}")
        return code, out

    def report(self):
        for finding in self.findings:
            print(finding)
        print(f"{len(self.names)} zones, {len(self.findings)} findings")
        return 1 if self.findings else 0

    # -- golden ------------------------------------------------------------

    def golden(self, update):
        for name in self.names:
            code, out = self.read(name)
            stem = os.path.join(self.folder, name[:-len(".zone")])
            path = stem + (".err" if code else ".ok")
            other = stem + (".ok" if code else ".err")
            if update:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(out)
                if os.path.exists(other):
                    os.remove(other)
                continue
            if os.path.exists(other):
                self.say(name, f"{os.path.basename(other)} is there, "
                               f"but the exit code is {code}")
            try:
                with open(path, encoding="utf-8") as file:
                    expected = file.read()
            except FileNotFoundError:
                self.say(name, f"no {os.path.basename(path)}")
                continue
            for mine, theirs in zip(out.splitlines() + [""],
                                    expected.splitlines() + [""]):
                if mine != theirs:
                    self.say(name, f"got      {mine}\n"
                                   f"expected {theirs}")
                    break
            else:
                if out != expected:
                    self.say(name, "more or fewer lines than expected")

    # -- checks ------------------------------------------------------------

    @staticmethod
    def sections(text):
        """(head, zone, what is said) of each."""
        return re.findall(r"^== (.*)\n((?:(?!=>).*\n)*)=>\n((?:(?!==).*\n)*)",
                          text, re.M)

    def check(self, zone):
        """Exit code and what is said of a zone of that text."""
        with tempfile.TemporaryDirectory(prefix="braid-zones-") as folder:
            path = os.path.join(folder, "zone")
            with open(path, "w", encoding="utf-8") as file:
                file.write(PRELUDE + zone)
            code, out, err = self.run(self.dump, path, ORIGIN, "--zone")
            theirs = self.run("named-checkzone", "-i", "local", ORIGIN, path
                              )[0] if shutil.which("named-checkzone") else None
        if code not in (0, 1) or err:
            raise RuntimeError(f"zone_dump: {code}: {err}")
        said = "".join(line + "\n" for line in out.splitlines()
                       if re.match("error|warning|/", line))
        return code, said.replace(path, "zone"), theirs

    def checks(self, update):
        with open(CHECKS, encoding="utf-8") as file:
            text = file.read()
        begin = text.index("\n== ") + 1
        parts = [text[:begin]]
        for head, zone, expected in self.sections(text):
            _, said, _ = self.check(zone)
            parts += [f"== {head}\n", zone, "=>\n", said]
            if said != expected and not update:
                self.say(head, f"is said:\n{said}expected:\n{expected}")
        if len(parts) < 5:
            self.say("checks.txt", "has no zones")
        if update:
            with open(CHECKS, "w", encoding="utf-8") as file:
                file.write("".join(parts))

    def checks_field(self):
        with open(CHECKS, encoding="utf-8") as file:
            text = file.read()
        for head, zone, _ in self.sections(text):
            ours, said, theirs = self.check(zone)
            if (ours != 0) == (theirs != 0):
                if "; differs: " in head:
                    self.say(head, "does not differ")
            elif "; differs: " not in head:
                self.say(head, f"named-checkzone {theirs}, we {ours}: {said}")

    # -- others ------------------------------------------------------------

    def canonical(self, text):
        """Another program's output in our words, sorted."""
        with tempfile.NamedTemporaryFile("w", suffix=".zone") as file:
            file.write(text)
            file.flush()
            code, out = self.read(file.name)
        if code:
            raise RuntimeError(f"cannot read what came out: {out}")
        return sorted(out.splitlines())

    def compare(self, name, program, text, sorted_by_case=True):
        mine = sorted(self.read(name)[1].splitlines())
        theirs = self.canonical(text)
        if not sorted_by_case:
            mine = sorted(line.lower() for line in mine)
            theirs = sorted(line.lower() for line in theirs)
        for line in mine:
            if line not in theirs:
                self.say(name, f"not in {program}: {line}")
        for line in theirs:
            if line not in mine:
                self.say(name, f"only in {program}: {line}")

    def compilezone(self, path):
        return self.run("named-compilezone", "-k", "ignore", "-i", "none",
                        "-r", "ignore", "-s", "full", "-o", "-", ORIGIN, path)

    def good(self, name):
        if name in NOT_BIND:
            return
        code, out, err = self.compilezone(name)
        if code:
            self.say(name, f"named-compilezone refuses it: {err}")
            return
        records = [line for line in out.splitlines() if line[:1] != ";"]
        self.compare(name, "named-compilezone",
                     "\n".join(records[:-1] if records[-1] == "OK"
                               else records) + "\n")
        if name in NOT_LDNS:
            return
        # It knows no origin but what is in the file.
        with open(os.path.join(self.folder, name), "rb") as file:
            text = file.read()
        with open(os.path.join(self.folder, "one"), "wb") as file:
            file.write(f"$ORIGIN {ORIGIN}.\n".encode() + text)
        code, out, err = self.run("ldns-read-zone", "one")
        if code:
            self.say(name, f"ldns-read-zone refuses it: {err}")
        else:
            self.compare(name, "ldns-read-zone", out, sorted_by_case=False)

    def bad(self, name):
        """Each line with an error, alone in a zone that is good."""
        _, out = self.read(name)
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            lines = file.read().split("\n")
        wrong = {int(m[1]) for m in re.finditer(r"^[^:]+:(\d+):", out, re.M)}
        refused_by_us = 0
        for number, line in enumerate(lines, 1):
            if not line or line.startswith(";") or line == "$TTL 60":
                continue
            with open(os.path.join(self.folder, "one"), "w",
                      encoding="utf-8") as file:
                file.write(f"{PRELUDE}{line}\n")
            theirs = self.compilezone("one")[0]
            ours = self.read("one")[0]
            refused_by_us += ours
            if theirs and not ours:
                self.say(name, f"line {number}: named-compilezone refuses "
                               f"what we take: {line}")
            if ours and not theirs and "; ours" not in line:
                self.say(name, f"line {number}: we refuse what "
                               f"named-compilezone takes: {line}")
            if ours and number not in wrong:
                self.say(name, f"line {number} has no error in the whole")
        if not refused_by_us:
            self.say(name, "none of its lines is wrong")

    def field(self):
        for name in self.names:
            if self.read(name)[0] == 0:
                self.good(name)
            elif name in ("bad_data.zone", "bad_entries.zone"):
                self.bad(name)
            elif not self.compilezone(name)[0]:
                self.say(name, "named-compilezone takes it")


def main():
    dump, *options = sys.argv[1:]
    if "--field" not in options:
        zones = Zones(dump, GOLDEN)
        zones.golden("-u" in options)
        zones.checks("-u" in options)
        return zones.report()
    for program in ("named-compilezone", "ldns-read-zone"):
        if not shutil.which(program):
            print(f"{program} is not installed")
            return SKIPPED
    with tempfile.TemporaryDirectory(prefix="braid-zones-") as folder:
        zones = Zones(dump, shutil.copytree(GOLDEN,
                                            os.path.join(folder, "zones")))
        zones.field()
        zones.checks_field()
    return zones.report()


if __name__ == "__main__":
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    sys.exit(main())
