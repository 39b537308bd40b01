#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: deb.py BUILD_FOLDER (a Release build)"""

import hashlib
import json
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
if len(sys.argv) != 2:
    sys.exit(__doc__)
BUILD = os.path.abspath(sys.argv[1])
os.environ["BRAID_BIN"] = os.path.join(BUILD, "bin")

from lib import scenario                                    # noqa: E402
from machine import Machine, make_root, packages_of         # noqa: E402

CAP_NET_BIND_SERVICE = 1 << 10
LARGE_BYTES = 48 << 20
EXPOSURE_MOST = 2.5
BASE = ("systemd",)


def build_deb(s):
    out = s.make_folder("deb")
    s.run(["cpack", "--config", os.path.join(BUILD, "CPackConfig.cmake"),
           "-B", out], seconds=100)
    debs = [name for name in os.listdir(out) if name.endswith(".deb")]
    s.equal(len(debs), 1, "cpack made a package")
    return os.path.join(out, debs[0])


def newer(s, deb, version):
    """The same package as a later version."""
    tree = s.path("tree-" + version)
    s.run(["dpkg-deb", "-R", deb, tree])
    control = os.path.join(tree, "DEBIAN/control")
    with open(control, encoding="utf-8") as f:
        text = re.sub("^Version: .*", "Version: " + version, f.read(),
                      flags=re.M)
    with open(control, "w", encoding="utf-8") as f:
        f.write(text)
    made = s.path(f"braid_{version}.deb")
    s.run(["dpkg-deb", "-b", tree, made])
    return made


class Box:
    """The machine with the package in it."""

    def __init__(self, s, m):
        self.s, self.m = s, m

    def install(self, deb, check=True):
        shutil.copy(deb, self.m.path("root/braid.deb"))
        done = self.m.run("dpkg -i /root/braid.deb </dev/null", check=check)
        return done.stdout + done.stderr

    @property
    def main_pid(self):
        return self.m.says("systemctl show -p MainPID --value braid")

    @property
    def active(self):
        return self.m.says("systemctl is-active braid")

    def get(self, url):
        done = self.s.run(self.m.in_net("curl", "-fsS", "--max-time", "30",
                                        url), check=False)
        return done.stdout

    def reload(self, text):
        self.m.write("/etc/braid/braid.yaml", text)
        return self.m.run("systemctl reload braid", check=False).returncode


def config(port, more=""):
    return (f'listeners: {{web: {{bind: "127.0.0.1:{port}", pool: o}}}}\n'
            'pools: {o: {servers: {a: {address: "127.0.0.1:9001"}}}}\n'
            + more)


def start_origin(s, m):
    folder = s.make_folder("www")
    s.write("www/name", "origin")
    blob = os.urandom(1 << 20) * (LARGE_BYTES >> 20)
    with open(os.path.join(folder, "large"), "wb") as f:
        f.write(blob)
    s.start(m.in_net(sys.executable, "-m", "http.server", "--bind",
                     "127.0.0.1", "--directory", folder, "9001"), "origin")
    return hashlib.sha256(blob).hexdigest()


def digest_of(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def check_files(s, m):
    for name in ("/usr/share/man/man8/braidd.8.gz",
                 "/usr/share/man/man1/braidctl.1.gz",
                 "/usr/share/man/man1/braid-fetch.1.gz",
                 "/usr/share/man/man1/braid-train.1.gz",
                 "/usr/bin/braid-fetch",
                 "/usr/bin/braid-train",
                 "/usr/share/man/man5/braid.yaml.5.gz",
                 "/usr/share/doc/braid/examples/complete.yaml",
                 "/usr/share/doc/braid/copyright",
                 "/usr/share/braid/braid.schema.json",
                 "/usr/lib/sysctl.d/60-braid.conf"):
        s.check(os.path.getsize(m.path(name)) > 100, f"{name} is there")
    with open(m.path("/usr/share/braid/braid.schema.json"),
              encoding="utf-8") as f:
        json.load(f)
    with open(m.path("/usr/lib/sysctl.d/60-braid.conf"),
              encoding="utf-8") as f:
        keys = re.findall(r"^#?([a-z][\w.-]+) =", f.read(), re.M)
    s.check(len(keys) >= 4, f"{len(keys)} sysctl keys")
    for key in keys:
        s.check(os.path.exists("/proc/sys/" + key.replace(".", "/")),
                f"the kernel knows {key}")


def check_unit(s, m):
    done = m.run("systemd-analyze verify --man=no braid.service 2>&1")
    s.equal(done.stdout.strip(), "", "systemd-analyze verify")
    said = m.says("systemd-analyze security --no-pager braid.service")
    found = re.search(r"exposure level for braid.service: ([\d.]+)", said)
    s.check(found and float(found.group(1)) <= EXPOSURE_MOST,
            f"systemd-analyze security: {found and found.group(0)}")


def check_process(s, m, b):
    """What the unit promises, as the kernel sees it."""
    uid = m.says("id -u braid")
    s.check(uid.isdigit() and uid != "0", f"user braid has uid {uid}")
    s.check("nologin" in m.says("getent passwd braid"), "and no shell")
    status = m.says(f"cat /proc/{b.main_pid}/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines()
                 if ":\t" in line)
    s.equal(facts["Uid"].split(), [uid] * 4, "uids of braidd")
    for name in ("CapEff", "CapPrm", "CapBnd"):
        s.equal(int(facts[name], 16), CAP_NET_BIND_SERVICE, name)
    s.equal(facts["NoNewPrivs"], "1", "no new privileges")
    s.equal(facts["Seccomp"], "2", "system calls are filtered")
    s.equal(m.says("stat -c '%U:%G %a' /etc/braid /run/braid /var/lib/braid"),
            "root:braid 750\nbraid:braid 755\nbraid:braid 750", "folders")


def first_install(s, m, b, deb, digest):
    said = b.install(deb)
    s.equal(b.active, "active", f"started by its installation {said[-80:]!r}")
    s.equal(m.says("systemctl is-enabled braid"), "enabled", "at boot too")
    check_files(s, m)
    check_unit(s, m)
    check_process(s, m, b)
    s.equal(m.says("braidctl -o json status >/dev/null && echo yes"), "yes",
            "braidctl as root")
    s.until(lambda: b.get("http://127.0.0.1:8080/name") == "origin",
            "the configuration as installed serves")
    s.until(lambda: "serving" in m.says("journalctl -u braid"),
            "it logs to the journal")
    s.equal(b.reload(config(80)), 0, "reload")
    s.equal(b.get("http://127.0.0.1/name"), "origin",
            "port 80 by a reload, without root")
    large = s.path("large")
    s.run(m.in_net("curl", "-fsS", "--max-time", "60", "-o", large,
                   "http://127.0.0.1/large"))
    s.equal(digest_of(large), digest, "every byte")
    spliced = re.findall(r"^braid_worker_promotions_total\{.*\} (\d+)",
                         b.get("http://127.0.0.1:9900/metrics"), re.M)
    s.check(sum(map(int, spliced)) > 0, "splice works under the filter")
    pid = b.main_pid
    terminate_tls(s, m, b)
    s.check(b.reload("listeners: 7\n") != 0, "a bad file: reload fails")
    s.equal((b.main_pid, b.get("http://127.0.0.1/name")), (pid, "origin"),
            "and the one before serves")


def terminate_tls(s, m, b):
    """With a key that only root and braidd's group can read."""
    pem = s.path("site.pem")
    s.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
           "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
           "/CN=site.test", "-addext", "subjectAltName=DNS:site.test",
           "-keyout", s.path("key.pem"), "-out", pem])
    for name in ("key.pem", "site.pem"):
        shutil.copy(s.path(name), m.path("etc/braid/" + name))
        m.run(f"chown root:braid /etc/braid/{name}; "
              f"chmod 640 /etc/braid/{name}")
    text = config(80).replace(
        "listeners: {", "listeners: {safe: {bind: \"127.0.0.1:443\", "
        "pool: o, tls: {certificates: [{cert: /etc/braid/site.pem, "
        "key: /etc/braid/key.pem}]}}, ")
    s.equal(b.reload(text), 0, "reload with a certificate")
    done = s.run(m.in_net("curl", "-fsS", "--max-time", "30", "--cacert",
                          pem, "--resolve", "site.test:443:127.0.0.1",
                          "https://site.test/name"))
    s.equal(done.stdout, "origin", "TLS under the filter")
    m.run("rm /etc/braid/*.pem")
    s.equal(b.reload(config(80)), 0, "reload without")


def upgrade(s, m, b, deb, digest):
    s.equal(b.reload(config(80, "global: {drain: 1s}\n")), 0,
            "an operator's own file")
    # Before the transfer, which would not wait for it.
    second = newer(s, deb, "0.1.0-2")
    before = b.main_pid
    large = s.path("slow")
    slow = s.start(m.in_net("curl", "-fsS", "--limit-rate", "6M", "-o", large,
                            "http://127.0.0.1/large"), "slow")
    s.until(lambda: os.path.exists(large), "a transfer runs")
    said = b.install(second)
    s.check("handed over" in said, f"the running one hands over: {said!r}")
    s.equal(b.active, "active", "after the upgrade")
    s.check(b.main_pid not in ("0", before), "the new version runs")
    s.equal(b.get("http://127.0.0.1/name"), "origin", "and serves")
    s.equal(slow.wait(60), 0, "the transfer has ended well")
    s.equal(digest_of(large), digest, "with every byte")
    s.check("drain: 1s" in m.says("cat /etc/braid/braid.yaml"),
            "the operator's file is kept")
    b.m.write("/etc/braid/braid.yaml", "listeners: 7\n")
    before = b.main_pid
    said = b.install(newer(s, deb, "0.1.0-3"))
    s.check("refuses" in said, "a file that the new version refuses: it says so")
    s.equal((b.main_pid, b.get("http://127.0.0.1/name")), (before, "origin"),
            "and the running one goes on")
    b.m.write("/etc/braid/braid.yaml", config(80))


def leave(s, m, b):
    m.run("dpkg -r braid")
    s.check(b.active in ("inactive", "unknown"), f"removed: {b.active}")
    s.equal(b.get("http://127.0.0.1/name"), "", "nobody listens")
    s.check(m.says("cat /etc/braid/braid.yaml") == config(80).strip(),
            "the configuration stays")
    s.check(not m.says("ls /run/braid"), "nothing in /run/braid")
    m.run("dpkg -P braid")
    s.equal(m.says("getent passwd braid; getent group braid"), "", "no user")
    left = m.says("find / -xdev \\( -path /root -o -path /proc -o -path /sys "
                  "-o -path /var/log -o -path /var/cache \\) -prune -o "
                  "-name '*braid*' -print; find /run -name '*braid*'")
    s.equal(left, "", "no file is left")
    s.equal(m.says("systemctl list-units --all --plain --no-legend "
                   "'braid*'"), "", "no unit is left")


def test(s):
    """The Debian package is installed, started, upgraded, removed and purged
    under a real systemd."""
    s.need_root()
    s.need("mmdebstrap", "unshare", "nsenter", "pivot_root", "dpkg-deb",
           "cpack", "curl", "ip", "openssl")
    deb = build_deb(s)
    needs = packages_of(deb, s)
    s.check("libc6" in needs, "depends on " + ", ".join(needs))
    m = Machine(s, make_root(s, sorted({*BASE, *needs})))
    b = Box(s, m)
    digest = start_origin(s, m)
    first_install(s, m, b, deb, digest)
    upgrade(s, m, b, deb, digest)
    # Also the first installation after a removal.
    m.run("dpkg -r braid")
    b.install(deb)
    s.until(lambda: b.get("http://127.0.0.1/name") == "origin",
            "installed again, with the configuration that stayed")
    leave(s, m, b)


scenario.run(test, user="root", limit_seconds=600)
