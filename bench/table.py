# SPDX-License-Identifier: Apache-2.0
"""Medians, spreads, ratios by pairs, verdicts, and the report as Markdown."""
import statistics

import servers


def quantile(values, q):
    v = sorted(values)
    at = (len(v) - 1) * q
    low = int(at)
    high = min(low + 1, len(v) - 1)
    return v[low] + (v[high] - v[low]) * (at - low)


def spread(values, digits):
    """median [quartile, quartile] (min-max)"""
    f = f"{{:.{digits}f}}"
    m, a, b, low, high = (f.format(quantile(values, q))
                          for q in (0.5, 0.25, 0.75, 0, 1))
    return f"{m} [{a}, {b}] ({low} to {high})"


def figures(samples, name):
    return [s["figure"] for s in samples.get(name, [])]


def ratios(samples, subject, peer):
    """subject / peer, of the two measured in the same round."""
    return [a / b for a, b in zip(figures(samples, subject),
                                  figures(samples, peer)) if b > 0]


def verdict(row, samples, subject):
    """(text of the goal, "met" / "missed" / "-")"""
    ours = figures(samples, subject)
    if row.goal_kind == "bound":
        good = statistics.median(ours) <= row.goal
        text = f"<= {row.goal} {row.unit}"
    elif not samples.get(row.goal_peer) or subject == row.goal_peer:
        return "no peer to compare with", "-"
    elif row.goal_kind == "difference":
        theirs = figures(samples, row.goal_peer)
        more = statistics.median(a - b for a, b in zip(ours, theirs))
        good = more <= 0
        text = f"<= {row.goal_peer} (median difference {more:+.1f})"
    else:
        got = statistics.median(ratios(samples, subject, row.goal_peer))
        good = got <= row.goal
        text = f"<= {row.goal:.2f} of {row.goal_peer}"
        if row.stretch:
            reached = "met" if got <= row.stretch else "missed"
            text += f" (stretch {row.stretch:.2f}: {reached})"
    if subject != "braid":
        return text, "-"
    return text, "met" if good else "missed"


def summary_lines(results, subject, peers):
    """The table of ratios: one line a row."""
    head = ["row", subject] + peers + [f"ratio to {p}" for p in peers] + \
        ["goal", ""]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row, samples in results:
        if row.braid_only:
            continue
        cells = [f"{row.title}, {row.unit}"]
        for name in [subject] + peers:
            v = figures(samples, name)
            cells.append(f"{statistics.median(v):.{row.digits}f}"
                         if v else "-")
        for peer in peers:
            # A ratio of differences that may be near or below zero says
            # nothing.
            r = ratios(samples, subject, peer) \
                if row.goal_kind != "difference" else []
            cells.append(f"**{statistics.median(r):.2f}** "
                         f"[{quantile(r, 0.25):.2f}, {quantile(r, 0.75):.2f}]"
                         if r else "-")
        text, word = verdict(row, samples, subject)
        lines.append("| " + " | ".join(cells + [text, word]) + " |")
    return lines


def feature_lines(results):
    """One line a row: what each feature costs over none."""
    found = [(row, samples) for row, samples in results if row.braid_only]
    lines = ["## Braid beside itself", ""] if found else []
    above = None
    for row, samples in found:
        names = list(samples)
        if names != above:
            lines += [""] * (above is not None) + [
                "| | " + " | ".join(names) + " | goal |",
                "|---" * (len(names) + 2) + "|"]
            above = names
        peer = row.peer(samples)
        cells = [f"{row.title}, {row.unit}"]
        for name in names:
            text = f"{statistics.median(figures(samples, name)):.{row.digits}f}"
            if name != peer:
                r = ratios(samples, name, peer)
                text += f", **{statistics.median(r):.3f}** " \
                        f"[{quantile(r, 0.25):.2f}, {quantile(r, 0.75):.2f}]"
            cells.append(text)
        lines.append("| " + " | ".join(cells) +
                     f" | <= {row.goal:.2f} of {peer} |")
    return lines + [""] * bool(found)


def servers_lines(got):
    def line(name, value, good):
        return f"- {name}: {value}; goal " \
               f"{'met' if good else 'missed'}"
    return [
        line("check (`braidd -c`), ms",
             spread(got["check_ms"], 1) + f", goal <= {servers.GOAL_MS}",
             got["check_median"] <= servers.GOAL_MS),
        line("reload under load (`braidctl reload`), ms",
             spread(got["reload_ms"], 1) + f", goal <= {servers.GOAL_MS}, "
             f"{len(got['reload_ms'])} reloads",
             got["reload_median"] <= servers.GOAL_MS),
        line("failed requests", f"{got['failed']} of {got['requests']}",
             got["failed"] == 0),
    ]


# key of the sample, heading, factor, digits
BESIDE = [("rate", "per second", 1, 0), ("gbit_s", "Gbit/s", 1, 1),
          ("p50_us", "p50 us", 1, 0), ("p99_us", "p99 us", 1, 0),
          ("rss_bytes", "RSS bytes", 1, 0), ("base_mib", "MiB at 50", 1, 1),
          ("proxy_core", "proxy core %", 100, 0),
          ("rest", "of it no proxy %", 100, 0),
          ("load_core", "load core %", 100, 0),
          ("steal", "steal %", 100, 1), ("others", "others %", 100, 1)]


# key of the sample, bound on the upper quartile, text
DOUBTS = [("idle_peers", 0.005, "proxies that should be idle used"),
          ("others", 0.05, "processes that are not of the bench used"),
          ("steal", 0.02, "the hypervisor stole")]


def detail_lines(row, samples, subject, peers):
    names = list(samples)
    beside = [b for b in BESIDE
              if any(b[0] in s for n in names for s in samples[n])]
    head = ["", f"{row.unit}: median [quartiles] (min to max)"] + \
        [b[1] for b in beside]
    lines = [f"### {row.title}", "", "| " + " | ".join(head) + " |",
             "|---" * len(head) + "|"]
    for name in names:
        cells = [name, spread(figures(samples, name), row.digits)]
        for key, _, factor, digits in beside:
            v = [s[key] * factor for s in samples[name]
                 if s.get(key) is not None]
            cells.append(f"{statistics.median(v):.{digits}f}" if v else "-")
        lines.append("| " + " | ".join(cells) + " |")
    if row.goal_kind != "difference":
        for peer in peers:
            r = ratios(samples, subject, peer)
            if r:
                lines += ["", f"{subject} / {peer}, {len(r)} pairs: "
                          f"{spread(r, 3)}"]
    lines += ["", "Each round, in order: " + "; ".join(
        f"{name} " + " ".join(f"{v:.{row.digits}f}"
                              for v in figures(samples, name))
        for name in names), ""]
    return lines


def doubts(results):
    """What speaks against trusting the figures; one line a row and cause."""
    out = []
    for row, samples in results:
        every = [s for list_ in samples.values() for s in list_]
        for key, most, text in DOUBTS:
            shares = [s[key] for s in every if key in s]
            if shares and quantile(shares, 0.75) > most:
                out.append(f"{row.key}: {text} {statistics.median(shares):.0%}"
                           f" of a core (median of all rounds; upper quartile "
                           f"{quantile(shares, 0.75):.0%}, worst "
                           f"{max(shares):.0%})")
    return out


def report(facts, results, subject, peers, big):
    lines = [f"# Bench of {facts['when']}", ""]
    lines += [f"- {k}: {v}" for k, v in facts.items() if k != "when"]
    lines += ["", "## Result", ""]
    lines += summary_lines(results, subject, peers)
    lines += ["", "Figures are medians; ratios are medians of the ratios of "
              "the two measured in the same round, with quartiles.", ""]
    lines += feature_lines(results)
    if big:
        lines += [f"## Configuration of {servers.SERVERS} servers", ""]
        lines += servers_lines(big) + [""]
    found = doubts(results)
    lines += ["## Doubts", ""]
    lines += [f"- {x}" for x in found] or [
        "None: idle proxies below 0.5 % of the core, others below 5 %, "
        "steal below 2 %."]
    lines += ["", "## Rows", ""]
    for row, samples in results:
        lines += detail_lines(row, samples, subject, peers)
    return "\n".join(lines) + "\n"
