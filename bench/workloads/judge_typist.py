# SPDX-License-Identifier: Apache-2.0
"""A person at a terminal: keys with pauses, and reading before the next line."""
import os
import subprocess
import threading
import time

OPEN_SECONDS, LEAVE_SECONDS = 20, 15
KEY = (.04, .3)  # seconds between keys
READ = (.3, 1.6)  # and between lines

SHELL = ("ls -l /etc", "uname -a", "date", "df -h", "cat /etc/services",
         "ps aux", "echo hello wolrd", "cd /usr/lib", "ls", "pwd", "uptime",
         "grep -c root /etc/passwd", "tail -n 5 /etc/group", "id",
         "top -b -n 2 -d 1")
SQL = ("select now();", "select count(*) from pgbench_accounts;", "\\dt",
       "select * from pgbench_branches;", "\\d pgbench_tellers",
       "select * from pgbench_tellers limit 10;", "show max_connections;",
       "select aid, abalance from pgbench_accounts order by aid limit 40;",
       "select relname from pg_class limit 30;", "select typo;")
SFTP = ("pwd", "ls", "ls -l /etc", "cd /usr", "ls -l", "cd lib", "pwd", "df",
        "ls -a /", "cd /etc", "ls -l hosts")


class Typist:
    """argv with a terminal as stdin and stdout; what it prints is read and
    forgotten, but for how much it was."""

    def __init__(self, argv, env, randomness):
        self.random, self.seen = randomness, 0
        self.master, slave = os.openpty()
        try:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(
                argv, env=env, stdin=slave, stdout=slave, stderr=slave,
                start_new_session=True)
        finally:
            os.close(slave)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            try:
                got = os.read(self.master, 65536)
            except OSError:  # EIO: nobody has the terminal open any more
                return
            self.seen += len(got)

    def wait_for_prompt(self):
        """Something is there, and no more has come for a moment."""
        end = time.monotonic() + OPEN_SECONDS
        before = -1
        while self.seen == 0 or self.seen != before:
            before = self.seen
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError("no prompt")
            time.sleep(.4)

    def type(self, line):
        for key in line:
            time.sleep(self.random.uniform(*KEY))
            os.write(self.master, key.encode())
            if self.random.random() < .03:  # a typing error, and its repair
                time.sleep(self.random.uniform(*KEY))
                os.write(self.master, b"x")
                time.sleep(self.random.uniform(*READ))
                os.write(self.master, b"\x7f")
        time.sleep(self.random.uniform(*KEY))
        os.write(self.master, b"\r")

    def session(self, lines, seconds, leave="exit"):
        try:
            self.wait_for_prompt()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                self.type(self.random.choice(lines))
                time.sleep(self.random.uniform(*READ))
            self.type(leave)
            self.process.wait(LEAVE_SECONDS)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.reader.join()
            os.close(self.master)
