#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.downloads import WHOLE, Download, open_reader
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import request

MIB = 1 << 20
SIZE = 8 * MIB
TRIES = 30


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

    n_lines = 0

    def line(of, *arguments):
        """The line of the answer that it gets. Again when a server was silent:
        who goes on for it may stand beside it."""
        nonlocal n_lines
        for _ in range(TRIES):
            result = of(*arguments)
            n_lines += 1
            row = b.wait_flows(n_lines)[-1]
            if row.get("migrations", "0") == "0":
                return row, result
            if result:
                result[0].close()
        raise AssertionError(f"{TRIES} answers with migrations")

    def get_fresh():
        connection = connect()
        get(connection)
        return connection

    def get_once():
        get_fresh()[0].close()

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
    row, fresh = line(get_fresh)
    s.equal((row["path"], row["shards"], row["request"]),
            ("shard", "3", "1"), "a new one has shards")

    reload({"range": "on", "max": 2, "min_size": "1MiB"},
           "1 pool changed (o)")
    row, _ = line(get, fresh)
    s.equal((row["shards"], row["request"] != "1"), ("3", True),
            "as many as it began with")
    s.equal(line(get_once)[0]["shards"], "2", "fewer in a new one")

    reload({"range": "on", "max": 2, "min_size": "1GiB"},
           "1 pool changed (o)")
    row, _ = line(get_once)
    s.check("shards" not in row and row["request"] == "1",
            "too small to be split now")

    b.write_config({**config, "pools": {"o": {
        **pool, "shard": {"range": "maybe", "max": 17}}}})
    answer = b.ctl_answer("reload")
    s.equal((answer["exit"], len(answer["data"]["lines"])), (78, 2),
            "two mistakes")
    s.equal(line(get_once)[0]["request"], "1", "nothing has changed")

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
    rows = b.wait_flows(n_lines + 2)[n_lines:]
    paths = {row["path"] for row in rows}
    # All processes of a user share what the kernel gives them of pipes.
    refused = b.metrics().total("braid_worker_splice_no_pipe_total")
    s.check(paths == {"splice-down"} or refused and "shard" not in paths,
            f"connections without requests: {paths}, {refused} without a pipe")
    s.check(all("request" not in row for row in rows), "as before")
    b.stop()


scenario.run(test)
