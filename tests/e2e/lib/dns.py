# SPDX-License-Identifier: Apache-2.0
"""A DNS server with scripted answers, over UDP and TCP, and a real resolver."""

import ipaddress
import socket
import struct
import threading

from .origins import listen
from .process import wait_until
from .scenario import NOBODY, find_program

A, NS, CNAME, SOA, AAAA, SRV, OPT, HTTPS = 1, 2, 5, 6, 28, 33, 41, 65
TYPES = {"A": A, "AAAA": AAAA, "SRV": SRV, "CNAME": CNAME, "NS": NS,
         "HTTPS": HTTPS}
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)


def _name(text):
    wire = b""
    for label in text.strip(".").split("."):
        if label:
            wire += bytes([len(label)]) + label.encode()
    return wire + b"\0"


def _rdata(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "SRV":
        priority, weight, port, target = value
        return struct.pack("!HHH", priority, weight, port) + _name(target)
    if kind == "HTTPS":
        return _service(*value)
    return _name(value)


def _service(priority, target, alpn=(), port=None, hints=(), more=()):
    """RFC 9460 2.2; `more`: (key, bytes) of further parameters."""
    params = list(more)
    if alpn:
        params.append((1, b"".join(bytes([len(p)]) + p.encode()
                                   for p in alpn)))
    if port:
        params.append((3, struct.pack("!H", port)))
    if hints:
        params.append((4, b"".join(ipaddress.ip_address(h).packed
                                   for h in hints)))
    return struct.pack("!H", priority) + _name(target) + b"".join(
        struct.pack("!HH", key, len(data)) + data
        for key, data in sorted(params))


def _read_name(data, at):
    labels = []
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode())
        at += 1 + data[at]
    return ".".join(labels).lower(), at + 1


class Dns:
    """records: {(name, type): [value, ...]}; of a name that has none at all
    it says NXDOMAIN. `set` changes them; `rcode` or `silent`, when set, is the
    answer to everything; `asked` counts questions by (name, type)."""

    def __init__(self, s, address="127.0.0.1", port=None):
        self.host, self.port = address, port or s.port()
        self.text = f"{self.host}:{self.port}"
        self.ttl, self.negative_ttl = 1, 1
        self.truncate = False
        self.before = None  # of a question: datagrams before its answer
        self.rcode, self.silent = None, False
        self.asked, self.over_tcp = {}, 0
        self._records = {}
        self._lock = threading.Lock()
        self._udp = self._tcp = None
        self.up()
        s.defer(self.down)

    # -- what it answers ------------------------------------------------
    def set(self, name, kind, *values):
        """No value: the name has no such record (any more)."""
        with self._lock:
            self._records[name.lower(), kind] = list(values)

    def forget(self, name):
        with self._lock:
            for key in [k for k in self._records if k[0] == name.lower()]:
                del self._records[key]

    def count(self, name, kind):
        with self._lock:
            return self.asked.get((name.lower(), kind), 0)

    # -- its life -------------------------------------------------------
    def up(self):
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._udp.bind((self.host, self.port))
        self._tcp = listen((self.host, self.port))
        for body, sock in ((self._serve_udp, self._udp),
                           (self._serve_tcp, self._tcp)):
            threading.Thread(target=body, args=(sock,), daemon=True).start()

    def down(self):
        """As a resolver that has died: nobody is at its port."""
        for sock in (self._udp, self._tcp):
            if sock:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                sock.close()
        self._udp = self._tcp = None

    def _serve_udp(self, sock):
        while True:
            try:
                data, peer = sock.recvfrom(65536)
                if not data:
                    return
                answer = self._answer(data, False)
                for junk in self.before(data) if self.before else ():
                    sock.sendto(junk, peer)
                if answer:
                    sock.sendto(answer, peer)
            except OSError:
                return

    def _serve_tcp(self, sock):
        while True:
            try:
                connection = sock.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve_connection,
                             args=(connection,), daemon=True).start()

    def _serve_connection(self, sock):
        try:
            with sock, sock.makefile("rb") as stream:
                while True:
                    head = stream.read(2)
                    if len(head) < 2:
                        return
                    data = stream.read(struct.unpack("!H", head)[0])
                    answer = self._answer(data, True)
                    if answer:
                        sock.sendall(struct.pack("!H", len(answer)) + answer)
        except OSError:
            pass

    # -- answers --------------------------------------------------------
    def _answer(self, data, tcp):
        name, at = _read_name(data, 12)
        number = struct.unpack("!H", data[at:at + 2])[0]
        kind = next((k for k, n in TYPES.items() if n == number), number)
        question = data[12:at + 4]
        with self._lock:
            self.asked[name, kind] = self.asked.get((name, kind), 0) + 1
            self.over_tcp += tcp
            if self.silent:
                return None
            rcode, records, soa = self._look(name, kind)
        flags = 0x8580 | rcode
        if self.truncate and not tcp:
            return data[:2] + struct.pack(
                "!HHHHH", flags | 0x0200, 1, 0, 0, 0) + question
        return (data[:2] + struct.pack("!HHHHH", flags, 1, len(records),
                                       len(soa), 0) +
                question + b"".join(records + soa))

    def _look(self, name, kind):
        """Follows aliases as a resolver does."""
        if self.rcode is not None:
            return self.rcode, [], []
        found = []
        while self._records.get((name, "CNAME")):
            targets = self._records[name, "CNAME"]
            found += [self._record(name, "CNAME", t) for t in targets]
            if len(targets) > 1:  # against all rules: Braid's mode literal
                found += [self._record(t, kind, value) for t in targets
                          for value in self._records.get((t, kind), [])]
                return NOERROR, found, []
            name = targets[0].lower()
        values = self._records.get((name, kind), [])
        found += [self._record(name, kind, value) for value in values]
        exists = any(key[0] == name for key in self._records)
        soa = [] if values else [
            _name("test") + struct.pack("!HHIH", SOA, 1, self.negative_ttl,
                                        22) +
            b"\0\0" + struct.pack("!IIIII", 1, 1, 1, 1, self.negative_ttl)]
        return NOERROR if exists else NXDOMAIN, found, soa

    def _record(self, name, kind, value):
        data = _rdata(kind, value)
        return _name(name) + struct.pack(
            "!HHIH", TYPES[kind], 1, self.ttl, len(data)) + data


UNBOUND = """
server:
	directory: "{folder}"
	chroot: ""
	username: "{user}"
	pidfile: "{folder}/unbound.pid"
	use-syslog: no
	logfile: ""
	interface: 127.0.0.1@{port}
	do-ip6: no
	do-daemonize: no
	do-not-query-localhost: no
	module-config: "iterator"
	cache-max-negative-ttl: 1
	local-zone: "test." nodefault
remote-control:
	control-enable: no
stub-zone:
	name: "test"
	stub-addr: {upstream}
"""


class Unbound:
    """The real resolver, which asks `dns` for all below test."""

    def __init__(self, s, dns, port=None):
        s.need("unbound")
        self.s = s
        self.port = port or s.port()
        self.text = f"127.0.0.1:{self.port}"
        self.folder = s.make_folder("unbound", NOBODY)
        self.config = s.write("unbound/unbound.conf", UNBOUND.format(
            folder=self.folder, user="nobody" if s.is_root else "",
            port=self.port, upstream=f"{dns.host}@{dns.port}"))
        self.start()

    def start(self):
        self.process = self.s.start(
            [find_program("unbound"), "-d", "-c", self.config], "unbound")

        def answers():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(0.2)
                try:
                    sock.connect(("127.0.0.1", self.port))
                    sock.send(b"\0\1\1\0\0\1\0\0\0\0\0\0" + _name("a.test") +
                              struct.pack("!HH", A, 1))
                    return sock.recv(512)
                except OSError:
                    return False
        wait_until(answers, "unbound to answer")

    def kill(self):
        self.process.end()
