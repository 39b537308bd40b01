#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import hashlib

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin

CLASSES = ("unknown", "request", "bulk", "stream", "interactive", "push")
BLOCK = bytes(range(256)) * 1024
GREETING = b"220 mail.example.com ESMTP\r\n"
REQUEST = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
SSH = b"SSH-2.0-test\r\n"
NOBODYS = b"\xc3\x91\x92\x93 nobody's"


def answer(sock, _number):
    """To each read, which ends in "=NN": a byte and so many BLOCKs."""
    data = sock.recv(4096)
    while data:
        sock.sendall(b"." + BLOCK * int(data[-2:]))
        data = sock.recv(4096)


def greet(sock, _number):
    sock.sendall(GREETING)
    answer(sock, 0)


def test(s):
    """The operator's class in place of the model's: for each protocol, by the
    client's or the server's first bytes, for all that are not named, changed
    by a reload for new flows; every class is obeyed, and every byte arrives."""
    origin, mail = Origin(s, answer), Origin(s, greet)
    port, mail_port = s.port(), s.port()

    def config(pins, mode="observe"):
        return {
            "listeners": {
                "web": {"bind": f"127.0.0.1:{port}", "pool": "o"},
                "mail": {"bind": f"127.0.0.1:{mail_port}", "pool": "m"}},
            "pools": {"o": {"servers": {"a": {"address": origin.text}}},
                      "m": {"servers": {"a": {"address": mail.text}}}},
            "profiler": {"mode": mode, "model": "none", "pin": pins},
        }
    b = Braid(s, config({"http": "bulk", "smtp": "push"}))
    seen = 0

    def ended():
        nonlocal seen
        seen += 1
        return b.wait_flows(seen)[-1]

    def visit(first, blocks=0):
        """The line of a flow that begins so and is sent so many blocks."""
        with client.connect(("127.0.0.1", port)) as sock:
            sock.sendall(first + b"=%02d" % blocks)
            got = client.read_exactly(sock, 1 + blocks * len(BLOCK))
            s.equal(hashlib.sha256(got).hexdigest(),
                    hashlib.sha256(b"." + BLOCK * blocks).hexdigest(),
                    f"SHA-256 of {len(got)} bytes")
        b.need_pipes()
        return ended()

    def mail_visit():
        with client.connect(("127.0.0.1", mail_port)) as sock:
            s.equal(client.read_exactly(sock, len(GREETING)), GREETING,
                    "the greeting")
        return ended()

    def verdict(line):
        return line["class"], line["class_at"], line["sure"]

    def spliced(line, limit_s, what):
        """The counter wants a rate, of 1 MiB a second at most; a machine that
        has no time for twice as much has not shown whether it counts."""
        s.check(line["path"] == "splice-down" or
                float(line["total_ms"]) > limit_s * 1000,
                f"{what}: {line['path']} after {line['total_ms']} ms")

    s.say("-- by protocol")
    line = visit(REQUEST)
    s.equal(verdict(line), ("bulk", "pin", "100"), "http")
    s.check("class_first" not in line, "and so it was from the beginning")
    s.equal(verdict(mail_visit()), ("push", "pin", "100"),
            "smtp, by its greeting")
    s.equal(verdict(visit(SSH)), ("unknown", "answer", "0"),
            "ssh is not named")
    spliced(visit(REQUEST, 32), 16, "with observe 8 MiB go by the counter")

    s.say("-- a reload, and a flow that began before it")
    old = client.connect(("127.0.0.1", port))
    old.sendall(REQUEST + b"=00")
    client.read_exactly(old, 1)
    b.reload(config({"ssh": "interactive", "unknown": "stream",
                     "any": "request"}))
    s.equal(verdict(visit(SSH)), ("interactive", "pin", "100"), "ssh")
    s.equal(verdict(visit(NOBODYS)), ("stream", "pin", "100"), "unknown")
    s.equal(verdict(visit(REQUEST)), ("request", "pin", "100"), "any: http")
    s.equal(verdict(visit(client.hello("a.test"))),
            ("request", "pin", "100"), "any: tls")
    s.equal(verdict(mail_visit()), ("request", "pin", "100"), "any: smtp")
    old.sendall(b"=00")
    s.equal(client.read_exactly(old, 1), b".", "the old flow goes on")
    old.close()
    s.equal(verdict(ended()), ("bulk", "pin", "100"), "keeps its class")

    s.say("-- every class, on every kind of flow")
    for name in CLASSES:
        b.reload(config({"any": name}, "act"))
        for first in (REQUEST, SSH, NOBODYS, client.hello("a.test")):
            line = visit(first, 3)
            s.equal(verdict(line), (name, "pin", "100"), repr(first[:8]))
            if name in ("request", "interactive", "push"):
                s.equal(line["path"], "relay", "768 KiB of that class")
        s.equal(verdict(mail_visit()), (name, "pin", "100"), "smtp")
        spliced(visit(NOBODYS, 64), 8,
                f"{name}: 16 MiB are bulk in any case")

    s.say("-- a wrong one changes nothing")
    b.write_config(config({"ssh": "bulky"}))
    done = b.braidctl("reload", check=False)
    s.check(done.returncode == 78 and 'did you mean "bulk"?' in
            done.stdout + done.stderr, "it is refused and says why")
    s.equal(verdict(visit(SSH)), ("push", "pin", "100"), "ssh still")
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
