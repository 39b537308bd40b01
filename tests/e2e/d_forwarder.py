#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import socket
import struct

from lib import scenario
from lib.ask import Answer, query
from lib.braidd import Braid
from lib.netns import Namespace, join

UDP_SEGMENT, UDP_GRO = 103, 104  # linux/udp.h
QUERIES = 40
# More than one packet of a narrow link holds, less than EDNS allows.
TEXT_BYTES, NARROW = 1000, 700
SERVER, CLIENT = "192.0.2.1", "192.0.2.2"


def name(i):
    return f"t{i:02}.example.org"


def text(i):
    return chr(ord("a") + i % 26) * (TEXT_BYTES - 2) + f"{i:02}"


def config(port):
    strings = [" ".join(f'"{text(i)[at:at + 250]}"'
                        for at in range(0, TEXT_BYTES, 250))
               for i in range(QUERIES)]
    return {"dns": {"bind": f"0.0.0.0:{port}", "zones": {"example.org": {
        "records": ["@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
                    "ns1 A 192.0.2.53",
                    *(f"t{i:02} TXT {strings[i]}" for i in range(QUERIES))]}}}}


def received(sock):
    """What one receive brings, cut where the kernel says it was joined."""
    data, more, _, _ = sock.recvmsg(1 << 16, socket.CMSG_SPACE(4))
    size = len(data)
    for level, kind, value in more:
        if (level, kind) == (socket.IPPROTO_UDP, UDP_GRO):
            size = struct.unpack("=i", value[:4])[0]
    return [data[at:at + size] for at in range(0, len(data), size)]


def burst(s, space, port, what):
    """All queries in one send from one port. Returns the number of receives
    that the answers took."""
    sock = space.inside(
        lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    with sock:
        sock.settimeout(60)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        # Connected: what comes from another address is not received.
        sock.connect((SERVER, port))
        queries = [query(name(i), "TXT", number=i) for i in range(QUERIES)]
        sock.sendmsg(queries, [(socket.IPPROTO_UDP, UDP_SEGMENT,
                                struct.pack("=H", len(queries[0])))])
        answers, receives = {}, 0
        while len(answers) < QUERIES:
            receives += 1
            for message in received(sock):
                answer = Answer(message)
                answers[answer.id] = answer.data("TXT")
    s.equal(answers, {i: [text(i)] for i in range(QUERIES)},
            f"{what}: each query has its answer")
    return receives


def test(s):
    """A forwarder asks much from one port: answers go together, and one by
    one where the link's packets are too small for that."""
    server, client = Namespace(s), Namespace(s)
    port = s.port()
    device, _ = join(server, client, f"{SERVER}/24", f"{CLIENT}/24")
    b = Braid(s, config(port), namespace=server)
    receives = burst(s, client, port, "a wide link")
    s.check(receives < QUERIES, f"answers came together: {QUERIES} answers "
                                f"in {receives} receives")
    server.ip("link", "set", device, "mtu", str(NARROW))
    receives = burst(s, client, port, "a narrow link")
    s.equal(receives, QUERIES, "each answer came by itself")
    server.ip("link", "set", device, "mtu", "1500")
    receives = burst(s, client, port, "a wide link again")
    s.check(receives < QUERIES, f"together again: in {receives} receives")
    b.stop()


scenario.run(test)
