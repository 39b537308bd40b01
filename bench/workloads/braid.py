# SPDX-License-Identifier: Apache-2.0
"""The braidd that flows pass through, and what it has recorded of them."""
import csv
import json
import os
import signal
import subprocess
import time

START_SECONDS = 60
WAIT_SECONDS = 20
QUIET_SECONDS = 1


def _listens(address, port):
    """Whether anybody listens there; asked without making a flow."""
    wanted = "".join(f"{int(part):02X}"
                     for part in reversed(address.split(".")))
    with open("/proc/net/tcp", encoding="ascii") as file:
        return any(line.split()[1] == f"{wanted}:{port:04X}" and
                   line.split()[3] == "0A" for line in list(file)[1:])


class Braid:
    """listeners: name -> (address, port, origin's port). model: a file or
    "none"; None is the one that is built in."""

    def __init__(self, program, folder, listeners, model=None):
        self.record = os.path.join(folder, "flows.csv")
        self.log = os.path.join(folder, "braidd.log")
        config = {
            "global": {"control": os.path.join(folder, "control"),
                       "state_dir": os.path.join(folder, "state"),
                       "user": "root" if os.geteuid() == 0 else None},
            "listeners": {
                name: {"bind": f"{address}:{port}", "pool": name}
                for name, (address, port, _) in listeners.items()},
            "pools": {
                name: {"servers": {"o": {"address": f"127.0.0.1:{port}"}}}
                for name, (_, _, port) in listeners.items()},
            "profiler": {"mode": "observe", "record": self.record,
                         "record_share": 1},
        }
        if not config["global"]["user"]:
            del config["global"]["user"]
        if model:
            config["profiler"]["model"] = model
        path = os.path.join(folder, "braid.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file, indent=1)
        with open(self.log, "wb") as log:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(
                [program, "-f", path], stdout=log, stderr=log)
        end = time.monotonic() + START_SECONDS
        while not all(_listens(address, port)
                      for address, port, _ in listeners.values()):
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                with open(self.log, errors="replace") as log:
                    raise SystemExit(
                        "braidd does not listen, exit status "
                        f"{self.process.returncode}:\n{log.read()[-2000:]}")
            time.sleep(.05)

    def _read(self):
        if not os.path.exists(self.record):
            return []
        with open(self.record, encoding="ascii", newline="") as file:
            return [row for row in csv.DictReader(file)
                    if None not in row.values()]

    def all_rows(self):
        """Of who does not know how many flows there are: once no more come."""
        rows = self._read()
        while True:
            time.sleep(QUIET_SECONDS)
            before, rows = rows, self._read()
            if len(rows) == len(before):
                return rows

    def rows(self, n_flows):
        """All rows, once there are as many flows, or the wait is over."""
        end = time.monotonic() + WAIT_SECONDS
        while True:
            rows = self._read()
            found = len({row["_flow"] for row in rows})
            if found >= n_flows or time.monotonic() > end:
                return rows
            time.sleep(.2)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode
