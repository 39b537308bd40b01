#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import hashlib

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin
from lib.transfer import Stream

LARGE, SMALL = 2 << 20, 300 << 10
KIB = 1 << 10


def body(n):
    return b"".join(Stream(n, n).parts())


def read_head(sock):
    """The fields of a head, and what came behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(4096)
        if not part:
            return None, b""
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    return [line, dict(field.lower().split(": ", 1) for field in fields)], rest


def chunks(data):
    for at in range(0, len(data), 64 * KIB):
        part = data[at:at + 64 * KIB]
        yield b"%x\r\n%s\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


def serve(sock, _number):
    """GET /N: N bytes; GET /chunked/N: of a length that is not said; HEAD: the
    head alone; PUT: answers the SHA-256 of what it got."""
    while True:
        head, rest = read_head(sock)
        if not head:
            return
        method, path, _ = head[0].split()
        if method == "PUT":
            n = int(head[1]["content-length"])
            got = rest + client.read_exactly(sock, n - len(rest))
            data = hashlib.sha256(got).hexdigest().encode()
        else:
            data = body(int(path.split("/")[-1]))
        if "chunked" in path:
            sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                         b"\r\n" + b"".join(chunks(data)))
            continue
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                     % len(data) + (b"" if method == "HEAD" else data))


def ask(sock, method, path, host, data=b""):
    """The body of the answer."""
    length = f"Content-Length: {len(data)}\r\n" if data else ""
    sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{length}\r\n"
                 .encode() + data)
    head, rest = read_head(sock)
    if method == "HEAD":
        return rest
    if "content-length" in head[1]:
        n = int(head[1]["content-length"])
        return rest + client.read_exactly(sock, n - len(rest))
    n = len(b"".join(chunks(body(int(path.split("/")[-1])))))
    rest += client.read_exactly(sock, n - len(rest))
    out = b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        if size == b"0":
            return out
        out += rest[:int(size, 16)]
        rest = rest[int(size, 16) + 2:]


def test(s):
    """With profiler.mode act, an answer of a known length is spliced from its
    head on where it is large and relayed to its end where it is not, an upload
    likewise, whatever the verdict is. What follows on a connection that is
    kept alive goes by that. Every byte arrives."""
    origin = Origin(s, serve)
    port = s.port()

    def config(mode):
        return {
            "global": {"workers": 1},
            "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
            "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
            "profiler": {"mode": mode},
        }
    b = Braid(s, config("act"))
    seen = 0

    def visit(*requests, pipes=True):
        """The line of a flow with these requests, and what it relayed. Each
        has a host of its own, of which nothing is remembered."""
        nonlocal seen
        before = b.status()["flows"]["bytes_relayed"]
        with client.connect(("127.0.0.1", port)) as sock:
            for method, path in requests:
                n = int(path.split("/")[-1])
                sent = body(n) if method == "PUT" else b""
                want = (hashlib.sha256(sent).hexdigest().encode() if sent
                        else b"" if method == "HEAD" else body(n))
                got = ask(sock, method, path, f"h{seen}", sent)
                s.equal(hashlib.sha256(got).hexdigest(),
                        hashlib.sha256(want).hexdigest(),
                        f"SHA-256 of {method} {path}")
        seen += 1
        line = b.wait_flows(seen)[-1]
        if pipes:
            b.need_pipes()
        return line, b.status()["flows"]["bytes_relayed"] - before

    line, relayed = visit(("GET", f"/{LARGE}"))
    s.equal(line["path"], "splice-down", "2 MiB of a known length")
    s.check(relayed < 64 * KIB, f"spliced from the head on ({relayed} bytes "
            "were relayed)")
    line, relayed = visit(("GET", f"/{SMALL}"))
    s.equal(line["path"], "relay", "300 KiB of a known length")
    line, relayed = visit(("GET", f"/chunked/{2 * LARGE}"))
    s.equal(line["path"], "splice-down", "4 MiB of no known length")
    line, relayed = visit(("PUT", f"/{LARGE}"))
    s.equal(line["path"], "splice-up", "an upload of 2 MiB")
    s.check(relayed < 64 * KIB, f"spliced from the head on ({relayed} bytes "
            "were relayed)")
    line, relayed = visit(("PUT", f"/{SMALL}"))
    s.equal(line["path"], "relay", "an upload of 300 KiB")

    s.say("-- connections that are kept alive")
    line, relayed = visit(("GET", f"/{900 * KIB}"), ("GET", f"/{2 * LARGE}"))
    s.equal(line["path"], "splice-down", "a second answer of 4 MiB")
    s.check(900 * KIB <= relayed < 900 * KIB + LARGE,
            f"the first was relayed to its end ({relayed} bytes were)")
    line, relayed = visit(("GET", f"/{LARGE}"), ("GET", "/100"),
                          ("PUT", f"/{SMALL}"), ("GET", f"/{SMALL}"))
    s.check("splice" in line["path"], "what follows a large answer")
    visit(("HEAD", f"/{LARGE}"), ("GET", f"/{SMALL}"))

    s.say("-- only shown")
    b.reload(config("observe"))
    line, relayed = visit(("GET", f"/{SMALL * 4}"))
    s.equal(line["path"], "splice-down", "1.2 MiB, by the counter of all")
    s.check(relayed >= 256 * KIB, f"({relayed} bytes were relayed)")
    b.idle()
    b.stop()

    s.say("-- without a pipe to splice through")
    few = config("act")
    few["global"] = {"workers": 4}
    b, seen = Braid(s, few, nofile=288), 0
    line, relayed = visit(("GET", f"/{LARGE}"), pipes=False)
    s.equal(line["path"], "relay", "2 MiB of a known length")
    tries = b.metrics().total("braid_worker_splice_no_pipe_total")
    s.check(1 <= tries <= 20, f"a pipe was asked for {tries:.0f} times")
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
