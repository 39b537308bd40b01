# SPDX-License-Identifier: Apache-2.0
"""Chromium without a screen in a network namespace, with a resolver of the
scenario's and a new profile each time."""

import os

from .process import run as run_program
from .scenario import find_program

# The built-in resolver asks for HTTPS records; the system's cannot.
BUILT_IN, SYSTEM = "--enable-features=AsyncDns", "--disable-features=AsyncDns"
QUIET = ("--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--disable-extensions", "--no-first-run",
         "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server")


def key_hash(cert):
    """SHA-256 of the certificate's public key, as Chromium's list of keys
    that need no authority has it."""
    command = ("openssl x509 -in \"$0\" -noout -pubkey |"
               " openssl pkey -pubin -outform der |"
               " openssl dgst -sha256 -binary | openssl base64")
    return run_program(["sh", "-c", command, cert]).stdout.strip()


class Chromium:
    def __init__(self, s, space, cert):
        s.need_root()
        s.need("chromium", "unshare", "nsenter")
        self.s, self.space, self.runs = s, space, 0
        self.key_hash = key_hash(cert)
        self.version = run_program(
            [find_program("chromium"), "--version"]).stdout.strip()

    def page(self, url, resolver, *options):
        """The document as it stands when it has been loaded. The resolver is
        that of /etc/resolv.conf in a mount namespace of its own."""
        self.runs += 1
        home = self.s.make_folder(f"chromium{self.runs}")
        conf = self.s.write(f"chromium{self.runs}.resolv",
                            f"nameserver {resolver}\n")
        inner = ('mount --bind "$0" "$(readlink -f /etc/resolv.conf)" &&'
                 ' exec "$@"')
        done = run_program(
            ["nsenter", f"--net={self.space.path}", "unshare", "--mount",
             "--pid", "--fork", "--kill-child", "--mount-proc",
             "sh", "-c", inner, conf,
             find_program("chromium"), "--headless=new", "--no-sandbox",
             f"--user-data-dir={home}/profile", *QUIET, *options,
             f"--ignore-certificate-errors-spki-list={self.key_hash}",
             "--timeout=30000", "--dump-dom", url],
            env={**os.environ, "HOME": home, "XDG_RUNTIME_DIR": home},
            check=False)
        return done.stdout
