# SPDX-License-Identifier: Apache-2.0
"""Servers that do exactly what a scenario needs, one thread a connection; and
one that echoes on a thousand connections from a single thread."""

import selectors
import socket
import struct
import threading


def reset(sock):
    """Closes with a reset in place of a FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


def listen(address, backlog=512):
    """A listening socket at (host, port) or at the path of a unix socket."""
    if isinstance(address, str):
        family = socket.AF_UNIX
    else:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    sock.listen(backlog)
    return sock


class Origin:
    """handler(sock, number) has the connection to itself; it is closed when
    the handler returns. Errors of the connection end it quietly."""

    def __init__(self, s, handler, address=None, listener=None):
        self.handler = handler
        self.address = address or ("127.0.0.1", s.port())
        self.accepted = 0
        self.peers = []
        self._lock = threading.Lock()
        self._open = set()
        self._listener = None
        self.up(listener)
        s.defer(self.down)

    @property
    def text(self):
        host, port = self.address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def up(self, listener=None):
        self._listener = listener or listen(self.address)
        threading.Thread(target=self._accept, args=(self._listener,),
                         daemon=True).start()

    def down(self):
        """Closes the listening socket and resets what is open."""
        sock, self._listener = self._listener, None
        if sock:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()
        with self._lock:
            for connection in list(self._open):
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    @property
    def n_open(self):
        with self._lock:
            return len(self._open)

    def _accept(self, listener):
        while True:
            try:
                sock, peer = listener.accept()
            except OSError:
                return
            with self._lock:
                number = self.accepted
                self.peers.append(peer)
                self._open.add(sock)
                self.accepted += 1  # last: who waits for it sees the rest
            threading.Thread(target=self._serve, args=(sock, number),
                             daemon=True).start()

    def _serve(self, sock, number):
        try:
            self.handler(sock, number)
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()


def echo(sock, _number=0):
    while True:
        data = sock.recv(65536)
        if not data:
            return
        sock.sendall(data)


def name(text):
    """A handler that says its name and ends."""
    def handler(sock, _number):
        sock.sendall(text.encode())
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
    return handler


def greeter(text):
    """Says its name at once and then echoes until the end."""
    def handler(sock, number):
        sock.sendall(text.encode())
        echo(sock, number)
    return handler


class Echo:
    """Echoes on any number of connections from one thread."""

    def __init__(self, s, address=None):
        self.address = address or ("127.0.0.1", s.port())
        self.text = "%s:%d" % self.address
        self.accepted = 0
        self._listener = listen(self.address, 4096)
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._wake, wake = socket.socketpair()
        self._selector.register(wake, selectors.EVENT_READ)
        self._wake_end = wake
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        s.defer(self.stop)

    @property
    def n_open(self):
        return len(self._selector.get_map()) - 2

    def stop(self):
        self._wake.close()
        self._thread.join(10)

    def _run(self):
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._wake_end:
                    for each in list(self._selector.get_map().values()):
                        each.fileobj.close()
                    return
                if key.fileobj is self._listener:
                    self._take()
                else:
                    self._answer(key.fileobj)

    def _take(self):
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        self.accepted += 1
        sock.settimeout(20)
        self._selector.register(sock, selectors.EVENT_READ)

    def _answer(self, sock):
        try:
            data = sock.recv(65536)
            if data:
                sock.sendall(data)
                return
        except OSError:
            pass
        self._selector.unregister(sock)
        sock.close()
