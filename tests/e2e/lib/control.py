# SPDX-License-Identifier: Apache-2.0
"""The control socket, as docs/control.md describes it."""

import json
import socket


def ask(path, command, *arguments, seconds=30):
    """The whole answer, as the socket gives it."""
    request = json.dumps({"command": command,
                          "arguments": [str(a) for a in arguments]})
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(seconds)
        sock.connect(path)
        sock.sendall(request.encode() + b"\n")
        parts = []
        while True:
            part = sock.recv(65536)
            if not part:
                break
            parts.append(part)
    return json.loads(b"".join(parts))
