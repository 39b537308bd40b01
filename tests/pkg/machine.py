# SPDX-License-Identifier: Apache-2.0
"""A small Debian with systemd as process 1, in namespaces of its own: no
network but loopback, and nothing of it outlives the scenario."""

import os
import re
import shlex

from lib.process import Failure, Skip, wait_until

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")

# Runs as root in new mount, pid, net, uts, ipc and cgroup namespaces.
BOOT = r"""set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for device in %s; do
	touch dev/$device
	mount --bind /dev/$device dev/$device
done
mkdir dev/pts dev/shm
ln -s /proc/self/fd dev/fd
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
ip link set lo up
pivot_root . mnt
exec chroot . /bin/sh -c 'umount -l /mnt
exec env -i container=braid-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --system --unit=basic.target --show-status=0'
""" % " ".join(DEVICES)


def packages_of(deb, s):
    """What its Depends asks for, the first of each alternative."""
    field = s.run(["dpkg-deb", "-f", deb, "Depends"]).stdout
    return [re.split(r"[ |(]", part.strip())[0] for part in field.split(",")]


def make_root(s, packages):
    with open("/etc/os-release", encoding="utf-8") as f:
        facts = dict(line.rstrip().split("=", 1) for line in f if "=" in line)
    if facts.get("ID") != "debian":
        raise Skip("needs Debian: the package is built against this system")
    root = s.path("root")
    # What it mounts there goes with it, also when it is killed: a clean-up must
    # never meet this machine's own /sys.
    done = s.run(["unshare", "--mount", "mmdebstrap", "--variant=minbase",
                  '--aptopt=Acquire::Retries "5"',
                  "--include=" + ",".join(packages),
                  facts["VERSION_CODENAME"], root,
                  "http://deb.debian.org/debian"], seconds=300, check=False)
    if done.returncode:
        said = done.stderr
        if re.search("resolv|onnect|ailed to fetch|download failed", said):
            raise Skip(f"no Debian mirror: {said[-300:]}")
        raise Failure(f"mmdebstrap: {said[-2000:]}")
    return root


def _cgroup(s):
    """A group of its own, so that systemd's groups end up below it."""
    with open("/proc/mounts", encoding="utf-8") as f:
        mounts = [line.split()[1] for line in f if " cgroup2 " in line]
    if not mounts:
        raise Skip("needs a mounted cgroup2")
    path = os.path.join(mounts[0], f"braid-pkg-{os.getpid()}")
    os.mkdir(path)

    def remove():
        def emptied():
            for folder, _, _ in os.walk(path, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    return False
            return True
        wait_until(emptied, "the control groups are empty")
    s.defer(remove)
    return path


class Machine:
    def __init__(self, s, root):
        self.s, self.root = s, root
        group = os.path.join(_cgroup(s), "cgroup.procs")

        def enter():
            with open(group, "w", encoding="ascii") as f:
                f.write("0")
        self.outer = s.start(
            ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc",
             "--cgroup", "--fork", "--kill-child", "bash", "-c", BOOT, "boot",
             root], "systemd", preexec=enter)
        self.pid = wait_until(self._first, "process 1 is there")
        s.until(lambda: self.run("systemctl is-active basic.target",
                                 check=False).stdout.strip() == "active",
                "systemd is process 1 and has started")

    def _first(self):
        pid = self.outer.pid
        if not self.outer.running:
            raise Failure("the machine did not start: " + self.outer.output())
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            children = f.read().split()
        return children[0] if children else None

    def run(self, command, check=True, seconds=100):
        """A shell command inside, as root."""
        return self.s.run(
            ["nsenter", "-t", self.pid, "-a", "env", "-i",
             "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
             "DEBIAN_FRONTEND=noninteractive", "sh", "-c", command],
            check=check, seconds=seconds)

    def says(self, command):
        return self.run(command, check=False).stdout.strip()

    def in_net(self, *argv):
        """argv for one of our own programs that is to be in its network."""
        return ["nsenter", "-t", self.pid, "-n", *argv]

    def path(self, name):
        return os.path.join(self.root, name.lstrip("/"))

    def write(self, name, text):
        """Through the namespace, so that a mounted /run would be right."""
        self.s.run(["nsenter", "-t", self.pid, "-a", "sh", "-c",
                    "cat > " + shlex.quote(name)], input_text=text)
