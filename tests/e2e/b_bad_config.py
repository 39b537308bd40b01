#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.braidd import Braid, sanitizer_env, suspicious

BAD = """\
listeners:
  web:
    bind: "127.0.0.1:8080"
    pool: origin
    max_connection: 5
  dns: {bind: "udp:127.0.0.1:53", pool: origins}
pools:
  origins:
    balance: random
    servers:
      a: {address: "127.0.0.1:9001", weigth: 3}
      b: {address: "localhost"}
    connect: {timeout: 5}
    shard: {stream: auto}
"""
WANT = {
    4: ["origin", 'did you mean "origins"'],
    5: ["max_connection", 'did you mean "max_connections"'],
    6: ["udp"],
    9: ["balance", "random"],
    11: ["weigth", 'did you mean "weight"'],
    12: ["localhost"],
    13: ["connect.timeout", "5"],
    14: ["not in this version"],
}


def test(s):
    """A bad configuration: exit 78 and every error in one pass, each with its
    place; a good one: exit 0; a file that cannot be read, a wrong option."""
    program = os.path.join(s.bin, "braidd")

    def braidd(*arguments, prefix=()):
        done = s.run([*prefix, program, *arguments], check=False,
                     env=sanitizer_env())
        s.equal(suspicious(done.stderr), None, "reports of sanitizers")
        return done

    bad = s.write("bad.yaml", BAD)
    for arguments in (("-c", "-f", bad), ("-f", bad)):
        done = braidd(*arguments)
        s.equal(done.returncode, 78, f"{' '.join(arguments)}: exit code")
        lines = done.stderr.splitlines()
        for number, words in WANT.items():
            found = [line for line in lines
                     if line.startswith(f"{bad}:{number}:")]
            s.check(len(found) == 1 and all(w in found[0] for w in words),
                    f"line {number}: {' '.join(found)[len(bad):]}")
        s.equal(len(lines), len(WANT), "lines in all")

    good = s.write("good.yaml", """\
listeners:
  web: {bind: "127.0.0.1:8080", pool: origins}
pools:
  origins:
    servers:
      a: {address: "127.0.0.1:9001"}
""")
    done = braidd("-c", "-f", good)
    s.equal((done.returncode, done.stderr), (0, ""), "a good file")
    s.check("1 listener, 1 pool, 1 server" in done.stdout, "its counts")
    done = braidd("-c", "-f", s.path("missing.yaml"))
    s.check(done.returncode == 78 and "missing.yaml" in done.stderr,
            f"a missing file: {done.returncode}, {done.stderr.strip()}")
    done = braidd("-c", "-f", s.folder)
    s.check(done.returncode == 78 and s.folder in done.stderr,
            f"a folder: {done.returncode}, {done.stderr.strip()}")
    s.equal(braidd("--nonsense").returncode, 64, "a wrong option")
    s.equal(braidd("-c", "-f", good, "more").returncode, 64, "an argument")
    done = braidd("-V")
    s.check(done.returncode == 0 and done.stdout.startswith("braidd "),
            f"-V: {done.stdout.strip()}")
    if s.is_root:
        hidden = Braid(s, "{}", user="nobody", wait=False, preexec=lambda: (
            os.chmod(s.path("braidd.yaml"), 0o600)))
        s.equal(hidden.exit_code(), 77, "a file that may not be read")
        s.check("braidd.yaml" in hidden.process.output(),
                f"it is named: {hidden.process.output().strip()}")


scenario.run(test, user="nobody")
