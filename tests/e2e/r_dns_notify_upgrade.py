#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import queue
import socket
import struct
import threading

from lib import scenario
from lib.ask import Answer, ask
from lib.braidd import Braid

ZONE = "$TTL 60\n@ SOA ns1 hostmaster {} 3600 600 86400 60\n@ NS ns1\n" \
    "ns1 A 192.0.2.53\n"
QUESTIONS = 40


def serial_of(record):
    return struct.unpack("!I", record.data[-20:-16])[0]


class Secondary:
    """Asks as soon as it is told, while the upgrade may be under way."""

    def __init__(self, s, server):
        self.server, self.visits = server, queue.Queue()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", s.port()))
        self.sock.settimeout(0.1)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        s.defer(self.stop)
        self.thread.start()

    def run(self):
        while not self.stopping.is_set():
            try:
                data, source = self.sock.recvfrom(65535)
            except TimeoutError:
                continue
            self.sock.sendto(data[:2] + struct.pack("!H", 0xA400) + data[4:],
                             source)
            try:
                heard = {serial_of(ask(self.server, "a.example", "SOA")
                                   .answer[0]) for _ in range(QUESTIONS)}
            except OSError as lost:
                heard = {lost}
            self.visits.put((serial_of(Answer(data).answer[0]), heard))

    def stop(self):
        self.stopping.set()
        self.thread.join()
        self.sock.close()


def test(s):
    """A new process that serves another serial tells secondaries of it when
    the old one does not answer any more: who asks at once, from whatever port,
    hears of the serial that he was told, and nothing older."""
    port = s.port()
    secondary = Secondary(s, ("127.0.0.1", port))
    zone = s.write("a.zone", ZONE.format(1))
    b = Braid(s, {"global": {"workers": 2}, "dns": {
        "bind": f"127.0.0.1:{port}", "zones": {"a.example": {
            "file": zone, "transfer": {
                "allow": ["127.0.0.0/8"], "notify": [
                    "%s:%d" % secondary.sock.getsockname()]}}}}})
    for serial in range(1, 8):
        told = 0
        # Who is slow to say that he has heard is told again.
        while told < serial:
            told, heard = secondary.visits.get(timeout=180)
            s.check(heard <= set(range(told, serial + 1)),
                    f"told of {told} and answered {heard}")
        s.equal((told, heard), (serial, {serial}), "told and answered")
        s.write("a.zone", ZONE.format(serial + 1))
        b.upgrade()
    b.stop()


scenario.run(test)
