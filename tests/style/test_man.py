#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual pages know what the programs' own help knows: every command,
option and exit status. usage: test_man.py BIN_FOLDER"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def page(name):
    with open(os.path.join(ROOT, "docs/man", name), encoding="utf-8") as f:
        return f.read()


def section(text, title):
    found = re.search(rf"^# {title}\n(.*?)(?=^# |\Z)", text, re.S | re.M)
    return found.group(1) if found else ""


def help_of(program):
    """By either option, which say the same."""
    short, long = (subprocess.run(
        [os.path.join(sys.argv[1], program), option], capture_output=True,
        text=True, check=True).stdout for option in ("-h", "--help"))
    assert short == long, program
    return short


def options_of(program, command):
    text = subprocess.run(
        [os.path.join(sys.argv[1], program), command, "--help"],
        capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^  (--?[a-z-]+)", text, re.M))


def exit_codes(path, prefix):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return set(re.findall(rf"\b{prefix}\w+ = (\d+)", f.read()))


def terms(text):
    """What stands before the tab-indented paragraphs."""
    return set(re.findall(r"^\*([\w-]+)\*", text, re.M))


def check(what, wanted, got):
    missing = wanted - got
    if not wanted:
        print(f"{what}: nothing to look for: is the help read right?")
    elif missing:
        print(f"{what}: not in the page: {' '.join(sorted(missing))}")
    return bool(missing) or not wanted


def main():
    ctl, daemon = page("braidctl.1.scd"), page("braidd.8.scd")
    ctl_help, daemon_help = help_of("braidctl"), help_of("braidd")
    table = ctl_help[ctl_help.index("commands:"):].split("\n\n")[0]
    commands = set(re.findall(r"^  ([a-z-]+)", table, re.M))
    options = set(re.findall(r"^  (-\w)", daemon_help, re.M))
    fetch, fetch_help = page("braid-fetch.1.scd"), help_of("braid-fetch")
    fetch_options = set(re.findall(
        r"^  (?:-\w, |    )(--[a-z0-9.-]+)", fetch_help, re.M))
    fetch_described = set(re.findall(
        r"^(?:\*-\w\*, )?\*(--[\w.-]+)\*", section(fetch, "OPTIONS"), re.M))
    fetch_codes = exit_codes("tools/braid_fetch_options.h", "FETCH_")
    train = page("braid-train.1.scd")
    train_help = help_of("braid-train")
    table = train_help[train_help.index("commands:"):].split("\n\n")[0]
    train_commands = set(re.findall(r"^  ([a-z-]+)", table, re.M))
    bad = [
        check("braidctl(1) COMMANDS", commands,
              terms(section(ctl, "COMMANDS"))),
        check("braidctl -h", terms(section(ctl, "COMMANDS")), commands),
        check("braidctl(1) EXIT STATUS",
              exit_codes("daemon/ctl_command.h", "CTL_"),
              terms(section(ctl, "EXIT STATUS"))),
        check("braidctl -h exit status",
              terms(section(ctl, "EXIT STATUS")),
              set(re.findall(r"\b(\d+) ", ctl_help.split("exit status:")[1]))),
        check("braidd(8) OPTIONS", options,
              terms(section(daemon, "OPTIONS"))),
        check("braidd(8) EXIT STATUS",
              exit_codes("daemon/exit_code.h", "EXIT_CODE_"),
              terms(section(daemon, "EXIT STATUS"))),
        check("braid-fetch(1) OPTIONS", fetch_options, fetch_described),
        check("braid-fetch -h", fetch_described, fetch_options),
        check("braid-fetch(1) EXIT STATUS", fetch_codes,
              terms(section(fetch, "EXIT STATUS"))),
        check("braid-fetch -h exit status", fetch_codes,
              set(re.findall(r"\b(\d+) ",
                             fetch_help.split("exit status:")[1]))),
        check("braid-train(1) COMMANDS", train_commands,
              terms(section(train, "COMMANDS"))),
        check("braid-train(1) EXIT STATUS",
              exit_codes("tools/braid_train.h", "TRAIN_"),
              terms(section(train, "EXIT STATUS"))),
        check("braid-train -h exit status",
              terms(section(train, "EXIT STATUS")),
              set(re.findall(r"\b(\d+) ",
                             train_help.split("exit status:")[1]))),
    ]
    for command in train_commands:
        options = options_of("braid-train", command)
        described = terms(section(train, f"OPTIONS OF {command.upper()}"))
        bad += [
            check(f"braid-train(1) OPTIONS OF {command}", options, described),
            check(f"braid-train {command} --help", described, options),
        ]
    return 1 if any(bad) else 0


sys.exit(main())
