# SPDX-License-Identifier: Apache-2.0
"""A running braidd: its configuration, log, control socket, metrics and what
the kernel says about its process."""

import contextlib
import copy
import json
import os
import re
import resource
import shutil
import signal
import time

from . import control, openmetrics
from .process import (PATIENCE, Failure, Skip, run as run_program,
                      wait_until)
from .scenario import NAMELESS, NOBODY, find_program

_BAD = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|LeakSanitizer|"
                  r"WARNING: ThreadSanitizer|runtime error:|"
                  r"[Aa]ssertion|\bbug\b.*\.c:\d+")
_PAIR = re.compile(r'([A-Za-z0-9_.]+)=("(?:[^"\\]|\\.)*"|[^ ]*)')


def parse_line(line):
    """A logfmt line as a dict, or None for other output."""
    if not line.startswith("ts="):
        return None
    fields = {}
    for key, value in _PAIR.findall(line):
        if value.startswith('"'):
            value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        fields[key] = value
    return fields


def suspicious(text):
    """The first line of a sanitizer report or failed assertion, or None."""
    for line in text.splitlines():
        # Fields of our own log lines are not reports.
        if not line.startswith("ts=") and _BAD.search(line):
            return line
    return None


# All processes of a user share what they may lock, those of the scenario that
# runs beside this one, too: who finds no room waits for its end.
NO_ROOM = "not enough locked memory"
SUPPRESSIONS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))), "tsan.supp")


def _wrapper():
    """What braidd is started by when somebody looks for a fault."""
    return os.environ.get("BRAID_E2E_WRAP", "").split()


def sanitizer_env(asan=""):
    env = dict(os.environ)
    env["ASAN_OPTIONS"] = "detect_leaks=1:exitcode=99:print_legend=0" + asan
    env["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1:exitcode=99"
    if _wrapper():  # a traced process cannot look for leaks
        env["ASAN_OPTIONS"] += ":detect_leaks=0"
    env["TSAN_OPTIONS"] = ("exitcode=99:halt_on_error=0:second_deadlock_stack=1"
                           f":suppressions={SUPPRESSIONS}")
    return env


class Braid:
    """config: a dict as in the file, or the file's text. What every run needs
    (control socket, folder, /metrics) is added to a dict."""

    def __init__(self, s, config, user=None, nofile=None, namespace=None,
                 prefix=(), wait=True, api=True, name="braidd", asan="",
                 preexec=None, ambient=None):
        self.s = s
        self.ambient = ambient  # a capability that nobody gets
        self.user = user or s.user
        self.uid = NAMELESS if self.user == "nobody" else NOBODY
        self.work = s.make_folder(name, self.uid)
        self.control = os.path.join(self.work, "control.sock")
        self.api_port = s.port() if api else None
        self.file = s.path(f"{name}.yaml")
        self.write_config(config)
        self.stopped = False
        self.pids = []  # of younger generations, oldest first
        self._start = lambda: s.start(
            self._argv(namespace, prefix), name, env=sanitizer_env(asan),
            preexec=preexec or self._limits(nofile))
        self.process = self._start()
        s.defer(self._give_up)
        if wait:
            self.wait_serving()

    # -- starting and ending -------------------------------------------
    def _argv(self, namespace, prefix):
        program = os.path.join(self.s.bin, "braidd")
        argv = []
        if namespace:
            argv += ["nsenter", f"--net={namespace.path}"]
        if self.s.is_root and self.user == "nobody":
            argv += ["setpriv", f"--reuid={NAMELESS}", f"--regid={NOBODY}",
                     "--clear-groups"]
            if self.ambient:
                argv += [f"--inh-caps=+{self.ambient}",
                         f"--ambient-caps=+{self.ambient}"]
            program = self.readable("braidd")
        argv += [*prefix, *_wrapper(), program, "-f", self.file]
        argv[0] = find_program(argv[0]) or argv[0]
        return argv

    def readable(self, name):
        """Builds below somebody's home are not for nobody: a copy is."""
        path = self.s.path(f"copy/{name}")
        if not os.path.exists(path):
            self.s.make_folder("copy")
            shutil.copy(os.path.join(self.s.bin, name), path)
            os.chmod(path, 0o755)
        return path

    @staticmethod
    def _limits(nofile):
        if nofile is None:
            return None
        return lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (nofile, nofile))

    def wait_serving(self, seconds=30.0):
        def answers():
            if not self.process.running:
                if NO_ROOM in self.process.output():
                    time.sleep(0.5)
                    self.process = self._start()
                    return False
                raise Failure(
                    f"braidd ended with {self.process.popen.returncode}:\n"
                    f"{self.process.output()}")
            try:
                return self.ctl("status")["state"] == "serving"
            except OSError:
                return False
        wait_until(answers, "braidd to serve", seconds)

    def exit_code(self, seconds=30.0):
        """Waits for its end and looks for sanitizer reports."""
        code = self.process.wait(seconds)
        self.stopped = True
        self.check_log()
        return code

    # -- generations ---------------------------------------------------
    @property
    def pid(self):
        """Of the newest generation."""
        return self.pids[-1] if self.pids else self.process.pid

    def upgrade(self, *arguments, seconds=120):
        """Hands over to a new process, which must succeed; the answer. As
        the refusals say, it tries again when a reload is under way (addresses
        of names change at any time), and when others hold the memory."""
        def tried():
            answer = self.ctl_answer("upgrade", *arguments, seconds=seconds)
            if answer["exit"] == 75 and "a reload is" in answer["error"]:
                return None
            if answer["exit"] and NO_ROOM in answer["error"]:
                time.sleep(0.5)
                return None
            return answer
        answer = wait_until(tried, "an upgrade to be possible")
        if answer["exit"]:
            raise Failure(f"upgrade {arguments}: {answer}")
        self.pids.append(answer["data"]["pid"])
        return answer["data"]

    def opened(self, connect):
        """What connect() returns, of the newest generation: after a hand-over
        the one before may accept for a moment still. No other flow may come
        or go meanwhile."""
        def served():
            before = self.status()["flows"]["open"]
            sock = connect()
            if self.status()["flows"]["open"] > before:
                return sock
            sock.close()
            return None
        return wait_until(served, "the newest generation to accept")

    @staticmethod
    def is_gone(pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                return f.read().rsplit(")", 1)[1].split()[0] == "Z"
        except FileNotFoundError:
            return True

    def wait_gone(self, pid, seconds=30.0):
        wait_until(lambda: self.process.popen.poll() is not None
                   if pid == self.process.pid else self.is_gone(pid),
                   f"process {pid} to end", seconds)

    def _stop_generations(self, seconds):
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            os.kill(self.pid, signal.SIGTERM)
        for pid in self.pids:
            self.wait_gone(pid, seconds)
        code = self.exit_code(seconds)
        self.s.equal(code, 0, "the first generation ended with exit code")
        self.s.equal(len(self.events("stopped")), 1 + len(self.pids),
                     "generations that say that they have stopped")

    def stop(self, seconds=30.0):
        """TERM, and all must be in order."""
        if self.pids:
            self._stop_generations(seconds)
            return
        self.process.send(signal.SIGTERM)
        code = self.exit_code(seconds)
        self.s.equal(code, 0, "braidd ends with exit code")
        self.s.check(self.events("stopped"), "it says that it has stopped")

    def check_log(self):
        found = suspicious(self.process.output())
        if found:
            raise Failure(f"braidd reports: {found}")

    def _give_up(self):
        if not self.stopped:
            # All generations are in the group of the first, also those that
            # the scenario has not heard of yet.
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    @contextlib.contextmanager
    def stopped_meanwhile(self):
        """Whatever is done within it finds all at once, however long that
        takes."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            wait_until(self._stands_still, "all threads to stop")
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def _stands_still(self):
        return self._thread_states() <= {"T", "t"}  # t: under a tracer

    # -- configuration -------------------------------------------------
    def write_config(self, config):
        if isinstance(config, str):
            text = config
        else:
            text = json.dumps(self.complete(config), indent=1)
        temporary = self.file + ".new"
        with open(temporary, "w", encoding="utf-8") as f:
            f.write(text + "\n")
        os.chmod(temporary, 0o644)
        os.replace(temporary, self.file)

    def place_of(self, value):
        """FILE:LINE:COLUMN of the first such value in the configuration."""
        with open(self.file, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                at = line.find(json.dumps(value))
                if at >= 0:
                    return f"{self.file}:{number}:{at + 1}"
        raise Failure(f"{value} is not in {self.file}")

    def complete(self, config):
        config = copy.deepcopy(config)
        settings = config.setdefault("global", {})
        settings.setdefault("control", self.control)
        settings.setdefault("state_dir", os.path.join(self.work, "state"))
        if self.user != "nobody":
            settings.setdefault("user", "nobody")
        settings.setdefault("drain", "2s")
        settings.setdefault("workers", 2)
        listen = f"127.0.0.1:{self.api_port}" if self.api_port else "off"
        config.setdefault("api", {"listen": listen})
        if os.environ.get("BRAID_E2E_PROFILED") and "profiler" not in config:
            config["profiler"] = self._profiled()
        return config

    def _profiled(self):
        """Whatever the scenario is about, verdicts that change all the time
        must not matter."""
        from . import models  # which starts a braidd itself
        path = self.s.path("models/restless.so")
        if not os.path.exists(path):
            models.Models(self.s).restless()
        return {"mode": "act", "model": path}

    def reload(self, config=None):
        """Writes the file and waits for the verdict, which must be good."""
        if config is not None:
            self.write_config(config)
        answer = self.ctl_answer("reload", seconds=60)
        if answer["exit"]:
            raise Failure(f"reload: {answer}")
        return answer["data"]

    def adopted(self):
        """Whether all workers go by the configuration in force, as the log
        says; for who has changed the addresses of names."""
        numbers = {"1"} | {e["number"] for message in
                           ("reloaded", "addresses of names changed")
                           for e in self.events(message)}
        return str(self.status()["config"]["number"]) in numbers

    # -- control socket ------------------------------------------------
    def ctl_answer(self, command, *arguments, seconds=30):
        """The whole answer, as the socket gives it."""
        return control.ask(self.control, command, *arguments,
                           seconds=seconds)

    def ctl(self, command, *arguments, seconds=30):
        """The data of an answer that must be good."""
        answer = self.ctl_answer(command, *arguments, seconds=seconds)
        if answer["exit"]:
            raise Failure(f"{command} {arguments}: {answer}")
        return answer["data"]

    def braidctl(self, *arguments, check=True):
        """The program itself; the CompletedProcess."""
        program = os.path.join(self.s.bin, "braidctl")
        if not os.path.exists(program):
            raise Skip("braidctl is not built")
        return run_program([program, "-s", self.control, *arguments],
                           check=check, env=sanitizer_env())

    def status(self):
        return self.ctl("status")

    def server(self, pool, name):
        for row in self.ctl("servers", pool)["servers"]:
            if row["server"] == name:
                return row
        raise Failure(f"no server {name} in pool {pool}")

    def listener(self, name):
        for row in self.ctl("listeners")["listeners"]:
            if row["listener"] == name:
                return row
        raise Failure(f"no listener {name}")

    def pool(self, name):
        for row in self.ctl("pools")["pools"]:
            if row["pool"] == name:
                return row
        raise Failure(f"no pool {name}")

    def metrics(self):
        """/metrics, parsed strictly."""
        return openmetrics.scrape("127.0.0.1", self.api_port)

    def need_pipes(self):
        """All processes of a user share what the kernel gives them of pipes
        (pipe-user-pages-soft): others may hold it."""
        if self.metrics().total("braid_worker_splice_no_pipe_total"):
            raise Skip("other processes of this user hold all pipes")

    def tls_failures(self, side, cause):
        """How many, of all workers; side: "client" or "server"."""
        return self.metrics().total(f"braid_tls_{side}_failures_total",
                                    cause=cause)

    # -- log -----------------------------------------------------------
    def output_lines(self):
        """Those that are whole: it may be in the middle of the last one."""
        return self.process.output().split("\n")[:-1]

    def lines(self):
        found = map(parse_line, self.output_lines())
        return [line for line in found if line]

    def events(self, message, **fields):
        return [line for line in self.lines()
                if line.get("msg") == message and
                all(line.get(k) == v for k, v in fields.items())]

    def flows(self, **fields):
        """Lines of the access log."""
        return self.events("flow", **fields)

    def wait_flows(self, n, seconds=20.0, **fields):
        """At least n such lines; all of them."""
        wait_until(lambda: len(self.flows(**fields)) >= n,
                   f"{n} access log lines {fields}", seconds)
        return self.flows(**fields)

    def wait_event(self, message, seconds=20.0, **fields):
        wait_until(lambda: self.events(message, **fields),
                   f"the log line \"{message}\" {fields}", seconds)
        return self.events(message, **fields)[-1]

    # -- what it holds -------------------------------------------------
    def idle(self, seconds=20.0):
        """Waits until no flow is left."""
        wait_until(lambda: self.status()["flows"]["open"] == 0,
                   "all flows to end", seconds)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def highest_descriptor(self):
        return max(map(int, os.listdir(f"/proc/{self.pid}/fd")))

    def descriptor_limit(self):
        """The hard limit, to which braidd raises the soft one."""
        with open(f"/proc/{self.pid}/limits", encoding="ascii") as f:
            return int(next(line for line in f if
                            line.startswith("Max open files")).split()[4])

    def memory_bytes(self):
        """Private memory that is in use, from smaps_rollup."""
        total = 0
        with open(f"/proc/{self.pid}/smaps_rollup",
                  encoding="ascii") as f:
            for line in f:
                if line.startswith(("Private_Dirty:", "Private_Clean:")):
                    total += int(line.split()[1]) * 1024
        return total

    def limit_descriptors(self, soft, hard):
        """As the process's own user, who needs no capability for it."""
        prefix = ["setpriv", f"--reuid={self.uid}", f"--regid={NOBODY}",
                  "--clear-groups"] if self.s.is_root else []
        self.s.run([*prefix, "prlimit", f"--pid={self.pid}",
                    f"--nofile={soft}:{hard}"])

    def _thread_states(self):
        """Those that there are, as /proc/PID/stat has them; X: one has just
        ended."""
        states = set()
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/stat",
                          encoding="ascii") as f:
                    states.add(f.read().rsplit(")", 1)[1].split()[0])
            except (FileNotFoundError, ProcessLookupError):
                states.add("X")
        return states

    def _rests(self):
        """Whether all threads sleep: none waits for a processor to go on."""
        return self._thread_states() == {"S"}

    def settled_descriptors(self):
        """Their number once it has stood still for a while, in which braidd
        had nothing to do."""
        before, since = None, time.monotonic()
        deadline = time.monotonic() + 20 * PATIENCE
        while time.monotonic() < deadline:
            now = self.descriptors()
            if now != before or not self._rests():
                before, since = now, time.monotonic()
            elif time.monotonic() - since > 0.3:
                return now
            time.sleep(0.05)
        raise Failure("the number of descriptors does not settle")
