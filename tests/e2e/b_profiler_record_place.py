#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import pwd

from lib import scenario
from lib.braidd import Braid
from lib.origins import Origin, echo
from lib.records import config, firsts, visit
from lib.scenario import NAMELESS, NOBODY


def test(s):
    """Where flows cannot be recorded: braidd -c refuses what is a folder and
    warns of a folder that is not there or that its user cannot write in; so
    does a reload, and flows are recorded as soon as there is one."""
    origin = Origin(s, echo)
    port = s.port()
    folder = s.make_folder("records", NAMELESS)
    closed = s.make_folder("records/closed", NAMELESS)
    os.chmod(closed, 0o500)
    later = os.path.join(folder, "later")
    user = str(NAMELESS) if s.is_root else pwd.getpwuid(os.geteuid()).pw_name
    prefix = ["setpriv", f"--reuid={NAMELESS}", f"--regid={NOBODY}",
              "--clear-groups"] if s.is_root else []
    b = Braid(s, config(port, origin.text, os.path.join(folder, "flows.csv")))

    def check(path, status, *words):
        b.write_config(config(port, origin.text, path))
        done = s.run([*prefix, b.readable("braidd"), "-c", "-f", b.file],
                     check=False)
        lines = [line for line in done.stderr.splitlines()
                 if "profiler.record" in line]
        s.equal((done.returncode, len(lines)), (status, len(words)),
                f"{path}: exit status, lines {lines}")
        for line, word in zip(lines, words):
            s.check(word in line, line)

    def cannot(where, why):
        return (f"warning: profiler.record: nothing is recorded as long as "
                f"user {user} cannot write in folder {where}: {why}")

    check("/", 78, 'want a file, but "/" ends as a folder does')
    check(folder + "/", 78, 'ends as a folder does')
    check(folder, 78, f"{folder} is a folder, want a file in it")
    check(f"{later}/flows.csv", 0,
          cannot(later, "No such file or directory"))
    check(f"{b.file}/flows.csv", 0, cannot(b.file, "Not a directory"))
    check(f"{closed}/flows.csv", 0, cannot(closed, "Permission denied"))
    check(f"{folder}/flows.csv", 0)

    b.write_config(config(port, origin.text, folder))
    answer = b.ctl_answer("reload")
    s.equal(answer["exit"], 78, "a reload with a folder")
    path = os.path.join(later, "flows.csv")
    b.reload(config(port, origin.text, path))
    visit(port, 2)
    line = b.wait_event("flows are not recorded", file=path)
    s.equal((line["cause"], line["user"], line["retry"]),
            ("open: No such file or directory", user, "10s"),
            "the log: why, who, and when again")
    # Another path is tried at once.
    s.make_folder("records/later", NAMELESS)
    b.reload(config(port, origin.text, path + "2"))
    visit(port, 2)
    s.until(lambda: firsts(path + "2") == 2, "flows are recorded")
    b.stop()
    if s.is_root:
        # Root could write there, who it becomes cannot.
        path = os.path.join(s.make_folder("of-root"), "flows.csv")
        root = Braid(s, config(s.port(), origin.text, path), user="root",
                     name="root")
        s.until(lambda: f"user nobody cannot write in the folder of {path}: "
                "no flow is recorded" in root.process.output(), "it is warned")
        root.stop()


scenario.run(test, user="nobody")
