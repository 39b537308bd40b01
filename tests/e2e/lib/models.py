# SPDX-License-Identifier: Apache-2.0
"""Models of the profiler, made by braid-train and cc: some that always say one
class, one that says another at each question, and some that are wrong."""

import os
import shutil

from . import client
from .braidd import Braid
from .origins import Origin, echo
from .scenario import NAMELESS

CLASSES = ("request", "bulk", "stream", "interactive", "push")
# In place of a tree: whatever comes next of a fixed sequence. Threads may
# share the state; which class it is must not matter.
RESTLESS = """static uint32_t tree_0(const int32_t *f)
{
 static uint32_t state = 1;
 (void)f;
 state = state * 1664525u + 1013904223u;
 return (state >> 16) % 5 << 16 | 10000u;
}
"""


class Models:
    def __init__(self, s, header=None):
        s.need("cc")
        self.s = s
        self.folder = s.make_folder("models")
        self.program = os.path.join(s.bin, "braid-train")
        self.columns = header or recorded_columns(s)

    def path(self, name):
        return os.path.join(self.folder, f"{name}.so")

    def _rows(self, names):
        """Of which nothing can be learned but their classes."""
        zeros = ["0"] * len(self.columns)
        lines = [",".join([*self.columns, "class"])]
        lines += [",".join([*zeros, name]) for name in names]
        path = os.path.join(self.folder, "rows.csv")
        with open(path, "w", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")
        return path

    def source(self, name, classes):
        """C of a model, as braid-train writes it; with one class it always
        says that."""
        path = os.path.join(self.folder, f"{name}.c")
        self.s.run([self.program, "fit", "--folds", "0", "--name", name, "-o",
                    path, self._rows(classes)])
        with open(path, encoding="ascii") as f:
            return f.read()

    def compile(self, name, source, *options):
        """Put in place by a rename, as braid-train does it."""
        made, path = self.path(name) + ".made", self.path(name)
        self.s.run(["cc", "-std=c17", "-O1", "-fPIC", "-shared", "-x", "c",
                    "-", "-o", made, *options], input_text=source)
        os.chmod(made, 0o644)
        os.rename(made, path)
        return path

    def always(self, name):
        """One that knows no class but this."""
        path = self.path(name)
        self.s.run([self.program, "fit", "--folds", "0", "--name", name,
                    "--so", path, self._rows([name])])
        return path

    def restless(self):
        """Another class at each question."""
        source = self.source("restless", CLASSES)
        head, rest = source.split("static uint32_t tree_0", 1)
        return self.compile("restless", head + RESTLESS +
                            rest[rest.index("\n}\n") + 3:])


def put(path, target):
    """A copy of it at `target`, by a rename."""
    made = target + ".new"
    shutil.copyfile(path, made)
    os.chmod(made, 0o644)
    os.rename(made, target)
    return target


def recorded_columns(s):
    """The features in order, as a braidd that records names them."""
    origin = Origin(s, echo)
    port = s.port()
    folder = s.make_folder("columns", NAMELESS)
    path = os.path.join(folder, "flows.csv")
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
        "profiler": {"mode": "observe", "model": "none", "record": path,
                     "record_share": 1},
    }, name="columns")
    with client.connect(("127.0.0.1", port)) as sock:
        client.echoes(sock)
    b.stop()
    origin.down()
    with open(path, encoding="ascii") as f:
        names = f.readline().strip().split(",")
    return [name for name in names
            if name[0] != "_" and name not in ("class", "group", "weight")]


def mapped(pid):
    """Models in the memory of that process, by where they are mapped."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as f:
        return sorted({line.split()[4] for line in f
                       if ".so" in line and "/models/" in line
                       or "memfd:braid-model" in line})


def config(port, server, model, mode="act", **more):
    """A listener before one server, and that model."""
    listener = {"bind": f"127.0.0.1:{port}", "pool": "o"}
    return {"listeners": {"web": {**listener, **more}},
            "pools": {"o": {"servers": {"a": {"address": server}}}},
            "profiler": {"mode": mode, "model": model}}


def said(b, port, n=1):
    """The classes of n short flows, as the access log has them."""
    before = len(b.flows())
    for _ in range(n):
        with client.connect(("127.0.0.1", port)) as sock:
            client.echoes(sock, b"question")
    return {line["class"] for line in b.wait_flows(before + n)[before:]}

