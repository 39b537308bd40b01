#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.downloads import WHOLE, Download, open_reader
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import request

MIB = 1 << 20
SIZE = 8 * MIB


def test(s):
    """Keys of range shards by reload: flows that live keep what they began
    with, new ones go by the new file, nothing is dropped; limits wait for a
    restart, and a bad value changes nothing."""
    library = Library()
    path = f"/large/{SIZE}"
    content = library.find(path).content
    origins = [RangeOrigin(s, library, rate_bps=8 * MIB) for _ in range(3)]
    port = s.port()
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {f"s{i}": {"address": o.text}
                                    for i, o in enumerate(origins)}}}}
    b = Braid(s, config)
    pool = config["pools"]["o"]

    def connect():
        sock, reader = open_reader(("127.0.0.1", port))
        s.defer(sock.close)
        return sock, reader

    def get(connection):
        sock, reader = connection
        sock.sendall(request(f"GET {path} HTTP/1.1"))
        got = Download().read(reader, [content])
        s.equal((got.status, got.end, got.n, len(got.right)),
                (200, WHOLE, SIZE, 1), "the whole")

    def get_once():
        connection = connect()
        get(connection)
        connection[0].close()

    def line(n):
        return b.wait_flows(n)[n - 1]

    def reload(shard, words):
        pool["shard"] = shard
        done = b.reload(config)
        s.check(words in done["summary"], done["summary"])

    before = connect()
    get(before)
    s.equal(len(b.flows()), 0, "no line while the connection lives")

    reload({"range": "on", "max": 3, "min_size": "1MiB"},
           "1 pool changed (o)")
    get(before)
    s.equal(len(b.flows()), 0, "one that lives stays what it is")
    fresh = connect()
    get(fresh)
    row = line(1)
    s.equal((row["path"], row["shards"], row["request"]),
            ("shard", "3", "1"), "a new one has shards")

    reload({"range": "on", "max": 2, "min_size": "1MiB"},
           "1 pool changed (o)")
    get(fresh)
    row = line(2)
    s.equal((row["shards"], row["request"]), ("3", "2"),
            "as many as it began with")
    get_once()
    s.equal(line(3)["shards"], "2", "fewer in a new one")

    reload({"range": "on", "max": 2, "min_size": "1GiB"},
           "1 pool changed (o)")
    get_once()
    row = line(4)
    s.check("shards" not in row and row["request"] == "1",
            "too small to be split now")

    b.write_config({**config, "pools": {"o": {
        **pool, "shard": {"range": "maybe", "max": 17}}}})
    answer = b.ctl_answer("reload")
    s.equal((answer["exit"], len(answer["data"]["lines"])), (78, 2),
            "two mistakes")
    get_once()
    s.equal(line(5)["request"], "1", "nothing has changed")

    config["limits"] = {"sharded_flows": 5}
    done = b.reload(config)
    s.check(any("limits.sharded_flows" in text and "restart" in text
                for text in done["lines"]), f"{done['lines']}")
    s.equal(b.status()["shards"]["flows_limit"], 4096, "as it was at start")
    del config["limits"]

    reload({"range": "off"}, "1 pool changed (o)")
    after = connect()
    get(after)
    for sock, _ in (before, fresh, after):
        sock.close()
    b.idle()
    rows = b.wait_flows(7)
    paths = {row["path"] for row in rows[5:]}
    # All processes of a user share what the kernel gives them of pipes.
    refused = b.metrics().total("braid_worker_splice_no_pipe_total")
    s.check(paths == {"splice-down"} or refused and "shard" not in paths,
            f"connections without requests: {paths}, {refused} without a pipe")
    s.check(all("request" not in row for row in rows[5:]), "as before")
    b.stop()


scenario.run(test)
