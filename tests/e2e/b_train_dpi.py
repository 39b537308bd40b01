#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario

GET = b"GET / HTTP/1.1\r\nHost: a.test:8080\r\n\r\n"
ROWS = [
    # label, client, server, host, has_syn, server_first
    ("HTTP", GET, b"HTTP/1.1 200 OK\r\n\r\n", "a.test", 1, 0),
    ("SSH", b"SSH-2.0-x\r\n", b"SSH-2.0-y\r\n", "", 1, 1),
    ("MySQL", b"", b"\x4a\0\0\0\x0a8.0.36\0\x0c\0\0\0abcdefgh\0", "", 1, 1),
    ("Gopher", b"/\r\n", b"", "", 1, 0),
    ("TLS", b"\x2a\1\0\1\2\3", b"", "", 1, 0),
    ("Redis", b"EHLO a\r\n", b"", "", 1, 0),
    ("HTTP", b"PE 3\r\n", b"", "", 0, 0),
]
HEADER = "proto,client_hex,server_hex,host,has_syn,server_first\n"


def line(row):
    label, client, server, host, syn, first = row
    return f"{label},{client.hex()},{server.hex()},{host},{syn},{first}\n"


def test(s):
    """braid-train dpi: verdict, name and bytes of each row, the score, and
    what it says of a file that it cannot use."""
    program = os.path.join(scenario.find_bin(), "braid-train")

    def dpi(text):
        return s.run([program, "dpi", s.write("rows.csv", text)], check=False)

    done = dpi(HEADER + "".join(map(line, ROWS)))
    s.equal(done.returncode, 0, "exit status")
    got = [text.split() for text in done.stdout.splitlines()]
    s.equal(got[0][:7],
            ["right", "HTTP", "http", "14", "0", str(len(GET)),
             "a.test:8080"], "the HTTP row")
    s.equal(got[1][:5], ["right", "SSH", "ssh", "0", "8"], "the SSH row")
    s.equal(got[2][2], "mysql", "by the greeting alone")
    s.equal([row[0] for row in got[:7]],
            ["right", "right", "right", "right", "MISSED", "WRONG", "-"],
            "right or not")
    some = s.run([program, "dpi", "--wrong", s.path("rows.csv")])
    s.equal([text.split()[0] for text in some.stdout.splitlines()[:2]],
            ["MISSED", "WRONG"], "--wrong")
    s.equal(some.stdout.splitlines()[2:], done.stdout.splitlines()[7:],
            "the same score")
    score = done.stdout.splitlines()[7:]
    for text, words in zip(score, ("5 rows 3 right 1 missed 1 wrong",
                                   "1 rows 1 right 0 missed 0 wrong",
                                   "1 rows 1 right 0 missed 0 wrong",
                                   "1 rows")):
        numbers = " ".join(text.replace(",", " ").split())
        s.check(words in numbers, f"the score: {numbers}")

    s.equal(dpi("\ufeff" + HEADER + "".join(map(line, ROWS))).stdout,
            done.stdout, "a byte order mark is passed over")
    for text, word in (
            (HEADER + "HTTP,474,,,1,0\n",
             "rows.csv:2: client_hex: an odd number of hexadecimal digits"),
            (HEADER + "HTTP,47,47zz,,1,0\n",
             "rows.csv:2: server_hex: a byte that is no hexadecimal digit"),
            (HEADER + "HTTP,47\n",
             "rows.csv:2: fewer columns than the header has"),
            (HEADER + "HTTP,\"47,,,1,0\n", "rows.csv:2: a quote at a wrong"),
            ("a,b\n1,2\n", "want at least the columns"),
            ("", "rows.csv:1: the file is empty")):
        done = dpi(text)
        s.equal(done.returncode, 65, "a bad file's exit status")
        s.check(word in done.stderr, f"it says where: {done.stderr.strip()}")
    s.equal(s.run([program, "dpi", s.path("none.csv")],
                  check=False).returncode, 66, "no file")
    s.equal(s.run([program, "dpi", "--odd", s.path("rows.csv")],
                  check=False).returncode, 64, "an unknown option")
    s.equal(s.run([program, "dpi"], check=False).returncode, 64, "usage")


scenario.run(test)
