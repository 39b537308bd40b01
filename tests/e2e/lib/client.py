# SPDX-License-Identifier: Apache-2.0
"""What clients do: connect, ask, read to the end, and see how it ended."""

import array
import concurrent.futures
import fcntl
import socket
import ssl
import termios

from .process import Failure, wait_until

FIN, RESET = "fin", "reset"


def connect(address, seconds=30, receive_buffer=None, source=None):
    """address: (host, port), "host:port" of IPv4, or a unix socket's path."""
    if isinstance(address, str) and not address.startswith("/"):
        host, port = address.rsplit(":", 1)
        address = (host, int(port))
    if isinstance(address, str):
        family = socket.AF_UNIX
    else:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(seconds)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if source:
        sock.bind(source)
    try:
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def read_exactly(sock, n):
    parts = bytearray()
    while len(parts) < n:
        part = sock.recv(min(n - len(parts), 1 << 20))
        if not part:
            raise Failure(f"the connection ended after {len(parts)} of {n} "
                          f"bytes")
        parts += part
    return bytes(parts)


def read_end(sock, limit=1 << 30):
    """All bytes to the end, and whether it was a FIN or a reset."""
    parts = bytearray()
    while len(parts) < limit:
        try:
            part = sock.recv(1 << 16)
        except ConnectionResetError:
            return bytes(parts), RESET
        if not part:
            return bytes(parts), FIN
        parts += part
    raise Failure("too much to read")


def unacknowledged(sock):
    """Bytes that were sent and that the other end does not have yet."""
    n = array.array("i", [0])
    fcntl.ioctl(sock, termios.TIOCOUTQ, n)
    return n[0]


def wait_read(sock):
    """Until the process at the other end, an IPv4 address of loopback in this
    network, has read all that was sent."""
    wanted = [":".join((socket.inet_aton(host)[::-1].hex().upper(),
                        f"{port:04X}"))
              for host, port in (sock.getpeername(), sock.getsockname())]

    def is_read():
        with open("/proc/net/tcp", encoding="ascii") as f:
            rows = [line.split() for line in f]
        # Addresses of both ends, state, and what is sent and received.
        return any(row[1:3] == wanted and row[4].endswith(":00000000")
                   for row in rows)
    wait_until(is_read, "what was sent to be read")


def ask(address, request=b"", seconds=30):
    """Connects, sends, reads to the end. A reset may come at any moment."""
    try:
        with connect(address, seconds) as sock:
            if request:
                sock.sendall(request)
            return read_end(sock)
    except (ConnectionResetError, BrokenPipeError):
        return b"", RESET


def echoes(sock, data=b"ping"):
    """Whether what is sent comes back."""
    try:
        sock.sendall(data)
        return read_exactly(sock, len(data)) == data
    except (OSError, Failure):
        return False


def hello(name, alpn=()):
    """A ClientHello that asks for that name, and offers these protocols."""
    out = ssl.MemoryBIO()
    context = ssl.create_default_context()
    if alpn:
        context.set_alpn_protocols(alpn)
    tls = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def names(address, n, threads=8):
    """Asks n times; how often each name answered. Errors are raised."""
    def one(_):
        text, end = ask(address)
        if end != FIN or not text:
            raise Failure(f"answer {text!r}, end {end}")
        return text.decode()
    counts = {}
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for text in pool.map(one, range(n)):
            counts[text] = counts.get(text, 0) + 1
    return counts


def http_get(address, path="/", close=True):
    """A minimal GET; status and body."""
    head = (f"GET {path} HTTP/1.1\r\nHost: test\r\n"
            f"Connection: {'close' if close else 'keep-alive'}\r\n\r\n")
    data, end = ask(address, head.encode())
    if end != FIN:
        raise Failure(f"GET {path} was reset after {len(data)} bytes")
    status, _, rest = data.partition(b"\r\n")
    _, _, body = rest.partition(b"\r\n\r\n")
    return int(status.split()[1]), body
