# SPDX-License-Identifier: Apache-2.0
"""What an agent says, as who asks it hears it."""

import socket

from . import client


def hear(address, says=b"", source=None, seconds=30):
    """The line without its end, "" when there is none, or None when nobody
    lets us in."""
    try:
        sock = client.connect(address, seconds, source=source)
    except OSError:
        return None
    with sock:
        try:
            sock.sendall(says)
            data, end = client.read_end(sock, 65536)
        except OSError:
            return ""
    if end != client.FIN and says == b"":
        return ""
    return data.decode().rstrip("\n")


def is_ended(sock, seconds=30):
    """Waits for the other side's end of a connection."""
    sock.settimeout(seconds)
    try:
        while sock.recv(4096):
            pass
        return True
    except ConnectionResetError:
        return True
    except socket.timeout:
        return False
