# SPDX-License-Identifier: Apache-2.0
"""What the kernel says: CPU of processes, busy share of cores, memory.

CPU of a process is the sum of the run time of all its threads in nanoseconds
(/proc/PID/task/*/schedstat), io_uring's kernel workers included: they are
threads of the process. The kernel of the usual builds charges softirq work
done in a thread's context to that thread, so the TCP work a send causes is
counted, for every proxy alike. Time stolen by a hypervisor is not counted.
"""
import os
import time

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def threads_ns(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                total += int(f.read().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def ticks_ns(pid):
    """utime + stime, which keep what ended threads had used."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK_NS


def cores():
    """{core: (idle, steal)} in ticks since boot.

    Idle time is kept exactly; the kinds of busy time are sampled at ticks and
    are wrong by many percent over a second. So busy is what is not idle.
    """
    out = {}
    with open("/proc/stat") as f:
        for line in f:
            name, *rest = line.split()
            if name.startswith("cpu") and name != "cpu":
                v = [int(x) for x in rest[:8]]
                out[int(name[3:])] = (v[3] + v[4], v[7])
    return out


class CpuCount:
    """CPU of a set of processes between start() and seconds()."""

    def __init__(self, pids):
        self.before = {p: (threads_ns(p), ticks_ns(p)) for p in pids}

    def seconds(self):
        total = 0
        for pid, (threads, ticks) in self.before.items():
            by_threads = threads_ns(pid) - threads
            by_ticks = ticks_ns(pid) - ticks
            # Ticks are coarse; they count only when a thread that ended
            # took its run time with it.
            if by_ticks - by_threads > 3 * TICK_NS:
                by_threads = by_ticks
            total += by_threads
        return total / 1e9


class OthersCount:
    """CPU of all processes that do not belong to the bench, on any core.

    Kernel threads are left out: what they do may well be the proxy's work.
    Processes that came and went (compilers) show when their parent has
    waited for them.
    """

    def __init__(self, ours):
        self.ours = set(ours)
        self.before = self.read()

    def read(self):
        out = {}
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) in self.ours:
                continue
            try:
                with open(f"/proc/{name}/stat") as f:
                    fields = f.read().rsplit(") ", 1)[1].split()
                if fields[1] == "2" or name == "2":
                    continue
                waited = (int(fields[13]) + int(fields[14])) * TICK_NS
                # The start time tells a reused pid from the old process.
                out[name, fields[19]] = waited + threads_ns(name)
            except (FileNotFoundError, ProcessLookupError):
                pass
        return out

    def seconds(self):
        # Sums, not differences of each: what a process had used before the
        # window moves to its parent when it ends.
        used = sum(self.read().values()) - sum(self.before.values())
        return max(used, 0) / 1e9


class Window:
    """One measurement: the proxy under test, its idle peers, the cores.

    load_ended() closes the window of the cores' busy shares; result() is
    called a moment later, so that the proxy has also paid for closing the
    last connections.
    """

    def __init__(self, active_pids, idle_pids, load_pids, proxy_core,
                 load_core):
        self.proxy_core = proxy_core
        self.load_core = load_core
        self.others = OthersCount([os.getpid(), *active_pids, *idle_pids,
                                   *load_pids])
        self.active = CpuCount(active_pids)
        self.idle = CpuCount(idle_pids)
        self.cores = cores()
        self.start = time.monotonic()

    def load_ended(self):
        after = cores()
        self.wall = time.monotonic() - self.start
        self.active_at_end = self.active.seconds()
        self.share = {}
        ticks = self.wall * 1e9 / TICK_NS
        for core, (idle, steal) in after.items():
            idle_before, steal_before = self.cores[core]
            stolen = (steal - steal_before) / ticks
            busy = 1 - (idle - idle_before) / ticks - stolen
            self.share[core] = (max(busy, 0), stolen)

    def result(self):
        proxy_busy, proxy_steal = self.share[self.proxy_core]
        load_busy, load_steal = self.share[self.load_core]
        idle_share = self.idle.seconds() / self.wall
        rest = proxy_busy - self.active_at_end / self.wall - idle_share
        return {
            "cpu_s": self.active.seconds(),
            "wall_s": self.wall,
            "proxy_core": proxy_busy,
            "load_core": load_busy,
            "steal": max(proxy_steal, load_steal),
            "idle_peers": idle_share,
            # On the proxy's core but in no proxy: interrupts that wake it,
            # kernel threads, and others if there are any.
            "rest": rest,
            "others": self.others.seconds() / self.wall,
        }


def memory_bytes(pids):
    """(private, resident) bytes of the processes together.

    Private is what only this process holds and has written: Private_Dirty
    plus what of it was swapped out.
    """
    private = resident = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            for line in f:
                key, *rest = line.split()
                if key in ("Private_Dirty:", "Private_Hugetlb:", "Swap:"):
                    private += int(rest[0]) * 1024
                elif key == "Rss:":
                    resident += int(rest[0]) * 1024
    return private, resident
