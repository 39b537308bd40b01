#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import time

from lib import certificates, client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter
from lib.s_client import shake

NAME = "www.example.com"
LONG = "60s"  # longer than any client here waits


def test(s):
    """Servers that speak first behind listeners with routes: they are served
    after `wait`, or at once where no route needs bytes; what is not TLS goes
    to the listener's pool; routes change by reload under live flows."""
    authority = certificates.Authority(s)
    pair = authority.issue("www", f"DNS:{NAME}")
    named = certificates.TlsServer(s, "named", pair)
    first, near = Origin(s, greeter("first")), Origin(s, greeter("near.."))
    by_name = {"sni": NAME, "pool": "named"}
    by_source = {"source": "127.0.0.9", "pool": "near"}
    listeners = {
        "waits": {"wait": "200ms", "routes": [by_source, by_name],
                  "timeout": {"first_bytes": LONG}},
        "hasty": {"wait": LONG, "routes": [by_source, by_name],
                  "timeout": {"first_bytes": "2s"}},
        "sources": {"wait": LONG, "routes": [by_source]},
        "plain": {"wait": LONG},
        "long": {"wait": LONG, "routes": [by_source, by_name],
                 "timeout": {"first_bytes": LONG}},
    }
    ports = {n: s.port() for n in listeners}

    def config():
        return {
            "listeners": {n: {"bind": f"127.0.0.1:{ports[n]}",
                              "pool": "first", **options}
                          for n, options in listeners.items()},
            "pools": {n: {"servers": {"a": {"address": o.text}}}
                      for n, o in (("named", named), ("first", first),
                                   ("near", near))},
        }
    b = Braid(s, config())

    def connect(listener, source="127.0.0.1"):
        return client.connect(("127.0.0.1", ports[listener]), seconds=20,
                              source=(source, 0))

    def greets(sock, text=b"first"):
        return client.read_exactly(sock, len(text)) == text and \
            client.echoes(sock)

    with connect("waits") as sock:
        s.check(greets(sock), "a server that speaks first, after wait")
    flow = b.wait_flows(1)[0]
    s.equal((flow["pool"], flow["route"]), ("first", "default"), "its line")
    s.say(f"wait was 200 ms, from accept to a choice {flow['queue_ms']} ms")
    for listener, source, text in (
            ("sources", "127.0.0.1", b"first"), ("plain", "127.0.0.1",
                                                 b"first"),
            ("sources", "127.0.0.9", b"near.."), ("long", "127.0.0.9",
                                                  b"near..")):
        with connect(listener, source) as sock:
            s.check(greets(sock, text), f"{listener}, {source}: no wait")

    # The listener would wait for a minute: these need not.
    for data in (b"SSH-2.0-OpenSSH_9.2\r\n", b"G", b"\x16\x02", b"\0",
                 b"\x80\x2e\x01\x03\x01"):
        with connect("long") as sock:
            sock.sendall(data)
            s.equal(client.read_exactly(sock, 5 + len(data)), b"first" + data,
                    f"{data!r} is not TLS")

    hello = certificates.hello(certificates.client_context(authority.cert),
                               NAME)
    n_flows = len(b.wait_flows(10))
    with b.stopped_meanwhile():  # a slow one would be silent
        sock = connect("waits")
        sock.sendall(hello[:1])
    with sock:
        time.sleep(0.5)  # wait is over, but it is for the first byte
        sock.sendall(hello[1:])
        s.equal(client.read_exactly(sock, 1), b"\x16", "a server's answer")
    s.equal(b.wait_flows(n_flows + 1)[-1]["route"], "2", "its route")
    with b.stopped_meanwhile():
        sock = connect("hasty")
        sock.sendall(hello[:100])
    with sock:
        s.equal(client.read_end(sock), (b"", client.RESET),
                "a ClientHello that does not go on")
    flow = b.wait_flows(n_flows + 2)[-1]
    s.equal((flow["end"], flow["error"]),
            ("cF", "no whole TLS ClientHello within timeout.first_bytes"),
            "its line")

    s.say("-- reload")
    held = [connect("waits"), connect("sources"),
            connect("sources", "127.0.0.9")]
    for sock, text in zip(held, (b"first", b"first", b"near..")):
        s.check(greets(sock, text), f"held at {text}")
    half = connect("long")
    half.sendall(hello[:100])
    s.until(lambda: b.ctl("flows", "listener=long")["flows"], "half a hello")
    listeners["sources"]["routes"] = [{"source": "127.0.0.1", "pool": "near"}]
    listeners["long"]["routes"] = [{"sni": "*", "pool": "first"}]
    del listeners["waits"]["routes"]
    listeners["plain"]["routes"] = [by_source, by_name]
    b.reload(config())
    half.sendall(hello[100:])
    s.equal(client.read_exactly(half, 1), b"\x16",
            "the routes that it was accepted with hold")
    half.close()
    for source, text in (("127.0.0.1", b"near.."), ("127.0.0.9", b"first")):
        with connect("sources", source) as sock:
            s.check(greets(sock, text), f"{source} goes to {text} now")
    with connect("waits") as sock:
        sock.sendall(hello)
        s.equal(client.read_exactly(sock, 5), b"first", "without routes")
    with connect("long") as sock:
        sock.sendall(hello)
        s.equal(client.read_exactly(sock, 5), b"first", "another route")
    s.equal(shake(ports["plain"], "-servername", NAME, "-CAfile",
                  authority.cert).subject, "www", "a route that is new")
    s.check(all(client.echoes(sock) for sock in held), "flows go on")
    for sock in held:
        sock.close()
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
