#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""braid-train from recorded rows to a model: fit, compile, eval; the same
twice; and what it says of bad rows, files and models."""

import ctypes
import os
import random
import re

from lib import scenario

CLASSES = ("bulk", "rpc", "web")
SPOILT = 0.05


def rows(seed, groups):
    """Flows of several generators each class; each generator has habits of
    its own, and some flows are called what they are not."""
    draw = random.Random(seed)
    out = []
    for group in range(groups):
        kind = CLASSES[group % 3]
        up, down = {"bulk": (300, 60000), "rpc": (900, 900),
                    "web": (500, 9000)}[kind]
        habit = draw.uniform(0.6, 1.6)
        for _ in range(60):
            label = draw.choice(CLASSES) if draw.random() < SPOILT else kind
            out.append((int(up * habit * draw.lognormvariate(0, 0.4)),
                        int(down * habit * draw.lognormvariate(0, 0.4)),
                        draw.randrange(-1000, 1000), label, f"{kind}-{group}"))
    return out


def csv(table, header="up,down,noise,class,group"):
    return "".join(f"{line}\n" for line in
                   [header] + [",".join(map(str, r)) for r in table])


class Model(ctypes.Structure):
    """struct braid_model of profiler/model_abi.h."""
    _fields_ = [("magic", ctypes.c_uint32), ("abi", ctypes.c_uint32),
                ("features_hash", ctypes.c_uint64),
                ("n_features", ctypes.c_uint32),
                ("n_classes", ctypes.c_uint32),
                ("name", ctypes.c_char_p),
                ("classes", ctypes.POINTER(ctypes.c_char_p)),
                ("classify", ctypes.CFUNCTYPE(
                    ctypes.c_uint32, ctypes.POINTER(ctypes.c_int32)))]


def ask(path, table):
    """What the object itself says: {(is, said): rows}, and its name."""
    model = Model.in_dll(ctypes.CDLL(path), "braid_model")
    counts = {}
    for row in table:
        answer = model.classify((ctypes.c_int32 * 3)(*row[:3]))
        said = model.classes[answer >> 16].decode()
        counts[row[3], said] = counts.get((row[3], said), 0) + 1
        assert 0 < answer & 0xffff <= 10000
    return counts, model.name.decode()


def matrix(text):
    """The last confusion matrix of a report."""
    part = text[text.rindex("| is, said to be |"):].split("\n\n")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")]
             for line in part.splitlines()]
    return {(line[0], said): int(n) for line in lines[2:]
            for said, n in zip(lines[0][1:], line[1:]) if int(n)}


class Trainer:
    def __init__(self, s):
        self.s = s
        self.program = os.path.join(s.bin, "braid-train")

    def run(self, *arguments, env=None):
        return self.s.run([self.program, *arguments], check=False, env=env)

    def good(self, *arguments):
        done = self.run(*arguments)
        self.s.equal((done.returncode, done.stderr), (0, ""),
                     f"braid-train {arguments[0]}")
        return done.stdout

    def bad(self, code, text, *arguments, env=None):
        done = self.run(*arguments, env=env)
        self.s.equal(done.returncode, code, f"exit status of {arguments}")
        self.s.check(text in done.stderr, f"it says: {text}")


def fit_and_eval(s, train, options, name):
    seen, fresh = rows(1, 24), rows(2, 12)
    learn = s.write("learn.csv", csv(seen))
    test = s.write("test.csv", csv(fresh))
    paths = [s.path(f"{name}.{end}") for end in ("c", "so", "md")]
    said = train.good("fit", *options, "--name", name, "-o", paths[0],
                      "--so", paths[1], "--report", paths[2], learn)
    with open(paths[2], encoding="utf-8") as f:
        s.equal(f.read(), said, "the report says what was printed")
    s.equal(sum(matrix(said).values()), len(seen),
            "each row was left out once")
    accuracy = float(re.search(r"Accuracy ([\d.]+)", said)[1])
    s.check(accuracy > 0.8, f"good on groups not seen: {accuracy}")
    scored = train.good("eval", "--model", paths[1], test)
    counts, called = ask(paths[1], fresh)
    s.equal(called, name, "the object's name")
    s.equal(matrix(scored), counts, "eval counts what the object answers")
    right = sum(n for (a, b), n in counts.items() if a == b) / len(fresh)
    s.check(f"Accuracy {right:.4f}," in scored, f"and its accuracy {right}")
    again = train.good("fit", *options, "--name", name, "-o",
                       s.path("again.c"), learn)
    s.equal(again, said, "the same report the second time")
    with open(paths[0], "rb") as a, open(s.path("again.c"), "rb") as b:
        s.equal(a.read() == b.read(), True, "the same model, byte for byte")
    return paths[1]


def builtin(s, train):
    """As Braid's own: it must pass what its sources pass."""
    path = s.path("model_default.c")
    train.good("fit", "--trees", "3", "--builtin", "-o", path,
               s.path("learn.csv"))
    done = s.run(["cc", "-std=c17", "-c", "-Wall", "-Wextra", "-Wconversion",
                  "-Wshadow", "-Wundef", "-Wmissing-prototypes", "-Werror",
                  "-I", scenario.SOURCE, path, "-o", s.path("default.o")],
                 check=False)
    s.equal((done.returncode, done.stderr), (0, ""), "the built-in compiles")
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    s.equal(lines[:4], ["/* SPDX-License-Identifier: Apache-2.0 */",
                        "/* Made by braid-train; do not edit. */",
                        "/* clang-format off */",
                        '#include "profiler/model_abi.h"'],
            "what tools/tidy knows it by")
    s.check("const struct braid_model model_default = {" in lines,
            "its symbol")


def bad_rows(s, train):
    for table, text in (
            ("up,down\n1,2\n", ":1: no column \"class\""),
            ("up,class\n1,a\n\n2,b\nx,a\n", ":5: up: \"x\" is no whole"),
            ("up,class\n3000000000,a\n", ":2: up: \"3000000000\" is no"),
            ("up,class\n1,a,2\n", ":2: 3 columns, but the header has 2"),
            ("up,weight,class\n1,1e308,a\n", ":2: the weight \"1e308\""),
            ("up,class\n1,\x1b[1m\n", ":2: the class \"?[1m\" is no name"),
            ("", ":1: the file is empty"),
            ("up,class\n", "there are no rows"),
            ("up,class\n" + "7" * 140000 + ",a\n", "longer than 131072"),
            ("up,class,group\n1,a,x\n2,b,x\n",
             "too few groups of rows to leave one out for a test: there is 1, "
             "it needs 2")):
        path = s.write("bad.csv", table)
        train.bad(65, path + text if text[0] == ":" else text, "fit", path)
    train.bad(66, "No such file", "fit", s.path("none.csv"))
    train.bad(66, "Is a directory", "fit", s.folder)


def bad_use(s, train, model):
    learn, test = s.path("learn.csv"), s.path("test.csv")
    for text, arguments in (
            ("usage: braid-train", ()),
            ("unknown command \"learn\"", ("learn",)),
            ("fit needs a file", ("fit",)),
            ("--depth takes a number from 1 to 64", ("fit", "--depth", "65",
                                                     learn)),
            ("--features takes a number from 1 to 1024", (
                "fit", "--features", "0", learn)),
            ("--seed takes", ("fit", "--seed", "-1", learn)),
            ("--folds takes 0 or 2", ("fit", "--folds", "1", learn)),
            ("--criterion takes gini or entropy", ("fit", "--criterion", "x",
                                                   learn)),
            ("--prune takes auto or a price", ("fit", "--prune", "-1",
                                               learn)),
            ("--prune is for one tree", ("fit", "--prune", "auto", "--trees",
                                         "2", learn)),
            ("--group-by takes a column whose name begins with _, not \"up\"",
             ("fit", "--group-by", "up", learn)),
            ("takes a number from 1 to 255, not \"x\"",
             ("fit", "--group-by", "_time:x", learn)),
            ("usage: braid-train eval", ("eval", test))):
        train.bad(64, text, *arguments)
    other = s.write("other.csv", csv(rows(3, 3), "down,up,noise,class,group"))
    train.bad(65, "the columns are not the 3 features of the model",
              "eval", "--model", model, other)
    cut, fifo = s.path("cut.so"), s.path("fifo.so")
    with open(model, "rb") as f:
        whole = f.read()
    with open(cut, "wb") as f:
        f.write(whole[:len(whole) // 2])
    os.mkfifo(fifo)
    for path, text in ((learn, "it is no shared object"), (cut, "it is cut off"),
                       (fifo, "it is not a regular file"),
                       (s.path("none.so"), "No such file"),
                       (s.folder, "it is not a regular file"),
                       (libm(), "it exports no braid_model")):
        train.bad(66, text, "eval", "--model", path, test)
    train.bad(65, "the columns are not the", "eval", "--model", "builtin",
              test)


def outputs(s, train):
    """Where nothing can be written is said before any work, and rows are
    never written over."""
    learn = s.path("learn.csv")
    with open(learn, "rb") as f:
        rows_before = f.read()
    other = s.path("link.csv")
    os.link(learn, other)
    for option in ("-o", "--so", "--report"):
        train.bad(1, f"{option} {s.path('none/x')}: its folder: No such file "
                  "or directory", "fit", option, s.path("none/x"), learn)
        train.bad(1, f"{option} {s.folder}: Is a directory", "fit", option,
                  s.folder, learn)
        train.bad(64, f"{option} {other} would write over the rows of {learn}",
                  "fit", option, other, learn)
    with open(learn, "rb") as f:
        s.equal(f.read() == rows_before, True, "the rows are as they were")
    s.equal(sorted(n for n in os.listdir(s.folder) if n.endswith(".tmp")), [],
            "nothing half is left")


def builtin_scored(s, train):
    """The model that comes with Braid, on rows that it was made of."""
    path = os.path.join(scenario.SOURCE, "profiler/data/train.csv")
    said = train.good("eval", "--model", "builtin", path)
    with open(path, encoding="ascii") as f:
        n = sum(1 for _ in f) - 1
    s.check(said.startswith(f"Model default, {n} rows, "), "its name, rows")
    accuracy = float(re.search(r"Accuracy ([\d.]+)", said)[1])
    s.check(accuracy > 0.5, f"better than a guess: {accuracy}")


def grouped(s, train):
    """Groups of another column, by its beginning."""
    table = [(n % 7, "ab"[n % 2], "all", f"2026-11-{10 + n % 4}T{n:02}:00")
             for n in range(24)]
    path = s.write("days.csv",
                   csv(table, "\ufeffup,class,group,_time"))
    train.bad(65, "too few groups", "fit", path)
    said = train.good("fit", "--group-by", "_time:10", path)
    s.check("24 rows in 4 groups, 2 classes, 1 features" in said,
            "four days are four groups")
    train.bad(65, "no column \"_day\" to group by", "fit", "--group-by",
              "_day", path)


def libm():
    """A shared object that is no model, by its path."""
    ctypes.CDLL("libm.so.6")
    with open("/proc/self/maps", encoding="utf-8") as f:
        return next(line.split()[-1] for line in f if "libm.so" in line)


def compiler(s, train, model):
    """The old object stays when a new one cannot be made."""
    with open(model, "rb") as f:
        before = f.read()
    learn = s.path("learn.csv")
    nothing = s.make_folder("nothing")
    train.bad(69, "needs a C compiler: cc: No such file", "fit", "--so",
              model, learn, env={**os.environ, "PATH": nothing})
    broken = s.make_folder("broken")
    s.write("broken/cc", "#!/bin/sh\necho half > \"$9\"\nexit 1\n", 0o755)
    train.bad(1, "cc failed", "fit", "--so", model, learn,
              env={**os.environ, "PATH": broken})
    with open(model, "rb") as f:
        s.equal(f.read() == before, True, "the object is as it was")
    s.equal([n for n in os.listdir(s.folder) if n.endswith(".tmp")], [],
            "nothing half is left")


def drawn_features(s, train):
    """One feature a split is another model than all of them; more than there
    are is all of them."""
    learn = s.write("learn.csv", csv(rows(1, 24)))
    made = {}
    for n in ("1", "3", "1000", ""):
        path = s.path("drawn.c")
        said = train.good("fit", "--folds", "0", "-o", path,
                          *(("--features", n) if n else ()), learn)
        s.equal(f"{n} features a split" in said, n != "", "said in the report")
        with open(path, encoding="ascii") as f:
            made[n] = f.read()
    s.check(made["1"] != made[""], "one drawn feature is another model")
    s.equal((made["3"] == made[""], made["1000"] == made[""]), (True, True),
            "all three are as without a draw")


def unknown_class(s, train, model):
    table = rows(4, 3) + [(1, 1, 1, "dns", "new")]
    said = train.good("eval", "--model", model, s.write("dns.csv", csv(table)))
    s.equal(sum(n for (a, _), n in matrix(said).items() if a == "dns"), 1,
            "a class that the model does not know is always wrong")


def test(s):
    """braid-train: from rows to a model that answers."""
    s.need("cc")
    train = Trainer(s)
    model = fit_and_eval(s, train, ("--prune", "auto", "--balance"), "tree")
    fit_and_eval(s, train, ("--trees", "9", "--criterion", "entropy",
                            "--seed", "7"), "forest")
    drawn_features(s, train)
    unknown_class(s, train, model)
    builtin(s, train)
    bad_rows(s, train)
    bad_use(s, train, model)
    outputs(s, train)
    builtin_scored(s, train)
    grouped(s, train)
    compiler(s, train, model)


scenario.run(test)
