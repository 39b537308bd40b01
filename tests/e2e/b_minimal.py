#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal

from lib import scenario, servers
from lib.braidd import NO_ROOM, sanitizer_env, suspicious
from lib.netns import Namespace
from lib.process import wait_until

CONFIG = """\
listeners:
  web: {bind: "127.0.0.1:8080", pool: origins}
pools:
  origins:
    servers:
      a: {address: "127.0.0.1:9001"}
      b: {address: "127.0.0.1:9002"}
"""


def test(s):
    """The smallest configuration serves curl. All its addresses and folders
    are defaults, so it gets a network and a /run of its own."""
    s.need("curl", "unshare", "nginx")
    space = Namespace(s)
    for name, port in (("a", 9001), ("b", 9002)):
        servers.Nginx(s, name, port=port, namespace=space)
    config = s.write("braid.yaml", CONFIG)
    program = os.path.join(s.bin, "braidd")
    s.run([program, "-c", "-f", config], env=sanitizer_env())

    def start():
        return s.start(
            ["nsenter", f"--net={space.path}", "unshare", "-m", "sh", "-c",
             "mount -t tmpfs none /run && mount -t tmpfs none /var/lib && "
             f"exec '{program}' -f '{config}'"],
            "braidd", env=sanitizer_env())

    def serves():
        nonlocal braidd
        if not braidd.running and NO_ROOM in braidd.output():
            braidd = start()  # processes of others lock it at the moment
        return 'msg="serving"' in braidd.output()
    braidd = start()
    wait_until(serves, "braidd to serve", every=0.2)
    for _ in range(2):
        s.until(lambda: servers.curl("http://127.0.0.1:8080/name",
                                     check=False, namespace=space).stdout
                in ("a", "b"), "curl has an answer")
    names = {servers.curl("http://127.0.0.1:8080/name",
                          namespace=space).stdout for _ in range(40)}
    s.equal(names, {"a", "b"}, "both servers answer in 40 requests")
    metrics = servers.curl("http://127.0.0.1:9900/metrics", namespace=space)
    s.check("braid_build_info" in metrics.stdout, "/metrics at its default")
    braidd.send(signal.SIGTERM)
    s.equal(braidd.wait(), 0, "exit code after TERM")
    s.equal(suspicious(braidd.output()), None, "reports of sanitizers")


scenario.run(test, user="root")
