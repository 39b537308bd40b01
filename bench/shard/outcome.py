# SPDX-License-Identifier: Apache-2.0
"""What a row found: lines of the summary, and tables; and what rows share."""

MB = 10**6


class Result:
    def __init__(self, title):
        self.title = title
        self.summary = []
        self.lines = []

    def goal(self, what, figure, goal, good):
        self.summary.append((what, figure, goal, "met" if good else "missed"))

    def report(self, what, figure):
        self.summary.append((what, figure, "report", ""))

    def text(self, line=""):
        self.lines.append(line)

    def table(self, head, rows):
        self.lines += ["| " + " | ".join(head) + " |",
                       "|---" * len(head) + "|"]
        self.lines += ["| " + " | ".join(map(str, r)) + " |" for r in rows]
        self.lines.append("")


def all_of(values, digits=1):
    return ", ".join(f"{v:.{digits}f}" for v in values)


def rates(got):
    return [g["mbit_s"] for g in got]


def say(run, text):
    run.say("  " + text)


def get_named(run, on, name, port, size, **kwargs):
    body = on.get_right(port, size, **kwargs)
    say(run, f"{name:8} {body['mbit_s']:9.1f} Mbit/s, longest stall "
        f"{body['stall_ms']:.0f} ms")
    return body
