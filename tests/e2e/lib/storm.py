# SPDX-License-Identifier: Apache-2.0
"""New connections at a steady rate from a process of its own: each asks for
/small, must get all of it and an orderly end. Run as a program it goes on
until its input ends, and then prints what came of them as JSON."""

import errno
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

REQUEST = b"GET /small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
BODY = b"\r\n\r\n" + b"x" * 100
GIVE_UP_S = 60
AT_ONCE = 2000
_LINGER = struct.pack("ii", 1, 0)


class Storm:
    """At most `rate` a second; fewer where the machine is busy."""

    def __init__(self, s, port, rate):
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.abspath(__file__), str(port),
             str(rate)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        s.defer(self.process.kill)

    def stop(self):
        """{"done": n, "failed": {why: n}, "rate": achieved a second,
        "slowest_ms": of one connection}"""
        out, _ = self.process.communicate(timeout=3 * GIVE_UP_S)
        return json.loads(out)


class _Client:
    def __init__(self, port):
        self.address = ("127.0.0.1", port)
        self.poll = select.epoll()
        self.live = {}  # descriptor -> [socket, bytes, since]
        self.done, self.slowest = 0, 0.0
        self.failed = {}

    def fail(self, why):
        self.failed[why] = self.failed.get(why, 0) + 1

    def open(self, now):
        sock = socket.socket()
        sock.setblocking(False)
        error = sock.connect_ex(self.address)
        if error not in (0, errno.EINPROGRESS):
            sock.close()
            self.fail("connect: " + errno.errorcode.get(error, str(error)))
            return
        self.live[sock.fileno()] = [sock, b"", now]
        self.poll.register(sock, select.EPOLLOUT)

    def close(self, fd):
        sock = self.live.pop(fd)[0]
        # Its port is free at once.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        sock.close()

    def on_ready(self, fd, events):
        sock, got, since = self.live[fd]
        try:
            if events & select.EPOLLOUT:
                sock.send(REQUEST)
                self.poll.modify(fd, select.EPOLLIN)
                return
            part = sock.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            self.fail(f"{'answer' if got else 'request'}: "
                      f"{errno.errorcode.get(error.errno, '?')}")
            self.close(fd)
            return
        if part:
            self.live[fd][1] = got + part
            return
        if got.startswith(b"HTTP/1.1 200") and got.endswith(BODY):
            self.done += 1
            self.slowest = max(self.slowest, time.monotonic() - since)
        else:
            self.fail(f"ended after {len(got)} bytes")
        self.close(fd)

    def sweep(self, now):
        for fd, (_, _, since) in list(self.live.items()):
            if now - since > GIVE_UP_S:
                self.fail("no end")
                self.close(fd)

    def turn(self, wait):
        for fd, events in self.poll.poll(wait):
            if fd in self.live:
                self.on_ready(fd, events)

    def run(self, rate, is_over):
        began = last = time.monotonic()
        opened = 0
        while not is_over():
            now = time.monotonic()
            due = int((now - began) * rate) - opened
            # What the machine could not do is not made up for in one go.
            if due > rate / 10:
                opened += due - rate // 10
                due = rate // 10
            while due > 0 and len(self.live) < AT_ONCE:
                self.open(now)
                due -= 1
                opened += 1
            self.turn(0.001)
            if now - last > 1:
                self.sweep(now)
                last = now
        seconds = time.monotonic() - began
        while self.live:
            self.turn(0.1)
            self.sweep(time.monotonic())
        return seconds


def main():
    port, rate = int(sys.argv[1]), int(sys.argv[2])
    client = _Client(port)
    os.set_blocking(0, False)

    def is_over():
        try:
            return os.read(0, 1) == b""
        except BlockingIOError:
            return False

    seconds = client.run(rate, is_over)
    print(json.dumps({
        "done": client.done, "failed": client.failed,
        "rate": round(client.done / seconds),
        "slowest_ms": round(client.slowest * 1000, 1)}))


if __name__ == "__main__":
    main()
