# SPDX-License-Identifier: Apache-2.0
"""What a feature costs: Braid with it beside Braid without it.

Every variant is a process of its own and gets the same bytes: a TLS
ClientHello before each request, which is passed through and routed by its
name where the variant says so. The origin passes over it.
"""
import os

import peers
import procs
import rows

ROUTE = """
    routes:
      - {sni: "*.example.org", pool: other}
      - {sni: bench.test, pool: origin}"""
LISTEN = {"sni": ROUTE, "all": ROUTE}
POOL = {"proxy": "\n    proxy_protocol: v2", "all": "\n    proxy_protocol: v2",
        "http": "\n    shard: {range: auto}"}
LOGGING = ("log", "all")
NAMES = ["bare", "sni", "proxy", "log", "all"]


class Variant(peers.Braid):
    def __init__(self, run, name):
        run.ports[name] = {"small": run.feature_ports[name]}
        peers.USERS[name] = peers.USERS["braid"]
        self.name = name
        super().__init__(run)

    def start_role(self, role):
        path = self.make_dir(role)
        conf = os.path.join(path, "braid.yaml")
        values = self.values("small", path)
        values["LOG"] = "true" if self.name in LOGGING else "false"
        values["LISTEN"] = LISTEN.get(self.name, "")
        values["POOL"] = POOL.get(self.name, "")
        peers.fill("braid-feature.yaml.in", conf, values)
        self.launch(role, [self.run.braidd, "-f", conf], path)


def client_hello(name):
    """RFC 8446 4.1.2, as short as a name allows; padded to the 517 bytes of
    the usual clients."""
    def block(size, body):
        return len(body).to_bytes(size, "big") + body

    host = name.encode()
    extensions = b"\0\0" + block(2, block(2, b"\0" + block(2, host)))
    fixed = (b"\x03\x03" + bytes(range(32)) + block(1, bytes(32)) +
             block(2, b"\x13\x01") + block(1, b"\0"))
    padding = 517 - 5 - 4 - len(fixed) - 2 - len(extensions) - 4
    extensions += b"\0\x15" + block(2, bytes(padding))
    body = fixed + block(2, extensions)
    return b"\x16\x03\x01" + block(2, b"\x01" + block(3, body))


class FeatureRow(rows.Variants, rows.WrkRow):
    role = "small"
    goal_peer = "bare"

    def __init__(self, key, title, connections, close):
        super().__init__(key, title, connections, 1.05, None)
        self.close = close
        if close:
            self.unit = "us CPU/connection"

    def prepare(self, run, proxies):
        self.script = os.path.join(run.temp, "hello.lua")
        hello = "".join(f"\\{b:03}" for b in client_hello("bench.test"))
        end = "Connection: close\\r\\n\\r\\n" if self.close else "\\r\\n"
        with open(self.script, "w") as f:
            # wrk calls it once before the load to see that it is HTTP.
            f.write(f'local ask = "GET / HTTP/1.1\\r\\nHost: bench\\r\\n{end}"'
                    f'\nlocal hello = ""\n'
                    "request = function()\n"
                    "  local all = hello .. ask\n"
                    f'  hello = "{hello}"\n'
                    "  return all\nend\n")
        os.chmod(self.script, 0o644)
        for name in NAMES:
            run.features[name] = Variant(run, name)
            run.features[name].start({"small"})

    def load(self, run, proxy):
        if not proxy.instances:
            raise procs.BenchError(f"{proxy.name} did not start")
        return run.load.wrk(proxy.ports["small"], self.connections,
                            run.scale["wrk_s"], script=self.script)


ROWS = [
    FeatureRow("fkeep", "Features: CPU of a keep-alive request, 32 "
               "connections", 32, False),
    FeatureRow("fclose", "Features: CPU of a connection, 32 at a time", 32,
               True),
]
