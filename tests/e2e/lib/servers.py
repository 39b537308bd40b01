# SPDX-License-Identifier: Apache-2.0
"""Real origins and load programs, with their own configuration in the
scenario's folder."""

import json
import socket

from .process import Failure, run as run_program, wait_until
from .scenario import NAMELESS, NOBODY, find_program


def wait_port(port, what, host="127.0.0.1"):
    def answers():
        try:
            socket.create_connection((host, port), 5).close()
            return True
        except OSError:
            return False
    wait_until(answers, f"{what} to listen on {port}")


NGINX = """
daemon off;
worker_processes 1;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
	access_log off;
	client_body_temp_path {folder}/body;
	proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/fastcgi;
	uwsgi_temp_path {folder}/uwsgi;
	scgi_temp_path {folder}/scgi;
	keepalive_requests 1000000;
	server {{
		listen {host}:{port} backlog=4096 reuseport;
		location / {{ root {www}; }}
		location = /name {{ return 200 "{name}"; }}
		location = /small {{ return 200 "{small}"; }}
	}}
}}
"""


class Nginx:
    """Serves `www`, or FOLDER/www; /name and /small (100 bytes)."""

    def __init__(self, s, name="nginx", host="127.0.0.1", port=None,
                 namespace=None, www=None):
        s.need("nginx")
        self.s, self.name, self.host = s, name, host
        self.port = port or s.port()
        self.folder = s.make_folder(name)
        self.www = www or s.make_folder(f"{name}/www")
        self.namespace, self.prefix = namespace, _inside(namespace)
        self.config = s.write(f"{name}/nginx.conf", NGINX.format(
            user="root" if s.is_root else "nobody", folder=self.folder,
            www=self.www, host=host, port=self.port, name=name,
            small="x" * 100))
        self.text = f"{host}:{self.port}"
        self.start()

    def start(self):
        self.process = self.s.start(
            [*self.prefix, find_program("nginx"), "-p", self.folder, "-c",
             self.config, "-e", f"{self.folder}/error.log"], self.name)
        self._within(lambda: wait_port(self.port, self.name, self.host))

    def _within(self, function):
        return self.namespace.inside(function) if self.namespace else \
            function()

    def kill(self):
        """As a crash would: at once, its workers with it."""
        self.process.end()


APACHE = """
ServerName localhost
ServerRoot {folder}
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
Listen {host}:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
MaxKeepAliveRequests 0
KeepAliveTimeout 20
FileETag MTime Size
DocumentRoot {www}
<Directory {www}>
	Require all granted
</Directory>
"""


class Apache:
    """Apache httpd; serves `www`, or FOLDER/www."""

    MODULES = "/usr/lib/apache2/modules"

    def __init__(self, s, name="apache", host="127.0.0.1", www=None):
        s.need("apache2")
        folder = s.make_folder(name, NAMELESS)
        self.www = www or s.make_folder(f"{name}/www")
        self.port = s.port()
        self.text = f"{host}:{self.port}"
        config = s.write(f"{name}/apache.conf", APACHE.format(
            folder=folder, host=host, port=self.port, www=self.www,
            modules=self.MODULES))
        self.process = s.start(
            [*_as_nobody(s), find_program("apache2"), "-DFOREGROUND", "-f", config], name)
        wait_port(self.port, name, host)


def _as_nobody(s):
    """It refuses to serve as root, unless it was built to."""
    if not s.is_root:
        return []
    return [find_program("setpriv"), f"--reuid={NAMELESS}",
            f"--regid={NOBODY}", "--clear-groups"]


class Redis:
    def __init__(self, s):
        s.need("redis-server", "redis-benchmark")
        self.port = s.port()
        self.text = f"127.0.0.1:{self.port}"
        folder = s.make_folder("redis")
        self.process = s.start(
            [find_program("redis-server"), "--port", self.port, "--bind",
             "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder,
             "--tcp-backlog", "511"], "redis")
        wait_port(self.port, "redis")


def listens(port):
    """Whether somebody does, over IPv4; without a connection to it."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f][1:]
    # Column 1 is the local address, column 3 the state (0A: listen).
    return any(r[1].endswith(f":{port:04X}") and r[3] == "0A" for r in rows)


def wait_listening(port, process, what):
    """Waits for a listening socket without connecting to it."""
    def answers():
        if not process.running:
            raise Failure(f"{what} ended: {process.output()}")
        return listens(port)
    wait_until(answers, f"{what} to listen on {port}")


class Iperf:
    """iperf3 -s closes its listening socket after each test, and also after a
    connection that was only made to see whether it answers, and opens another:
    whoever connects in between is refused. So each test has a server of its
    own on the same port, and nobody connects to it but the test."""

    def __init__(self, s):
        s.need("iperf3")
        self.s = s
        self.port = s.port()
        self.text = f"127.0.0.1:{self.port}"

    def run(self, port, streams=1, reverse=False, size="64M"):
        """Moves so many bytes through the proxy at port; what iperf3 reports
        of the sum."""
        program = find_program("iperf3")
        server = self.s.start(
            [program, "-s", "-1", "-p", self.port, "-B", "127.0.0.1",
             "--forceflush"], "iperf3")
        wait_listening(self.port, server, "iperf3")
        done = run_program(
            [program, "-c", "127.0.0.1", "-p", port, "-J", "-P", streams, "-n",
             size, *(["-R"] if reverse else [])], seconds=90, check=False)
        try:
            report = json.loads(done.stdout)
        except ValueError:
            raise Failure(f"iperf3: {done.stdout}{done.stderr}") from None
        if done.returncode or "error" in report:
            raise Failure(f"iperf3, {streams} streams, reverse {reverse}: exit "
                          f"{done.returncode}: {report.get('error')}\n"
                          f"{json.dumps(report.get('start'))}\n{done.stderr}")
        server.wait()
        return report["end"]


def _inside(namespace):
    return [find_program("nsenter"), f"--net={namespace.path}"] if namespace \
        else []


def wrk(url, connections=16, seconds=2, threads=1, options=(), namespace=None):
    """Load; requests done, and errors of any kind by their name."""
    done = run_program([*_inside(namespace), find_program("wrk"), "-t",
                        threads, "-c", connections, "-d", f"{seconds}s",
                        "--timeout", "20s", *options, url],
                       seconds=seconds + 60)
    requests, errors = None, {}
    for line in done.stdout.splitlines():
        words = line.split()
        if "requests in" in line:
            requests = int(words[0])
        elif line.strip().startswith("Socket errors:"):
            pairs = line.split(":", 1)[1].split(",")
            errors = {p.split()[0]: int(p.split()[1]) for p in pairs}
        elif line.strip().startswith("Non-2xx"):
            errors["status"] = int(words[-1])
    if requests is None:
        raise Failure(f"wrk said: {done.stdout}{done.stderr}")
    return requests, {k: v for k, v in errors.items() if v}


def curl(url, *options, check=True, namespace=None):
    return run_program([*_inside(namespace), find_program("curl"), "-sS", "--max-time",
                        "30", *options, url], check=check)
