#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.braidd import Braid
from lib.models import Models, config, put, said
from lib.origins import Origin, echo
from lib.scenario import NAMELESS, NOBODY

OTHER = 4242


class Place:
    """One path at which a model is expected, and what can be wrong there."""

    def __init__(self, models):
        self.models = models
        self.folder = models.s.make_folder("place/in")
        self.path = os.path.join(self.folder, "model.so")

    def clear(self):
        for name in os.listdir(self.folder):
            os.unlink(os.path.join(self.folder, name))
        for folder in (self.folder, os.path.dirname(self.folder)):
            os.chmod(folder, 0o755)
            if self.models.s.is_root:
                os.chown(folder, 0, 0)

    def put(self, name="bulk"):
        return put(self.models.path(name), self.path)

    def write(self, data):
        with open(self.path, "wb") as f:
            f.write(data)
        os.chmod(self.path, 0o644)

    def cut(self, part):
        with open(self.put(), "rb") as f:
            data = f.read()
        os.unlink(self.path)
        self.write(data[:int(len(data) * part)])

    def edited(self, old, new):
        """A model whose source says something else at one place."""
        source = self.models.source("edited", ["bulk", "push"])
        assert source.count(old) == 1, (old, source.count(old))
        put(self.models.compile("edited", source.replace(old, new)),
            self.path)

    def link(self):
        os.symlink(self.models.path("bulk"), self.path)

    def mode(self, path, mode):
        self.put()
        os.chmod(path, mode)

    def owner(self, path, user):
        self.put()
        os.chown(path, user, user)

    def cases(self):
        """What is done to the place, and the words of the refusal."""
        above = os.path.dirname(self.folder)
        own = " or the user of braidd"
        cases = [
            (lambda: None, "No such file or directory"),
            (lambda: self.write(b""), "it is empty"),
            (lambda: self.write(b"up,down,class\n1,2,bulk\n"),
             "it is no shared object: compile it with braid-train fit --so"),
            (lambda: self.cut(0.999), "it is cut off"),
            (lambda: self.cut(0.5), "it is cut off"),
            (lambda: self.cut(0.003), "it is cut off"),
            (lambda: self.edited(".abi = BRAID_MODEL_ABI", ".abi = 77"),
             "it is of ABI 77, this braidd wants 1: compile it anew with "
             "this version's braid-train"),
            (lambda: self.edited(".magic = BRAID_MODEL_MAGIC", ".magic = 1"),
             "its braid_model is no model"),
            (lambda: self.edited(".features_hash = UINT64_C(0x",
                                 ".features_hash = UINT64_C(1) + "
                                 "UINT64_C(0x"),
             "it was trained on other features"),
            (lambda: self.edited(".classify = tree_0", ".classify = 0"),
             "its braid_model is no model"),
            (lambda: self.edited("const struct braid_model braid_model =",
                                 "const struct braid_model another ="),
             "it exports no braid_model"),
            (lambda: self.edited('"bulk",', '"sideways",'),
             'it has a class "sideways", which no flow can be'),
            (lambda: self.edited("static uint32_t tree_0(",
                                 "extern int nobody(void);\n"
                                 "int ask(void);\n"
                                 "int ask(void) { return nobody(); }\n"
                                 "static uint32_t tree_0("),
             "undefined symbol: nobody"),
            (self.link, "it is a symbolic link: name the file itself"),
            (lambda: os.mkfifo(self.path), "it is not a regular file"),
            (lambda: self.mode(self.path, 0o664),
             "it is writable by others (mode 664)"),
            (lambda: self.mode(self.path, 0o646),
             "it is writable by others (mode 646)"),
            (lambda: self.mode(self.folder, 0o777),
             f"its folder {self.folder} is writable by others (mode 777)"),
            (lambda: self.mode(above, 0o775),
             f"its folder {above} is writable by others (mode 775)"),
        ]
        if self.models.s.is_root:
            cases += [
                (lambda: self.mode(self.path, 0o600), "Permission denied"),
                (lambda: self.owner(self.path, OTHER),
                 f"it belongs to user {OTHER}, want root{own}"),
                (lambda: self.owner(self.folder, OTHER),
                 f"its folder {self.folder} belongs to user {OTHER}, want "
                 f"root{own}"),
            ]
        return cases


def as_root(s, b, place, run):
    """Who starts as root takes root's files only, since it is root while it
    loads; and it warns when reloads will fail."""
    place.clear()
    place.owner(place.path, NAMELESS)
    done = run(as_root=True)
    s.equal(done.returncode, 78, "started as root: exit status")
    s.check(f"it belongs to user {NAMELESS}, want root: braidd loads it as root"
            in done.stderr, "it says why")
    b.reload()
    s.check(True, "while who runs as that user takes it")
    place.put("push")
    os.chmod(place.path, 0o600)
    root = Braid(s, config(s.port(), "127.0.0.1:1", place.path), user="root",
                 name="root")
    s.until(lambda: f"user nobody cannot read {place.path}: a reload or an "
            "upgrade will be refused" in root.process.output(),
            "it warns of a file that a reload cannot read")
    root.stop()


def test(s):
    """A model that cannot be trusted, or is none, is refused with the reason:
    at the start and by braidd -c with status 78, at a reload with the old
    one in force, which goes on classifying."""
    models = Models(s)
    models.always("bulk")
    models.always("push")
    origin = Origin(s, echo)
    port = s.port()
    place = Place(models)
    place.put("push")
    settings = config(port, origin.text, place.path)
    b = Braid(s, settings)
    prefix = ["setpriv", f"--reuid={NAMELESS}", f"--regid={NOBODY}",
              "--clear-groups"] if s.is_root else []

    def run(*options, as_root=False):
        return s.run([*([] if as_root else prefix), b.readable("braidd"),
                      *options, "-f", b.file], check=False)

    s.equal(said(b, port), {"push"}, "the first model says")
    reloads = 0
    for spoil, words in place.cases():
        place.clear()
        spoil()
        line = f"{b.place_of(place.path)}: profiler.model: {place.path}: "
        for options in ((), ("-c",)):
            done = run(*options)
            found = [each for each in done.stderr.splitlines()
                     if each.startswith(line)]
            s.equal((done.returncode, len(found)), (78, 1),
                    f"braidd {' '.join(options)}: status, lines")
            s.check(words in found[0], f"refused: {words}")
        answer = b.ctl_answer("reload")
        s.equal((answer["exit"], len(answer["data"]["lines"])), (78, 1),
                "the reload's status, lines")
        s.check(answer["data"]["lines"][0].startswith(line) and
                words in answer["data"]["lines"][0], "refused by the reload")
        reloads += 1
    s.equal(said(b, port), {"push"}, "the model in force")
    s.equal(len(b.events("reload refused, the old configuration stays")), reloads, "refusals in the log")
    place.clear()
    place.put("bulk")
    b.reload()
    s.equal(said(b, port), {"bulk"}, "a good one is taken at last")
    # What happens to the file does not reach what was loaded of it.
    with open(place.path, "r+b") as f:
        f.truncate(64)
    s.equal(said(b, port, 5), {"bulk"}, "the file was cut off in its place")
    if s.is_root:
        as_root(s, b, place, run)
    b.stop()


scenario.run(test, user="nobody")
