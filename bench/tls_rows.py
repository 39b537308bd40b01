# SPDX-License-Identifier: Apache-2.0
"""The rows over TLS that is terminated in the proxy."""
import time

import load as loads
import procs
import rows

HANDSHAKES_AT_A_TIME = 16
IDLE_TLS_AFTER = 1550


class HandshakeRow(rows.Row):
    role = "tls"
    unit = "us CPU/connection"
    goal = 1.05

    def __init__(self, key, title, resume):
        self.key = key
        self.title = title
        self.resume = resume

    def sample(self, run, proxy):
        window = run.window(proxy, self.role)
        got = run.load.tls("resume" if self.resume else "shake",
                           proxy.ports["tls"], HANDSHAKES_AT_A_TIME,
                           run.scale["wrk_s"])
        window.load_ended()
        time.sleep(rows.SETTLE_SECONDS)
        out = window.result()
        # The first of each thread has nothing to resume.
        wanted = got["done"] - HANDSHAKES_AT_A_TIME if self.resume else 0
        if got["resumed"] < wanted or (not self.resume and got["resumed"]):
            raise procs.BenchError(f"{proxy.name}: resumed: {got}")
        out["figure"] = out["cpu_s"] * 1e6 / got["done"]
        out["rate"] = got["done"] / got["seconds"]
        return out


class TlsKeepRow(rows.WrkRow):
    role = "tls"

    def __init__(self, key, title, connections, goal):
        super().__init__(key, title, connections, goal, None)

    def load(self, run, proxy):
        return run.load.wrk(proxy.ports["tls"], self.connections,
                            run.scale["wrk_s"], scheme="https")


class TlsBulkRow(rows.Row):
    role = "tlsbulk"
    unit = "ms CPU/GB"
    digits = 1
    goal = 1.05

    def __init__(self, key, title, streams, what):
        self.key = key
        self.title = title
        self.streams = streams
        self.what = what

    def sample(self, run, proxy):
        window = run.window(proxy, self.role)
        got = run.load.tls(self.what, proxy.ports["tlsbulk"], self.streams,
                           run.scale["tls_bytes"], run.origins["tlsbulk"])
        window.load_ended()
        time.sleep(rows.SETTLE_SECONDS)
        out = window.result()
        out["figure"] = out["cpu_s"] * 1e3 / (got["done"] / rows.GB)
        out["gbit_s"] = got["done"] * 8 / 1e9 / got["seconds"]
        return out


class TlsMemoryRow(rows.MemoryRow):
    key = "tlsmem"
    title = f"user memory per idle TLS connection ({IDLE_TLS_AFTER} after " \
            f"{rows.IDLE_BEFORE})"
    role = "tls"
    goal = 18 * 1024
    idle_after = IDLE_TLS_AFTER

    def connections(self, proxy):
        return loads.IdleTlsConnections(proxy.ports["tls"])


ROWS = [
    HandshakeRow("shake", "CPU of a TLS 1.3 connection, full handshake "
                 "(ECDSA P-256), one request", False),
    HandshakeRow("resume", "CPU of a TLS 1.3 connection, resumed by ticket, "
                 "one request", True),
    TlsKeepRow("tlskeep", "CPU of a small keep-alive request over TLS, 32 "
               "connections", 32, 1.05),
    TlsBulkRow("tlsup1", "CPU of a GB over TLS, client to server, 1 stream",
               1, "up"),
    TlsBulkRow("tlsup8", "CPU of a GB over TLS, client to server, 8 streams",
               8, "up"),
    TlsBulkRow("tlsdown1", "CPU of a GB over TLS, server to client, 1 stream",
               1, "down"),
    TlsBulkRow("tlsdown8", "CPU of a GB over TLS, server to client, 8 "
               "streams", 8, "down"),
    TlsMemoryRow(),
]
