#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib import proxy_header as ph
from lib.braidd import Braid
from lib.origins import Origin, echo

SOURCE, TO = ("192.0.2.1", 4711), ("192.0.2.2", 443)
INET = ph.addresses(SOURCE, TO)
ID_OF_129 = ph.tlv(ph.UNIQUE_ID, b"x" * 129)

# Cause, its words, header.
WRONG = [
    ("missing", "the first bytes are no PROXY header",
     b"GET / HTTP/1.1\r\n\r\n"),
    ("v1_length", "version 1: no line end in 107 bytes",
     b"PROXY UNKNOWN " + b"x" * 200),
    ("v1_line", "version 1: malformed line",
     b"PROXY TCP5 192.0.2.1 192.0.2.2 4711 443\r\n"),
    ("v1_line", "version 1: malformed line",
     b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\n"),
    ("v1_address", "version 1: malformed address",
     b"PROXY TCP4 192.0.2.256 192.0.2.2 4711 443\r\n"),
    ("v1_port", "version 1: malformed port",
     b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 65536\r\n"),
    ("v2_command", "version 2: unknown version or command",
     ph.v2(ph.TCP4, INET, command=0x22)),
    ("v2_command", "version 2: unknown version or command",
     ph.v2(ph.TCP4, INET, command=0x31)),
    ("v2_family", "version 2: unknown family or transport",
     ph.v2(0x41, INET)),
    ("v2_family", "version 2: unknown family or transport",
     ph.v2(0x13, INET)),
    ("v2_length", "version 2: longer than 4096 bytes",
     ph.v2(ph.TCP4, INET + ph.tlv(ph.NOOP, bytes(4096)))),
    ("v2_address", "version 2: addresses cut off",
     ph.v2(ph.TCP6, INET)),
    ("v2_tlv", "version 2: malformed TLV", ph.v2(ph.TCP4, INET + b"\4\0\5x")),
    ("v2_tlv", "version 2: malformed TLV", ph.v2(ph.TCP4, INET + ID_OF_129)),
    ("v2_crc32c", "version 2: wrong checksum",
     ph.v2(ph.TCP4, INET, crc=True, spoil=1)),
]

# Client, header: at the edge of what is refused above.
RIGHT = [
    ("192.0.2.1:4711", ph.v1(SOURCE, TO)),
    ("[2001:db8::1]:0", ph.v1(("2001:db8::1", 0), ("2001:db8::2", 65535))),
    (None, b"PROXY UNKNOWN\r\n"),
    (None, b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n"),
    ("192.0.2.1:4711", ph.v2(ph.TCP4, INET + ph.tlv(ph.NOOP, bytes(4065)))),
    ("192.0.2.1:4711", ph.v2(ph.TCP4, INET + ph.tlv(0xee, b"?"), crc=True)),
    (None, ph.v2(ph.TCP4, INET, command=ph.LOCAL)),
    (None, ph.v2(0xff, b"anything", command=ph.LOCAL)),
    (None, ph.v2(ph.UNSPEC)),
    ("unix", ph.v2(ph.UNIX, b"/a".ljust(108, b"\0") * 2)),
]


def test(s):
    """PROXY headers that are malformed, cut off, too slow or from somebody
    who may not send any: closed, counted by cause, and said in words; those
    that just pass, pass, also byte by byte."""
    origin = Origin(s, echo)
    port, hasty, closed = s.port(), s.port(), s.port()

    def listener(at, source, first_bytes):
        return {"bind": f"127.0.0.1:{at}", "pool": "o",
                "proxy_protocol": "accept", "proxy_from": source,
                "timeout": {"first_bytes": first_bytes}}
    b = Braid(s, {
        "listeners": {
            "web": listener(port, ["127.0.0.1", "::1"], "5m"),
            "hasty": listener(hasty, "127.0.0.1", "500ms"),
            "closed": listener(closed, "192.0.2.0/24", "5m")},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    })

    def counted():
        m = b.metrics()
        return {cause: sum(m.value("braid_proxy_header_failures_total",
                                   worker=str(w), cause=cause)
                           for w in range(2))
                for cause, _, _ in WRONG}

    def line():
        """Of the connection that has just ended."""
        return b.wait_flows(n_flows)[-1]

    n_flows = 0
    for cause, words, header in WRONG:
        before = counted()
        s.equal(client.ask(("127.0.0.1", port), header),
                (b"", client.RESET), f"{cause}: closed")
        n_flows += 1
        flow = line()
        s.equal((flow["end"], flow["error"], flow["server"]),
                ("PP", f"PROXY header: {words}", "-"), "its line")
        s.equal(counted(), {**before, cause: before[cause] + 1},
                "counted by cause")
    status = b.metrics()
    s.equal(sum(status.value("braid_worker_proxy_malformed_total",
                             worker=str(w)) for w in range(2)),
            len(WRONG), "braid_worker_proxy_malformed_total")
    said = b.wait_event("connections closed: malformed PROXY header")
    s.check("braid_proxy_header_failures_total" in said["hint"],
            "the error log says where causes are")

    for named, header in RIGHT:
        for step in (len(header), 1):
            with client.connect(("127.0.0.1", port)) as sock:
                mine = "127.0.0.1:%d" % sock.getsockname()[1]
                sock.setsockopt(6, 1, 1)  # TCP_NODELAY
                for at in range(0, len(header), step):
                    sock.sendall(header[at:at + step])
                s.check(client.echoes(sock), f"{header[:24]!r} echoes")
            n_flows += 1
            flow = line()
            s.equal((flow["end"], flow["client"], flow.get("proxy")),
                    ("--", named or mine, named and mine), "its line")

    whole = ph.v2(ph.TCP4, INET, crc=True)
    for header in (b"PROXY TCP4 192.0", whole[:10], whole[:20], whole[:-1]):
        with client.connect(("127.0.0.1", port)) as sock:
            sock.sendall(header)
            sock.shutdown(1)
            s.equal(client.read_end(sock), (b"", client.RESET),
                    f"{len(header)} bytes and an end")
        n_flows += 1
        flow = line()
        s.equal((flow["end"], flow["error"]),
                ("CP", "ended before it had sent what is needed"), "its line")
    s.equal(client.ask(("127.0.0.1", hasty), whole[:-1]),
            (b"", client.RESET), "a header that does not go on")
    n_flows += 1
    flow = line()
    s.equal((flow["end"], flow["error"]),
            ("cP", "no whole PROXY header within timeout.first_bytes"),
            "its line")

    s.equal(client.ask(("127.0.0.1", closed), ph.v1(SOURCE, TO)),
            (b"", client.RESET), "not from proxy_from")
    n_flows += 1
    flow = line()
    s.equal((flow["end"], flow["error"]), ("PP", "not in proxy_from"),
            "its line")
    s.check(flow["client"].startswith("127.0.0.1:"),
            "with the address that is not trusted")
    b.wait_event("connections refused: not from proxy_from")
    s.equal(b.status()["first_bytes"], {
        "proxy_untrusted": 1, "proxy_malformed": len(WRONG),
        "hello_malformed": 0, "timeouts": 1}, "in the status")
    s.check("first bytes" in b.braidctl("status").stdout, "and in its text")
    s.equal(origin.accepted, 2 * len(RIGHT), "connections that the server saw")
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
