#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal
import subprocess
import threading
import time

from lib import scenario
from lib.braidd import Braid, sanitizer_env
from lib.downloads import WHOLE, Download, open_reader
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import request

MIB = 1 << 20
SIZE = 48 * MIB
# Bytes a second of a server: while it is looked at, which may take long on a
# busy machine, and afterwards.
SLOW, FAST = MIB // 2, 32 * MIB


def plausible(s, row):
    """One download as `shards` tells it."""
    if not row["first"] <= row["next_out"] <= row["frontier"] <= row["end"]:
        s.check(False, f"the order of its marks: {row}")
    turns = [lane for lane in row["lanes"] if lane["turn"]]
    if len(turns) > 1:
        s.check(False, f"one lane's bytes leave: {row}")
    for lane in row["lanes"]:
        if lane["to"] is None:
            continue
        if not lane["from"] <= lane["next"] <= lane["to"]:
            s.check(False, f"within its piece: {lane}")
        if lane["next"] < row["next_out"]:
            s.check(False, f"what has left is not to come: {row}")


def test(s):
    """A download from several servers while it goes on: braidctl shards as
    text, as JSON and again and again; then its line in the access log, and
    what status and metrics say of it."""
    library = Library()
    path = f"/large/{SIZE}"
    entity = library.find(path)
    origins = [RangeOrigin(s, library, rate_bps=SLOW) for _ in range(3)]
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "files"}},
        "pools": {"files": {
            "servers": {f"s{i}": {"address": o.text}
                        for i, o in enumerate(origins)},
            "shard": {"range": "on", "min_size": "1MiB", "max": 3}}}})
    s.check("no download" in b.braidctl("shards").stdout, "none yet")
    s.check("shards" not in b.braidctl("status").stdout, "nor in status")

    got = Download(limit_s=300)

    def fetch():
        sock, reader = open_reader(("127.0.0.1", port))
        with sock:
            sock.sendall(request(f"GET {path} HTTP/1.1"))
            got.read(reader, [entity.content])

    client = threading.Thread(target=fetch)
    client.start()
    try:
        seen = watch(s, b, client)
        s.say("-- one server less")
        origins[1].kill()
    finally:
        for origin in origins:
            origin.rate_bps = FAST
        client.join()
    s.equal((got.status, got.end, got.n, len(got.right)),
            (200, WHOLE, SIZE, 1), "the whole, and right")
    s.until(lambda: seen["id"] not in [row["id"] for row in
                                       b.ctl("shards")["shards"]],
            "shown no more")

    s.say("-- afterwards")
    row = b.wait_flows(1)[0]
    s.equal((row["id"], row["path"], row["target"], row["status"],
             row["end"]),
            (str(seen["id"]), "shard", path, "200", "--"), "its line")
    s.check(int(row["bytes_out"]) >= SIZE, "its bytes")
    # Who goes on for the killed one may stand beside it.
    s.check(3 <= int(row["shards"]) <= 3 + int(row["migrations"]),
            f"{row['shards']} shards")
    m = b.metrics()
    s.equal(m.total("braid_shard_flows_total"), 1, "flows")
    s.equal(m.total("braid_shard_pieces_total"), int(row["pieces"]),
            "as many pieces as in the log")
    s.equal(m.total("braid_shard_migrations_total"),
            int(row["migrations"]), "as many migrations")
    b.idle()
    m = b.metrics()
    s.equal([m.total(name) for name in (
        "braid_sharded_flows", "braid_shard_connections",
        "braid_shard_kernel_bytes")], [0, 0, 0], "all is given back")
    sums = b.status()["shards"]
    s.equal((sums["started"], sums["failed"], sums["pieces"],
             sums["migrations"]),
            (1, 0, int(row["pieces"]), int(row["migrations"])),
            "sums of status")
    s.check("1 downloads" in b.braidctl("status").stdout, "and its text")
    b.stop()


def watch(s, b, client):
    """Looks until all lanes are there; returns the last row."""
    s.say("-- while it goes on")
    deadline = time.monotonic() + 60
    last, looks = None, 0
    while client.is_alive() and time.monotonic() < deadline:
        rows = b.ctl("shards", "pool=files")["shards"]
        for row in rows:
            plausible(s, row)
            if last and row["next_out"] < last["next_out"]:
                s.check(False, f"forwards: {last} {row}")
            last, looks = row, looks + 1
        if last and len({lane["server"] for lane in last["lanes"]}) == 3 and \
                last["next_out"] > MIB and last["kernel_bytes"]:
            break
        time.sleep(0.02)
    s.check(last, f"seen in {looks} looks")
    s.equal(sorted(lane["server"] for lane in last["lanes"]),
            ["s0", "s1", "s2"], "a lane to each server")
    s.equal((last["pool"], last["total"], last["end"], last["listener"]),
            ("files", SIZE, SIZE, "web"), "what it is")
    s.check(last["kernel_bytes"] > 0, "buffers are counted")
    s.equal(b.ctl("shards", "pool=other")["shards"], [], "of another pool")
    s.equal(b.ctl("shards", "limit=0")["complete"], False, "limit=0")

    text = b.braidctl("shards").stdout.splitlines()
    for line in text:
        s.say(line)
    s.check(text[0].startswith(f"flow {last['id']}  files  web to 127.0.0.1:"),
            "whose it is")
    s.check(text[2].startswith("all  |#") and len(text[2]) == 83,
            "all of it")
    s.check(text[3].startswith("next |") and set(text[3]) & set("=."),
            "what comes next")
    s.check(text[4].split()[:3] == ["LANE", "SERVER", "STATE"], "its lanes")

    process = subprocess.Popen(
        [os.path.join(s.bin, "braidctl"), "-s", b.control, "shards", "-w"],
        stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
        env=sanitizer_env())
    s.defer(process.kill)
    shown = 0
    while shown < 2 and (line := process.stdout.readline()):
        shown += "LANE" in line
    s.equal(shown, 2, "-w: again and again")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    s.equal(process.returncode, 0, "and its end")
    return last


scenario.run(test)
