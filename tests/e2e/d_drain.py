#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal
import socket

from lib import client, scenario
from lib.ask import Answer, frame, query, read_tcp
from lib.braidd import Braid


def test(s):
    """TERM with open TCP connections: idle ones are closed, what is half asked
    may be asked to its end, and one that never comes to it does not hold the
    process longer than global.drain."""
    port = s.port()
    server = ("127.0.0.1", port)
    config = {"global": {"drain": "2s"},
              "dns": {"bind": f"127.0.0.1:{port}", "tcp": {"idle": "60s"},
                      "zones": {"example.org": {"records": [
                      "@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
                      "ns1 A 192.0.2.53"]}}}}
    message = frame(query("ns1.example.org"))

    def connect():
        sock = socket.create_connection(server)
        s.defer(sock.close)
        sock.settimeout(60)
        return sock

    def asked():
        sock = connect()
        sock.sendall(message)
        s.equal(Answer(read_tcp(sock)).data("A"), ["192.0.2.53"], "asked")
        return sock

    s.say("-- idle connections, and one that is half asked")
    b = Braid(s, config)
    idle, half = [asked() for _ in range(3)], asked()
    half.sendall(message[:9])
    s.until(lambda: b.metrics().value("braid_dns_tcp_connections") == 4,
            "four connections are open")
    client.wait_read(half)
    os.kill(b.pid, signal.SIGTERM)
    for sock in idle:
        s.equal(sock.recv(1), b"", "an idle one is closed")
    half.sendall(message[9:])
    s.equal(Answer(read_tcp(half)).data("A"), ["192.0.2.53"],
            "the half asked is answered")
    s.equal(half.recv(1), b"", "and closed")
    s.equal(b.exit_code(), 0, "braidd ends with exit code")
    s.check(b.events("stopped"), "it says that it has stopped")

    s.say("-- one that never asks to the end")
    b = Braid(s, config, name="second")
    stuck = asked()
    stuck.sendall(message[:9])
    client.wait_read(stuck)
    os.kill(b.pid, signal.SIGTERM)
    s.equal(b.exit_code(), 0, "braidd ends with exit code")
    try:
        rest = stuck.recv(1)
    except ConnectionResetError:
        rest = b""
    s.equal(rest, b"", "the connection has ended")


scenario.run(test)
