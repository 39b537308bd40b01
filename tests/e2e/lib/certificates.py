# SPDX-License-Identifier: Apache-2.0
"""Certificates for scenarios, with what revokes and vouches for them, made by
openssl in the scenario's folder; openssl's own server, and TLS for scripted
ones."""

import os
import ssl

from .process import run as run_program
from .scenario import find_program
from .servers import wait_listening

EC = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA = ("rsa:2048",)


def openssl(*arguments, **options):
    return run_program([find_program("openssl"), *arguments], **options)


class Authority:
    def __init__(self, s, name="authority"):
        s.need("openssl")
        self.s, self.name = s, name
        self.cert, self.key = s.path(f"{name}.pem"), s.path(f"{name}.key")
        openssl("req", "-x509", "-newkey", *EC, "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.cert)
        os.chmod(self.cert, 0o644)

    def issue(self, name, names, key_type=EC, days=2):
        """Paths of a certificate for those names ("DNS:a,IP:127.0.0.1") and
        of its key, which braidd may read. With negative days it has ended."""
        cert, key = self.s.path(f"{name}.pem"), self.s.path(f"{name}.key")
        request = self.s.path(f"{name}.csr")
        openssl("req", "-newkey", *key_type, "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", request)
        extensions = self.s.write(f"{name}.ext", f"subjectAltName={names}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey",
                self.key, "-CAcreateserial", "-days", days, "-extfile",
                extensions, "-out", cert)
        return cert, self.s.keep_secret(key)

    def _index(self, revoked=(), good=()):
        """openssl's own record of those certificates."""
        rows = []
        for letter, since, certs in (("R", "200101000000Z", revoked),
                                     ("V", "", good)):
            for cert in certs:
                serial = openssl("x509", "-in", cert, "-noout",
                                 "-serial").stdout.strip().split("=")[1]
                rows.append(f"{letter}\t491231235959Z\t{since}\t{serial}\t"
                            "unknown\t/CN=x\n")
        return self.s.write(f"{self.name}.index", "".join(rows))

    def revoke(self, *certs, file=None):
        """A revocation list of exactly those; its path."""
        file = file or self.s.path(f"{self.name}.crl")
        config = self.s.write(
            f"{self.name}.cnf", "[ca]\ndefault_ca=one\n[one]\n"
            f"database={self._index(revoked=certs)}\ndefault_md=sha256\n"
            "default_crl_days=1\n")
        openssl("ca", "-config", config, "-gencrl", "-keyfile", self.key,
                "-cert", self.cert, "-out", file)
        return file

    def vouch(self, cert, file, days=1, revoked=False):
        """Writes an OCSP response about the certificate."""
        index = self._index([cert] if revoked else [],
                            [] if revoked else [cert])
        openssl("ocsp", "-index", index, "-CA", self.cert, "-rsigner",
                self.cert, "-rkey", self.key, "-issuer", self.cert, "-cert",
                cert, "-ndays", days, "-respout", file)
        os.chmod(file, 0o644)


def server_context(pair, client_ca=None, version=None):
    """For a scripted server; with client_ca it demands a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def client_context(ca, version=None):
    context = ssl.create_default_context(cafile=ca)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def hello(context, name):
    """The ClientHello of such a client, not sent."""
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(into, out, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        return out.read()


def over_tls(context, handler):
    """That handler of an origin behind TLS."""
    def shake(sock, number):
        with context.wrap_socket(sock, server_side=True) as tls:
            handler(tls, number)
    return shake


def say(text):
    """A handler of a TLS origin: its name and close_notify, then whatever
    the client does until it says the same."""
    def handler(tls, _number):
        tls.sendall(text)
        tls.unwrap()
    return handler


class TlsServer:
    """openssl s_server; with -www it answers each GET with a page."""

    def __init__(self, s, name, pair, options=("-www",), port=None):
        self.port = port or s.port()
        self.text = f"127.0.0.1:{self.port}"
        self.process = s.start(
            [find_program("openssl"), "s_server", "-accept", self.text,
             "-cert", pair[0], "-key", pair[1], *options], name)
        wait_listening(self.port, self.process, name)
