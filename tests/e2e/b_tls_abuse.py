#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import socket
import ssl
import subprocess
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.origins import Origin, echo, reset
from lib.scenario import find_program

TIMES, ROOM, ROUNDS_MAX = 15, 1 << 20, 10
QUIET_S = 10  # between two lines of the error log about the same


def record(kind, body, length=None):
    """One that may lie about its length."""
    return (bytes([kind, 3, 1]) +
            (len(body) if length is None else length).to_bytes(2, "big") +
            body)


HELLO = client.hello("www.example.com")
HALF = HELLO[:len(HELLO) // 2]
USER_CANCELED = record(21, b"\x01\x5a")
# What is sent, what the client does then, the cause that counts.
ABUSES = {
    "garbage": (b"\xff\x00" * 300, "waits", "not_tls"),
    "plain HTTP": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "waits", "not_tls"),
    "nothing, then the end": (b"", "ends", "handshake_ended"),
    "half a ClientHello, then the end": (HALF, "ends", "handshake_ended"),
    "half a ClientHello, then a reset": (HALF, "resets", "handshake_ended"),
    "half a ClientHello, then silence": (HALF, "waits", "handshake_slow"),
    "silence": (b"", "waits", "handshake_slow"),
    "a record of 18 KiB": (record(22, b"\x01" * 4000, 18433), "waits",
                           "bad_record"),
    "a record of 64 KiB": (record(22, b"\x01", 65535), "waits", "bad_record"),
    "a message of 16 MiB": (record(22, b"\x01\xff\xff\xff" + b"\0" * 64),
                            "waits", "malformed"),
    "1,000 warnings": (USER_CANCELED * 1000, "waits", "malformed"),
    "1,000 empty records": (record(22, b"") * 1000, "waits", "malformed"),
    "an alert": (record(21, b"\x02\x28"), "waits", "malformed"),
    "application data": (record(23, b"x" * 100), "waits", "malformed"),
    "a ClientHello of noise": (record(22, b"\x01\0\1\0" + b"\x99" * 256),
                               "waits", "malformed"),
}


def abuse(port, data, then):
    """Until braidd has closed the connection."""
    sock = client.connect(("127.0.0.1", port))
    try:
        sock.sendall(data)
        if then == "resets":
            reset(sock)
            return
        if then == "ends":
            sock.shutdown(socket.SHUT_WR)
        client.read_end(sock)
    except (BrokenPipeError, ConnectionResetError):
        pass  # closed before all was sent
    sock.close()


def suffer(s, b, port, hasty, counted):
    """Each abuse TIMES times; `hasty` is a port with little patience."""
    for what, (data, then, cause) in ABUSES.items():
        if cause == "handshake_slow":  # all at once: each takes a while
            socks = [client.connect(("127.0.0.1", hasty))
                     for _ in range(TIMES)]
            for sock in socks:
                try:
                    sock.sendall(data)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # closed before that
            for sock in socks:
                client.read_end(sock)
                sock.close()
        else:
            for _ in range(TIMES):
                abuse(port, data, then)
        counted[cause] += TIMES
        s.until(lambda: b.tls_failures("client", cause) == counted[cause],
                f"{what}: counted as {cause}")


def renegotiates(port):
    """openssl s_client that asks for it; what it said."""
    process = subprocess.Popen(
        [find_program("openssl"), "s_client", "-connect", f"127.0.0.1:{port}",
         "-tls1_2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    try:
        process.stdin.write(b"R\n")
        process.stdin.flush()
        # The end of its input would end it before it has the answer.
        output = b""
        while b"no renegotiation" not in output:
            data = process.stdout.read1(1 << 16)
            if not data:
                break
            output += data
        return output.decode()
    finally:
        process.kill()


def test(s):
    """Clients that abuse the handshake are closed, counted by cause and have
    a line each in the access log; the error log has one line in a while; and
    nothing of them stays. Renegotiation is refused."""
    began = time.monotonic()
    authority = Authority(s)
    cert, key = authority.issue("www", "DNS:www.example.com")
    origin = Origin(s, echo)
    port, hasty = s.port(), s.port()
    tls = {"certificates": [{"cert": cert, "key": key}]}
    b = Braid(s, {
        "listeners": {
            "web": {"bind": f"127.0.0.1:{port}", "pool": "o", "tls": tls},
            "hasty": {"bind": f"127.0.0.1:{hasty}", "pool": "o", "tls": tls,
                      "timeout": {"handshake": "500ms"}}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}}})
    context = ssl.create_default_context(cafile=authority.cert)

    def good():
        return context.wrap_socket(client.connect(("127.0.0.1", port)),
                                   server_hostname="www.example.com")
    held = good()
    s.check(client.echoes(held), "a good client")
    counted = {cause: 0 for _, _, cause in ABUSES.values()}

    descriptors = b.settled_descriptors()
    suffer(s, b, port, hasty, counted)
    # Now the pools have the spans that they keep, one a worker and size.
    memory = b.status()["tls"]["memory_bytes"]
    suffer(s, b, port, hasty, counted)
    s.equal({c: b.tls_failures("client", c) for c in counted}, counted,
            "failures by cause")
    total = sum(counted.values())
    s.equal(b.metrics().total("braid_tls_client_failures_total"), total,
            "and no others")
    s.equal(len(b.wait_flows(total)), total, "lines of the access log")
    s.check(client.echoes(held), "the good client is served all the while")

    output = renegotiates(port)
    s.check("no renegotiation" in output, "renegotiation is refused")
    s.equal(b.status()["tls"]["client_handshakes"], 2, "handshakes in all")
    for message in ("TLS with clients failed",
                    "clients too slow: timeout.handshake"):
        b.wait_event(message)
        n = len(b.events(message))
        took = time.monotonic() - began
        s.check(n <= took / QUIET_S + 1, f"\"{message}\": {n} lines")
    held.close()
    b.idle()
    s.until(lambda: b.descriptors() <= descriptors, "no descriptor stays")
    # By chance a worker may have had no handshake of some kind before.
    for _ in range(ROUNDS_MAX):
        now = b.status()["tls"]["memory_bytes"]
        if now <= memory + ROOM:
            break
        memory = now
        suffer(s, b, port, hasty, counted)
        b.idle()
    s.check(now <= memory + ROOM, f"no memory of TLS: {memory}, then {now}")
    with good() as sock:
        s.check(client.echoes(sock), "a good client at the end")
    b.stop()


scenario.run(test)
