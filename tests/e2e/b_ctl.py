#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import json
import os
import socket

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter


def test(s):
    """Every command of braidctl, as text and as JSON, and its exit status;
    garbage, silence and slowness at the control socket harm nobody."""
    origin = Origin(s, greeter("a"))
    port = s.port()
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text},
                                    "b": {"address": origin.text}}}},
    }
    b = Braid(s, config)
    held = [client.connect(("127.0.0.1", port)) for _ in range(5)]
    for sock in held:
        client.read_exactly(sock, 1)

    s.say("-- every command, twice")
    for arguments, words in (
            (("status",), ("serving", "number")),
            (("flows",), ("established", "web")),
            (("flows", "pool=o", "limit=2"), ("established",)),
            (("flows", "server=nobody"), ()),
            (("pools",), ("p2c", "usable")),
            (("shards",), ("complete",)),
            (("shards", "pool=o", "limit=2"), ("complete",)),
            (("servers",), ("ready", origin.text)),
            (("servers", "o"), ("ready", origin.text)),
            (("listeners",), (f"127.0.0.1:{port}", "web")),
            (("reload",), ("accepted",)),
            (("drain", "o", "a"), ("drain",)),
            (("maint", "o", "a"), ("maint",)),
            (("ready", "o", "a"), ("ready",)),
            (("weight", "o", "a", "7"), ("7",)),
            (("weight", "o", "a", "reset"), ("1",)),
            (("log-level", "debug"), ("debug",)),
            (("log-level", "info"), ("info",))):
        what = " ".join(arguments)
        done = b.braidctl(*arguments, check=False)
        s.check(done.returncode == 0 and not done.stderr and
                "\x1b" not in done.stdout,
                f"{what}: {len(done.stdout.splitlines())} lines of text")
        done = b.braidctl("-o", "json", *arguments, check=False)
        answer = json.loads(done.stdout)
        s.equal((done.returncode, answer["exit"], answer["error"],
                 isinstance(answer["data"], dict)), (0, 0, None, True),
                f"{what}: as JSON")
        for word in words:
            if word not in done.stdout:
                s.check(False, f"{what}: no {word} in {done.stdout}")
    s.equal(len(b.ctl("flows", "limit=2")["flows"]), 2, "flows limit=2")
    done = b.braidctl("top", "-n", "1")
    s.check(done.stdout, "top -n 1")
    done = s.run([os.path.join(s.bin, "braidctl"), "explain",
                  "pools.*.balance"])
    s.check("p2c" in done.stdout, "explain needs no braidd")

    s.say("-- kill")
    origin2, port2 = Origin(s, greeter("b")), s.port()
    config["listeners"]["two"] = {"bind": f"127.0.0.1:{port2}", "pool": "p"}
    config["pools"]["p"] = {"servers": {"c": {"address": origin2.text},
                                        "d": {"address": origin2.text}}}
    b.reload(config)
    victims = [client.connect(("127.0.0.1", port2)) for _ in range(600)]
    for sock in victims:
        client.read_exactly(sock, 1)
    rows = b.ctl("flows", "pool=p", "limit=1000")["flows"]
    one = rows[0]
    b.braidctl("kill", str(one["id"]))
    s.until(lambda: len(b.ctl("flows", "pool=p", "limit=1000")["flows"])
            == 599, "one flow less")
    flow = b.wait_flows(1, id=str(one["id"]))[0]
    s.equal((flow["end"], flow["error"]), ("KD", "killed by an operator"),
            "its line in the log")
    on_c = sum(r["server"] == "c" for r in rows[1:])
    killed = b.ctl("kill", "--server", "p/c")["killed"]
    s.equal(killed, on_c, "flows of c")
    s.until(lambda: {r["server"] for r in b.ctl(
        "flows", "pool=p", "limit=1000")["flows"]} == {"d"},
            "only those of d are left")
    s.equal(b.ctl("kill", "--server", "p/c")["killed"], 0, "none are left")
    del config["pools"]["p"]["servers"]["d"]
    b.reload(config)
    s.equal(b.ctl("kill", "--server", "p/d")["killed"], 599 - on_c,
            "flows of a server that a reload has removed")
    s.until(lambda: not b.ctl("flows", "pool=p")["flows"], "all of them end")
    s.equal({client.read_end(sock) for sock in victims},
            {(b"", client.RESET)}, "what their clients see")
    s.check(all(client.echoes(sock) for sock in held),
            "flows of the other pool go on")
    for sock in victims:
        sock.close()

    s.say("-- what is wrong")
    for code, *arguments in (
            (64, "nonsense"), (64, "drain"), (64, "drain", "o"),
            (64, "weight", "o", "a", "x"), (64, "weight", "o", "a", "65536"),
            (64, "weight", "o", "a", "-1"), (64, "log-level", "loud"),
            (64, "heatmap"), (64, "kill"), (64, "kill", "x"),
            (64, "kill", "--server", "o"), (1, "kill", "999999"),
            (66, "kill", "--server", "o/nope"), (64, "flows", "colour=red"), (64,),
            (64, "explain", "no.such.key"),
            (66, "drain", "nope", "a"), (66, "maint", "o", "nope"),
            (66, "servers", "nope")):
        done = b.braidctl(*arguments, check=False)
        s.equal((done.returncode, bool(done.stderr)), (code, True),
                " ".join(arguments) or "no command")
    for word, meant in (("statsu", "status"), ("server", "servers"),
                        ("disable", "maint"), ("show", "servers, pools")):
        done = b.braidctl(word, check=False)
        s.check(done.returncode == 64 and f'"{word}", did you mean ' in
                done.stderr and meant in done.stderr and
                done.stderr.count("\n") == 2, f"{word}: {done.stderr}")
    s.check("did you mean" not in b.braidctl("xyzzy", check=False).stderr,
            "nothing is near to xyzzy")
    s.check("explain" in b.braidctl("help").stdout, "help")
    b.write_config("{}")
    done = b.braidctl("reload", check=False)
    s.check(done.returncode == 78 and "listeners" in
            done.stdout + done.stderr, "reload of a bad file: 78 and why")
    b.write_config(config)
    done = s.run([os.path.join(s.bin, "braidctl"), "-s", s.path("none"),
                  "status"], check=False)
    s.check(done.returncode == 69 and s.path("none") in done.stderr,
            f"no braidd: 69, {done.stderr.strip()}")
    for socket_of, env in (("BRAID_CONTROL", {"BRAID_CONTROL": s.path("no")}),
                           ("the default", {"BRAID_CONTROL": ""})):
        done = s.run([os.path.join(s.bin, "braidctl"), "status"], check=False,
                     env={**os.environ, **env})
        if socket_of == "the default" and done.returncode == 0:
            continue  # this machine runs a braidd
        s.check(done.returncode == 69 and f"({socket_of})" in done.stderr and
                "braidctl -s SOCKET" in done.stderr,
                f"the socket of {socket_of}: {done.stderr.strip()}")

    s.say("-- garbage")

    def raw(data, end=True):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(30)
            sock.connect(b.control)
            try:
                sock.sendall(data)
                if end:
                    sock.shutdown(1)
                return client.read_end(sock)[0]
            except (BrokenPipeError, ConnectionResetError):
                return b""

    for data in (b"", b"\n", b"\0" * 100, b"GET / HTTP/1.1\r\n\r\n",
                 b"[" * 60000 + b"\n", b"{" * 60000 + b"\n",
                 b'{"command":1}\n', b'{"command":"status","more":1}\n',
                 b'{"command":"status","command":"flows"}\n',
                 b'{"command":"status","arguments":["a","b"]}\n',
                 b'{"command":"status","arguments":"a"}\n',
                 b'{"command":"drain","arguments":["\\u0000","a"]}\n',
                 b'{"command":"status","arguments":[' +
                 b",".join([b'"x"'] * 500) + b"]}\n",
                 b'{"command":"' + b"x" * 70000 + b'"}\n',
                 b"\xff\xfe\n", b'"status"\n', b"null\n", b"x" * 100000):
        answer = raw(data)
        if answer and json.loads(answer)["exit"] != 64:
            s.check(False, f"{data[:40]!r}: {answer[:200]!r}")
    s.check(b.status()["state"] == "serving", "it serves after garbage")

    s.say("-- silence and slowness")
    silent = []
    for _ in range(40):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(30)
        sock.connect(b.control)
        sock.sendall(b'{"comm')
        silent.append(sock)
    s.check(all(client.echoes(sock) for sock in held), "flows go on")
    s.equal(b.status()["state"], "serving",
            "somebody else is answered although 40 say nothing")
    ends = [client.read_end(sock) for sock in silent]
    s.equal(len(ends), 40, "the silent are closed in the end")
    for sock in silent:
        sock.close()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(b.control)
        request = b'{"command":"status"}\n'
        for i in range(len(request)):
            sock.sendall(request[i:i + 1])
        s.equal(json.loads(client.read_end(sock)[0])["exit"], 0,
                "a request byte by byte")
    for _ in range(50):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(b.control)
        sock.sendall(b'{"command":"reload"}\n')
        sock.close()
    s.until(lambda: b.ctl_answer("reload")["exit"] == 0,
            "clients that leave before their verdict")
    s.check(all(client.echoes(sock) for sock in held), "flows go on")
    for sock in held:
        sock.close()
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
