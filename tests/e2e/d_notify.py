#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import socket
import struct

from lib import scenario
from lib.ask import Answer
from lib.braidd import Braid

ZONE = "$TTL 60\n@ SOA ns1 hostmaster {} 3600 600 86400 60\n@ NS ns1\n" \
    "ns1 A 192.0.2.53\n"


class Secondary:
    """Takes NOTIFY messages; answers from the `deaf`-th on. What it has
    answered may come again when it was late with that: it is the same
    message."""

    def __init__(self, s, deaf=0):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", s.port()))
        self.sock.settimeout(30)
        self.deaf, self.heard, self.answered = deaf, 0, set()
        self.port = self.sock.getsockname()[1]
        s.defer(self.sock.close)

    def wait(self):
        """The next message, answered or not."""
        data, source = self.sock.recvfrom(65535)
        while data[:2] in self.answered:
            data, source = self.sock.recvfrom(65535)
        self.heard += 1
        if self.heard > self.deaf:
            self.sock.sendto(data[:2] + struct.pack("!H", 0xA400) + data[4:12]
                             + data[12:], source)
            self.answered.add(data[:2])
        return Answer(data)

    def is_quiet(self):
        self.sock.settimeout(0.5)
        try:
            while self.sock.recv(65535)[:2] in self.answered:
                pass
            return False
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(30)


def test(s):
    """Secondaries are told of a zone at the start and when its serial has
    changed, again if they do not answer, and not when nothing has changed; the
    operator is told of serials that fall, or stay when records change."""
    port = s.port()
    prompt, slow = Secondary(s), Secondary(s, deaf=1)
    zone = s.write("a.zone", ZONE.format(7))
    b = Braid(s, {"dns": {"bind": f"127.0.0.1:{port}", "zones": {
        "a.example": {"file": zone, "transfer": {
            "allow": ["127.0.0.0/8"], "notify": [
            f"127.0.0.1:{prompt.port}", f"127.0.0.1:{slow.port}"]}}}}})

    def serial(message):
        s.equal((message.flags >> 11 & 15, message.questions),
                (4, [("a.example.", 6, 1)]), "NOTIFY for the zone's SOA")
        data = message.answer[0].data
        return struct.unpack("!I", data[-20:-16])[0]
    s.equal(serial(prompt.wait()), 7, "at the start, with its serial")
    s.equal(serial(slow.wait()), 7, "likewise the other, which is silent")
    s.equal(serial(slow.wait()), 7, "and is told again")
    b.reload()
    s.check(prompt.is_quiet(), "a reload that changes nothing tells nobody")
    s.write("a.zone", ZONE.format(8))
    b.reload()
    s.equal(serial(prompt.wait()), 8, "another serial")
    s.equal(serial(slow.wait()), 8, "the other")
    s.check(prompt.is_quiet() and slow.is_quiet(), "each once")
    fall = "the serial of a zone has fallen, secondaries keep what they have"
    s.check(fall not in b.process.output(), "no word of serials that rise")
    s.write("a.zone", ZONE.format(5))
    b.reload()
    s.until(lambda: f'{fall}" zone=a.example. serial=5 before=8' in
            b.process.output(), "a serial that falls is warned of")
    s.equal([serial(x.wait()) for x in (prompt, slow)], [5, 5],
            "and told all the same")
    s.say("-- records that change under the same serial")
    stays = "the records have changed and the serial 5 has not"
    for n, how in enumerate((lambda: b.ctl("dns", "reload", "a.example"),
                             b.reload), 1):
        s.write("a.zone", ZONE.format(5) + f"w{n} A 192.0.2.1\n")
        lines = how()["lines"]
        s.check(len(lines) == 1 and stays in lines[0], lines[0])
        s.until(lambda: len([line for line in b.lines()
                             if stays in line["msg"]]) == n,
                "the log says it, too")
    s.check(prompt.is_quiet() and slow.is_quiet(), "nobody is told")
    b.stop()


scenario.run(test)
