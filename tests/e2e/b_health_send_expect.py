#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.origins import Origin
from lib.servers import Redis


class Mail:
    """Speaks first, as SMTP servers do, and one piece at a time."""

    def __init__(self, s):
        self.banner, self.answer = "220 mail ready\r\n", "250 fine\r\n"
        self.heard = []
        self.origin = Origin(s, self.serve)

    def serve(self, sock, _number):
        for byte in self.banner.encode():
            sock.sendall(bytes([byte]))
        line = b""
        while not line.endswith(b"\n"):
            part = sock.recv(4096)
            if not part:
                return
            line += part
        self.heard.append(line)
        sock.sendall(self.answer.encode())
        if not self.answer.startswith("421"):
            sock.recv(4096)


def test(s):
    """send_expect checks: a real redis, a server that speaks first, escapes
    and hexadecimal digits, and a log that says what was expected and what
    came."""
    redis = Redis(s)
    mail = Mail(s)
    port = s.port()
    health = {"type": "send_expect", "interval": "100ms", "timeout": "60s",
              "rise": 1, "fall": 2, "fail_open": "0%"}
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "cache"}},
        "pools": {
            "cache": {
                "servers": {"x": {"address": redis.text}},
                "health": {**health, "script": [
                    {"send": "PING\\r\\n"}, {"expect": "+PONG"},
                    {"send_hex": "50 49 4e 47 0d0a"},
                    {"expect_hex": "2b504f4e470d0a"}]}},
            "mail": {
                "servers": {"m": {"address": mail.origin.text}},
                "health": {**health, "script": [
                    {"expect": "220 "}, {"send": "EHLO \\x62raid\\r\\n"},
                    {"expect": "\r\n"}, {"expect": "250"}]}}}}
    b = Braid(s, config)
    s.until(lambda: b.server("cache", "x")["health"] == "up", "redis is up")
    s.until(lambda: b.server("mail", "m")["health"] == "up", "mail is up")
    s.equal(mail.heard[0], b"EHLO braid\r\n", "what mail was sent")

    mail.answer = "421 go away\r\n"
    line = b.wait_event("server down", server="m")
    s.check('step 4: expected "250"' in line["cause"],
            f"what was expected: {line['cause']}")
    s.check("421 go away" in line["cause"], "and what came")
    mail.answer = "250 fine\r\n"
    s.until(lambda: b.server("mail", "m")["health"] == "up", "up again")

    # A reload that changes one script leaves the other pool alone.
    before = b.server("mail", "m")["checks"]
    config["pools"]["cache"]["health"]["script"][1] = {"expect": "+NEVER"}
    config["pools"]["cache"]["health"]["timeout"] = "400ms"
    b.reload(config)
    s.until(lambda: b.server("cache", "x")["health"] == "down", "cache down")

    def says_both():
        cause = b.server("cache", "x")["cause"]
        return '"+NEVER"' in cause and '"+PONG' in cause
    s.until(says_both, "the cause says what was awaited, and what came")
    s.equal(b.server("mail", "m")["health"], "up", "mail meanwhile")
    s.check(b.server("mail", "m")["checks"] >= before, "mail's counts stay")
    redis.process.end()
    s.until(lambda: "refused" in b.server("cache", "x")["cause"],
            "the cause follows: nobody listens")
    b.stop()


scenario.run(test)
