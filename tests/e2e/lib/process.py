# SPDX-License-Identifier: Apache-2.0
"""Child processes: started in a session of their own, ended by their pid."""

import os
import signal
import subprocess
import time


class Failure(Exception):
    """The scenario found something wrong."""


class Skip(Exception):
    """The scenario cannot run here; says why."""


# All limits of waiting are times so much: they bound how long a broken run takes,
# and a busy machine breaks nothing.
PATIENCE = 3


def wait_until(condition, what, seconds=20.0, every=0.02):
    """The first true value of condition(). The limit is generous: it bounds
    how long a broken run takes and says nothing about speed."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"waited {seconds:g} s for: {what}")
        time.sleep(every)


class Process:
    """One program, its output in a file."""

    def __init__(self, argv, log, env=None, stdin=None, preexec=None):
        self.argv = [str(a) for a in argv]
        self.log_path = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(
                self.argv, stdin=stdin or subprocess.DEVNULL, stdout=out,
                stderr=out, env=env, start_new_session=True,
                preexec_fn=preexec)
        self.pid = self.popen.pid

    @property
    def running(self):
        return self.popen.poll() is None

    def output(self):
        with open(self.log_path, "rb") as f:
            return f.read().decode(errors="replace")

    def send(self, number):
        if self.running:
            os.kill(self.pid, number)

    def wait(self, seconds=30.0):
        """The exit code; negative for a signal."""
        seconds *= PATIENCE
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.argv[0]} (pid {self.pid}) did not end "
                          f"within {seconds:g} s") from None

    def end(self, number=signal.SIGTERM, seconds=10.0):
        """Ends it for sure; for clean-up."""
        if self.running:
            self.send(number)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                # Its children are in the same session and group.
                try:
                    os.killpg(self.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                self.popen.wait(10)


def run(argv, seconds=60, check=True, env=None, input_text=None):
    """Runs a program to its end; the CompletedProcess with text output."""
    argv = [str(a) for a in argv]
    seconds *= PATIENCE
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=seconds, env=env,
            input=input_text,
            stdin=subprocess.DEVNULL if input_text is None else None)
    except subprocess.TimeoutExpired:
        raise Failure(f"{' '.join(argv)}: not done within "
                      f"{seconds} s") from None
    if check and done.returncode:
        raise Failure(f"{' '.join(argv)}: exit {done.returncode}\n"
                      f"{done.stdout}{done.stderr}")
    return done
