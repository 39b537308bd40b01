#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import socket

from lib import client, scenario
from lib.braidd import Braid, parse_line
from lib.origins import Origin, greeter


def test(s):
    """A file that is wrong, missing, or whose new address is in use changes
    nothing; every error is told to who asked, and logged."""
    origin = Origin(s, greeter("a"))
    port, taken = s.port(), s.port()
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    }
    b = Braid(s, config)
    held = client.connect(("127.0.0.1", port))
    client.read_exactly(held, 1)
    descriptors = b.settled_descriptors()

    def refused(what):
        answer = b.ctl_answer("reload")
        s.equal(answer["exit"], 78, f"{what}: exit status")
        s.equal(answer["data"]["accepted"], False, f"{what}: accepted")
        s.equal(b.status()["config"]["number"], 1, "number in force")
        s.check(client.echoes(held), "the live flow works")
        sock = client.connect(("127.0.0.1", port))
        s.equal(client.read_exactly(sock, 1), b"a", "and new ones do")
        sock.close()
        return answer

    b.write_config("listeners:\n"
                   "  web: {bindd: \"127.0.0.1:80\", pool: nope}\n"
                   "pools:\n"
                   "  o:\n"
                   "    servers:\n"
                   "      a: {address: \"127.0.0.1:99999\", weigth: 2}\n")
    lines = refused("four mistakes")["data"]["lines"]
    text = "\n".join(lines)
    s.check(f"{b.file}:2:9: " in text and 'did you mean "bind"' in text,
            "the unknown key with its place and the likely one")
    s.check("nope" in text and "weigth" in text and "99999" in text,
            f"all errors in one pass ({len(lines)} lines)")
    s.until(lambda: [f"{e['file']}:{e['line']}:{e['column']}: {e['msg']}"
                     for e in map(parse_line, b.process.output().splitlines())
                     if e and "column" in e] == lines,
            "the log has the same lines, with their places as fields")

    b.write_config("listeners: [\n")
    refused("not YAML")
    b.write_config("")
    refused("empty")

    with socket.socket() as blocker:
        blocker.bind(("127.0.0.1", taken))
        blocker.listen(1)
        config["listeners"]["more"] = {"bind": f"127.0.0.1:{taken}",
                                       "pool": "o"}
        config["listeners"]["also"] = {"bind": f"127.0.0.1:{s.port()}",
                                       "pool": "o"}
        b.write_config(config)
        answer = refused("an address in use")
        s.check(str(taken) in str(answer), "it names the address")
    m = b.metrics()
    s.equal(m.value("braid_config_reloads_refused_total"), 4,
            "braid_config_reloads_refused_total")
    s.until(lambda: b.descriptors() <= descriptors + 2,
            "refused reloads leave no descriptor behind")

    s.equal(b.reload(config)["accepted"], True, "free now: accepted")
    s.equal(b.status()["config"]["number"], 2, "number in force")
    s.equal(client.read_exactly(client.connect(("127.0.0.1", taken)), 1),
            b"a", "the new listener serves")
    s.check(client.echoes(held), "the live flow works")

    config["pools"]["o"]["health"] = {"type": "tcp", "path": "/"}
    answer = b.reload(config)
    s.equal(answer["accepted"], True, "a doubtful file is accepted")
    warning = answer["lines"][0]
    s.check(": warning: " in warning, f"with a warning: {warning}")
    s.until(lambda: [(e["level"], f"{e['file']}:{e['line']}:{e['column']}: "
                      f"warning: {e['msg']}")
                     for e in map(parse_line, b.process.output().splitlines())
                     if e and "column" in e][-1] == ("warn", warning),
            "and the log has it as one")
    s.check("1 pool changed (o)" in answer["summary"],
            f"what changed: {answer['summary']}")
    s.equal(b.reload(config)["summary"], "nothing changed", "once more")
    held.close()
    b.stop()


scenario.run(test, user="root")
