#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority, openssl
from lib.origins import Origin, name
from lib.s_client import shake

NOTHING = "no such thing\n"


def spoiled(text):
    """PEM of which a line in the middle is no base64 any more."""
    lines = text.splitlines(True)
    lines[len(lines) // 2] = "!" * 64 + "\n"
    return "".join(lines)


def test(s):
    """Certificates, keys, authorities and revocation lists that are missing,
    unreadable, broken or do not belong together: at the start all of them
    are said with their places and braidd exits with 78; at a reload the
    answer says why, and what was loaded before stays in force."""
    s.need_root()
    ours, other = Authority(s, "ours"), Authority(s, "other")
    pair = ours.issue("www", "DNS:www.example.com")
    stranger = other.issue("stranger", "DNS:www.example.com")
    client = ours.issue("client", "DNS:client")
    crl = ours.revoke()
    files = {"cert": pair[0], "key": pair[1], "ca": ours.cert, "crl": crl}
    keys = {"cert": "certificates.1.cert", "key": "certificates.1.key",
            "ca": "client_ca", "crl": "client_crl"}
    good = {}
    for what, file in files.items():
        with open(file, encoding="ascii") as f:
            good[what] = f.read()
    origin = Origin(s, name("HTTP/1.1 200 OK\r\n\r\n"))
    port = s.port()
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o", "tls": {
            "certificates": [{"cert": files["cert"], "key": files["key"]}],
            "client_ca": files["ca"], "client_crl": files["crl"]}}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}}}
    b = Braid(s, config)

    def put(what, text):
        """In place of what is there, whatever that is."""
        os.unlink(files[what])
        s.write(os.path.basename(files[what]), text)
        if what == "key":
            s.keep_secret(files[what])

    def serial():
        """Of the certificate that a client with its own is shown."""
        done = shake(port, "-cert", client[0], "-key", client[1],
                     "-showcerts")
        s.check(done.served, "clients are served")
        return openssl("x509", "-noout", "-serial",
                       input_text=done.output).stdout

    def line(what, words):
        return (f"{b.place_of(files[what])}: listeners.web.tls.{keys[what]}: "
                f"{files[what]}: {words}")

    def refused(what, words):
        answer = b.ctl_answer("reload")
        lines = answer["data"]["lines"]
        s.check(answer["exit"] == 78 and len(lines) == 1 and
                lines[0].startswith(line(what, words)), f"refused: {lines}")
        s.equal(serial(), first, "the certificate is still")
        put(what, good[what])

    with open(stranger[1], encoding="ascii") as f:
        other_key = f.read()
    encrypted = openssl("ec", "-in", pair[1], "-aes128", "-passout",
                        "pass:secret").stdout
    first = serial()
    for what, words in (
            ("cert", "no certificate in PEM format"),
            ("key", "no private key in PEM format"),
            ("ca", "no certificate in PEM format"),
            ("crl", "no revocation list in PEM format")):
        put(what, NOTHING)
        refused(what, words)
        os.chmod(files[what], 0o600)
        refused(what, "Permission denied")
        os.unlink(files[what])
        os.mkfifo(files[what])
        refused(what, "not a regular file")
        os.rename(files[what], files[what] + ".away")
        answer = b.ctl_answer("reload")
        os.rename(files[what] + ".away", files[what])
        s.equal(answer["data"]["lines"],
                [line(what, "No such file or directory")], "missing")
    for what, text, words in (
            ("cert", spoiled(good["cert"]), "certificate 1 cannot be read"),
            ("cert", good["cert"] + spoiled(good["ca"]),
             "certificate 2 cannot be read"),
            ("key", spoiled(good["key"]), "the private key cannot be read"),
            ("key", encrypted, "the private key is encrypted"),
            ("key", other_key, "the private key does not belong to the "
                               f"certificate in {files['cert']}"),
            ("ca", spoiled(good["ca"]), "certificate 1 cannot be read"),
            ("crl", spoiled(good["crl"]),
             "the revocation list cannot be read")):
        put(what, text)
        refused(what, words)
    ours.issue("www", "DNS:www.example.com")
    b.reload()
    s.check(serial() != first, "a good one is taken at last")

    # At the start, and by braidd -c, all of them at once.
    for what in files:
        put(what, NOTHING)
    for options in ((), ("-c",)):
        done = s.run([os.path.join(s.bin, "braidd"), *options, "-f", b.file],
                     check=False)
        s.equal(done.returncode, 78, f"braidd {' '.join(options)}: exit code")
        for what, words in (("cert", "no certificate in PEM format"),
                            ("key", "no private key in PEM format"),
                            ("ca", "no certificate in PEM format"),
                            ("crl", "no revocation list in PEM format")):
            s.check(line(what, words) in done.stderr.splitlines(),
                    f"it says: {line(what, words)}")
    b.stop()


scenario.run(test)
