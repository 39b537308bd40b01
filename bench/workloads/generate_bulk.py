# SPDX-License-Identifier: Apache-2.0
"""Bulk: as many bytes as the path carries, in one piece or in a few."""
import struct

from openings import (frame, git_open, http_answer, http_get, http_request,
                      imap_open, kafka_open, mongo_message, mongo_open,
                      mysql_open, name, pg_message, pkt, postgres_open,
                      rsync_open, smtp_open, ssh_open, ways, websocket)
from scripts import DOWN, UP, down, moment, send, size, up

RATES = (0, 0, 0, 2.5e6, 6e6, 12e6)  # half of it as the path carries
FILES = (("/disk.img", "application/octet-stream"),
         ("/a/setup.exe", "application/x-msdownload"),
         ("/pool/p_1.0.deb", "application/vnd.debian.binary-package"),
         ("/v1.tar.gz", "application/gzip"), ("/x.zip", "application/zip"),
         ("/blob", "application/octet-stream"), ("/large", ""),
         ("/big", "text/plain"), ("/dump.sql", "application/sql"),
         ("/table.csv", "text/csv"), ("/v2/sha256:0", "binary/octet-stream"),
         ("/100M", "application/octet-stream"))


def _bulk(r):
    return size(r, 250 << 10, 8 << 20), r.choice(RATES)


def bulk_http_down(r):
    n, rate = _bulk(r)
    path, kind = r.choice(FILES)
    yield from http_get(r, path, kind, n, 0, moment(r, .0005, .1),
                        r.random() < .8, rate=rate)


def bulk_http_range(r):
    """A part of a file, as of a download that goes on or has several."""
    n, rate = _bulk(r)
    path, kind = r.choice(FILES)
    at = r.randint(0, 10**8)
    yield up(http_request(r, path, more=f"Range: bytes={at}-{at + n - 1}\r\n"))
    yield down(http_answer(r, kind, n, "206 Partial Content"), n,
               moment(r, .0005, .1), rate)


def bulk_http_files(r):
    """One large file after the other, as of a package manager."""
    rate = r.choice(RATES)
    for _ in range(r.randint(2, 7)):
        path, kind = r.choice(FILES)
        yield from http_get(r, path, kind, size(r, 200 << 10, 3 << 20),
                            r.uniform(0, .01), r.uniform(0, .01), rate=rate)


def bulk_http_large(r):
    """Beyond where data is spliced for long."""
    n = r.choice([20, 30, 60]) << 20
    path, kind = r.choice(FILES)
    yield from http_get(r, path, kind, n)


def bulk_http_up(r):
    n, rate = _bulk(r)
    path = r.choice(["/upload", "/a/b.tar.gz", "/v2/blobs/uploads/1",
                     "/photo.jpg", "/backup.bin"])
    more = r.choice(["", "", "Expect: 100-continue\r\n"])
    head = http_request(r, path, r.choice(["PUT", "POST"]), n, more)
    if more:
        yield up(head)
        yield down(b"HTTP/1.1 100 Continue\r\n\r\n", wait=.001)
        yield up(fill=n, rate=rate)
    else:
        yield up(head, n, rate=rate)
    yield down(http_answer(r, "text/plain", 2, "201 Created"), 2, .002)


def bulk_raw_down(r):
    n, rate = _bulk(r)
    if r.random() < .5:
        yield up(fill=r.randint(1, 60))
    yield down(fill=n, rate=rate)


def bulk_raw_up(r):
    n, rate = _bulk(r)
    yield up(fill=r.choice([0, 37, 200]))
    if r.random() < .5:
        yield down(b"\1")
    yield up(fill=n, rate=rate)


def bulk_blocks_up(r):
    """Blocks that are acknowledged, as of a backup."""
    n, rate = _bulk(r)
    block = r.choice([64, 128, 512]) << 10
    yield up(b"BACKUP 1\n", 40)
    yield down(b"OK\n")
    for _ in range(n // block + 1):
        yield up(struct.pack(">I", block), block, rate=rate)
        yield down(b"\0\0\0\1", 4)


def bulk_ssh_stream(r):
    """A copy that only flows, as of tar or of the old scp."""
    n, rate = _bulk(r)
    there, back = ways(r)
    yield from ssh_open(r)
    yield up(fill=r.randint(60, 120))
    yield down(fill=r.choice([28, 72]), wait=moment(r, .001, .03))
    yield send(there, fill=r.randint(36, 100))
    yield send(back, fill=36)
    yield send(there, fill=n, rate=rate)
    yield send(back, fill=r.randint(36, 100))


def bulk_ssh_sftp(r):
    """Packets of 32 KiB, each asked for or acknowledged, some ahead."""
    n, rate = _bulk(r)
    yield from ssh_open(r)
    for _ in range(r.randint(2, 7)):
        yield up(fill=r.randint(36, 120))
        yield down(fill=r.randint(28, 200), wait=r.uniform(.0003, .003))
    fetches = r.random() < .5
    for _ in range(n >> 15):
        ahead = r.choice([1, 1, 2, 8])
        if fetches:
            yield up(fill=60 * ahead)
            yield down(fill=32800 * ahead, rate=rate)
        else:
            yield up(fill=32840 * ahead, rate=rate)
            yield down(fill=52 * ahead)
    yield up(fill=60)


def bulk_postgres_out(r):
    """COPY TO, or a query of a whole table: rows until the end."""
    n, rate = _bulk(r)
    yield from postgres_open(r)
    for _ in range(r.choice([0, 0, 2, 8])):
        yield up(pg_message(b"Q", 60), 60)
        yield down(b"C\0\0\0\x08SET\0Z\0\0\0\5I", 30, .001)
    text = r.choice([b"COPY t TO STDOUT\0", b"SELECT * FROM t;\0"])
    yield up(pg_message(b"Q", len(text)) + text)
    yield down(b"H\0\0\0\x0b\0\0\2", n, moment(r, .001, .1), rate)


def bulk_postgres_in(r):
    n, rate = _bulk(r)
    yield from postgres_open(r)
    for _ in range(r.choice([0, 1, 3])):
        yield up(pg_message(b"Q", 60), 60)
        yield down(b"C\0\0\0\x08SET\0Z\0\0\0\5I", 30, .001)
    yield up(pg_message(b"Q", 18) + b"COPY t FROM STDIN\0")
    yield down(b"G\0\0\0\x0b\0\0\2", 4, .002)
    yield up(b"d\0\0\0\x40", n, rate=rate)
    yield down(b"C\0\0\0\x0fCOPY 1000\0", 6, moment(r, .005, .3))


def bulk_mysql_dump(r):
    n, rate = _bulk(r)
    yield from mysql_open(r)
    for _ in range(r.randint(1, 12)):
        yield up(b"\x20\0\0\0\3SHOW CREATE TABLE", r.randint(4, 60))
        yield down(b"\1\0\0\1", size(r, 8, 3000), r.uniform(.0005, .01))
    yield up(b"\x20\0\0\0\3SELECT * FROM t")
    yield down(b"\1\0\0\1", n, moment(r, .001, .1), rate)


def bulk_mongo_scan(r):
    n, rate = _bulk(r)
    yield from mongo_open(r)
    batch = r.choice([1 << 20, 4 << 20, 16 << 20])
    while n > 0:
        yield up(mongo_message(r, 120), 116)
        part = min(n, batch)
        yield down(mongo_message(r, part, 7), part - 4, .003, rate)
        n -= batch


def bulk_redis_sync(r):
    """A replica asks for everything."""
    n, rate = _bulk(r)
    yield up(b"*1\r\n$4\r\nPING\r\n")
    yield down(b"+PONG\r\n")
    yield up(b"*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n")
    yield down(b"+FULLRESYNC 0 0\r\n$%d\r\n" % n, n, moment(r, .002, .3), rate)


def bulk_git_fetch(r):
    n, rate = _bulk(r)
    yield from git_open(r)
    yield up(pkt(b"want " + b"0" * 40 + b"\n") * r.randint(1, 20) +
             b"00000009done\n", wait=r.uniform(.001, .02))
    for _ in range(r.choice([0, 2, 6])):
        yield down(b"\0\x2a\2remote: Counting objects", 30,
                   r.uniform(.005, .1))
    yield down(b"0008NAK\n", n, moment(r, .002, .2), rate)


def bulk_rsync(r):
    n, rate = _bulk(r)
    yield from rsync_open(r)
    for _ in range(r.randint(1, 3)):
        yield down(fill=size(r, 100, 20000), wait=r.uniform(.001, .02))
        yield up(fill=size(r, 8, 3000))
    there, back = ways(r)
    if r.random() < .5:
        yield send(there, fill=n, rate=rate)
    else:
        for _ in range(r.randint(3, 12)):
            yield send(there, fill=n // 8, rate=rate)
            yield send(back, fill=size(r, 4, 400))
    yield send(back, fill=r.randint(4, 60))


def bulk_ftp_data(r):
    """The connection that has the file alone."""
    n, rate = _bulk(r)
    yield send(r.choice([UP, DOWN]), b"PK\3\4", n, moment(r, .0003, .02), rate)


def bulk_smtp_attachment(r):
    n, rate = _bulk(r)
    yield from smtp_open(r)
    yield up(b"From: a\r\nTo: b\r\n", n, rate=rate)
    yield down(b"250 2.0.0 Ok: queued\r\n", wait=moment(r, .002, .1))


def bulk_imap_fetch(r):
    n, rate = _bulk(r)
    yield from imap_open(r)
    for _ in range(r.choice([1, 1, 4])):
        yield up(b"a9 UID FETCH 1:* (BODY.PEEK[])\r\n")
        yield down(b"* 1 FETCH (UID 7 BODY[] {900000}\r\n", n, .003, rate)


def bulk_smb(r):
    n, rate = _bulk(r)
    yield up(b"\0\0\0\xe8\xfeSMB@\0\0\0", 224)
    yield down(b"\0\0\1\0\xfeSMB@\0\1\0", 240, .001)
    for _ in range(r.randint(3, 8)):
        yield up(b"\0\0\0\x80\xfeSMB@\0", r.randint(100, 600))
        yield down(b"\0\0\0\x80\xfeSMB@\0", r.randint(70, 400), .001)
    block = r.choice([64 << 10, 1 << 20])
    for _ in range(n // block + 1):
        yield up(b"\0\0\0\x71\xfeSMB@\0", 108)
        yield down(b"\0\1\0\x50\xfeSMB@\0", block, .0005, rate)


def bulk_rtmp_store(r):
    """A film that is pushed as fast as it goes: no camera's pace."""
    n, rate = _bulk(r)
    yield up(b"\3", 1536)
    yield down(b"\3", 3072, .001)
    yield up(fill=1536 + 200)
    yield down(fill=300, wait=.003)
    yield up(fill=n, rate=rate)


def bulk_h2_upload(r):
    n, rate = _bulk(r)
    yield up(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\4\0\0\0\0\0", 18)
    yield down(b"\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x80", 9)
    yield up(b"\0\0\x60\1\4\0\0\0\1", len(name(r)) + r.randint(30, 200))
    window = r.choice([64 << 10, 1 << 20])
    for _ in range(n // window + 1):
        yield up(b"\0\x40\0\0\0\0\0\0\1", window, rate=rate)
        yield down(b"\0\0\4\x08\0\0\0\0\0", 4)
    yield down(b"\0\0\x20\1\5\0\0\0\1", 60, .002)


def bulk_kafka_replay(r):
    """From the beginning: each fetch as large as it may be."""
    n, rate = _bulk(r)
    yield from kafka_open(r)
    part = r.choice([300 << 10, 1 << 20])
    for _ in range(n // part + 1):
        yield up(b"\0\0\0\x60\0\1\0\x0b", 92)
        yield down(struct.pack(">II", part, 7), part - 4, .002, rate)


def bulk_disk(r):
    """Blocks of a disk over the network, asked for in turn."""
    n, rate = _bulk(r)
    block = r.choice([32, 64, 128, 256]) << 10
    yield down(b"NBDMAGICIHAVEOPT\0\3")
    yield up(b"\0\0\0\3", 40)
    yield down(fill=30)
    reads = r.random() < .5
    for _ in range(n // block + 1):
        yield up(b"\x25\x60\x95\x13", 24 + (0 if reads else block),
                 rate=0 if reads else rate)
        yield down(b"\x67\x44\x66\x98", 12 + (block if reads else 0),
                   .0003, rate if reads else 0)


def bulk_ssh_rsync(r):
    """Lists of files both ways, then one way most."""
    n, rate = _bulk(r)
    there, back = ways(r)
    yield from ssh_open(r)
    yield up(fill=r.randint(90, 200))
    yield down(fill=28, wait=.002)
    yield up(fill=60)
    yield down(fill=60, wait=moment(r, .005, .1))
    for _ in range(r.randint(1, 4)):
        yield send(there, fill=size(r, 60, 20000), wait=.001)
        yield send(back, fill=size(r, 36, 3000), wait=.001)
    for _ in range(r.choice([1, 4, 12])):
        yield send(there, fill=n // 8, rate=rate)
        yield send(back, fill=size(r, 36, 200))


def bulk_ssh_git(r):
    """What is wanted, what is there, then a pack."""
    n, rate = _bulk(r)
    yield from ssh_open(r)
    yield up(fill=r.randint(90, 160))
    yield down(fill=size(r, 100, 40000), wait=moment(r, .005, .1))
    for _ in range(r.randint(1, 4)):
        yield up(fill=size(r, 100, 3000))
        if r.random() < .7:
            yield down(fill=size(r, 44, 3000), wait=moment(r, .001, .05))
    yield send(r.choice([UP, DOWN, DOWN]), b"", n, moment(r, .005, .2), rate)
    yield down(fill=100, wait=.002)


def bulk_git_http(r):
    n, rate = _bulk(r)
    yield from http_get(r, "/a.git/info/refs?service=git-upload-pack",
                        "application/x-git-upload-pack-advertisement",
                        size(r, 100, 20000), 0, moment(r, .002, .1))
    for last in (False, True):
        part = r.randint(100, 1500)
        yield up(http_request(r, "/a.git/git-upload-pack", "POST", part), part)
        yield down(http_answer(r, "application/x-git-upload-pack-result"),
                   n if last else size(r, 100, 20000), moment(r, .002, .2),
                   rate)


def bulk_http_parts(r):
    """A file in parts of some MiB, as several connections fetch it."""
    rate = r.choice(RATES)
    path, kind = r.choice(FILES)
    part = r.choice([1 << 20, 2 << 20, 512 << 10])
    for i in range(r.randint(1, 5)):
        at = i * part
        yield up(http_request(
            r, path, more=f"Range: bytes={at}-{at + part - 1}\r\n"),
                 wait=r.uniform(0, .005))
        yield down(http_answer(r, kind, part, "206 Partial Content"), part,
                   moment(r, .0005, .03), rate)


def bulk_http_resume(r):
    """The rest of a film or a picture of a disk, kept and not watched."""
    n, rate = _bulk(r)
    path, kind = r.choice(FILES)
    at = r.randint(1, 10**9)
    yield up(http_request(r, path, more=f"Range: bytes={at}-\r\n"))
    yield down(http_answer(r, kind, n, "206 Partial Content"), n,
               moment(r, .0005, .05), rate)


def bulk_http_objects(r):
    """Large objects of a store, put one after the other."""
    rate = r.choice(RATES)
    for _ in range(r.randint(1, 4)):
        n = size(r, 300 << 10, 4 << 20)
        yield up(http_request(r, f"/bucket/{name(r)}", "PUT", n), n, rate=rate)
        yield down(http_answer(r, "", 0), wait=moment(r, .001, .05))


def bulk_websocket_file(r):
    n, rate = _bulk(r)
    yield from websocket(r, "/transfer")
    yield frame(UP, 80)
    way, back = ways(r)
    yield send(way, b"\x82\x7f\0\0\0\0\0\x40\0\0", n, .001, rate)
    yield frame(back, 20)
