# SPDX-License-Identifier: Apache-2.0
"""Starting, pinning and ending the processes of a bench.

Every process runs on one named core, under an unprivileged user when the
bench was started by root, and is ended by its pid, also when the bench fails
or is interrupted. Should the bench itself be killed, the kernel sends TERM to
what it started (parent-death signal).
"""
import os
import pwd
import signal
import socket
import subprocess
import time

STOP_SECONDS = 5
START_SECONDS = 10


class BenchError(Exception):
    """Something the operator can act on; printed without a traceback."""


def wrap(argv, core, user, first=False, space=None):
    """The command line that runs argv on `core` as `user`; `first`: before all
    that is not so on that core (only root may); `space`: the path of a network
    namespace (likewise)."""
    out = ["nsenter", f"--net={space}", "--"] if space else []
    out += ["taskset", "-c", str(core)]
    if first and os.geteuid() == 0:
        out += ["chrt", "-f", "5"]
    if os.geteuid() == 0 and user:
        entry = pwd.getpwnam(user)
        out += ["setpriv", "--reuid", str(entry.pw_uid),
                "--regid", str(entry.pw_gid), "--clear-groups",
                "--pdeathsig", "TERM"]
    else:
        out += ["setpriv", "--pdeathsig", "TERM"]
    return out + ["--"] + argv


class Process:
    """A server that lives for several measurements."""

    def __init__(self, name, argv, core, user, log_path, first=False,
                 space=None):
        self.name = name
        self.log_path = log_path
        with open(log_path, "ab") as log:
            # Its own session: Ctrl-C at the terminal reaches only the bench,
            # which then ends its processes in order.
            self.child = subprocess.Popen(
                wrap(argv, core, user, first, space),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)

    @property
    def pid(self):
        return self.child.pid

    def check(self):
        if self.child.poll() is None:
            return
        with open(self.log_path, errors="replace") as log:
            tail = log.read()[-2000:]
        raise BenchError(f"{self.name} ended with {self.child.returncode}:\n"
                         f"{tail}")

    def wait_port(self, port, address="127.0.0.1"):
        """Returns when somebody accepts at the port."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            self.check()
            try:
                socket.create_connection((address, port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise BenchError(f"{self.name} does not listen at {port}")

    def pids(self):
        """The process and its descendants (nginx: master and worker)."""
        return descendants(self.pid)

    def stop(self):
        # A helper that ignores TERM must not outlive the bench; its children
        # go with it because they share its session's process group.
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self.child.wait()


def descendants(pid):
    out = [pid]
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                for child in f.read().split():
                    out += descendants(int(child))
    except FileNotFoundError:
        pass
    return out


class Processes:
    """All servers of a run; stop_all() ends them, last started first."""

    def __init__(self):
        self.all = []

    def start(self, *args, **kwargs):
        process = Process(*args, **kwargs)
        self.all.append(process)
        return process

    def stop(self, process):
        process.stop()
        self.all.remove(process)

    def stop_all(self):
        while self.all:
            self.all.pop().stop()


def run(argv, core, user, timeout, first=False):
    """Runs a client to its end; returns (exit status, stdout, stderr)."""
    child = subprocess.Popen(
        wrap(argv, core, user, first), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True)
    try:
        out, err = child.communicate(timeout=timeout)
    except BaseException as why:
        child.kill()
        child.wait()
        if isinstance(why, subprocess.TimeoutExpired):
            raise BenchError(f"no end after {timeout} s: {argv}") from why
        raise
    return child.returncode, out, err


def free_ports(base, count):
    """Checks that `count` ports from base on are free."""
    for port in range(base, base + count):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError as why:
                raise BenchError(f"port {port} is taken ({why}); choose "
                                 "others with --port-base") from why
    return list(range(base, base + count))
