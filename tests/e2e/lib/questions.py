# SPDX-License-Identifier: Apache-2.0
"""What clients ask HTTP servers: ranges, conditionals, several requests on a
connection, uploads; as cases of verbatim.py."""

import os
import time

from .content import Content
from .verbatim import Case, direct, play, request

SMALL, LARGE = 3000, 300_000
LONG_AGO = "Sat, 01 Jan 2000 00:00:00 GMT"
FUTURE = "Fri, 01 Jan 2060 00:00:00 GMT"


def get(path, *fields, method="GET"):
    return request(f"{method} {path} HTTP/1.1", *fields, close=True)


def questions(small, large, etag, modified):
    """Of any server that holds files at those paths."""
    cases = []
    for path in (small, large):
        cases += [Case(f"GET {path}", get(path)),
                  Case(f"HEAD {path}", get(path, method="HEAD"))]
        for spec in ("0-0", "0-", "100-", "100-199", "2999-2999", "-1", "-500",
                     "0-9999999", "9999999-", "0-0,-1", "0-9,20-29,100-",
                     "5-2", "x", "", "-0", "0-1, 2-3"):
            cases.append(Case(f"Range {spec!r} of {path}",
                              get(path, f"Range: bytes={spec}")))
        cases += [
            Case(f"HEAD with Range of {path}",
                 get(path, "Range: bytes=0-9", method="HEAD")),
            Case("another unit", get(path, "Range: lines=1-2")),
            Case("two Range fields",
                 get(path, "Range: bytes=0-9", "Range: bytes=20-29"))]
        for field, value in (
                ("If-None-Match", etag[path]), ("If-None-Match", '"no"'),
                ("If-None-Match", "*"), ("If-None-Match", "W/" + etag[path]),
                ("If-Match", etag[path]), ("If-Match", '"no"'),
                ("If-Modified-Since", modified[path]),
                ("If-Modified-Since", LONG_AGO),
                ("If-Unmodified-Since", LONG_AGO),
                ("If-Unmodified-Since", FUTURE)):
            cases += [
                Case(f"{field}: {value} of {path}",
                     get(path, f"{field}: {value}")),
                Case(f"{field}: {value} with Range of {path}",
                     get(path, f"{field}: {value}", "Range: bytes=10-19"))]
        for value in (etag[path], '"no"', "W/" + etag[path], modified[path],
                      LONG_AGO):
            cases.append(Case(f"If-Range: {value} of {path}", get(
                path, f"If-Range: {value}", "Range: bytes=100-")))
    return cases + connections(small, large)


def connections(small, large):
    """How several requests share a connection."""
    ask = [request(f"{method} {path} HTTP/1.1") for method in ("GET", "HEAD")
           for path in (small, large, "/missing")]
    slow = get(small)
    return [
        Case("HTTP/1.0", f"GET {small} HTTP/1.0\r\n\r\n".encode()),
        Case("HTTP/1.0 of a large one",
             f"GET {large} HTTP/1.0\r\nHost: a\r\n\r\n".encode()),
        Case("HTTP/1.0 that stays", request(
            f"GET {small} HTTP/1.0", "Connection: keep-alive") +
            f"GET {small} HTTP/1.0\r\n\r\n".encode()),
        Case("HTTP/1.0 behind HTTP/1.1",
             ask[0] + f"GET {small} HTTP/1.0\r\n\r\n".encode()),
        Case("one after the other", ask[0], ("until", b"\r\n\r\n"), ask[3],
             get("/missing")),
        Case("pipelined in one packet", b"".join(ask) + get(large)),
        Case("pipelined twice over", b"".join(ask) * 3 + get(small)),
        Case("many GETs pipelined", ask[0] * 40 + get(small)),
        Case("absolute form", request(
            f"GET http://www.example.com{small} HTTP/1.1") + get(small)),
        Case("OPTIONS *", request("OPTIONS * HTTP/1.1") + get(small)),
        Case("unknown method", request(f"FROB {small} HTTP/1.1") +
             get(small)),
        Case("no Host", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"),
        Case("two Hosts", request(f"GET {small} HTTP/1.1", "Host: b",
                                  close=True)),
        Case("a body with GET", request(
            f"GET {small} HTTP/1.1", "Content-Length: 4", body=b"abcd") +
            get(small)),
        Case("an empty line before the request", b"\r\n" + get(small)),
        Case("closes at once behind an answer", slow + ask[0]),
        Case("half-closes behind a request", ask[1], "fin"),
        Case("half-closes behind many", b"".join(ask), "fin"),
        Case("byte by byte", *(slow[i:i + 1] for i in range(len(slow)))),
        Case("not HTTP", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"),
        Case("too old", b"GET /\r\n"),
        Case("a later version", b"GET / HTTP/2.0\r\nHost: a\r\n"
             b"Connection: close\r\n\r\n"),
        Case("a long head", get(small, "X-Long: " + "x" * 6000)),
        Case("a head beyond all limits", get(
            small, *(f"X-{i}: " + "x" * 4000 for i in range(10)))),
    ]


def uploads():
    """Of the scripted origin, which answers with what it got."""
    body = Content("upload", 200_000).bytes()
    plain = request("POST /echo HTTP/1.1", f"Content-Length: {len(body)}",
                    body=body)
    expect = request("PUT /echo HTTP/1.1", f"Content-Length: {len(body)}",
                     "Expect: 100-continue")
    chunked = request("POST /echo HTTP/1.1", "Transfer-Encoding: chunked")
    pieces = [body[at:at + 7001] for at in range(0, len(body), 7001)]
    chunks = b"".join(b"%x\r\n" % len(p) + p + b"\r\n" for p in pieces)
    ends = request("POST /echo HTTP/1.1", "Content-Length: 1", body=b"x",
                   close=True)
    return [
        Case("POST both ways", plain + ends),
        Case("POST without a body", request(
            "POST /echo HTTP/1.1", "Content-Length: 0") + ends),
        Case("GET, POST, HEAD pipelined", request("GET /a/100 HTTP/1.1") +
             plain + request("HEAD /a/100 HTTP/1.1") + ends),
        Case("Expect: 100-continue", expect, ("until", b"\r\n\r\n"), body,
             ends),
        Case("Expect without waiting", expect + body + ends),
        Case("chunked upload", chunked + chunks + b"0\r\n\r\n" + ends),
        Case("chunked with extensions and trailers", chunked +
             chunks.replace(b"\r\n", b";a=\"b\"\r\n", 1) +
             b"0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n" + ends),
        Case("chunked and expected", request(
            "POST /echo HTTP/1.1", "Transfer-Encoding: chunked",
            "Expect: 100-continue"), ("until", b"\r\n\r\n"),
            chunks + b"0\r\n\r\n" + ends),
        Case("chunk by chunk", chunked, *(
            b"%x\r\n" % len(p) + p + b"\r\n" for p in pieces),
            b"0\r\n\r\n", ends)]


def files(server):
    """Of an hour ago: Apache's validators of younger ones are weak, and
    become strong at some moment (a second, and a minute for If-Range)."""
    modified = time.time() - 3600
    for name, size in (("short", SMALL), ("long", LARGE)):
        path = f"{server.www}/{name}"
        with open(path, "wb") as f:
            f.write(Content(name, size).bytes())
        os.utime(path, (modified, modified))


def validators(s, server, paths):
    """What the server says of each file."""
    found = {"etag": {}, "last-modified": {}}
    for path in paths:
        got, _ = play(direct(server), Case("HEAD", get(path, method="HEAD")))
        for line in got.decode().split("\r\n"):
            field, _, value = line.partition(": ")
            if field.lower() in found:
                found[field.lower()][path] = value
    s.equal([len(x) for x in found.values()], [len(paths)] * 2,
            "validators of the files")
    return found["etag"], found["last-modified"]


# Its reader is strict; what it does not take apart it does not answer.
NOT_SCRIPTED = ("not HTTP", "too old", "a later version",
                "an empty line before the request")
