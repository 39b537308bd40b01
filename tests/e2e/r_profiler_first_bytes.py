#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import client, records, scenario
from lib.braidd import Braid
from lib.origins import Origin

GET = b"GET /v.mp4 HTTP/1.1\r\nHost: films.test\r\n\r\n"
HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n"
        b"Content-Length: 20480\r\n\r\n")
FILM = HEAD + b"f" * 20480
GREETING = b"220 mail.example.com ESMTP\r\n"
TLS = {"tls_version": "4", "tls_alpn": "2", "tls_sni": "1"}


def cut(data, *places):
    edges = (0, *places, len(data))
    return [data[a:b] for a, b in zip(edges, edges[1:])]


def test(s):
    """The profiler looked at the first read of each side only: a GET, a
    ClientHello, an answer or a greeting that came in several was not seen,
    by a pin no more than in recorded rows and in the history's key."""
    served = []

    def serve(sock, _number):
        served.append([sock, 0])
        data = sock.recv(65536)
        while data:
            served[-1][1] += len(data)
            data = sock.recv(65536)
    origin, port = Origin(s, serve), s.port()
    path = os.path.join(s.make_folder("records", scenario.NAMELESS), "flows.csv")
    config = records.config(port, origin.text, path, model="none",
                            pin={"http": "push", "smtp": "interactive",
                                 "unknown": "stream"})
    # A worker's history is its own.
    config["global"].update(log={"access": True}, workers=1)
    b = Braid(s, config)
    seen = 0

    def classes():
        return [flow.get("class") for flow in b.ctl("flows")["flows"]]

    def send(sock, parts):
        """Each part is a read of its own: the next one waits until the server
        has the one before it, which therefore was not held back."""
        for part in parts:
            before = served[-1][1] if len(served) > seen else 0
            sock.sendall(part)
            s.until(lambda: len(served) > seen and
                    served[-1][1] == before + len(part), "it is passed on")

    def answer(sock, parts):
        for part in parts:
            served[-1][0].sendall(part)
            s.equal(client.read_exactly(sock, len(part)), part, "an answer")

    def ended():
        nonlocal seen
        seen += 1
        return b.wait_flows(seen)[-1]

    def visit(question, reply):
        """The line of a flow of such reads, and its rows by checkpoint."""
        with client.connect(("127.0.0.1", port)) as sock:
            send(sock, question)
            answer(sock, reply)
        line = ended()

        def rows():
            return {row["_checkpoint"]: row for row in records.rows(path)
                    if row["_flow"] == line["id"]}
        s.until(rows, "it is recorded")
        return line, rows()

    def shows(row, **fields):
        s.equal({name: row[name] for name in fields}, fields,
                f"row of {row['_checkpoint']}")

    s.say("-- a GET in two reads: pinned with the second, before an answer")
    with client.connect(("127.0.0.1", port)) as sock:
        send(sock, [GET[:13]])
        s.equal(classes(), ["stream"], "of no known protocol yet")
        send(sock, [GET[13:]])
        s.equal(classes(), ["push"], "http")
        answer(sock, [b"HTTP/1.1 204 No Content\r\n\r\n"])
    line = ended()
    s.equal((line["class"], line["class_first"], line["class_at"]),
            ("push", "stream", "pin"), "in the access log")

    s.say("-- a ClientHello in three")
    hello = client.hello("cut.test", ["h2"])
    name = hello.index(b"cut.test") + len(b"cut.test")
    _, rows = visit(cut(hello, 60, name), [b"."])
    shows(rows["first"], tls_version="0", tls_alpn="0", tls_sni="0")
    shows(rows["answer"], **TLS)
    _, rows = visit(cut(hello, name), [b"."])
    shows(rows["first"], tls_version="0", tls_alpn="0", tls_sni="1",
          history_flows="1")
    _, rows = visit([hello], [b"."])
    shows(rows["first"], **TLS, history_flows="2")
    _, rows = visit([client.hello("other.test", ["h2"])], [b"."])
    shows(rows["first"], **TLS, history_flows="0")

    s.say("-- an answer in three, to a request in two")
    line, rows = visit(cut(GET, 30), cut(FILM, 5, len(HEAD) - 8))
    s.equal(line["class"], "push", "http")
    shows(rows["first"], http_method="1", http_path="5", history_flows="0")
    shows(rows["answer"], http_status="0", http_length_kib="-1")
    shows(rows["16KiB"], http_status="2", http_length_kib="20", http_type="5")

    s.say("-- a greeting in two, and a client that never says what it speaks")
    with client.connect(("127.0.0.1", port)) as sock:
        s.until(lambda: len(served) > seen, "connected")
        answer(sock, cut(GREETING, 9))
    s.equal(ended()["class"], "interactive", "smtp")
    line, _ = visit([b"\xc3\x91\x92\x93", b" nobody's"], [b"no", b"body's"])
    s.equal(line["class"], "stream", "unknown")
    with client.connect(("127.0.0.1", port)) as sock:
        send(sock, [b"G", b"E"])
    s.equal(ended()["class"], "stream", "one that ends before it is known")
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
