#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import stat

from lib import scenario, servers
from lib.braidd import Braid, sanitizer_env
from lib.netns import Namespace
from lib.scenario import NOBODY

CAP_NET_BIND_SERVICE = 1 << 10


def process_status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f
                    if ":\t" in line)


def test(s):
    """Started as root braidd binds port 80, becomes nobody for good with one
    capability, and may still bind low ports on reload; started as nobody it
    may not, and says so."""
    space = Namespace(s)
    servers.Nginx(s, "a", port=9001, namespace=space)
    config = {
        "listeners": {"web": {"bind": "127.0.0.1:80", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": "127.0.0.1:9001"}}}},
    }
    b = Braid(s, config, namespace=space)
    pid = b.status()["pid"]
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            facts = process_status(f"{pid}/task/{task}")
        except (FileNotFoundError, ProcessLookupError):
            continue  # those that the kernel makes for a ring come and go
        what = facts["Name"]
        s.equal(facts["Uid"].split(), [str(NOBODY)] * 4, f"uids of {what}")
        s.equal(facts["Gid"].split(), [str(NOBODY)] * 4, f"gids of {what}")
        s.check(set(facts["Groups"].split()) <= {str(NOBODY)},
                f"groups of {what}: {facts['Groups']}")
        s.equal(int(facts["CapEff"], 16), CAP_NET_BIND_SERVICE,
                f"capabilities of {what}")
    st = os.stat(b.control)
    s.equal((st.st_uid, stat.S_IMODE(st.st_mode)), (NOBODY, 0o660),
            "owner and mode of the control socket")
    stranger = ["setpriv", "--reuid=12345", "--regid=12345",
                "--clear-groups", b.readable("braidctl"), "-s", b.control,
                "status"]
    done = s.run(stranger, check=False, env=sanitizer_env())
    s.equal(done.returncode, 77, "braidctl of another user: exit code")
    os.chmod(b.control, 0o666)
    done = s.run(stranger, check=False, env=sanitizer_env())
    s.check(done.returncode == 77 and done.stderr,
            f"also when the mode allows it: {done.stderr.strip()}")
    s.equal(os.stat(os.path.join(b.work, "state")).st_uid, NOBODY,
            "owner of the state folder")
    s.equal(b.wait_event("serving")["user"], "nobody", "the log says")
    config["listeners"]["low"] = {"bind": "127.0.0.1:81", "pool": "o"}
    b.reload(config)
    for port in (80, 81):
        s.until(lambda: servers.curl(f"http://127.0.0.1:{port}/name",
                                     namespace=space, check=False).stdout ==
                "a", f"port {port} answers")
    b.idle()
    b.stop()
    s.check(not os.path.exists(b.control), "the control socket is removed")

    refused = Braid(s, config, user="nobody", namespace=space, name="nobody",
                    wait=False)
    s.equal(refused.exit_code(), 77, "as nobody: exit code")
    said = refused.process.output()
    s.check("127.0.0.1:80" in said and "CAP_NET_BIND_SERVICE" in said,
            f"it says what is missing: {said.strip()}")

    config["global"] = {"user": "no-such-user"}
    refused = Braid(s, config, namespace=space, name="unknown", wait=False)
    code = refused.exit_code()
    s.check(code in (77, 78), f"an unknown user: exit code {code}")
    s.check("no-such-user" in refused.process.output(), "it is named")

    config["global"] = {"user": "root"}
    root = Braid(s, config, namespace=space, name="stays-root")
    s.equal(process_status(root.status()["pid"])["Uid"].split()[0], "0",
            "user: root stays root")
    s.check("warning: global.user: root" in root.process.output(),
            "with a warning")
    root.stop()


scenario.run(test, user="root")
