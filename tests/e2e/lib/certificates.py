# SPDX-License-Identifier: Apache-2.0
"""Certificates for scenarios, made by openssl in the scenario's folder, and
openssl's own server."""

import os

from .process import run as run_program
from .scenario import find_program
from .servers import wait_listening


class Authority:
    def __init__(self, s, name="authority"):
        s.need("openssl")
        self.s, self.name = s, name
        self.cert, self.key = s.path(f"{name}.pem"), s.path(f"{name}.key")
        run_program([find_program("openssl"), "req", "-x509", "-newkey", "ec",
                     "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                     "2", "-subj", f"/CN={name}", "-keyout", self.key, "-out",
                     self.cert])
        os.chmod(self.cert, 0o644)

    def issue(self, name, names):
        """Paths of a certificate for those names ("DNS:a,IP:127.0.0.1") and
        of its key."""
        cert, key = self.s.path(f"{name}.pem"), self.s.path(f"{name}.key")
        request = self.s.path(f"{name}.csr")
        run_program([find_program("openssl"), "req", "-newkey", "ec",
                     "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                     f"/CN={name}", "-keyout", key, "-out", request])
        extensions = self.s.write(f"{name}.ext", f"subjectAltName={names}\n")
        run_program([find_program("openssl"), "x509", "-req", "-in", request,
                     "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial",
                     "-days", "2", "-extfile", extensions, "-out", cert])
        return cert, key


class TlsServer:
    """openssl s_server; with -www it answers each GET with a page."""

    def __init__(self, s, name, pair, options=("-www",), port=None):
        self.port = port or s.port()
        self.text = f"127.0.0.1:{self.port}"
        self.process = s.start(
            [find_program("openssl"), "s_server", "-accept", self.text,
             "-cert", pair[0], "-key", pair[1], *options], name)
        wait_listening(self.port, self.process, name)
