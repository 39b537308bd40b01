#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal
import socket

from lib import scenario
from lib.ask import frame, query
from lib.braidd import Braid

NAMES = 40000  # loading takes longer than the drain's messages


def test(s):
    """SIGTERM while a reload is under way: the sockets that the drain has
    stopped are stopped once more when the new configuration comes."""
    port, second = s.port(), s.port()
    file = s.path("big.zone")

    def write(serial):
        text = f"$TTL 60\n@ SOA ns1 hostmaster {serial} 3600 600 86400 60\n" \
            "@ NS ns1\nns1 A 192.0.2.53\n"
        with open(file, "w", encoding="ascii") as f:
            f.write(text + "".join(f"h{i} A 192.0.2.1\n"
                                   for i in range(NAMES)))

    def config(*ports):
        return {"global": {"drain": "20s", "workers": 2},
                "dns": {"bind": [f"127.0.0.1:{p}" for p in ports],
                        "zones": {"example.org": {"file": file}}}}

    for before, after in (((port,), (port,)), ((port, second), (port,)),
                          ((port,), (port, second))):
        write(1)
        b = Braid(s, config(*before), name=f"braidd{len(before)}{len(after)}")
        # Half a question holds up the end until the file is loaded.
        sock = socket.create_connection(("127.0.0.1", port))
        s.defer(sock.close)
        sock.sendall(frame(query("www.example.org"))[:7])
        write(2)
        b.write_config(config(*after))
        os.kill(b.pid, signal.SIGHUP)
        os.kill(b.pid, signal.SIGTERM)
        s.equal(b.exit_code(), 0, f"ends: {len(before)} to {len(after)}")
        sock.close()


scenario.run(test)
