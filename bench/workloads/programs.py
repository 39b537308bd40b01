# SPDX-License-Identifier: Apache-2.0
"""Programs of others whose behaviour is known: the set to tune by. A program
that is not installed is left out."""
import getpass
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
START_SECONDS = 10
RUN_SECONDS = 60
LARGE, SMALL, LEAST = 8 << 20, 3000, 50000

_NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 100m;
  server {{
    listen 127.0.0.1:{port};
    location / {{ root {folder}/www; }}
    location /paced/ {{ alias {folder}/www/; limit_rate 400k; }}
  }}
}}
"""


@dataclass
class Program:
    name: str
    kind: str
    needs: tuple
    port: int  # of the listener
    server: str  # its key in Origins
    commands: object  # function (address, port) -> [argv or (argv, input)]
    seconds: float = RUN_SECONDS  # ended then, which is no failure if shorter
    # Smaller flows are what the program says beside its work.
    least_bytes: int = 0

    def run(self, address, folder):
        failures = []
        for argv in self.commands(*address):
            try:
                done = subprocess.run(
                    argv, stdin=subprocess.DEVNULL, env={"PATH": PATH},
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                    timeout=self.seconds, cwd=folder, check=False)
            except subprocess.TimeoutExpired:
                if self.seconds == RUN_SECONDS:
                    failures.append(f"{self.name}: {argv[0]} hangs")
                continue
            if done.returncode:
                failures.append(f"{self.name}: {done.stderr[-300:]!r}")
        return failures


def _curl(path, times=1, *more):
    def commands(address, port):
        url = f"http://{address}:{port}/{path}"
        return [["curl", "-sf", "-o", "/dev/null", *more, url]] * times
    return commands


def _curl_keep(address, port):
    url = f"http://{address}:{port}/small"
    return [["curl", "-sf", *sum((["-o", "/dev/null", url]
                                  for _ in range(20)), [])]] * 8


def _redis(address, port):
    return [["redis-benchmark", "-h", address, "-p", str(port), "-q",
             "-c", "10", "-n", "2000", "-t", test]
            for test in ("get", "set", "lrange_100")]


def _iperf(*more):
    def commands(address, port):
        return [["iperf3", "-c", address, "-p", str(port), *more]] * 2
    return commands


def _subscribers(address, port):
    """Six of them hear a word now and then from a publisher in the shell."""
    words = "; ".join("sleep 1.5; mosquitto_pub -h 127.0.0.1 "
                      f"-p $((PORT)) -t t -m word{i}" for i in range(5))
    text = (f"for i in 1 2 3 4 5 6; do mosquitto_sub -h {address} -p {port} "
            f"-t t -C 5 >/dev/null & done; sleep .5; {words}; wait")
    return [["sh", "-c", text.replace(
        "$((PORT))", str(Origins.ports["mosquitto"]))]]


# Ten sessions at once: a person, or what types like one.
_TYPED = """
one() {
  { sleep .7
    for key in l s ' ' / d '\\n' w h o '\\n' e c h o ' ' h e l l o '\\n' \
      c a t ' ' / e t c / p a s s w d '\\n' e x i t '\\n'; do
      printf "$key"; sleep .$(((RANDOM % 20) + 5))
    done
  } | ssh -tt -F none -i KEY -o IdentitiesOnly=yes -o BatchMode=yes \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o LogLevel=ERROR -p PORT USER@ADDRESS >/dev/null
}
for i in 1 2 3 4 5 6 7 8 9 10; do one & done
status=0
for job in $(jobs -p); do wait "$job" || status=1; done
exit $status
"""


def _ssh(address, port):
    text = _TYPED
    for word, value in (("ADDRESS", address), ("PORT", str(port)),
                        ("KEY", "key"), ("USER", getpass.getuser())):
        text = text.replace(word, value)
    return [["bash", "-c", text]]


ALL = (
    Program("tune-curl-small", "request", ("curl", "nginx"), 80, "nginx",
            _curl("small", 12)),
    Program("tune-curl-keep", "request", ("curl", "nginx"), 7101, "nginx",
            _curl_keep),
    Program("tune-redis", "request", ("redis-benchmark", "redis-server"),
            6379, "redis", _redis),
    Program("tune-curl-large", "bulk", ("curl", "nginx"), 8080, "nginx",
            _curl("large", 12)),
    Program("tune-curl-slow", "bulk", ("curl", "nginx"), 443, "nginx",
            _curl("large", 6, "--limit-rate", "6M")),
    Program("tune-iperf-up", "bulk", ("iperf3",), 5201, "iperf",
            _iperf("-n", "30M", "-P", "4"), least_bytes=LEAST),
    Program("tune-iperf-down", "bulk", ("iperf3",), 22, "iperf",
            _iperf("-n", "30M", "-P", "4", "-R"), least_bytes=LEAST),
    Program("tune-iperf-paced", "stream", ("iperf3",), 1935, "iperf",
            _iperf("-t", "3", "-b", "3M", "-l", "8K", "-P", "5"),
            least_bytes=LEAST),
    Program("tune-curl-paced", "stream", ("curl", "nginx"), 7102, "nginx",
            _curl("paced/large", 6), 3),
    Program("tune-mosquitto", "push", ("mosquitto", "mosquitto_sub"), 1883,
            "mosquitto", _subscribers),
    Program("tune-ssh-shell", "interactive", ("ssh", "sshd", "ssh-keygen"),
            22, "sshd", _ssh),
)


def available():
    return [p for p in ALL
            if all(shutil.which(name, path=PATH) for name in p.needs)]


class Origins:
    """Servers of the programs, each on a port of its own; all end with us."""

    ports = {"nginx": 20001, "redis": 20002, "iperf": 20003,
             "mosquitto": 20004, "sshd": 20005}

    def __init__(self, folder):
        self.folder = folder
        self.started = {}

    def _argv(self, server):
        port = self.ports[server]
        if server == "redis":
            return ["redis-server", "--port", str(port), "--bind",
                    "127.0.0.1", "--save", "", "--dir", self.folder]
        if server == "iperf":
            return ["iperf3", "-s", "-B", "127.0.0.1", "-p", str(port)]
        if server == "mosquitto":
            path = os.path.join(self.folder, "mosquitto.conf")
            with open(path, "w", encoding="ascii") as file:
                file.write(f"listener {port} 127.0.0.1\n"
                           "allow_anonymous true\n")
            return ["mosquitto", "-c", path]
        if server == "sshd":
            return self._sshd(port)
        www = os.path.join(self.folder, "www")
        os.makedirs(www)
        for name, n in (("large", LARGE), ("small", SMALL)):
            with open(os.path.join(www, name), "wb") as file:
                file.write(bytes(n))
        os.chmod(self.folder, 0o755)
        path = os.path.join(self.folder, "nginx.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(_NGINX.format(folder=self.folder, port=port))
        return ["nginx", "-c", path]

    def _sshd(self, port):
        """With keys of its own; whoever runs us may log in."""
        for name in ("host", "key"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                 os.path.join(self.folder, name)], check=True)
        if os.geteuid() == 0:  # what the package's service makes at boot
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        path = os.path.join(self.folder, "sshd.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"ListenAddress 127.0.0.1:{port}\n"
                       f"HostKey {self.folder}/host\n"
                       f"AuthorizedKeysFile {self.folder}/key.pub\n"
                       f"PidFile {self.folder}/sshd.pid\n"
                       "StrictModes no\nUsePAM no\nPermitRootLogin yes\n"
                       "MaxStartups 100\nPrintMotd no\n")
        return [shutil.which("sshd", path=PATH), "-D", "-f", path]

    def start(self, program):
        """The port; the server is started by who asks first."""
        port = self.ports[program.server]
        if program.server in self.started:
            return port
        # pylint: disable=consider-using-with
        self.started[program.server] = subprocess.Popen(
            self._argv(program.server), env={"PATH": PATH},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return port
            except OSError:
                if time.monotonic() > end:
                    raise SystemExit(f"{program.server} does not start") \
                        from None
                time.sleep(.1)

    def stop(self):
        for process in self.started.values():
            process.terminate()
            process.wait()
