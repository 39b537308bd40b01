# SPDX-License-Identifier: Apache-2.0
"""The generators of the training set: known behaviour by class."""
import struct

from scripts import (DOWN, UP, down, http_answer, http_request, size, ssh_open,
                     tls, tls_open, up, words)

RATES = (0, 0, 1e6, 4e6, 12e6)  # of bulk: half of it as the path carries


def _bulk(r):
    return size(r, 300 << 10, 12 << 20), r.choice(RATES)


# -- request: many small turns ---------------------------------------------

def request_http_keep(r):
    for _ in range(size(r, 2, 60)):
        n = size(r, 100, 20000)
        yield up(http_request(r, f"/page/{n}"), wait=r.uniform(0, .15))
        yield down(http_answer(r, "text/html", n), n, r.uniform(0, .02))


def request_http_once(r):
    n = size(r, 200, 120000)
    yield up(http_request(r, "/item.html"))
    yield down(http_answer(r, "text/html", n), n, size(r, 1, 200) / 1000)


def request_http_post(r):
    for _ in range(size(r, 1, 20)):
        n = size(r, 50, 8000)
        yield up(http_request(r, "/api", "POST", n), n, r.uniform(0, .3))
        yield down(http_answer(r, "application/json", 40), 40,
                   r.uniform(.001, .05))


def request_rpc(r):
    for _ in range(size(r, 3, 400)):
        n = size(r, 16, 600)
        yield up(struct.pack(">I", n), n, r.choice([0, 0, .001, .02]))
        n = size(r, 8, 4000)
        yield down(struct.pack(">I", n), n, r.uniform(0, .002))


def request_lines(r):
    for _ in range(size(r, 2, 300)):
        yield up(b"get key:%d\r\n" % size(r, 1, 10**6))
        yield down(b"VALUE ", size(r, 4, 1500))


def request_sql(r):
    yield down(b"\x4a\0\0\0\x0a8.0\0", 70, .002)
    yield up(b"\xb0\0\0\1", 170)
    yield down(b"\7\0\0\2\0", 6, .002)
    for _ in range(size(r, 1, 80)):
        yield up(b"\3SELECT " + words(r, r.randint(20, 400)),
                 wait=r.choice([0, .001, .05]))
        yield down(b"\1\0\0\1", size(r, 60, 30000), size(r, 1, 40) / 1000)


def request_tls(r):
    yield from tls_open(r)
    for _ in range(size(r, 1, 30)):
        yield tls(UP, r.randint(80, 900), r.uniform(0, .1))
        yield tls(DOWN, size(r, 100, 40000), r.uniform(0, .03))


# -- bulk: as many bytes as the path carries -------------------------------

def bulk_http_down(r):
    n, rate = _bulk(r)
    yield up(http_request(r, "/file.iso"))
    yield down(http_answer(r, "application/octet-stream", n), n, .001, rate)


def bulk_http_large(r):
    """One of them has 200 MiB."""
    n = r.choice([40, 60, 200]) << 20
    yield up(http_request(r, "/disk.img"))
    yield down(http_answer(r, "application/octet-stream", n), n)


def bulk_http_up(r):
    n, rate = _bulk(r)
    yield up(http_request(r, "/upload", "PUT", n), n, rate=rate)
    yield down(http_answer(r, "text/plain", 2, "201 Created"), 2, .002)


def bulk_raw_down(r):
    n, rate = _bulk(r)
    yield down(fill=n, rate=rate)


def bulk_raw_up(r):
    n, rate = _bulk(r)
    yield up(fill=n, rate=rate)


def bulk_tls_down(r):
    n, rate = _bulk(r)
    yield from tls_open(r)
    yield tls(UP, r.randint(80, 600))
    yield tls(DOWN, n, .002, rate)


def bulk_blocks_up(r):
    """Blocks that are acknowledged, as of a backup."""
    n, rate = _bulk(r)
    block = r.choice([64, 128, 512]) << 10
    yield up(b"BACKUP 1\n", 40)
    yield down(b"OK\n")
    for _ in range(n // block + 1):
        yield up(struct.pack(">I", block), block, rate=rate)
        yield down(b"\0\0\0\1", 4)


def bulk_ssh_copy(r):
    n, rate = _bulk(r)
    way = r.choice([UP, DOWN])
    yield from ssh_open(r)
    yield up(b"", 60)
    yield down(b"", 40)
    yield (up if way == UP else down)(b"", n, 0, rate)
    yield (down if way == UP else up)(b"", 60)


# -- stream: paced media ---------------------------------------------------

def stream_hls(r):
    for i in range(r.randint(2, 5)):
        yield up(http_request(r, "/live.m3u8"), wait=0 if i == 0 else .8)
        yield down(http_answer(r, "application/vnd.apple.mpegurl", 600), 600)
        n = size(r, 80 << 10, 700 << 10)
        yield up(http_request(r, f"/seg{i}.ts"), wait=.005)
        yield down(http_answer(r, "video/mp2t", n), n, .002)
        if r.random() < .5:
            n = size(r, 80 << 10, 700 << 10)
            yield up(http_request(r, f"/seg{i}b.ts"), wait=r.uniform(.3, 1))
            yield down(http_answer(r, "video/mp2t", n), n, .002)


def _paced(r, way, rate, seconds, tick):
    for _ in range(int(seconds / tick)):
        n = max(100, int(rate * tick * r.uniform(.8, 1.2)))
        yield (up if way == UP else down)(b"", n, tick)


def stream_raw_down(r):
    yield from _paced(r, DOWN, size(r, 20000, 600000), r.uniform(2, 6),
                      r.choice([.02, .04, .1]))


def stream_live_up(r):
    """RTMP by its look: a handshake, then the camera's rate."""
    yield up(b"\3", 1536)
    yield down(b"\3", 3072, .001)
    yield up(b"", 1536 + 200)
    yield down(b"", 300, .003)
    yield from _paced(r, UP, size(r, 100000, 800000), r.uniform(2, 6),
                      r.choice([.033, .04, .1]))


def stream_progressive(r):
    rate = size(r, 60000, 900000)
    yield up(http_request(r, "/film.mp4", more="Range: bytes=0-\r\n"))
    yield down(http_answer(r, "video/mp4", 10**8, "206 Partial Content"),
               rate * r.uniform(.5, 2), .002)
    yield from _paced(r, DOWN, rate, r.uniform(2, 6), r.choice([.1, .2, .5]))


def stream_radio(r):
    rate = r.choice([8000, 16000, 24000, 40000])
    yield up(http_request(r, "/radio", more="Icy-MetaData: 1\r\n"))
    yield down(http_answer(r, "audio/mpeg"), r.choice([16, 64]) << 10, .002)
    yield from _paced(r, DOWN, rate, r.uniform(2, 6), r.choice([.05, .1, .25]))


def stream_tls(r):
    yield from tls_open(r)
    for i in range(r.randint(2, 6)):
        yield tls(UP, r.randint(150, 900), 0 if i == 0 else r.uniform(.5, 1.2))
        yield tls(DOWN, size(r, 60 << 10, 900 << 10), .005)


# -- interactive: small and irregular --------------------------------------

def interactive_keys(r):
    """A shell: keys that are echoed, now and then an answer."""
    yield from ssh_open(r)
    for _ in range(r.randint(15, 60)):
        yield up(b"", 36, r.uniform(.04, .3))
        yield down(b"", 36, r.uniform(.0005, .003))
        if r.random() < .12:
            yield down(b"", size(r, 60, 4000), r.uniform(.002, .05))


def interactive_telnet(r):
    yield down(b"\xff\xfd\x18\xff\xfd\x20login: ", wait=.01)
    for _ in range(r.randint(15, 60)):
        key = words(r, 1)
        yield up(key, wait=r.uniform(.05, .35))
        yield down(key)
        if r.random() < .12:
            yield up(b"\r\n", wait=.1)
            yield down(words(r, size(r, 20, 800)), wait=.005)


def interactive_game(r):
    tick = r.choice([.016, .033, .05])
    yield up(b"JOIN", r.randint(10, 60))
    yield down(b"WORLD", r.randint(200, 3000), .005)
    for _ in range(int(r.uniform(1.5, 4) / tick)):
        if r.random() < .8:
            yield up(b"", r.randint(8, 60), tick)
        if r.random() < .8:
            yield down(b"", r.randint(20, 300), r.uniform(0, .005))


def interactive_desktop(r):
    yield down(b"RFB 003.008\n", wait=.002)
    yield up(b"RFB 003.008\n")
    yield down(b"\1\1")
    yield up(b"\1")
    yield down(b"", 4)
    yield up(b"\1")
    yield down(b"", 60)
    for _ in range(r.randint(40, 150)):
        yield up(b"\5", 5, r.uniform(.01, .08))
        if r.random() < .4:
            yield down(b"\0", size(r, 40, 6000), r.uniform(.001, .01))


def interactive_prompt(r):
    """Lines typed by a person at a prompt."""
    yield down(b"ready\n> ", wait=.003)
    for _ in range(r.randint(4, 14)):
        yield up(words(r, r.randint(3, 50)) + b"\n", wait=r.uniform(.2, 1.2))
        yield down(words(r, size(r, 5, 2000)), wait=r.uniform(.001, .03))


def interactive_tls(r):
    yield from tls_open(r)
    for _ in range(r.randint(15, 60)):
        yield tls(UP, r.randint(20, 60), r.uniform(.03, .3))
        yield tls(DOWN, size(r, 20, 500), r.uniform(.001, .01))


# -- push: long idle, a little now and then --------------------------------

def push_websocket(r):
    yield up(http_request(r, "/ws", more="Connection: Upgrade\r\n"
                          "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"))
    yield down(http_answer(r, "text/plain", None, "101 Switching Protocols",
                           "Upgrade: websocket\r\nConnection: Upgrade\r\n"))
    if r.random() < .6:
        yield up(b"\x81\xa0", r.randint(30, 120), r.uniform(.01, .1))
    for _ in range(r.randint(2, 5)):
        yield down(b"\x81\x7e", size(r, 20, 900), size(r, 500, 4000) / 1000)
        if r.random() < .3:
            yield up(b"\x8a\x80", 4)


def push_mqtt(r):
    yield up(b"\x10\x1e\0\4MQTT\4\2\0\x3c", r.randint(10, 30))
    yield down(b"\x20\2\0\0", wait=.001)
    yield up(b"\x82\x14\0\1", r.randint(6, 40), r.uniform(0, .02))
    yield down(b"\x90\3\0\1\0", wait=.001)
    for _ in range(r.randint(2, 5)):
        if r.random() < .7:
            yield down(b"\x30", size(r, 10, 300), size(r, 500, 4000) / 1000)
        else:
            yield up(b"\xc0\0", 0, size(r, 500, 4000) / 1000)
            yield down(b"\xd0\0")


def push_events(r):
    yield up(http_request(r, "/events", more="Accept: text/event-stream\r\n"))
    yield down(http_answer(r, "text/event-stream"), wait=.002)
    for _ in range(r.randint(2, 6)):
        yield down(b"data: ", size(r, 20, 1200), size(r, 400, 4000) / 1000)


def push_poll(r):
    for _ in range(r.randint(1, 4)):
        n = size(r, 10, 600)
        yield up(http_request(r, "/poll"), wait=r.uniform(0, .05))
        yield down(http_answer(r, "application/json", n), n,
                   size(r, 1000, 4000) / 1000)


def push_tls(r):
    yield from tls_open(r)
    yield tls(UP, r.randint(60, 600), .01)
    yield tls(DOWN, r.randint(40, 400), .01)
    for _ in range(r.randint(2, 5)):
        yield tls(DOWN, size(r, 30, 900), size(r, 500, 4000) / 1000)


def push_mail(r):
    yield down(b"* OK IMAP4rev1 ready\r\n", wait=.003)
    for word in (b"LOGIN u p", b"SELECT INBOX", b"IDLE"):
        yield up(b"a1 " + word + b"\r\n", wait=r.uniform(0, .05))
        yield down(b"a1 OK ", r.randint(10, 300), .004)
    for _ in range(r.randint(1, 5)):
        yield down(b"* 23 EXISTS\r\n", wait=size(r, 500, 4000) / 1000)


CLASSES = ("request", "bulk", "stream", "interactive", "push")


def generators():
    """(class, name, function) of all, by their names' first word."""
    for name, function in sorted(globals().items()):
        kind = name.split("_")[0]
        if kind in CLASSES and callable(function):
            yield kind, name.replace("_", "-"), function
