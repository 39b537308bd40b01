# SPDX-License-Identifier: Apache-2.0
"""What runs in the network of a row: nginx as origins, Braid, other proxies,
and the client whose reads are timed.

Origins serve the same file, by name and by inode: nginx makes the ETag of size
and modification time, so they agree on it.
"""
import hashlib
import json
import os
import pwd
import signal
import subprocess

import measure
import peers
import procs
from lib import control, paths
from lib.process import Skip
from lib.scenario import find_program

ORIGIN_PORT = 9000
LISTENERS = {"on": 8001, "auto": 8002, "off": 8003, "one": 8004, "small": 8007}
SMALL_ORIGIN = 8008
UNUSED_ORIGIN = 8009
API_PORT = 9900
PEER_PORTS = {"haproxy": 8005, "nginx": 8006}
CLIENT_SECONDS = 150
# Where everything is on one loopback the origins are told apart by port.
LOOPBACK = "127.0.0.1"


class Made:
    """What the network of the scenarios' library asks of a scenario."""

    def __init__(self):
        self.undo = []

    def need_root(self):
        pass

    def need(self, *programs):
        for name in programs:
            if not find_program(name):
                raise Skip(f"needs {name}")

    def defer(self, undo):
        self.undo.append(undo)

    def close(self):
        while self.undo:
            try:
                self.undo.pop()()
            except Exception as why:  # the rest must be undone all the same
                print(f"clean-up: {why}", flush=True)


class Files:
    """Random bytes, so that no piece can be taken for another unnoticed; in
    memory, so that no disk is measured."""

    def __init__(self, temp):
        self.folder = os.path.join(temp, "www")
        os.mkdir(self.folder)
        self.digests = {}

    def make(self, size):
        name = f"{size}"
        if name in self.digests:
            return name
        digest = hashlib.sha256()
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            left = size
            while left:
                part = os.urandom(min(left, 1 << 22))
                f.write(part)
                digest.update(part)
                left -= len(part)
        os.chmod(path, 0o644)
        # An ETag of a file that is just being written is worth little.
        os.utime(path, (1.7e9, 1.7e9))
        self.digests[name] = digest.hexdigest()
        return name


class Stage:
    """Opened by a row, closed by it whatever happens. rates: see Paths; None:
    no network, `servers` origins on one loopback."""

    def __init__(self, run, rates=None, servers=4, most=4, piece="1MiB"):
        self.run = run
        self.processes = procs.Processes()
        self.origins = {}
        self.getters = set()
        self.proxies = {}
        self.most, self.piece = most, piece
        self.paths = None
        self.made = Made()
        try:
            if rates:
                self.paths = paths.Paths(self.made, rates)
                servers = len(rates)
            self.count = servers
            self.near = paths.NEAR if rates else LOOPBACK
            for i in range(servers):
                self.start_origin(i)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.processes.stop_all()
        self.made.close()

    # -- who is where --------------------------------------------------
    def origin_address(self, i):
        return (paths.Paths.address(i), ORIGIN_PORT) if self.paths else \
            (LOOPBACK, ORIGIN_PORT + i)

    def space(self, which):
        if not self.paths:
            return None
        return which(self.paths).path

    def near_space(self):
        return self.space(lambda p: p.middle)

    def folder(self, name, user):
        path = os.path.join(self.run.temp, name)
        os.makedirs(path, exist_ok=True)
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)
        return path

    # -- servers -------------------------------------------------------
    def start_origin(self, i):
        user = peers.service_user("nginx")
        path = self.folder(f"s{i + 1}", user)
        conf = os.path.join(path, "nginx.conf")
        address, port = self.origin_address(i)
        peers.fill("nginx-origin.conf.in", conf,
                   {"DIR": path, "ADDRESS": address, "PORT": port,
                    "WWW": self.run.files.folder})
        space = self.space(lambda p: p.servers[i])
        self.origins[i] = self.processes.start(
            f"s{i + 1}", ["nginx", "-p", path, "-c", conf, "-e",
                          os.path.join(path, "error.log")],
            self.run.load_core, user, os.path.join(path, "log"), space=space)
        self.wait_port(self.origins[i], address, port,
                       self.paths and self.paths.servers[i])

    @staticmethod
    def wait_port(process, address, port, space):
        """The namespace's object, or None for our own."""
        def wait():
            process.wait_port(port, address)
        space.inside(wait) if space else wait()

    def kill_origin(self, i):
        """As the kernel kills what takes too much memory: no word is said."""
        process = self.origins[i]
        for pid in process.pids():
            os.kill(pid, signal.SIGKILL)
        process.child.wait()
        self.processes.all.remove(process)

    # -- proxies -------------------------------------------------------
    def launch(self, name, argv, template, conf_name, values, port):
        user = peers.service_user(name)
        path = self.folder(name, user)
        conf = os.path.join(path, conf_name)
        peers.fill(template, conf, {**values, "DIR": path, "USER": user,
                                    "ADDRESS": self.near, "PORT": port})
        process = self.processes.start(
            name, argv(path, conf), self.run.proxy_core, user,
            os.path.join(path, "log"), first=self.run.args.first,
            space=self.near_space())
        self.wait_port(process, self.near, port,
                       self.paths and self.paths.middle)
        self.proxies[name] = process

    def start_braid(self, template, **more):
        servers = [f"s{i + 1}: {{address: \"%s:%d\"}}" % self.origin_address(i)
                   for i in range(self.count)]
        values = {"SERVERS": ", ".join(servers), "FIRST": servers[0],
                  "MAX": self.most, "PIECE": self.piece, "API_PORT": API_PORT,
                  "SMALL_ORIGIN": SMALL_ORIGIN, "LOG": "false",
                  **{f"{k.upper()}_PORT": v for k, v in LISTENERS.items()},
                  **more}
        self.launch(
            "braid", lambda path, conf: [self.run.braidd, "-f", conf],
            template, "braid.yaml", values, LISTENERS["one"])

    @property
    def braid(self):
        return self.proxies["braid"]

    def start_haproxy(self):
        lines = "\n".join(f"\tserver s{i + 1} %s:%d" % self.origin_address(i)
                          for i in range(self.count))
        self.launch(
            "haproxy", lambda path, conf: ["haproxy", "-db", "-f", conf],
            "haproxy-http.cfg.in", "haproxy.cfg", {"SERVERS": lines},
            PEER_PORTS["haproxy"])

    def start_nginx(self):
        lines = " ".join("server %s:%d;" % self.origin_address(i)
                         for i in range(self.count))
        self.launch(
            "nginx", lambda path, conf: ["nginx", "-p", path, "-c", conf, "-e",
                                         os.path.join(path, "error.log")],
            "nginx-http.conf.in", "nginx.conf", {"SERVERS": lines},
            PEER_PORTS["nginx"])

    def ctl(self, *arguments):
        """What the control socket answers."""
        path = os.path.join(self.run.temp, "braid", "control.sock")
        return control.ask(path, *arguments)["data"]

    def server_connections(self):
        """How many there are to the origins, by the kernel; on loopback."""
        ports = " or ".join(f"sport = :{self.origin_address(i)[1]}"
                            for i in range(self.count))
        done = subprocess.run(["ss", "-Htn", "state", "established",
                               f"( {ports} )"], capture_output=True, text=True,
                              timeout=10, check=True)
        return len(done.stdout.splitlines())

    # -- the client ----------------------------------------------------
    def getter(self, arguments, on_line=None):
        """Runs it to its end. Returns what it printed as JSON, a list; other
        lines go to on_line as they come."""
        argv = [os.path.join(self.run.bin, "getter"), *map(str, arguments)]
        child = subprocess.Popen(
            procs.wrap(argv, self.run.load_core, peers.service_user("load"),
                       space=self.space(lambda p: p.client)),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.getters.add(child)
        out = []
        try:
            for line in child.stdout:
                if line.startswith("{"):
                    out.append(json.loads(line))
                elif on_line:
                    on_line(line.strip())
            child.wait(CLIENT_SECONDS)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
            self.getters.discard(child)
            error = child.stderr.read()
            child.stdout.close()
            child.stderr.close()
        if not out:
            raise procs.BenchError(f"getter: {error.strip() or 'no figures'}")
        out[-1]["said"] = error.strip()
        return out

    def end_getters(self):
        """Those that run on another thread say what they have and end."""
        for child in list(self.getters):
            child.terminate()

    def get(self, port, size, address=None, count=1, digest=True, mark=0,
            on_mark=None):
        """Downloads; dicts with mbit_s, and right: the bytes are those. The
        last has cpu_s, of all proxies: those that are not asked sleep."""
        name = self.run.files.make(size)
        cpu = measure.CpuCount([pid for p in self.proxies.values()
                                for pid in p.pids()])
        bodies = self.getter(
            ["get", address or self.near, port, f"/{name}", count, mark,
             "sha256" if digest else "none"], on_mark and (lambda _: on_mark()))
        for body in bodies:
            body["mbit_s"] = body["bytes"] * 8 / body["seconds"] / 1e6
            body["right"] = body["whole"] and body["bytes"] == size and (
                not digest or body["sha256"] == self.run.files.digests[name])
        bodies[-1]["cpu_s"] = cpu.seconds()
        return bodies

    def get_right(self, *args, **kwargs):
        """One download whose bytes must be right: no figure is made of others."""
        body = self.get(*args, **kwargs)[-1]
        if not body["right"]:
            raise procs.BenchError(f"wrong or short: {body}")
        return body

    def curls(self, size, shares):
        """The bound from above: one curl for each server at once, each asking
        it directly for its share. Returns Mbit/s of the whole."""
        name = self.run.files.make(size)
        script, at = [], 0
        for i, share in enumerate(shares):
            end = size if i == len(shares) - 1 else at + int(size * share)
            script.append(
                f"curl -sf -o /dev/null -r {at}-{end - 1} "
                "http://%s:%d/%s &" % (*self.origin_address(i), name))
            at = end
        done = subprocess.run(
            procs.wrap(["sh", "-c", "\n".join(
                ["a=$(date +%s%N)", *script, "wait", "b=$(date +%s%N)",
                 "echo $((b - a))"])],
                self.run.load_core, peers.service_user("load"),
                space=self.space(lambda p: p.client)),
            capture_output=True, text=True, timeout=CLIENT_SECONDS, check=True)
        return size * 8 / (int(done.stdout) / 1e9) / 1e6
