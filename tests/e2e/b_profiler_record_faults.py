#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import contextlib
import os
import pwd
import stat

from lib import scenario
from lib.braidd import Braid
from lib.origins import Origin, echo
from lib.records import config, firsts, rows, visit
from lib.scenario import NAMELESS

FULL = 64 << 10
NAME = (str(NAMELESS) if os.geteuid() == 0
        else pwd.getpwuid(os.geteuid()).pw_name)
NOT = "flows are not recorded"


class Recording:
    """Each case has a file of its own, told by a reload."""

    def __init__(self, s):
        self.s = s
        self.origin = Origin(s, echo)
        self.port = s.port()
        self.folder = s.make_folder("records", NAMELESS)
        self.n_files = 0
        self.new_path()
        self.b = Braid(s, self.config())

    def new_path(self):
        self.n_files += 1
        self.path = os.path.join(self.folder, f"flows-{self.n_files}.csv")
        return self.path

    def config(self, **more):
        return config(self.port, self.origin.text, self.path, **more)

    def begin(self, prepare=None, **more):
        """A path at which `prepare` has done something."""
        self.new_path()
        if prepare:
            prepare()
        self.b.reload(self.config(**more))

    def flows(self, n, *paths):
        """n flows more in the files together, which are the current one if
        not said."""
        paths = paths or (self.path,)
        before = None
        while before != (before := firsts(*paths)):
            pass  # a file that was renamed meanwhile was counted twice
        visit(self.port, n)
        self.s.until(lambda: firsts(*paths) == before + n,
                     f"{n} more flows are recorded")

    def counted(self, name):
        return self.b.metrics().total(f"braid_recorded_{name}_total")

    def refused(self, words):
        """Flows are served, the log says why they are not recorded, once,
        and rows are counted."""
        lost = self.counted("rows_lost")
        visit(self.port, 3)
        line = self.b.wait_event(NOT, file=self.path)
        self.s.check(words in line["cause"], f"the cause: {line['cause']}")
        visit(self.port, 3)
        self.s.until(lambda: self.counted("rows_lost") >= lost + 12,
                     "rows of six flows are counted as lost")
        self.s.equal(len(self.b.events(NOT, file=self.path)), 1,
                     "how often it is said")


def moved(s, r):
    """Whoever has the name gets the rows."""
    r.flows(3)
    mode = os.stat(r.path).st_mode
    s.equal(stat.S_IMODE(mode) & 0o007, 0, "rights of all the others")
    away = r.path + ".away"
    os.rename(r.path, away)
    r.flows(3)
    s.equal((firsts(away), firsts(r.path)), (3, 3), "after it was moved away")
    os.unlink(r.path)
    r.flows(2)
    s.equal(firsts(r.path), 2, "after it was deleted")
    lines = r.b.events(NOT)
    s.equal(lines, [], "complaints")


def other_file(s, r):
    before = r.path
    r.new_path()
    r.b.reload(r.config(record_addresses="full"))
    held = firsts(before)
    r.flows(4)
    s.equal(firsts(before), held, "the file before stays as it was")
    s.equal({row["_network"] for row in rows(r.path)}, {"127.0.0.1/32"},
            "addresses")


def rotated(s, r):
    """Two files, of which the older one is replaced."""
    r.begin(record_size="64KiB")
    old, before = r.path + ".1", r.counted("rows")
    visit(r.port, 20)
    s.until(lambda: firsts(r.path) == 20, "twenty flows are recorded")
    done = 20
    while not os.path.exists(old):
        r.flows(20, r.path, old)
        done += 20
    s.check(FULL <= os.stat(old).st_size < 2 * FULL, "the full one's size")
    r.b.idle()
    s.until(lambda: len(rows(r.path)) + len(rows(old)) ==
            r.counted("rows") - before, f"all rows of {done} flows")
    kept = os.stat(old).st_ino
    while os.stat(old).st_ino == kept:
        visit(r.port, 20)
    rows(r.path)
    s.check(rows(old), "the next full one is in its place, and whole")


def folder_in_place(path):
    """Rows of flows before may come late, and have made the file."""
    while not os.path.isdir(path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path)


def no_place(s, r):
    # A reload would refuse it.
    r.begin()
    folder_in_place(r.path)
    r.refused("open: Is a directory")
    r.begin(lambda: (os.mkfifo(r.path), os.chmod(r.path, 0o666)))
    r.refused("open: it is not a regular file")
    other = r.path
    r.begin(lambda: os.symlink(other, r.path))
    r.refused("open: it is a symbolic link")
    r.begin(lambda: os.chmod(r.folder, 0o500))
    r.refused("open: Permission denied")
    line = r.b.wait_event(NOT, file=r.path)
    s.equal((line["user"], line["retry"]), (NAME, "10s"),
            "who it was, and when it is tried again")
    os.chmod(r.folder, 0o700)
    # While it is tried again only now and then, flows go on.
    r.begin()
    r.flows(1)


def other_columns(s, r):
    """What is there already is never mixed with ours, and never lost."""
    def theirs(text, path=None):
        with open(path or r.path, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path or r.path, 0o666)

    for what in ("up,down,class\n1,2,bulk\n", "an operator's notes"):
        r.begin(lambda: theirs(what))
        r.refused("it is no file of recorded flows, and stays as it is")
        with open(r.path, encoding="ascii") as f:
            s.equal((f.read(), os.path.exists(r.path + ".1")), (what, False),
                    "somebody's file stays where it is")
    for what in ("_time,up,class\n1,2,bulk\n",):
        r.begin(lambda: theirs(what))
        visit(r.port, 2)
        s.until(lambda: os.path.exists(r.path + ".1"), "it gives way")
        s.until(lambda: firsts(r.path) == 2, "flows are recorded")
        with open(r.path + ".1", encoding="ascii") as f:
            s.equal(f.read(), what, "set aside as it was")
    r.flows(1)
    with open(r.path, encoding="ascii") as f:
        torn = f.read()[:-10]
    r.begin(lambda: (theirs(torn), theirs("kept\n", r.path + ".1")))
    r.refused("NAME.1 is there already")
    with open(r.path, encoding="ascii") as a, \
            open(r.path + ".1", encoding="ascii") as b:
        s.equal((a.read() == torn, b.read()), (True, "kept\n"),
                "both files are as they were")


def test(s):
    """What can happen to a recorded file: flows are served, no row is torn or
    mixed with what is there, the log says once what is wrong, and rows that
    are lost are counted."""
    r = Recording(s)
    moved(s, r)
    other_file(s, r)
    rotated(s, r)
    no_place(s, r)
    other_columns(s, r)
    r.b.idle()
    r.b.stop()


scenario.run(test, user="nobody")
