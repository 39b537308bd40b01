# SPDX-License-Identifier: Apache-2.0
"""One scenario: a temporary folder, what it started, and the verdict.

    def test(s): ...
    scenario.run(test, user="nobody")

Exit status 0 when all held, 1 when something did not, 77 when the machine
lacks what it needs. Whatever was started or made is ended and removed in
reverse order, also after a failure or a signal."""

import contextlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback

from . import ports
from .process import (PATIENCE, Failure, Process, Skip, run as run_program,
                      wait_until)

NOBODY = 65534
# Who runs what root starts without privileges: a user without a name, this
# scenario's own. The kernel counts locked memory (rings) by user, and `nobody`
# would share the usual 8 MiB with whatever runs beside.
NAMELESS = 2_000_000 + ports.take() if os.geteuid() == 0 else os.geteuid()
EXIT_SKIPPED = 77
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__)))))


def find_bin():
    """The folder with braidd and braidctl: BRAID_BIN, or a usual one."""
    named = os.environ.get("BRAID_BIN")
    if named:
        return named
    for build in ("build-test", "build"):
        path = os.path.join(SOURCE, build, "bin")
        if os.path.exists(os.path.join(path, "braidd")):
            return path
    raise Skip("no build found; set BRAID_BIN to the folder with braidd")


class Scenario:
    def __init__(self, name, user):
        self.name = name
        self.user = user
        self.is_root = os.geteuid() == 0
        self.bin = find_bin()
        self.checks = 0
        self._undo = []
        self._n_logs = 0
        self.folder = tempfile.mkdtemp(prefix="braid-e2e-")
        os.chmod(self.folder, 0o755)

    # -- saying and checking -------------------------------------------
    def say(self, text):
        print(f"  {text}", flush=True)

    def check(self, ok, what):
        """A fact that must hold."""
        self.checks += 1
        if not ok:
            raise Failure(what)
        self.say(f"ok: {what}")

    def equal(self, got, want, what):
        self.checks += 1
        if got != want:
            raise Failure(f"{what}: got {got!r}, want {want!r}")
        self.say(f"ok: {what} ({want!r})" if len(repr(want)) < 60
                 else f"ok: {what}")

    def until(self, condition, what, seconds=20.0, every=0.02):
        value = wait_until(condition, what, seconds, every)
        self.checks += 1
        self.say(f"ok: {what}")
        return value

    # -- what the machine must have ------------------------------------
    def need_root(self):
        if not self.is_root:
            raise Skip("needs root")

    def need(self, *programs):
        for program in programs:
            if not find_program(program):
                raise Skip(f"needs {program}")

    # -- resources -----------------------------------------------------
    def defer(self, undo):
        """Called at the end, last one first."""
        self._undo.append(undo)

    def port(self):
        return ports.take()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def keep_secret(self, path, mode=0o640):
        """A file for braidd, whoever it runs as, and not for everybody."""
        if self.is_root:
            os.chown(path, 0, NOBODY)
        os.chmod(path, mode)
        return path

    def make_folder(self, name, owner=None):
        path = self.path(name)
        os.makedirs(path, exist_ok=True)
        if self.is_root and owner is not None:
            os.chown(path, owner, owner)
        return path

    def start(self, argv, name, **kwargs):
        self._n_logs += 1
        process = Process(argv, self.path(f"{name}.{self._n_logs}.log"),
                          **kwargs)
        self.defer(process.end)
        return process

    def run(self, argv, **kwargs):
        return run_program(argv, **kwargs)

    def close(self):
        while self._undo:
            try:
                self._undo.pop()()
            except Exception:  # the rest must be undone all the same
                traceback.print_exc()
        if os.environ.get("BRAID_E2E_KEEP"):
            self.say(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def show_logs(self):
        for name in sorted(os.listdir(self.folder)):
            if not name.endswith(".log"):
                continue
            with open(self.path(name), "rb") as f:
                text = f.read()[-8000:].decode(errors="replace")
            print(f"--- {name}\n{text}", flush=True)


def find_program(name):
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return shutil.which(name, path=path)


def _on_alarm(_number, _frame):
    raise Failure("the scenario took longer than its own limit")


def _on_end(number, _frame):
    raise SystemExit(128 + number)


def _lift_locked_memory():
    """All processes of a user share what they may lock, those of scenarios
    beside this too; who may lifts that, for all that it starts."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK,
                           (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def run(test, user="nobody", limit_seconds=150):
    """user: who braidd is started as where the scenario does not say it."""
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    signal.signal(signal.SIGALRM, _on_alarm)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _on_end)
    signal.alarm(limit_seconds * PATIENCE)
    _lift_locked_memory()
    s = None
    code = 1
    try:
        s = Scenario(name, user)
        who = user if s.is_root else "the current user"
        print(f"{name}: {(test.__doc__ or '').strip()}\n"
              f"  (braidd as {who})", flush=True)
        test(s)
        code = 0
    except Skip as skip:
        print(f"skipped: {skip}", flush=True)
        code = EXIT_SKIPPED
    except Failure as failure:
        traceback.print_exc(limit=-4, file=sys.stdout)
        s.show_logs()
        print(f"FAILED: {failure}", flush=True)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        if s:
            s.show_logs()
        print("FAILED", flush=True)
    finally:
        signal.alarm(0)
        if s:
            s.close()
    if code == 0 and s.checks == 0:
        print("FAILED: nothing was checked", flush=True)
        code = 1
    if code == 0:
        print(f"passed: {s.checks} checks", flush=True)
    # Threads of origins may still sit in a system call.
    sys.stdout.flush()
    os._exit(code)
