# SPDX-License-Identifier: Apache-2.0
"""The load: wrk, iperf3, our own load generator, idle connections.

Each function returns a dict with what was done and how fast; a failed request
raises BenchError unless the caller asked for the count.
"""
import json
import re
import socket
import ssl
import time

import procs

UNIT = {"us": 1, "ms": 1e3, "s": 1e6}
REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"


class Load:
    def __init__(self, tools_dir, core, user):
        self.tools_dir = tools_dir
        self.core = core
        self.user = user

    def run(self, argv, timeout):
        return procs.run(argv, self.core, self.user, timeout)

    def wrk(self, port, connections, seconds, close=False, may_fail=False,
            scheme="http", script=None):
        argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
                "--latency", "--timeout", "10s"]
        if close:
            argv += ["-H", "Connection: close"]
        if script:
            argv += ["-s", script]
        argv.append(f"{scheme}://127.0.0.1:{port}/")
        status, out, err = self.run(argv, seconds + 20)
        result = parse_wrk(out)
        if status or result is None:
            raise procs.BenchError(f"wrk failed: {out}{err}")
        if result["failed"] and not may_fail:
            raise procs.BenchError(f"requests failed: {out}")
        return result

    def http(self, port, connections, rate, seconds, warmup, origin=None):
        argv = [f"{self.tools_dir}/pacer", "127.0.0.1", str(port),
                str(connections), str(rate), str(seconds), str(warmup)]
        if origin:
            argv.append(str(origin))
        status, out, err = self.run(argv, seconds + warmup + 20)
        if status:
            raise procs.BenchError(f"pacer failed: {out}{err}")
        return json.loads(out)

    def mixture(self, echo_port, echo_origin, bulk_port, bulk_origin, seconds,
                warmup, options):
        """Echoes go before all else on the load's core where that is allowed:
        what they wait for is then the proxy's doing."""
        argv = [f"{self.tools_dir}/mixture", *map(str, (
            echo_port, echo_origin, bulk_port, bulk_origin, seconds, warmup)),
            *(f"{k}={v}" for k, v in options.items())]
        status, out, err = procs.run(argv, self.core, self.user,
                                     seconds + warmup + 20, first=True)
        if status:
            raise procs.BenchError(f"mixture failed: {out}{err}")
        return {**json.loads(out), "ran_s": seconds + warmup}

    def tls(self, what, port, count, amount, *origin):
        """tlsload: amount is seconds, or the bytes of all streams."""
        argv = [f"{self.tools_dir}/tlsload", what, str(port), str(count),
                str(amount), *map(str, origin)]
        status, out, err = self.run(argv, 120)
        if status:
            raise procs.BenchError(f"tlsload {what} failed: {out}{err}")
        return json.loads(out)

    def iperf(self, port, total_bytes, streams, reverse):
        argv = ["iperf3", "-c", "127.0.0.1", "-p", str(port), "-J",
                "-n", str(total_bytes), "-P", str(streams)]
        if reverse:
            argv.append("-R")
        for _ in range(20):
            _, out, err = self.run(argv, 120)
            result = json.loads(out) if out.startswith("{") else {}
            error = result.get("error")
            if not error:
                break
            # The server takes one test at a time and needs a moment after
            # the last one.
            if "busy" not in error:
                raise procs.BenchError(f"iperf3: {error} {err}")
            time.sleep(0.2)
        else:
            raise procs.BenchError("iperf3: server stays busy")
        end = result["end"]["sum_received"]
        return {"bytes": end["bytes"], "gbit_s": end["bits_per_second"] / 1e9}


def parse_wrk(text):
    requests = re.search(r"(\d+) requests in ([\d.]+)(\w+),", text)
    if not requests:
        return None
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), "
                       r"write (\d+), timeout (\d+)", text)
    non_2xx = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    out = {"requests": int(requests[1]),
           "failed": sum(int(x) for x in errors.groups()) if errors else 0}
    out["failed"] += int(non_2xx[1]) if non_2xx else 0
    out["per_s"] = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    for name, percent in (("p50_us", "50"), ("p99_us", "99")):
        m = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s)$", text, re.M)
        out[name] = float(m[1]) * UNIT[m[2]] if m else None
    return out


class IdleConnections:
    """Connections that have carried one request each and stay open."""

    def __init__(self, port):
        self.port = port
        self.sockets = []

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), 10)

    def grow_to(self, count):
        while len(self.sockets) < count:
            s = self.connect()
            self.sockets.append(s)
            s.sendall(REQUEST)
            answer = b""
            while not answer.endswith(b"abcdef") or b"\r\n\r\n" not in answer:
                part = s.recv(4096)
                if not part:
                    raise procs.BenchError("idle connection was closed at "
                                           f"{len(self.sockets)}")
                answer += part

    def check(self):
        """Raises unless every connection is still open and silent."""
        for s in self.sockets:
            s.setblocking(False)
            try:
                got = s.recv(1)
            except (BlockingIOError, ssl.SSLWantReadError):
                continue
            raise procs.BenchError(f"idle connection got {got!r}")

    def close(self):
        for s in self.sockets:
            s.close()
        self.sockets = []


class IdleTlsConnections(IdleConnections):
    """The same over TLS 1.3."""

    def __init__(self, port):
        super().__init__(port)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3

    def connect(self):
        return self.context.wrap_socket(super().connect())
