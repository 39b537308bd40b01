# SPDX-License-Identifier: Apache-2.0
"""The programs of the judge set: what each is, and how one run of it goes. A
program of which something is not installed is left out."""
import dataclasses
import os
import random
import shutil
import subprocess
import time

from judge_servers import (AUDIO_KBPS, COPIES, KIB, PAGES, PATH, RTMP_MODULE,
                           VIDEO_KBPS, Servers, postgres_program)
from judge_typist import SFTP, SHELL, SQL, Typist

RUN_SECONDS = 60

_WRK = """
local pages = {%s}
function request()
  return wrk.format("GET", "/" .. pages[math.random(#pages)] .. ".html")
end
function delay() return math.random(0, %d) end
"""


@dataclasses.dataclass
class Place:
    """Where a run's flows go, and what differs from run to run."""
    address: str
    port: int
    index: int  # of the run among those of its program
    servers: Servers
    random: random.Random
    scratch: str  # a folder of its own

    def one_of(self, values):
        """All in turn, so that each run is another."""
        return values[self.index % len(values)]

    def environment(self, **more):
        return {"PATH": PATH, "HOME": self.scratch, "TERM": "xterm", **more}

    def run(self, *argv, env=None, timeout=RUN_SECONDS, may_fail=False):
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, env=env or self.environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
            timeout=timeout, cwd=self.scratch)
        if done.returncode and not may_fail:
            raise RuntimeError(f"{argv[0]}: {done.stderr[-400:]!r}")

    def begin(self, *argv, env=None):
        """The process; who begins it ends it."""
        return subprocess.Popen(
            argv, stdin=subprocess.PIPE, env=env or self.environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=self.scratch)

    def ssh(self, *options):
        return ["ssh", "-F", self.servers.path("ssh_config"), "-p",
                str(self.port), *options]

    def postgres(self):
        return ["-h", self.address, "-p", str(self.port), "-U", "postgres"]

    def postgres_environment(self, **more):
        # What Debian's own clusters do by default is "prefer", with TLS.
        return self.environment(
            PGSSLMODE=self.one_of(["disable", "prefer", "require"]),
            PGDATABASE="postgres", PSQL_HISTORY="/dev/null", PAGER="cat",
            **more)


@dataclasses.dataclass
class Program:
    name: str
    kind: str
    needs: tuple
    port: int  # the protocol's own
    server: str
    run: object  # function of a Place
    runs: int = 2  # of each listener and pass
    flows: object = 1  # of one run; None: as many as come

    def lacking(self):
        return [name for name in self.needs
                if not (shutil.which(name, path=PATH) or
                        postgres_program(name) or os.path.exists(name))]


# -- request ---------------------------------------------------------------

def _wrk(place, *options):
    script = os.path.join(place.scratch, "wrk.lua")
    delay_ms = place.one_of([20, 100, 300])
    with open(script, "w", encoding="ascii") as file:
        file.write(_WRK % (", ".join(map(str, PAGES)), delay_ms))
    place.run("wrk", "-t1", "-c3", f"-d{place.one_of([1, 2, 3])}s", "-s",
              script, *options, f"http://{place.address}:{place.port}/")


def wrk_keep(place):
    _wrk(place)


def wrk_close(place):
    _wrk(place, "-H", "Connection: close")


def _pgbench(place, *options):
    # One connection asks how large the tables are.
    place.run("pgbench", "-n", "-c", "2", "-T", "2", *place.one_of(
        [["-R", "40"], [], ["-R", "300"]]), *options, *place.postgres(),
        "postgres", env=place.postgres_environment())


def pgbench_select(place):
    _pgbench(place, "-S")


def pgbench_tpcb(place):
    _pgbench(place)


def psql_query(place):
    r = place.random
    queries = [
        "select now()", "select count(*) from pgbench_accounts",
        f"select * from pgbench_accounts where aid = {r.randint(1, 100000)}",
        f"select * from pgbench_accounts limit {r.randint(10, 300)}",
        "select relname, relkind from pg_class"]
    words = sum((["-c", r.choice(queries)] for _ in range(r.randint(1, 5))),
                [])
    place.run("psql", "-X", "-q", *place.postgres(), *words,
              env=place.postgres_environment())


def _git(place, *words):
    env = {**place.servers.git_environment(), "HOME": place.scratch}
    place.run("git", *words, env=env)


def _git_url(place, name, scheme="git"):
    if scheme == "git":
        return f"git://{place.address}:{place.port}/{name}.git"
    return (f"ssh://root@{place.address}:{place.port}"
            f"{place.servers.path('git', name)}.git")


def git_ls_remote(place):
    _git(place, "ls-remote", _git_url(place, "small"))


def git_ssh_ls_remote(place):
    _git(place, "ls-remote", _git_url(place, "small", "ssh"))


def git_fetch_small(place):
    """Of some kilobytes."""
    _git(place, "init", "-q", ".")
    _git(place, "fetch", "-q", "--depth=1", _git_url(place, "small"),
         f"refs/tags/v{place.one_of([0, 1, 2, 3])}")


# -- bulk ------------------------------------------------------------------

def _scp(place, *ends):
    limit = ["-l", "80000"] if place.index % 6 == 5 else []
    legacy = ["-O"] if place.index % 3 == 2 else []
    place.run("scp", "-F", place.servers.path("ssh_config"), "-P",
              str(place.port), *limit, *legacy, *ends)


def scp_down(place):
    size = place.one_of(COPIES)
    _scp(place, f"{place.address}:{place.servers.path('files', str(size))}",
         "here")


def scp_up(place):
    size = place.one_of(COPIES)
    _scp(place, place.servers.path("files", str(size)),
         f"{place.address}:{place.scratch}/there")


def _rsync(place, *words):
    limit = ["--bwlimit=8m"] if place.index % 6 == 5 else []
    place.run("rsync", "-a", *limit, *words)


def rsync_down(place):
    _rsync(place, f"--port={place.port}",
           f"{place.address}::down/{place.one_of(COPIES)}/", "here/")


def rsync_up(place):
    _rsync(place, f"--port={place.port}",
           place.servers.path("tree", str(place.one_of(COPIES))) + "/",
           f"{place.address}::up/{os.path.basename(place.scratch)}/")


def rsync_ssh(place):
    """Up and down in turn."""
    tree = place.servers.path("tree", str(place.one_of(COPIES))) + "/"
    shell = ["-e", " ".join(place.ssh())]
    if place.index % 2:
        _rsync(place, *shell, f"{place.address}:{tree}", "here/")
    else:
        _rsync(place, *shell, tree, f"{place.address}:{place.scratch}/there/")


def git_clone(place):
    _git(place, "clone", "-q", _git_url(place, str(place.one_of(COPIES))),
         "here")


def git_ssh_clone(place):
    _git(place, "clone", "-q",
         _git_url(place, str(place.one_of(COPIES)), "ssh"), "here")


def git_ssh_push(place):
    _git(place, "init", "-q", "-b", "main", ".")
    with open(os.path.join(place.scratch, "blob"), "wb") as file:
        file.write(place.random.randbytes(place.one_of(COPIES) * KIB))
    _git(place, "add", "blob")
    _git(place, "commit", "-q", "-m", "a blob")
    _git(place, "push", "-q", _git_url(place, "sink", "ssh"),
         f"HEAD:refs/heads/{os.path.basename(place.scratch)}")


def _psql_copy(place, words):
    place.run("psql", "-X", "-q", *place.postgres(), "-c", words,
              env=place.postgres_environment())


def psql_copy_out(place):
    _psql_copy(place, f"\\copy copy_{place.one_of(COPIES)} to '/dev/null'")


def psql_copy_in(place):
    path = place.servers.path(f"copy_{place.one_of(COPIES)}")
    _psql_copy(place, f"\\copy sink from '{path}'")


def pg_dump(place):
    place.run(postgres_program("pg_dump"), *place.postgres(), "-t",
              f"copy_{place.one_of(COPIES)}", "-f", "here.sql",
              env=place.postgres_environment())


# -- interactive -----------------------------------------------------------

def _typed(place, argv, lines, **more):
    typist = Typist(argv, place.postgres_environment(HISTFILE=""),
                    place.random)
    typist.session(lines, place.random.uniform(4, 10), **more)


def ssh_shell(place):
    # A shell that keeps no history, and is nobody's settings.
    _typed(place, place.ssh("-tt", place.address,
                            "HISTFILE= exec bash --norc -i"), SHELL)


def sftp_typed(place):
    _typed(place, ["sftp", "-F", place.servers.path("ssh_config"), "-P",
                   str(place.port), place.address], SFTP)


def psql_typed(place):
    _typed(place, ["psql", "-X", *place.postgres()], SQL, leave="\\q")


def telnet_shell(place):
    _typed(place, ["telnet", place.address, str(place.port)], SHELL)


# -- push ------------------------------------------------------------------

def _now_and_then(place, say):
    """A word three to five times, with pauses of a second or so."""
    for i in range(place.random.randint(3, 5)):
        time.sleep(place.random.uniform(.6, 2.6))
        say(f"word {i} {'x' * place.random.randint(0, 400)}")


def _end(process):
    process.terminate()
    process.stdin.close()
    process.wait()


def psql_listen(place):
    """It hears what another client of the server says."""
    channel = "c" + os.path.basename(place.scratch).replace("-", "_")
    other = ["psql", "-X", "-q", "-h", "127.0.0.1", "-p",
             str(Servers.PORTS["postgres"]), "-U", "postgres"]
    process = place.begin("psql", "-X", "-q", *place.postgres(),
                          env=place.postgres_environment())
    try:
        process.stdin.write(f"listen {channel};\n".encode())
        process.stdin.flush()
        _now_and_then(place, lambda word: place.run(
            *other, "-c", f"notify {channel}, '{word}'"))
        process.stdin.close()
        if process.wait(RUN_SECONDS):
            raise RuntimeError("psql has failed")
    finally:
        _end(process)


def ssh_tail(place):
    path = os.path.join(place.scratch, "log")
    with open(path, "w", buffering=1, encoding="ascii") as log:
        log.write("the first line\n")
        process = place.begin(*place.ssh(place.address, f"tail -f {path}"))
        try:
            _now_and_then(place, lambda word: log.write(word + "\n"))
            if process.poll() is not None:
                raise RuntimeError(f"ssh ended with {process.returncode}")
        finally:
            _end(process)


def ssh_idle(place):
    """A tunnel nobody uses: a question now and then whether it is there."""
    process = place.begin(*place.ssh(
        "-N", "-o", f"ServerAliveInterval={place.one_of([1, 2, 3])}",
        place.address))
    try:
        time.sleep(place.random.uniform(5, 10))
        if process.poll() is not None:
            raise RuntimeError(f"ssh ended with {process.returncode}")
    finally:
        _end(process)


# -- stream ----------------------------------------------------------------

_FFMPEG = ("ffmpeg", "-nostdin", "-v", "error")


def _seconds(place, more=0):
    return ["-t", str(place.one_of([4, 5, 6, 7]) + more)]


def icecast_listen(place):
    # The first 64 KiB come at once: up to 4 seconds of song.
    place.run(*_FFMPEG, "-i", f"http://{place.address}:{place.port}/"
              f"{place.one_of(AUDIO_KBPS)}.mp3", *_seconds(place, 4),
              "-c", "copy", "-f", "null", "-")


def icecast_source(place):
    song = place.servers.path(f"media/{place.one_of(AUDIO_KBPS)}.mp3")
    place.run(*_FFMPEG, "-re", "-i", song, *_seconds(place), "-c", "copy",
              "-f", "mp3", "-content_type", "audio/mpeg",
              f"icecast://source:source@{place.address}:{place.port}/"
              f"{os.path.basename(place.scratch)}.mp3")


def mpegts_tcp(place):
    place.run(*_FFMPEG, "-i", f"tcp://{place.address}:{place.port}", "-c",
              "copy", "-f", "null", "-")


def _rtmp(place, name):
    return f"rtmp://{place.address}:{place.port}/live/{name}"


def rtmp_publish(place):
    film = place.servers.path(f"media/{place.one_of(VIDEO_KBPS)}.flv")
    place.run(*_FFMPEG, "-re", "-i", film, *_seconds(place), "-c", "copy",
              "-f", "flv", _rtmp(place, os.path.basename(place.scratch)))


def rtmp_play(place):
    place.run(*_FFMPEG, "-i", _rtmp(place, place.one_of(VIDEO_KBPS)),
              *_seconds(place), "-c", "copy", "-f", "null", "-")


_PG = ("initdb", "postgres", "psql", "pgbench", "openssl")
_SSH = ("sshd", "ssh", "ssh-keygen")

ALL = (
    Program("wrk-keep", "request", ("wrk", "nginx"), 80, "nginx", wrk_keep,
            runs=1, flows=3),
    Program("wrk-close", "request", ("wrk", "nginx"), 80, "nginx", wrk_close,
            runs=1, flows=None),
    Program("pgbench-select", "request", _PG, 5432, "postgres",
            pgbench_select, runs=1, flows=3),
    Program("pgbench-tpcb", "request", _PG, 5432, "postgres", pgbench_tpcb,
            runs=1, flows=3),
    Program("psql-query", "request", _PG, 5432, "postgres", psql_query),
    Program("git-ls-remote", "request", ("git",), 9418, "git",
            git_ls_remote),
    Program("git-ssh-ls-remote", "request", ("git", *_SSH), 22, "sshd",
            git_ssh_ls_remote),
    Program("git-fetch-small", "request", ("git",), 9418, "git",
            git_fetch_small),
    Program("scp-down", "bulk", ("scp", *_SSH), 22, "sshd", scp_down),
    Program("scp-up", "bulk", ("scp", *_SSH), 22, "sshd", scp_up),
    Program("rsync-down", "bulk", ("rsync",), 873, "rsync", rsync_down),
    Program("rsync-up", "bulk", ("rsync",), 873, "rsync", rsync_up),
    Program("rsync-ssh", "bulk", ("rsync", *_SSH), 22, "sshd", rsync_ssh),
    Program("git-clone", "bulk", ("git",), 9418, "git", git_clone),
    Program("git-ssh-clone", "bulk", ("git", *_SSH), 22, "sshd",
            git_ssh_clone),
    Program("git-ssh-push", "bulk", ("git", *_SSH), 22, "sshd", git_ssh_push),
    Program("psql-copy-out", "bulk", _PG, 5432, "postgres", psql_copy_out),
    Program("psql-copy-in", "bulk", _PG, 5432, "postgres", psql_copy_in),
    Program("pg-dump", "bulk", (*_PG, "pg_dump"), 5432, "postgres", pg_dump),
    Program("ssh-shell", "interactive", _SSH, 22, "sshd", ssh_shell, runs=4),
    Program("sftp-typed", "interactive", ("sftp", *_SSH), 22, "sshd",
            sftp_typed, runs=3),
    Program("psql-typed", "interactive", _PG, 5432, "postgres", psql_typed,
            runs=3),
    Program("telnet-shell", "interactive", ("telnet", "telnetd"), 23,
            "telnet", telnet_shell, runs=3),
    Program("psql-listen", "push", _PG, 5432, "postgres", psql_listen,
            runs=4),
    Program("ssh-tail", "push", _SSH, 22, "sshd", ssh_tail, runs=4),
    Program("ssh-idle", "push", _SSH, 22, "sshd", ssh_idle, runs=4),
    Program("icecast-listen", "stream", ("icecast2", "ffmpeg"), 8000,
            "icecast", icecast_listen),
    Program("icecast-source", "stream", ("icecast2", "ffmpeg"), 8000,
            "icecast", icecast_source),
    Program("mpegts-tcp", "stream", ("ffmpeg",), 1234, "mpegts", mpegts_tcp,
            runs=3),
    Program("rtmp-publish", "stream", ("nginx", "ffmpeg", RTMP_MODULE), 1935,
            "rtmp", rtmp_publish),
    Program("rtmp-play", "stream", ("nginx", "ffmpeg", RTMP_MODULE), 1935,
            "rtmp", rtmp_play, runs=3),
)


def available():
    """Those that can run, and a line for each that cannot."""
    found, left_out = [], []
    for program in ALL:
        lacking = program.lacking()
        if lacking:
            left_out.append(f"{program.name}: not installed: "
                            f"{', '.join(lacking)}")
        else:
            found.append(program)
    return found, left_out
