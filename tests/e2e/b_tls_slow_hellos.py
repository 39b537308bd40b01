#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: serial
import multiprocessing
import ssl
import statistics
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.origins import Echo

IDLE, SLOW, EVERY_S = 25, 100, 0.1
ROUNDS, PAUSE_S = 20, 0.1


def dribble(socks, data, stop, ret_sent):
    """A process of its own: each socket, which has the first byte, gets the
    next one every EVERY_S, one after the other, but never the last one, until
    told to stop. Says how many bytes each has got."""
    sent = 1
    began = time.monotonic()
    while not stop.is_set() and sent < len(data) - 1:
        for n, sock in enumerate(socks):
            due = began + (sent + n / len(socks)) * EVERY_S
            time.sleep(max(0, due - time.monotonic()))
            sock.sendall(data[sent:sent + 1])
        sent += 1
    stop.wait()
    ret_sent.put(sent)


def rounds(s, idle, when):
    """Echoes on all idle flows, in turn; says how long one takes. That is a
    figure to read, not to judge by: the machine may be busy."""
    took = []
    for _ in range(ROUNDS):
        for sock in idle:
            began = time.monotonic()
            if not client.echoes(sock, b"still there?"):
                s.check(False, "an idle flow has no answer")
            took.append((time.monotonic() - began) * 1e6)
        time.sleep(PAUSE_S)
    took.sort()
    s.say(f"{when}, an echo: median {statistics.median(took):.0f} us, "
          f"p99 {took[len(took) * 99 // 100]:.0f} us")


def test(s):
    """200 clients that send their ClientHellos byte by byte, half of them to
    a listener that terminates TLS and half to one that routes by the name
    within, cost the others nothing: idle flows answer, new ones are served;
    and the slow ones are served in the end, too."""
    authority = Authority(s)
    cert, key = authority.issue("www", "DNS:www.example.com")
    origin = Echo(s)
    ports = {n: s.port() for n in ("plain", "tls", "routed")}
    patient = {"handshake": "1h", "first_bytes": "1h"}
    more = {
        "plain": {},
        "tls": {"tls": {"certificates": [{"cert": cert, "key": key}]}},
        "routed": {"routes": [{"sni": "www.example.com", "pool": "o"}]},
    }
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{p}", "pool": "none",
                          "timeout": patient, "wait": "1m", **more[n]}
                      for n, p in ports.items()},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}},
                  "none": {"servers": {"a": {"address": origin.text}}}}})
    context = ssl.create_default_context(cafile=authority.cert)

    def over_tls():
        return context.wrap_socket(client.connect(("127.0.0.1", ports["tls"])),
                                   server_hostname="www.example.com")
    idle = [client.connect(("127.0.0.1", ports["plain"]))
            for _ in range(IDLE)] + [over_tls() for _ in range(IDLE)]
    rounds(s, idle, "before")

    hello = client.hello("www.example.com")
    slow = {"tls": [], "routed": []}
    for name, socks in slow.items():
        for _ in range(SLOW):
            socks.append(client.connect(("127.0.0.1", ports[name])))
            # Who says nothing at all is not waited for by routes.
            socks[-1].sendall(hello[:1])
    fork = multiprocessing.get_context("fork")
    stop, sent = fork.Event(), fork.SimpleQueue()
    process = fork.Process(target=dribble, args=(
        slow["tls"] + slow["routed"], hello, stop, sent))
    process.start()
    s.defer(process.kill)
    s.until(lambda: b.status()["flows"]["open"] == 2 * (IDLE + SLOW),
            "all have connected")
    rounds(s, idle, f"beside {2 * SLOW} slow ClientHellos")
    s.check(True, f"{2 * IDLE * ROUNDS} echoes on {2 * IDLE} idle flows")
    for _ in range(20):
        with over_tls() as sock:
            if not client.echoes(sock):
                s.check(False, "a new TLS flow has no answer")
    s.check(True, "20 new TLS flows are served")
    s.check(process.is_alive(), "beside those that are still slow")
    s.until(lambda: b.status()["flows"]["open"] == 2 * (IDLE + SLOW),
            "those have gone")

    stop.set()
    at = sent.get()
    for sock in slow["tls"] + slow["routed"]:
        sock.sendall(hello[at:])
    # RFC 8446 5.1: a handshake record, with the ServerHello.
    s.check(all(client.read_exactly(sock, 1) == b"\x16"
                for sock in slow["tls"]),
            f"after {at} bytes at once: the server's answer")
    s.check(all(client.read_exactly(sock, len(hello)) == hello
                for sock in slow["routed"]),
            "and every byte at the server of the route")
    for sock in idle + slow["tls"] + slow["routed"]:
        sock.close()
    b.wait_flows(SLOW, listener="routed", pool="o", route="1")
    s.check(True, "they took the route")
    b.idle()
    b.stop()


scenario.run(test)
