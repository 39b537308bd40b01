# SPDX-License-Identifier: Apache-2.0
"""braid-fetch as a user runs it, in front of POPs: the same content on several
loopback addresses at one port."""

import json
import os
import subprocess
import sys

from .dns import Dns
from .process import PATIENCE, Failure, run
from .range_origin import Library, RangeOrigin
from .scenario import find_program


INSIDE = "BRAID_E2E_INSIDE"


def enter_own_network():
    """The scenario begins anew with a network and mounts of its own, which
    end with it; without root, or the programs for it, it stays where it is."""
    if os.geteuid() or not (find_program("unshare") and find_program("ip")):
        return
    if not os.environ.get(INSIDE):
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable,
                              "-B", *sys.argv])
    run(["ip", "link", "set", "lo", "up"])


class Fetched:
    def __init__(self, done):
        self.code, self.body = done.returncode, done.stdout
        self.said = done.stderr.decode()
        self.events = []
        if "runtime error:" in self.said or "Sanitizer" in self.said:
            raise Failure(self.said)

    def of(self, event):
        """(name or address, text) of each such decision, with --json."""
        lines = [json.loads(line) for line in self.said.splitlines()
                 if line.startswith("{")]
        return [(e.get("name", ""), e.get("address", ""), e["text"])
                for e in lines if e["event"] == event]

    def addresses(self, event):
        return [address for _, address, _ in self.of(event)]


class Fetch:
    """It asks that server ("address:port") and remembers within the scenario's folder."""

    def __init__(self, s, dns=None):
        self.s, self.dns = s, dns
        self.program = os.path.join(s.bin, "braid-fetch")
        self.cache = s.make_folder("cache")
        self.env = dict(os.environ, XDG_CACHE_HOME=self.cache)

    @property
    def state(self):
        return os.path.join(self.cache, "braid-fetch", "state")

    def remembered(self):
        with open(self.state, encoding="utf-8") as f:
            return f.read()

    def forget(self):
        if os.path.exists(self.state):
            os.unlink(self.state)

    def __call__(self, *arguments, seconds=60, **options):
        dns = ["--dns", self.dns] if self.dns else []
        try:
            return Fetched(subprocess.run(
                [self.program, *dns, "--json", *map(str, arguments)],
                stdin=subprocess.DEVNULL, env=self.env,
                timeout=seconds * PATIENCE,
                stdout=options.pop("stdout", subprocess.PIPE),
                stderr=subprocess.PIPE, check=False, **options))
        except subprocess.TimeoutExpired as late:
            raise Failure(f"braid-fetch {arguments} did not end: "
                          f"{late.stderr}") from None


class Pops:
    """Three POPs with the same content, named pop1.test to pop3.test."""

    def __init__(self, s, n=3, **options):
        self.port = s.port()
        self.library = Library()
        self.hosts = [f"127.0.0.{10 + i}" for i in range(1, n + 1)]
        self.origins = [RangeOrigin(s, self.library, address=(h, self.port),
                                    **options) for h in self.hosts]
        self.texts = [f"{h}:{self.port}" for h in self.hosts]
        self.dns = Dns(s)
        self.names = [f"pop{i}.test" for i in range(1, n + 1)]
        for name, host in zip(self.names, self.hosts):
            self.dns.set(name, "A", host)

    def url(self, path, host="www.test"):
        return f"http://{host}:{self.port}{path}"

    def n_requests(self):
        return [len(origin.requests) for origin in self.origins]
