#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import affinity, scenario


def test(s):
    """maglev keeps a client at its server over workers, health changes and
    restarts; a new file moves few beside those who must."""
    b, config, port, first, after = affinity.scenario_of(s, "maglev")
    stayed = len(affinity.CLIENTS) - len(affinity.moved(first, after))
    s.check(stayed >= 0.95 * len(affinity.CLIENTS),
            f"servers in another order: {stayed} of "
            f"{len(affinity.CLIENTS)} clients stay")
    del config["pools"]["o"]["servers"]["d"]
    b.reload(config)
    then = affinity.mapping(port)
    others = {a for a in affinity.moved(after, then) if after[a] != "d"}
    s.check("d" not in then.values(), "d has left the file and gets nobody")
    s.check(len(others) <= 0.3 * len(affinity.CLIENTS),
            f"{len(others)} clients of others moved with its own")
    s.equal(affinity.mapping(port), then, "and stay where they are")
    config["pools"]["o"]["maglev"] = {"table": 251}
    b.reload(config)
    then = affinity.mapping(port)
    s.equal(set(then.values()), set("abc"), "a smaller table serves as well")
    b.stop()


scenario.run(test, user="nobody")
