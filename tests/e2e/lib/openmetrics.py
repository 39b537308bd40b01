# SPDX-License-Identifier: Apache-2.0
"""A strict reader of OpenMetrics 1.0 text: what is allowed is read, the rest
is a Failure that names the line."""

import http.client
import re

from .process import Failure

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_META = re.compile(rf"# (TYPE|UNIT|HELP) ({_NAME}) ?(.*)\Z")
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\S+)\Z")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|Inf)\Z|NaN\Z")
_SUFFIXES = {
    "counter": {"_total", "_created"},
    "gauge": {""},
    "info": {"_info"},
    "histogram": {"_bucket", "_count", "_sum", "_created"},
}
CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Metrics:
    def __init__(self):
        self.types = {}
        self.units = {}
        self.helps = {}
        self.samples = {}  # (name, frozenset of label pairs) -> number

    def value(self, name, **labels):
        key = (name, frozenset(labels.items()))
        if key not in self.samples:
            raise Failure(f"no sample {name} {labels}")
        return self.samples[key]

    def total(self, name, **labels):
        """The sum over all other labels."""
        wanted = set(labels.items())
        return sum(v for (n, has), v in self.samples.items()
                   if n == name and wanted <= has)

    def has(self, name, **labels):
        return (name, frozenset(labels.items())) in self.samples


def _labels(text, where):
    pairs, at = {}, 0
    while at < len(text):
        found = _LABEL.match(text, at)
        if not found:
            raise Failure(f"{where}: bad labels")
        if found[1] in pairs:
            raise Failure(f"{where}: label {found[1]} twice")
        pairs[found[1]] = found[2]
        at = found.end()
        if at < len(text):
            if text[at] != "," or at + 1 == len(text):
                raise Failure(f"{where}: bad labels")
            at += 1
    return pairs


def _check_histograms(m):
    for family, kind in m.types.items():
        if kind != "histogram":
            continue
        series = {}
        for (name, labels), value in m.samples.items():
            if name == family + "_bucket":
                rest = dict(labels)
                bound = float(rest.pop("le").replace("Inf", "inf"))
                series.setdefault(frozenset(rest.items()), []).append(
                    (bound, value))
        for labels, buckets in series.items():
            buckets.sort()
            counts = [count for _, count in buckets]
            if buckets[-1][0] != float("inf"):
                raise Failure(f"{family}: no +Inf bucket")
            if counts != sorted(counts):
                raise Failure(f"{family}: buckets are not cumulative")
            if counts[-1] != m.samples[(family + "_count", labels)]:
                raise Failure(f"{family}: +Inf differs from _count")


def parse(text):
    m = Metrics()
    if not text.endswith("# EOF\n"):
        raise Failure("metrics do not end with # EOF")
    family, seen = None, set()
    for number, line in enumerate(text[:-len("# EOF\n")].split("\n")[:-1], 1):
        where = f"metrics line {number}: {line!r}"
        if line.startswith("#"):
            found = _META.match(line)
            if not found:
                raise Failure(f"{where}: bad comment")
            kind, name, rest = found.groups()
            if name != family:
                if name in seen:
                    raise Failure(f"{where}: the family is not in one piece")
                seen.add(name)
                family = name
            table = {"TYPE": m.types, "UNIT": m.units, "HELP": m.helps}[kind]
            if name in table:
                raise Failure(f"{where}: {kind} twice")
            if any(n.startswith(name) and n[len(name):] in
                   _SUFFIXES.get(m.types.get(name), ())
                   for n, _ in m.samples):
                raise Failure(f"{where}: {kind} after samples")
            if kind == "TYPE" and rest not in _SUFFIXES:
                raise Failure(f"{where}: unknown type")
            if kind == "UNIT" and not name.endswith("_" + rest):
                raise Failure(f"{where}: the unit is not the name's suffix")
            table[name] = rest
            continue
        found = _SAMPLE.match(line)
        if not found or not _NUMBER.match(found[3]):
            raise Failure(f"{where}: not a sample")
        name, labels = found[1], _labels(found[2] or "", where)
        if family is None or not name.startswith(family) or \
                name[len(family):] not in _SUFFIXES[m.types[family]]:
            raise Failure(f"{where}: does not belong to {family}")
        key = (name, frozenset(labels.items()))
        if key in m.samples:
            raise Failure(f"{where}: sample twice")
        value = float(found[3].replace("Inf", "inf"))
        if m.types[family] == "counter" and not value >= 0:
            raise Failure(f"{where}: a counter below 0")
        m.samples[key] = value
    for name in seen:
        if name not in m.types or not m.helps.get(name):
            raise Failure(f"metric {name} has no TYPE or no HELP")
    _check_histograms(m)
    return m


def fetch(host, port, path="/metrics", accept=CONTENT_TYPE):
    """Status, content type and text."""
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request("GET", path, headers={"Accept": accept})
        response = connection.getresponse()
        return (response.status, response.getheader("Content-Type"),
                response.read().decode())
    finally:
        connection.close()


def scrape(host, port):
    status, kind, text = fetch(host, port)
    if status != 200 or kind != CONTENT_TYPE:
        raise Failure(f"/metrics: {status}, {kind}")
    return parse(text)
