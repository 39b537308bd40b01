#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.verbatim import Case, Recorder, Ways, direct, play, request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlast"
NOT_OK = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nno"
GET = request("GET / HTTP/1.1")

# What proxies and servers have read in different ways: each a request whose
# end is not certain, or a line that is not one. RFC 9112 6.3, 2.2, 5.1, 5.2.
SMUGGLING = {
    "Content-Length and Transfer-Encoding":
        b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    "Transfer-Encoding and Content-Length":
        b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
        b"8\r\nSMUGGLED\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
    "two equal lengths": b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "lengths in a list": b"Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": b"Content-Length: +3\r\n\r\nabc",
    "a negative length": b"Content-Length: -1\r\n\r\nabc",
    "a length in hex": b"Content-Length: 0x3\r\n\r\nabc",
    "a length too large": b"Content-Length: 18446744073709551617\r\n\r\na",
    "an empty length": b"Content-Length:\r\n\r\nabc",
    "a length with words": b"Content-Length: 3 abc\r\n\r\nabc",
    "identity": b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc",
    "xchunked": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\nabc",
    "chunked, identity":
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\nabc",
    "gzip, chunked": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice":
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\n",
    "chunked, then another":
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "a quoted coding": b"Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\nx",
    "a tab before the coding":
        b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\nx",
    "a space before the colon":
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\nx",
    "a tab before the colon": b"Content-Length\t: 3\r\n\r\nabc",
    "obs-fold of the coding": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "obs-fold of another field": b"X: a\r\n b\r\nContent-Length: 3\r\n\r\nabc",
    "bare LF": b"Content-Length: 3\n\nabc",
    "bare LF in the middle": b"X: a\nContent-Length: 3\r\n\r\nabc",
    "bare CR": b"X: a\rContent-Length: 3\r\n\r\nabc",
    "a NUL in a value": b"X: a\0b\r\nContent-Length: 3\r\n\r\nabc",
    "a control character in a name": b"X\x01: a\r\n\r\nabc",
    "a field without a name": b": a\r\n\r\nabc",
    "a line without a colon": b"nothing\r\n\r\nabc",
    "a blank first": b" X: a\r\n\r\nabc",
}


def shaped(rest):
    return b"POST / HTTP/1.1\r\nHost: a\r\n" + rest


def alone(what, data):
    return Case(what, data, answers=[(len(data), NOT_OK)])


def behind(what, data):
    """In one packet with a good request, which is answered first."""
    return Case(f"{what}, behind a GET", GET + data, answers=[
        (len(GET), OK), (len(GET) + len(data), NOT_OK)])


def smuggling():
    cases = []
    for what, rest in SMUGGLING.items():
        data = shaped(rest)
        # What follows looks like a request, and must not become one.
        more = data + b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"
        cases += [alone(what, data), alone(f"{what}, more behind", more),
                  behind(what, data), Case(
                      f"{what}, byte by byte",
                      *(data[i:i + 1] for i in range(len(data))),
                      answers=[(len(data), NOT_OK)])]
    for what, line in (("a space more", b"GET  / HTTP/1.1"),
                       ("a tab", b"GET\t/ HTTP/1.1"),
                       ("a space behind", b"GET / HTTP/1.1 "),
                       ("no version", b"GET /"),
                       ("version 1.10", b"GET / HTTP/1.10"),
                       ("lower case", b"GET / http/1.1"),
                       ("version 0.9", b"GET / HTTP/0.9"),
                       ("a space in the target", b"GET /a b HTTP/1.1"),
                       ("no method", b"/ HTTP/1.1")):
        data = line + b"\r\nHost: a\r\n\r\n" + GET
        cases += [alone(f"first line with {what}", data),
                  behind(f"first line with {what}", data)]
    cases += [alone("not HTTP at all", bytes(range(256)) * 30),
              behind("not HTTP at all", bytes(range(256)) * 30),
              alone("the preface of HTTP/2",
                    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    return cases


def tunnels():
    upgrade = request("GET /chat HTTP/1.1", "Connection: Upgrade",
                      "Upgrade: echo")
    connect = b"CONNECT b:80 HTTP/1.1\r\nHost: b:80\r\n\r\n"
    switch = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
              b"Upgrade: echo\r\n\r\n")
    bytes_up = bytes(range(256)) * 100
    cases = []
    for what, before, first, answer in (
            ("Upgrade", b"", upgrade, switch),
            ("CONNECT", b"", connect, b"HTTP/1.1 200 Now\r\n\r\n"),
            ("Upgrade behind a GET", GET, upgrade, switch),
            ("CONNECT behind a GET", GET, connect,
             b"HTTP/1.1 200 Now\r\n\r\n")):
        first = before + first
        n = len(first)
        answers = [(len(before), OK)] if before else []
        answers += [(n, answer + b"first words"),
                    (n + 5, b"GET / HTTP/1.1\r\nnot a request\r\n\r\n"),
                    (n + 5 + len(bytes_up), b"\0" * 70000)]
        cases.append(Case(what, first, ("until", b"first words"), b"hello",
                          ("until", b"request\r\n\r\n"), bytes_up,
                          answers=answers))
    n = len(upgrade)
    cases += [
        Case("Upgrade refused", upgrade, ("until", b"ok"), GET,
             answers=[(n, OK), (n + len(GET), LAST)]),
        Case("CONNECT refused", connect, ("until", b"ok"), GET,
             answers=[(len(connect), OK), (len(connect) + len(GET), LAST)]),
    ]
    return cases


def answers():
    """What is odd about an answer."""
    n = len(GET)
    head = request("HEAD / HTTP/1.1")
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
    two = [("103 before 200", early + early + OK),
           ("102 and 100 uninvited",
            b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" +
            OK),
           ("204", b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n"),
           ("304 with a length",
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"),
           ("no reason", b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok"),
           ("chunked with trailers",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5;x=y\r\nhello\r\n00A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n"),
           ("chunked, nothing in it",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"0\r\n\r\n")]
    cases = [Case(what, GET, GET, answers=[(n, text), (2 * n, LAST)])
             for what, text in two]
    cases += [Case(f"{what}, pipelined", GET * 2,
                   answers=[(n, text), (2 * n, LAST)]) for what, text in two]
    cases += [Case(f"{what}, byte by byte", GET * 2, portion=1,
                   answers=[(n, text), (2 * n, LAST)]) for what, text in two]
    upload = request("POST / HTTP/1.1", "Content-Length: 90000")
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
    cases += [
        Case("an answer before the request's end", upload + b"x" * 50_000,
             ("until", b"\r\n\r\n"), b"x" * 40_000 + GET,
             answers=[(len(upload) + 50_000, refusal),
                      (len(upload) + 90_000 + n, LAST)]),
        Case("GET and half-close", GET, "fin", answers=[(n, OK)]),
        Case("two GETs and half-close", GET * 2, "fin",
             answers=[(n, OK), (2 * n, LAST)]),
        Case("HEAD with a length", head + GET, answers=[
            (len(head), b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"),
            (len(head) + n, LAST)]),
        Case("until the end", GET, answers=[
            (n, b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000)]),
        Case("until the end, nothing", GET, answers=[
            (n, b"HTTP/1.0 200 OK\r\n\r\n")]),
    ]
    odd = {"two lengths": b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
           "length and chunked": b"Content-Length: 2\r\n"
                                 b"Transfer-Encoding: chunked\r\n\r\n"
                                 b"2\r\nok\r\n0\r\n\r\n",
           "bare LF": b"Content-Length: 2\n\nok",
           "obs-fold": b"X: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
           "another coding": b"Transfer-Encoding: gzip\r\n\r\nok",
           "space before the colon": b"Content-Length : 2\r\n\r\nok"}
    cases += [Case(f"answer with {what}", GET, answers=[
        (n, b"HTTP/1.1 200 OK\r\n" + rest)]) for what, rest in odd.items()]
    cases.append(Case("an answer that is not HTTP", GET,
                      answers=[(n, b"SSH-2.0-OpenSSH\r\n\r\n")]))
    return cases


def both(recorder, connect, case):
    """What the client got and how it ended, and what the server heard."""
    recorder.begin(case)
    got = play(connect, case)
    return got, recorder.all_heard()


def test(s):
    """Whatever is no plain HTTP/1.1, or not certainly one message, goes both
    ways byte for byte, with and without range shards, plain and over TLS: it
    is never read in another way than it is written. Tunnels begin where the
    server says so; odd answers arrive as they are."""
    recorder = Recorder(s)
    ways = Ways(s, Authority(s), {
        "o": {"servers": {"a": {"address": recorder.text}}}},
        {"min_size": "1MiB"})
    b = Braid(s, {"listeners": ways.listeners, "pools": ways.pools})
    cases = smuggling() + tunnels() + answers()
    wanted = {case: both(recorder, direct(recorder), case) for case in cases}
    s.equal([str(c) for c in cases if wanted[c][1] != c.sent], [],
            "without Braid the server hears all")
    for way, connect in ways.of("o"):
        wrong = []
        for case in cases:
            got = both(recorder, connect, case)
            if got != wanted[case]:
                wrong.append(str(case))
                s.say(f"{way}, {case}: {got!r}\n    wanted {wanted[case]!r}")
        s.equal(wrong, [], f"{way}: of {len(cases)} cases, those that differ")
    b.idle()
    b.stop()


scenario.run(test)
