#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import random
import socket
import ssl
import threading

from lib import client, origins, scenario
from lib.braidd import Braid
from lib.certificates import Authority, client_context, server_context
from lib.tls_stream import NOTIFY, End

NAME = "www.example.com"
WHOLE = random.Random(13).randbytes(40000)  # three records
RECORD = 16384
BULK = random.Random(17).randbytes(12 << 20)
# How much of one more record goes out before the cut.
PLACES = {"between records": lambda record: b"",
          "in a header": lambda record: record[:3],
          "in a record": lambda record: record[:-5]}
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


class Plain:
    """A side without TLS, with what End has."""

    def __init__(self, sock):
        self.sock = sock

    def cipher(self, plain):
        return bytes(plain)

    def read_exactly(self, n):
        return client.read_exactly(self.sock, n)

    def read_end(self):
        return client.read_end(self.sock)


def cut(sock, how):
    if how == client.RESET:
        origins.reset(sock)
    else:
        sock.shutdown(socket.SHUT_WR)


class Server:
    """Answers three bytes as it is told to, or reads to the end."""

    def __init__(self):
        self.wrap = self.answer = self.how = None
        self.begun, self.told = threading.Event(), threading.Event()
        self.seen = None

    def __call__(self, sock, _number):
        end = self.wrap(sock)
        end.read_exactly(3)
        self.begun.set()
        if self.answer:
            self.say(sock, self.answer(end))
            cut(sock, self.how)
        if self.how != client.RESET or not self.answer:
            self.seen = end.read_end()
        self.told.set()

    def say(self, sock, data):
        """Before a reset only what finds room while the client tarries."""
        if self.how == client.RESET:
            sock.settimeout(0.3)
        try:
            sock.sendall(data)
        except TimeoutError:
            pass


def test(s):
    """A stream that is cut at any place, by a reset or by an end without
    close_notify, never looks complete to the other side: it gets every whole
    record and then a reset, over TLS at either end and at both. An end of a
    plain peer is close_notify for one that speaks TLS."""
    authority = Authority(s)
    pair = authority.issue("www", f"DNS:{NAME}")
    servers = {n: Server() for n in ("front", "back", "both")}
    handlers = {n: origins.Origin(s, servers[n]) for n in servers}
    ports = {n: s.port() for n in servers}
    ours = {"tls": {"certificates": [{"cert": pair[0], "key": pair[1]}]}}
    theirs = {"tls": {"ca": authority.cert, "sni": NAME},
              "connect": {"timeout": "60s"}}  # with the handshake
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{ports[n]}", "pool": n,
                          **(ours if n != "back" else {})} for n in servers},
        "pools": {n: {"servers": {"a": {"address": handlers[n].text}},
                      **(theirs if n != "front" else {})} for n in servers},
    })
    done = {n: 0 for n in servers}

    def begin(ends, version, answer=None, how=None):
        """A client's end, whose first bytes went to a server that is set."""
        server = servers[ends]
        server.answer, server.how, server.seen = answer, how, None
        server.begun.clear()
        server.told.clear()
        server.wrap = Plain if ends == "front" else lambda sock: End(
            sock, server_context(pair, version=version), True)
        sock = client.connect(("127.0.0.1", ports[ends]))
        end = Plain(sock) if ends == "back" else End(
            sock, client_context(authority.cert, version), name=NAME)
        sock.sendall(end.cipher(b"GET"))
        return end

    def line(ends):
        done[ends] += 1
        return b.wait_flows(done[ends], listener=ends)[-1]

    def server_cuts(ends, version, place, how):
        end = begin(ends, version, lambda e: e.cipher(WHOLE) + PLACES[place](
            e.cipher(b"lost" * 100)), how)
        got, ended = end.read_end()
        want = WHOLE + (PLACES[place](b"lost" * 100) if ends == "front"
                        else b"")
        s.check(got == want, f"{place}, {how}: the client has {len(got)} of "
                f"{len(want)} bytes")
        wanted = {"both": client.RESET, "back": client.RESET,
                  "front": NOTIFY if how == client.FIN else client.RESET}
        s.equal(ended, wanted[ends], "and then")
        end.sock.close()
        flow = line(ends)
        good = ends == "front" and how == client.FIN
        s.equal(flow["end"], "--" if good else "SD", "its code")
        s.check(servers[ends].told.wait(60), "the server is done")

    def client_cuts(ends, version, place, how):
        server = servers[ends]
        end = begin(ends, version)
        end.sock.sendall(end.cipher(WHOLE) + PLACES[place](
            end.cipher(b"lost" * 100)))
        want = len(WHOLE) + (len(PLACES[place](b"lost" * 100))
                             if ends == "back" else 0)
        s.until(lambda: any(
            row["bytes_up"] == 3 + want for row in
            b.ctl("flows", f"listener={ends}")["flows"]), "all is read")
        # Its own tickets must not meet the reset.
        s.check(server.begun.wait(60), "the server has shaken hands")
        cut(end.sock, how)
        s.check(server.told.wait(60), f"{place}, {how}: the server sees an "
                "end")
        wanted = NOTIFY if ends == "back" and how == client.FIN \
            else client.RESET
        s.equal(server.seen[1], wanted, "which is")
        s.check(WHOLE.startswith(server.seen[0][:len(WHOLE)]) and
                (wanted == client.RESET or len(server.seen[0]) == want),
                f"after {len(server.seen[0])} of {want} bytes")
        end.sock.close()
        flow = line(ends)
        s.equal(flow["end"], "CD" if how == client.RESET else "--",
                f"its code ({flow.get('error')})")

    def bulk_cut(ends, version, how):
        """Beside a client that reads slowly."""
        end = begin(ends, version, lambda e: e.cipher(BULK)[:-7], how)
        first = end.read_exactly(100000)
        s.until(lambda: how == client.FIN or servers[ends].told.is_set(),
                "the server has cut")
        rest, ended = end.read_end()
        s.check(BULK.startswith(first + rest) and
                len(first + rest) < len(BULK),
                f"bulk, {how}: {len(first + rest)} of {len(BULK)} bytes")
        s.equal(ended, client.RESET if ends != "front" or
                how == client.RESET else NOTIFY, "and then")
        if how == client.FIN:  # a reset may drop what the server's kernel has
            s.equal(len(first + rest), len(BULK) - (
                7 if ends == "front" else RECORD), "nothing whole is missing")
        end.sock.close()
        line(ends)
        s.check(servers[ends].told.wait(60), "the server is done")

    for version in VERSIONS:
        for ends in servers:
            s.say(f"-- {ends}, {version.name}")
            for place in PLACES:
                for how in (client.FIN, client.RESET):
                    server_cuts(ends, version, place, how)
                    client_cuts(ends, version, place, how)
            for how in (client.FIN, client.RESET):
                bulk_cut(ends, version, how)
    b.idle()
    b.stop()


scenario.run(test)
