# SPDX-License-Identifier: Apache-2.0
"""What verdicts on flows are worth: the figures, and nothing of how they are
printed. The truth of a flow is its class in the manifest."""
import collections
import csv
import ctypes
import dataclasses
import os
import re
import subprocess

UNKNOWN = "unknown"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


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


def feature_columns(row):
    return [name for name in row if not name.startswith("_") and
            name not in ("class", "group", "weight")]


def source_number(path, name):
    """A number of the C source, which is the only place where it stands."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return int(re.search(rf"#define {name} (\d+)", file.read()).group(1))


class _Model(ctypes.Structure):
    """struct braid_model of profiler/model_abi.h."""
    _fields_ = [("magic", ctypes.c_uint32), ("abi", ctypes.c_uint32),
                ("features_hash", ctypes.c_uint64),
                ("n_features", ctypes.c_uint32),
                ("n_classes", ctypes.c_uint32),
                ("name", ctypes.c_char_p),
                ("classes", ctypes.POINTER(ctypes.c_char_p)),
                ("classify", ctypes.CFUNCTYPE(
                    ctypes.c_uint32, ctypes.POINTER(ctypes.c_int32)))]


class Model:
    """A compiled model, asked as profile_judge() asks it."""

    def __init__(self, path):
        self.model = _Model.in_dll(ctypes.CDLL(path), "braid_model")
        header = "profiler/profile.h"
        self.sure = source_number(header, "PROFILE_SURE")
        self.sure_first = source_number(header, "PROFILE_SURE_FIRST")
        self.name = self.model.name.decode()

    def ask(self, row, blank=None):
        """blank: columns in place of those that were recorded."""
        row = {**row, **(blank or {})}
        values = [int(row[name]) for name in feature_columns(row)]
        if len(values) != self.model.n_features:
            raise SystemExit(f"the rows have {len(values)} features, the "
                             f"model {self.model.n_features}")
        answer = self.model.classify((ctypes.c_int32 * len(values))(*values))
        sure = self.sure_first if row["_checkpoint"] == "first" else self.sure
        if answer & 0xffff < sure:
            return UNKNOWN
        return self.model.classes[answer >> 16].decode()


def compile_builtin(folder, source=os.path.join(
        ROOT, "profiler/model_default.c")):
    """The model that is checked in, as a file."""
    if not os.path.exists(source):
        raise SystemExit("this source has no built-in model")
    path = os.path.join(folder, "builtin.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-I", ROOT,
                    "-Dmodel_default=braid_model", source, "-o", path],
                   check=True)
    return path


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
