# SPDX-License-Identifier: Apache-2.0
"""What verdicts on flows are worth: the figures, and nothing of how they are
printed. The truth of a flow is its class in the manifest."""
import collections
import csv
import dataclasses

UNKNOWN = "unknown"


@dataclasses.dataclass
class Flow:
    kind: str
    program: str
    which: str  # of the passes
    port: str  # own or foreign
    rows: list  # a verdict each, in order

    @property
    def bytes(self):
        return int(self.rows[0]["_up_bytes"]), \
            int(self.rows[0]["_down_bytes"])

    @property
    def duration_ms(self):
        return int(self.rows[0]["_duration_ms"])

    @property
    def is_cold(self):
        """No flow of its kind had ended before any of its verdicts."""
        return all(row["history_flows"] == "0" for row in self.rows)


def read(path):
    """The flows of a file that run.py judge has written."""
    flows = collections.defaultdict(list)
    with open(path, encoding="ascii", newline="") as file:
        rows = csv.DictReader(file)
        lacking = {"_flow", "_verdict", "_pass", "_port", "class", "group"} \
            - set(rows.fieldnames or ())
        if lacking:
            raise SystemExit(f"{path}: no column {', '.join(sorted(lacking))}:"
                             " is it of run.py judge?")
        for row in rows:
            flows[row["_flow"]].append(row)
    return [Flow(rows[0]["class"], rows[0]["group"], rows[0]["_pass"],
                 rows[0]["_port"], rows) for rows in flows.values()]


# -- who is asked ----------------------------------------------------------

def recorded(row):
    """What the running braidd said."""
    return row["_verdict"]


def verdict_of(model, row, blank=None):
    """What `model` says. blank: columns in place of those recorded."""
    said, is_sure = model.ask({**row, **(blank or {})})
    return said if is_sure else UNKNOWN


# -- figures ---------------------------------------------------------------

class Figures:
    """Of pairs (is, said). As with braid-train eval, a class that is said and
    never there counts, with an F1 of 0; "unknown" is a miss and no class."""

    def __init__(self, pairs):
        self.count = collections.Counter(pairs)
        self.n = sum(self.count.values())
        self.classes = sorted(
            {kind for pair in self.count for kind in pair} - {UNKNOWN})

    @property
    def accuracy(self):
        right = sum(n for (kind, said), n in self.count.items()
                    if kind == said)
        return right / self.n if self.n else 0.0

    @property
    def unknown(self):
        return sum(n for (_, said), n in self.count.items()
                   if said == UNKNOWN) / self.n if self.n else 0.0

    def _said(self, kind):
        return sum(n for (_, said), n in self.count.items() if said == kind)

    def _is(self, kind):
        return sum(n for (other, _), n in self.count.items() if other == kind)

    def recall(self, kind):
        n = self._is(kind)
        return self.count[kind, kind] / n if n else 0.0

    def precision(self, kind):
        n = self._said(kind)
        return self.count[kind, kind] / n if n else 0.0

    def f1(self, kind):
        both = self._is(kind) + self._said(kind)
        return 2 * self.count[kind, kind] / both if both else 0.0

    @property
    def macro_f1(self):
        return sum(map(self.f1, self.classes)) / len(self.classes) \
            if self.classes else 0.0


def at_end(flows, ask=recorded):
    """The verdict in force when the flow ended."""
    return Figures((flow.kind, ask(flow.rows[-1])) for flow in flows)


def at_checkpoint(flows, name, ask=recorded):
    return Figures((flow.kind, ask(row)) for flow in flows
                   for row in flow.rows if row["_checkpoint"] == name)


def at_bytes(flows, least, ask=recorded):
    """The first verdict with so many bytes passed, of flows that had one."""
    found = []
    for flow in flows:
        for row in flow.rows:
            if int(row["up_bytes"]) + int(row["down_bytes"]) >= least:
                found.append((flow.kind, ask(row)))
                break
    return Figures(found)


def told_apart(flows, one, other, ask=recorded):
    """one, other: programs of two classes -> (is, said) as these classes or
    "another", at the end."""
    count = collections.Counter()
    kinds = {flow.kind for flow in flows if flow.program in one + other}
    for flow in flows:
        if flow.program in one + other:
            said = ask(flow.rows[-1])
            count[flow.kind, said if said in kinds else "another"] += 1
    return sorted(kinds), count
