#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import affinity, scenario


def test(s):
    """source keeps a client at its server over workers, health changes,
    restarts and the order in the file; only who must moves."""
    b, config, port, first, after = affinity.scenario_of(s, "source")
    s.equal(after, first, "each client gets its server")
    b.braidctl("weight", "o", "a", "3")
    then = affinity.mapping(port)
    s.equal({then[a] for a in affinity.moved(first, then)}, {"a"},
            "more weight for a: who moves goes there")
    del config["pools"]["o"]["servers"]["d"]
    b.braidctl("weight", "o", "a", "reset")
    b.reload(config)
    then = affinity.mapping(port)
    s.equal(affinity.moved(first, then),
            {a for a in affinity.CLIENTS if first[a] == "d"},
            "d leaves the file: its clients move, no others")
    b.stop()


scenario.run(test, user="nobody")
