# SPDX-License-Identifier: Apache-2.0
"""One download over four shaped paths, with a server killed in the middle,
told second by second. Started by `./run.sh --demo shard`."""
import argparse
import os
import sys
import threading
import time

import shard_bench
import stage

MB = 10**6
MIB = 1 << 20
RATES = [100, 100, 100, 100]
SIZE = 600 * MB
VICTIM = 1  # s2
KILL_AT_S = 5.4
BACK_AT_S = 9.4
# How long what the victim had is looked for after its death.
LOOK_S = 1.5
BAR = 8
BLOCKS = " ▏▎▍▌▋▊▉█"

PICTURE = """\

   One download, four servers, and one of them will be killed.

                   ┌══ 100 Mbit/s ══ s1     Each server is a stock nginx in a
   client ── Braid ├══ 100 Mbit/s ══ s2     network namespace, behind a link of
                   ├══ 100 Mbit/s ══ s3     its own. One of them alone brings
                   └══ 100 Mbit/s ══ s4     96 Mbit/s. The client is ordinary.
"""


class Screen:
    """Lines of 80 columns; colours only where somebody looks."""

    def __init__(self):
        self.colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.lock = threading.Lock()
        self.start = time.monotonic()

    def colour(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.colours else text

    def say(self, text=""):
        with self.lock:
            print(text, flush=True)

    def seconds(self):
        return time.monotonic() - self.start

    def event(self, text, code="1;31"):
        self.say(f" {self.seconds():4.1f} s  " + self.colour(code, text))

    def bar(self, share):
        eighths = round(min(share, 1) * BAR * 8)
        text = "█" * (eighths // 8)
        if eighths % 8:
            text += BLOCKS[eighths % 8]
        return self.colour("36", text.ljust(BAR))

    def rates(self, at, servers, client):
        cells = "".join(f"{self.bar(mbit / most)} {mbit:3.0f}   "
                        for mbit, most in zip(servers, RATES))
        self.say(f" {at:4.0f} s  {cells}{client:4.0f}")


class Lanes:
    """What `braidctl shards` says, remembered from one look to the next."""

    def __init__(self, on):
        self.on = on

    def look(self):
        """[(server, from, to, next)] of the pieces that are under way."""
        answer = self.on.ctl("shards") or {}
        return [(lane["server"], lane["from"], lane["to"], lane["next"])
                for flow in answer.get("shards", [])
                for lane in flow["lanes"] if lane["to"]]

    def migrations(self):
        return self.on.ctl("status")["shards"]["migrations"]


def tell_takeover(screen, lanes, victim, until):
    """Who was asked for what the victim had last and did not bring. Its piece
    is cut behind what had arrived, so its first end counts."""
    begin = end = 0
    before = lanes.migrations()
    told = False
    while time.monotonic() < until and not told:
        pieces = lanes.look()
        for server, piece_from, to, _ in pieces:
            if server == victim:
                end = max(end, to) if piece_from == begin else to
                begin = piece_from
        for server, piece_from, to, _ in pieces:
            if server != victim and begin <= piece_from < end:
                told = True
                screen.event(f"   its piece was {begin / MIB:.2f}-"
                             f"{end / MIB:.2f} MiB; from {piece_from / MIB:.2f}"
                             f" on it is asked again of {server}", "33")
        time.sleep(0.005)
    if not told:
        screen.event(f"   pieces whose rest was asked of others: "
                     f"{lanes.migrations() - before}", "33")


def break_and_mend(screen, on, done):
    """The victim dies in the middle of the download, and comes back."""
    lanes = Lanes(on)
    name = f"s{VICTIM + 1}"
    if done.wait(KILL_AT_S):
        return

    def kill():
        screen.event(f"** server {name} is killed, its host resets all")
        # What its kernel still had to send is lost as well.
        on.paths.refuse(VICTIM, stage.ORIGIN_PORT)
        on.kill_origin(VICTIM)

    killer = threading.Thread(target=kill)
    killer.start()
    tell_takeover(screen, lanes, name, time.monotonic() + LOOK_S)
    killer.join()
    if done.wait(max(0, BACK_AT_S - screen.seconds())):
        return
    on.paths.heal(VICTIM)
    on.start_origin(VICTIM)
    screen.event(f"** server {name} started again", "1;32")
    # It would die with the thread that started it (PR_SET_PDEATHSIG).
    done.wait()


def show_rates(screen, on, done):
    """A line each second: what each link carries, headers included."""
    servers, client = on.paths.carried()
    at = time.monotonic()
    tick = 1
    while not done.wait(max(0, screen.start + tick - time.monotonic())):
        now = time.monotonic()
        servers_now, client_now = on.paths.carried()
        factor = 8 / 1e6 / (now - at)
        screen.rates(tick, [(b - a) * factor
                            for a, b in zip(servers, servers_now)],
                     (client_now - client) * factor)
        servers, client, at = servers_now, client_now, now
        tick += 1


def log_words(on):
    """Of the download's record in the access log: shards, pieces, ..."""
    with open(on.braid.log_path, encoding="utf-8", errors="replace") as f:
        for line in f:
            if f"target=/{SIZE} " not in line:
                continue
            words = dict(w.split("=", 1) for w in line.split() if "=" in w)
            return ", ".join(
                f"{words[k]} {k[:-1] if words[k] == '1' else k}" for k in
                ("shards", "pieces", "migrations") if k in words)
    return ""


def tell_end(screen, on, body):
    rate = screen.colour("1", f"{body['mbit_s']:.0f} Mbit/s")
    screen.say()
    screen.say(f"   {body['bytes'] / MB:.0f} MB in {body['seconds']:.1f} s, "
               f"{rate}; longest stall at the client's socket "
               f"{body['stall_ms']:.0f} ms")
    if body["right"]:
        screen.say("   SHA-256 " + screen.colour("1;32", "identical") +
                   f" {body['sha256'][:32]}...")
    else:
        screen.say("   " + screen.colour("1;31", "NOT whole: ") +
                   (body["error"] or f"HTTP status {body['status']}"))
    words = log_words(on)
    if words:
        screen.say(f"   the access log says: {words}")
    return body["right"]


def play(run, screen):
    screen.say(PICTURE)
    screen.say(f"   making {SIZE // MB} MB of random bytes ...")
    run.files.make(SIZE)
    with stage.Stage(run, RATES) as on:
        on.start_braid(run.template, LOG="true")
        head = "".join(f"s{i + 1}".ljust(BAR + 7) for i in range(on.count))
        screen.say(f"\n Mbit/s  {head}client")
        done = threading.Event()
        screen.start = time.monotonic()
        threads = [threading.Thread(target=f, args=(screen, on, done))
                   for f in (show_rates, break_and_mend)]
        for thread in threads:
            thread.start()
        try:
            body = on.get(stage.LISTENERS["on"], SIZE)[-1]
        finally:
            done.set()
            for thread in threads:
                thread.join()
        # The record is written a moment after the last byte.
        time.sleep(0.3)
        return tell_end(screen, on, body)


def parse_args(argv):
    p = argparse.ArgumentParser(prog="./run.sh --demo shard")
    p.add_argument("--tools", required=True)
    p.add_argument("--braidd", required=True)
    args = p.parse_args(argv)
    args.rounds, args.quick, args.plain, args.first = 1, False, False, False
    return args


def work(args, temp):
    return 0 if play(shard_bench.Run(args, temp), Screen()) else 1


if __name__ == "__main__":
    ARGS = parse_args(sys.argv[1:])
    sys.exit(shard_bench.run_session("demo", lambda temp: work(ARGS, temp)))
