# SPDX-License-Identifier: Apache-2.0
"""openssl s_client, and what it says about a connection."""

import re

from .process import run as run_program
from .scenario import find_program

GET = "GET /name HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"


class Shake:
    """One connection: a handshake, a request, the answer to its end. The
    values are None where there is none."""

    def __init__(self, output):
        def found(pattern):
            match = re.search(pattern, output, re.MULTILINE)
            return match[1] if match else None
        self.output = output
        self.served = "HTTP/1.1 200 OK" in output
        self.subject = found(r"^subject=CN = (.*)$")
        self.version = found(r"^(?:New|Reused), (TLS[^,]*), Cipher is")
        self.cipher = found(r"^(?:New|Reused), TLS[^,]*, Cipher is (.*)$")
        self.reused = found(r"^(Reused), TLS") is not None
        self.alpn = found(r"^ALPN protocol: (.*)$")
        self.alert = found(r"SSL alert number (\d+)")
        self.signature = found(r"^Peer signature type: (.*)$")
        self.staple = found(r"Cert Status: (.*)$")
        self.staple_until = found(r"Next Update: (.*)$")


def shake(port, *options, request=GET):
    """By default without a name: -servername says one."""
    name = () if "-servername" in options else ("-noservername",)
    done = run_program(
        [find_program("openssl"), "s_client", "-connect", f"127.0.0.1:{port}",
         "-ign_eof", *name, *options], input_text=request, check=False)
    return Shake(done.stdout + done.stderr)
