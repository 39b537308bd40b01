# SPDX-License-Identifier: Apache-2.0
"""The proxies: Braid, HAProxy, nginx stream, and "direct" for no proxy.

A proxy offers two ports: "small" leads to the HTTP origin, "bulk" to iperf3's
server. HAProxy and nginx get an instance for each, with the best settings
documented for that work (conf/*.in says why); Braid is one process and finds
out by itself. All stay started, idle, while another one is measured.
"""
import os
import pwd
import re
import shutil
import subprocess

import procs

HERE = os.path.dirname(os.path.abspath(__file__))

# Every proxy under a user of its own: the kernel's limit on pipe memory is
# per user, and one proxy's pipes must not shrink another's.
USERS = {"braid": ["braid", "nobody"], "haproxy": ["haproxy", "nobody"],
         "nginx": ["www-data", "nobody"], "load": ["nobody"]}


TLS_ROLES = ("tls", "tlsbulk")


def service_user(name):
    for user in USERS[name]:
        try:
            pwd.getpwnam(user)
            return user
        except KeyError:
            continue
    return None


def fill(template, target, values):
    """Writes conf/<template> to `target` with @KEY@ replaced."""
    with open(os.path.join(HERE, "conf", template)) as f:
        text = f.read()
    text = re.sub(r"@([A-Z_]+)@", lambda m: str(values[m[1]]), text)
    with open(target, "w") as f:
        f.write(text)


def make_certificate(folder):
    """ECDSA P-256, for all proxies; the key is of no worth."""
    cert, key = (os.path.join(folder, x) for x in ("cert.pem", "key.pem"))
    done = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
         "/CN=bench.test", "-addext", "subjectAltName=DNS:bench.test",
         "-keyout", key, "-out", cert],
        capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise procs.BenchError(f"no certificate: {done.stderr}")
    with open(cert) as a, open(key) as b, \
            open(os.path.join(folder, "both.pem"), "w") as both:
        both.write(a.read() + b.read())
    for name in ("cert.pem", "key.pem", "both.pem"):
        os.chmod(os.path.join(folder, name), 0o644)


class Proxy:
    """One kind of proxy. Subclasses say which instances it needs."""

    name = ""

    def __init__(self, run):
        self.run = run
        self.user = service_user(self.name) if self.name in USERS else None
        self.ports = run.ports[self.name]
        self.dir = os.path.join(run.temp, self.name)
        self.instances = {}

    def make_dir(self, role):
        path = os.path.join(self.dir, role)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        if os.geteuid() == 0 and self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)
        return path

    def values(self, role, path):
        return {"DIR": path, "USER": self.user or "root",
                "PORT": self.ports[role],
                "ORIGIN": self.run.origins["small" if role == "tls" else role],
                "CERT_DIR": self.run.temp}

    def launch(self, role, argv, path):
        process = self.run.processes.start(
            f"{self.name} ({role})", argv, self.run.proxy_core, self.user,
            os.path.join(path, "log"))
        process.wait_port(self.ports[role])
        self.instances[role] = process

    def start(self, roles):
        for role in roles:
            self.start_role(role)

    def restart(self, role):
        """A fresh process: what memory it holds then is of this row only."""
        self.run.processes.stop(self.instances.pop(role))
        self.start_role(role)

    def process(self, role):
        return self.instances[role]

    def all_pids(self):
        return [p for i in set(self.instances.values()) for p in i.pids()]


class Haproxy(Proxy):
    name = "haproxy"
    # Of a terminated connection; the best as measured, see
    # docs/performance.md.
    buffers = {"tls": "16384", "tlsbulk": "262144"}

    def start_role(self, role):
        path = self.make_dir(role)
        conf = os.path.join(path, "haproxy.cfg")
        values = self.values(role, path)
        values["BUFFER"] = self.buffers.get(role)
        fill("haproxy-tls.cfg.in" if role in TLS_ROLES
             else f"haproxy-{role}.cfg.in", conf, values)
        self.launch(role, ["haproxy", "-db", "-f", conf], path)

    @staticmethod
    def version():
        return first_line(["haproxy", "-v"])


class Nginx(Proxy):
    name = "nginx"
    # The default for small requests: a larger one costs memory and gains
    # nothing. For bulk the best of 16k to 1m as measured; see
    # docs/performance.md.
    buffers = {"small": "16k", "bulk": "1m", "tls": "16k", "tlsbulk": "1m"}

    def start_role(self, role):
        path = self.make_dir(role)
        conf = os.path.join(path, "nginx.conf")
        values = self.values(role, path)
        values["BUFFER"] = self.buffers[role]
        fill("nginx-tls.conf.in" if role in TLS_ROLES else "nginx.conf.in",
             conf, values)
        self.launch(role, ["nginx", "-p", path, "-c", conf,
                           "-e", os.path.join(path, "error.log")], path)

    @staticmethod
    def version():
        return first_line(["nginx", "-v"])


class Braid(Proxy):
    name = "braid"

    @staticmethod
    def instance(role):
        """Small requests and bulk share one process."""
        return {"bulk": "small", "tlsbulk": "tls"}.get(role, role)

    def start(self, roles):
        super().start({self.instance(role) for role in roles})

    def start_role(self, role):
        if role == "tls":
            path = self.make_dir("tls")
            conf = os.path.join(path, "braid.yaml")
            values = self.values("tls", path)
            values["BULK_PORT"] = self.ports["tlsbulk"]
            values["BULK_ORIGIN"] = self.run.origins["tlsbulk"]
            fill("braid-tls.yaml.in", conf, values)
            self.launch("tls", [self.run.braidd, "-f", conf], path)
            return
        path = self.make_dir("all")
        conf = os.path.join(path, "braid.yaml")
        values = self.values("small", path)
        values["BULK_PORT"] = self.ports["bulk"]
        values["BULK_ORIGIN"] = self.run.origins["bulk"]
        fill("braid.yaml.in", conf, values)
        self.launch("small", [self.run.braidd, "-f", conf], path)
        self.instances["small"].wait_port(self.ports["bulk"])

    def restart(self, role):
        super().restart(self.instance(role))

    def process(self, role):
        return self.instances[self.instance(role)]

    def version(self):
        return first_line([self.run.braidd, "-V"])


class Direct(Proxy):
    """No proxy: the load goes to the origin itself."""

    name = "direct"

    def __init__(self, run):
        run.ports["direct"] = run.origins
        super().__init__(run)

    def start(self, roles):
        pass


KINDS = {"braid": Braid, "haproxy": Haproxy, "nginx": Nginx}


def first_line(argv):
    try:
        out = subprocess.run(argv, capture_output=True, text=True, timeout=10,
                             check=False)
    except OSError as why:
        return str(why)
    text = (out.stdout or out.stderr).strip()
    return text.splitlines()[0] if text else "unknown"
