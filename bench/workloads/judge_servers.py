# SPDX-License-Identifier: Apache-2.0
"""The real servers of the judge set. They listen on loopback of the run's own
network namespace, keep everything in the run's folder, and end with it."""
import os
import random
import shutil
import socket
import subprocess
import threading
import time

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
START_SECONDS = 20
STOP_SECONDS = 5
KIB, MIB = 1 << 10, 1 << 20

# What is asked for in small, in bytes; what is copied, in KiB.
PAGES = (200, 900, 3000, 12000, 50000)
COPIES = (400, 1000, 2500, 6000, 16000)
# Of media, kbit/s, and how long a file is.
AUDIO_KBPS, VIDEO_KBPS, MEDIA_SECONDS = (128, 320), (300, 900, 3000), 20

_NGINX = """
{rtmp_module}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/www;
  }}
}}
{rtmp}
"""
_RTMP = """
rtmp {{
  access_log off;
  server {{
    listen 127.0.0.1:{port};
    application live {{ live on; }}
  }}
}}
"""
RTMP_MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so"

_SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/client_key.pub
PermitRootLogin prohibit-password
PidFile none
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
MaxStartups 200
Subsystem sftp internal-sftp
"""
_SSH = """
Host *
  User root
  IdentityFile {folder}/client_key
  IdentitiesOnly yes
  BatchMode yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
"""
_RSYNC = """
use chroot = no
reverse lookup = no
uid = root
gid = root
[down]
  path = {folder}/tree
  read only = yes
[up]
  path = {folder}/up
  read only = no
"""
_ICECAST = """
<icecast>
  <limits><clients>200</clients><sources>50</sources></limits>
  <authentication>
    <source-password>source</source-password>
    <admin-user>admin</admin-user><admin-password>admin</admin-password>
  </authentication>
  <hostname>localhost</hostname>
  <listen-socket>
    <port>{port}</port><bind-address>127.0.0.1</bind-address>
  </listen-socket>
  <paths>
    <basedir>{folder}/icecast</basedir><logdir>{folder}/icecast</logdir>
    <webroot>{folder}/icecast</webroot><adminroot>{folder}/icecast</adminroot>
  </paths>
  <logging><loglevel>1</loglevel></logging>
</icecast>
"""


def postgres_program(name):
    """initdb and postgres are in no PATH: the newest that is installed."""
    found = shutil.which(name, path=PATH)
    root = "/usr/lib/postgresql"
    for version in sorted(os.listdir(root), key=float, reverse=True) \
            if os.path.isdir(root) else ():
        path = f"{root}/{version}/bin/{name}"
        found = found or (path if os.path.exists(path) else None)
    return found


def as_user(user):
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]


def check(argv, **more):
    """Runs to its end; what it says is the error when it fails."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          check=False, **more)
    if done.returncode:
        raise SystemExit(f"{argv[0]}: {done.stderr.decode()[-1000:]}")


class Inetd:
    """A program for each connection, with the socket as stdin and stdout."""

    def __init__(self, port, argv_of):
        self.argv_of, self.children = argv_of, []
        self.socket = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                # pylint: disable=consider-using-with
                self.children.append(subprocess.Popen(
                    self.argv_of(len(self.children)), stdin=client,
                    stdout=client, stderr=subprocess.DEVNULL,
                    env={"PATH": PATH, "HISTFILE": "", "TERM": "xterm"}))

    def terminate(self):
        # A thread in accept() notices a shutdown, not a close.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()

    def kill(self):
        pass

    def wait(self, _seconds=None):
        return 0


class Servers:
    """name -> port of its server, started by who asks first."""

    PORTS = {"nginx": 20101, "postgres": 20102, "sshd": 20103,
             "rsync": 20104, "git": 20105, "icecast": 20106,
             "telnet": 20107, "mpegts": 20108, "rtmp": 20109}

    def __init__(self, folder, seed):
        self.folder, self.random = folder, random.Random(f"{seed} servers")
        self.started = {}
        os.chmod(folder, 0o755)  # servers are other users

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def _write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def start(self, name):
        port = self.PORTS[name]
        if name in self.started:
            return port
        if name == "rtmp":
            self.start("nginx")
            self._feed_rtmp()
            return port
        self.started[name] = getattr(self, f"_{name}")(port)
        end = time.monotonic() + START_SECONDS
        while name != "telnet" and name != "mpegts":
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > end or \
                        self.started[name].poll() is not None:
                    raise SystemExit(f"{name} does not start: " +
                                     self._last_words(name)) from None
                time.sleep(.1)
        getattr(self, f"_after_{name}", lambda: None)()
        return port

    def _spawn(self, name, argv, **more):
        with open(self.path(f"{name}.err"), "wb") as errors:
            return subprocess.Popen(
                argv, env={"PATH": PATH}, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=errors, **more)

    def _last_words(self, name):
        with open(self.path(f"{name}.err"), errors="replace") as file:
            return file.read()[-1000:]

    def stop(self):
        for process in reversed(self.started.values()):
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    # -- each server --------------------------------------------------------

    def _nginx(self, port):
        for n in PAGES:
            self._write(f"www/{n}.html", self.random.randbytes(n))
        rtmp = os.path.exists(RTMP_MODULE)
        config = self._write("nginx.conf", _NGINX.format(
            folder=self.folder, port=port,
            rtmp_module=f"load_module {RTMP_MODULE};" if rtmp else "",
            rtmp=_RTMP.format(port=self.PORTS["rtmp"]) if rtmp else ""))
        return self._spawn("nginx", ["nginx", "-c", config])

    def _postgres(self, port):
        data = self.path("postgres")
        os.mkdir(data)
        shutil.chown(data, "postgres", "postgres")
        user = as_user("postgres")
        check([*user, postgres_program("initdb"), "-D", data, "-A", "trust",
               "-N", "-U", "postgres", "-E", "UTF8", "--no-locale"])
        check([*user, "openssl", "req", "-x509", "-newkey", "rsa:2048",
               "-nodes", "-days", "2", "-subj", "/CN=localhost",
               "-keyout", f"{data}/server.key", "-out", f"{data}/server.crt"])
        return self._spawn("postgres", [
            *user, postgres_program("postgres"), "-D", data, "-p", str(port),
            "-h", "127.0.0.1", "-k", data, "-c", "fsync=off", "-c", "ssl=on",
            "-c", "max_connections=300", "-c", "max_wal_senders=20"])

    def _after_postgres(self):
        port = str(self.PORTS["postgres"])
        at = ["-h", "127.0.0.1", "-p", port, "-U", "postgres"]
        end = time.monotonic() + START_SECONDS
        while subprocess.run(
                ["psql", "-X", *at, "-c", "select 1"], check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL).returncode:
            if time.monotonic() > end:
                raise SystemExit("postgres: " + self._last_words("postgres"))
            time.sleep(.2)
        check(["pgbench", "-i", "-q", *at, "postgres"])
        # Lines of 1,000 bytes, which are not compressed where they are stored.
        tables = "".join(
            f"create table copy_{kib} as select i, substr(string_agg("
            "md5((i * 40 + j)::text), ''), 1, 990) as text from "
            f"generate_series(1, {kib}) i, generate_series(1, 31) j "
            "group by i;" for kib in COPIES)
        check(["psql", "-X", "-q", *at, "-c", tables, "-c",
               "create unlogged table sink (i bigint, text text)"])
        for kib in COPIES:
            check(["psql", "-X", "-q", *at, "-c", f"\\copy copy_{kib} to "
                   f"'{self.path(f'copy_{kib}')}'"])

    def _sshd(self, port):
        for name in ("host_key", "client_key"):
            check(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                   self.path(name)])
        self._write("ssh_config", _SSH.format(folder=self.folder))
        for kib in COPIES:
            self._write(f"files/{kib}", self.random.randbytes(kib * KIB))
        self._make_trees()
        self._make_repositories()
        config = self._write("sshd_config", _SSHD.format(
            port=port, folder=self.folder))
        return self._spawn("sshd", [shutil.which("sshd", path=PATH), "-D",
                                    "-e", "-f", config])

    def _rsync(self, port):
        self._make_trees()
        config = self._write("rsyncd.conf", _RSYNC.format(folder=self.folder))
        return self._spawn("rsync", [
            "rsync", "--daemon", "--no-detach", f"--config={config}",
            f"--port={port}", "--address=127.0.0.1"])

    def _make_trees(self):
        """One of each size: some of few large files, some of many small."""
        if os.path.exists(self.path("tree")):
            return
        os.mkdir(self.path("up"))
        for i, kib in enumerate(COPIES):
            part = kib if i % 2 else 40
            for n in range(max(1, kib // part)):
                self._write(f"tree/{kib}/{n:03}",
                            self.random.randbytes(part * KIB))

    def _git(self, port):
        self._make_repositories()
        return self._spawn("git", [
            "git", "daemon", "--listen=127.0.0.1", f"--port={port}",
            f"--base-path={self.path('git')}", "--export-all",
            self.path("git")])

    def _make_repositories(self):
        if os.path.exists(self.path("git")):
            return
        for name in ("small", *map(str, COPIES)):
            work = self.path("work", name)
            kib = 3 if name == "small" else int(name)
            for commit in range(4):
                self._write(f"work/{name}/blob{commit}",
                            self.random.randbytes(kib * KIB // 4))
                self.git(work, "init", "-q", "-b", "main")
                self.git(work, "add", ".")
                self.git(work, "commit", "-q", "-m", f"change {commit}")
                self.git(work, "tag", f"v{commit}")
            self.git(self.folder, "clone", "-q", "--bare", work,
                     self.path("git", f"{name}.git"))
            self.git(self.path("git", f"{name}.git"), "repack", "-adq")
        self.git(self.folder, "init", "-q", "--bare",
                 self.path("git", "sink.git"))

    def git_environment(self):
        person = {f"GIT_{who}_{what}": value
                  for who in ("AUTHOR", "COMMITTER")
                  for what, value in (("NAME", "w"), ("EMAIL", "w@localhost"))}
        return {"PATH": PATH, "HOME": self.folder, "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_TERMINAL_PROMPT": "0", **person,
                "GIT_SSH_COMMAND": f"ssh -F {self.path('ssh_config')}"}

    def git(self, where, *arguments):
        check(["git", "-C", where, *arguments], env=self.git_environment())

    # -- media --------------------------------------------------------------

    def _make_media(self):
        """A film and a song at each rate."""
        if os.path.exists(self.path("media")):
            return
        os.mkdir(self.path("media"))
        quiet = ["ffmpeg", "-nostdin", "-v", "error"]
        seconds = str(MEDIA_SECONDS)
        for kbps in AUDIO_KBPS:
            check([*quiet, "-f", "lavfi", "-i", "anoisesrc=a=.3", "-t",
                   seconds, "-b:a", f"{kbps}k",
                   self.path(f"media/{kbps}.mp3")])
        for kbps in VIDEO_KBPS:
            rate = f"{kbps}k"
            noise = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25,"
                     "noise=alls=60:allf=t", "-t", seconds,
                     "-b:v", rate, "-minrate", rate, "-maxrate", rate,
                     "-bufsize", rate]
            check([*quiet, *noise, "-c:v", "mpeg2video",
                   self.path(f"media/{kbps}.ts")])
            check([*quiet, *noise, "-c:v", "flv",
                   self.path(f"media/{kbps}.flv")])

    def _feed(self, name, path, *output):
        """A source that plays until the end of the run."""
        self.started[name] = self._spawn(name, [
            "ffmpeg", "-nostdin", "-v", "error", "-re", "-stream_loop", "-1",
            "-i", path, "-c", "copy", *output])

    def _icecast(self, port):
        self._make_media()
        os.mkdir(self.path("icecast"))
        shutil.chown(self.path("icecast"), "nobody", "nogroup")
        config = self._write("icecast.xml", _ICECAST.format(
            port=port, folder=self.folder))
        return self._spawn("icecast", [
            "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
            "icecast2", "-c", config])

    def _after_icecast(self):
        for kbps in AUDIO_KBPS:
            self._feed(f"radio{kbps}", self.path(f"media/{kbps}.mp3"),
                       "-f", "mp3", "-content_type", "audio/mpeg",
                       "icecast://source:source@127.0.0.1:"
                       f"{self.PORTS['icecast']}/{kbps}.mp3")

    def _feed_rtmp(self):
        self._make_media()
        for kbps in VIDEO_KBPS:
            self._feed(f"live{kbps}", self.path(f"media/{kbps}.flv"),
                       "-f", "flv", "rtmp://127.0.0.1:"
                       f"{self.PORTS['rtmp']}/live/{kbps}")

    def _mpegts(self, port):
        self._make_media()
        return Inetd(port, lambda i: [
            "ffmpeg", "-nostdin", "-v", "error", "-re", "-i",
            self.path(f"media/{VIDEO_KBPS[i % len(VIDEO_KBPS)]}.ts"),
            "-t", str(4 + i % 4), "-c", "copy", "-f", "mpegts", "pipe:1"])

    def _telnet(self, port):
        return Inetd(port, lambda _: [
            "telnetd", "-h", "-E", "/bin/bash --norc -i"])
