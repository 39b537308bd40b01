#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: label tsan
# ctest: timeout 300
import datetime
import socket
import threading
import time

from lib import client, scenario
from lib.ask import Answer, ask, frame, query, read_tcp
from lib.braidd import Braid
from lib.process import Failure

CLIENTS = 4
# An old process waits 2 s for the rest of a question.
REST_S = 1.5


def since_hand_over(b):
    """In seconds, by the log."""
    text = b.wait_event("handed over", generation=str(len(b.pids) + 1))["ts"]
    then = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return time.time() - then.timestamp()


class Load:
    """Clients that ask one question after the other, over UDP and TCP, each
    from a new port: whatever gets no answer is lost."""

    def __init__(self, s, server):
        self.s, self.server = s, server
        self.stopping = threading.Event()
        self.asked, self.lost = [0] * CLIENTS, []
        self.threads = [threading.Thread(target=self.run, args=(i,))
                        for i in range(CLIENTS)]
        for thread in self.threads:
            thread.start()
        s.defer(self.stop)

    def run(self, i):
        while not self.stopping.is_set():
            try:
                a = ask(self.server, "www.example.org", tcp=i == 0)
                if a.data("A") != ["192.0.2.1"]:
                    raise Failure(f"answered {a.rcode} {a.answer}")
            except (OSError, Failure) as wrong:
                self.lost.append(f"client {i}: {wrong!r}")
            self.asked[i] += 1

    def more(self):
        """Waits until each has asked some more."""
        before = list(self.asked)
        self.s.until(lambda: all(now > then + 5 for now, then in
                                 zip(self.asked, before)), "the load goes on")

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def test(s):
    """Upgrades under load: no query is lost, with more workers and with fewer;
    a TCP connection stays with the old process until what was asked there is
    answered."""
    port = s.port()
    server = ("127.0.0.1", port)

    def config(workers):
        return {"global": {"workers": workers, "drain": "20s"},
                "dns": {"bind": f"127.0.0.1:{port}", "tcp": {"idle": "60s"},
                        "zones": {
                    "example.org": {"records": [
                        "@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
                        "ns1 A 192.0.2.53", "www A 192.0.2.1"]}}}}

    b = Braid(s, config(2))
    load = Load(s, server)
    for workers in (4, 1, 3):
        load.more()
        old = b.pid
        half = query("www.example.org")
        sock = socket.create_connection(server)
        s.defer(sock.close)
        sock.settimeout(60)
        sock.sendall(frame(half))
        s.equal(Answer(read_tcp(sock)).data("A"), ["192.0.2.1"],
                "a connection that has asked")
        # The rest of the second question comes after the upgrade.
        sock.sendall(frame(half)[:7])
        client.wait_read(sock)
        b.write_config(config(workers))
        b.upgrade()
        try:
            sock.sendall(frame(half)[7:])
        except ConnectionError:
            pass  # it was too late
        late_s = since_hand_over(b)
        data, end = client.read_end(sock)
        if late_s > REST_S:
            s.say(f"asked {late_s:.1f} s after the hand-over: too late")
        else:
            s.equal((Answer(data[2:]).data("A"), end),
                    (["192.0.2.1"], client.FIN), "what was half asked of the "
                    "old process is answered by it, and then it closes")
        b.wait_gone(old)
        s.until(lambda: b.metrics().value("braid_workers") == workers,
                f"{workers} workers, the new process's")
    load.more()
    load.stop()
    s.equal(load.lost, [], f"lost of {sum(load.asked)} queries")

    def counted():
        m = b.metrics()
        return m.value("braid_dns_queries_udp_total") + \
            m.value("braid_dns_queries_tcp_total")
    s.until(lambda: counted() >= sum(load.asked),
            "all are counted over the generations")
    b.stop()


scenario.run(test)
