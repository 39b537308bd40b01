# SPDX-License-Identifier: Apache-2.0
"""What http mode costs: a pool whose downloads may be sharded beside the same
pool as relay. The requests are small, so nothing is sharded: this is the price
that all others pay."""
import features
import rows

NAMES = ["relay", "http"]


class HttpRow(rows.Variants, rows.WrkRow):
    goal_peer = "relay"

    def __init__(self, key, title, close):
        super().__init__(key, title, 32, 1.25, None)
        self.close = close
        if close:
            self.unit = "us CPU/connection"

    def prepare(self, run, proxies):
        for name in NAMES:
            run.features[name] = features.Variant(run, name)
            run.features[name].start({"small"})


ROWS = [
    HttpRow("hkeep", "http mode: CPU of a keep-alive request, 32 connections",
            False),
    HttpRow("hclose", "http mode: CPU of a connection, 32 at a time", True),
]
