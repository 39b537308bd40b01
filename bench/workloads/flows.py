# SPDX-License-Identifier: Apache-2.0
"""Both ends of scripted flows, in one loop of one process.

The origin learns whose flow it has from a lock: of one listener only one flow
at a time is between connect() and accept().
"""
import asyncio
import random

import generators
from openings import through_tls
from scripts import UP

CHUNK = 256 << 10
FLOW_SECONDS = 90
TLS_SHARE = .3  # of all flows, so that TLS is no sign of a class
# Begun together: parallel connections of one client.
TOGETHER_SHARE, TOGETHER = .25, (2, 3, 6)
_ZEROS = bytes(CHUNK)


async def _send(writer, step, joined):
    """Head and body in one write or in two: servers do either."""
    left = step.fill
    if step.head:
        n = min(left, 8192) if joined else 0
        writer.write(step.head + bytes(n))
        left -= n
    while left:
        # Slow senders send in pieces as a slow link would let them.
        n = min(left, CHUNK if not step.rate else 32 << 10)
        writer.write(memoryview(_ZEROS)[:n])
        await writer.drain()
        left -= n
        if step.rate:
            await asyncio.sleep(n / step.rate)
    await writer.drain()


async def _receive(reader, n):
    while n:
        got = await reader.read(min(n, CHUNK))
        if not got:
            raise ConnectionError(f"the flow ended {n} bytes early")
        n -= len(got)


async def _walk(steps, way, ends, away, joined):
    """`away`: seconds to the other end, for each own turn after one of its."""
    reader, writer = ends
    before = way
    for step in steps:
        if step.way == way:
            wait = step.wait + (away if before != way else 0)
            if wait:
                await asyncio.sleep(wait)
            await _send(writer, step, joined)
        else:
            await _receive(reader, step.bytes)
        before = step.way


class Workload:
    """A generator at its listeners."""

    def __init__(self, name, function, addresses, seed):
        self.name, self.function = name, function
        self.addresses = addresses  # of its listeners
        self.random = random.Random(f"{seed} {name}")
        self.lock = asyncio.Lock()
        self.accepted = asyncio.Queue()
        self.server = None
        self.failures = []

    async def start(self):
        """The port of its origin."""
        self.server = await asyncio.start_server(
            lambda r, w: self.accepted.put_nowait((r, w)), "127.0.0.1", 0,
            limit=CHUNK)
        return self.server.sockets[0].getsockname()[1]

    async def flow(self, index):
        r = self.random
        steps = self.function(r)
        if r.random() < TLS_SHARE and "ssh" not in self.name:
            steps = through_tls(r, steps, generators.alpn(r, self.name))
        steps = list(steps)
        # Half of the clients are near, the others are so many seconds away.
        away = r.choice([0, 0, 0, .002, .015, .06])
        address = self.addresses[index % len(self.addresses)]
        try:
            async with asyncio.timeout(FLOW_SECONDS):
                await self._connected(steps, away, address,
                                      r.random() < .7)
        except (OSError, asyncio.TimeoutError) as error:
            self.failures.append(f"{self.name}: {error!r}")

    async def _connected(self, steps, away, address, joined):
        async with self.lock:
            client = await asyncio.open_connection(*address, limit=CHUNK)
            origin = await self.accepted.get()
        ends = (client, origin)
        try:
            await asyncio.gather(
                *(_walk(steps, way, end, away if way == UP else 0, joined)
                  for way, end in enumerate(ends)))
        finally:
            for _, writer in ends:
                writer.close()


async def spread(workload, n, seconds):
    """n flows, begun evenly at random over so many seconds."""
    async def later(index, at):
        await asyncio.sleep(at)
        await workload.flow(index)

    starts = []
    while len(starts) < n:
        r = workload.random
        together = r.choice(TOGETHER) if r.random() < TOGETHER_SHARE else 1
        starts += [r.uniform(0, seconds)] * min(together, n - len(starts))
    await asyncio.gather(*(later(i, at) for i, at in enumerate(starts)))


async def one_by_one(workload, n):
    for i in range(n):
        await workload.flow(i)
