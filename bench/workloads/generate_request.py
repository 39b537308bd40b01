# SPDX-License-Identifier: Apache-2.0
"""Requests: many small turns, or one; what comes back is small."""
import struct

from openings import (amqp_open, cassandra_open, frame, git_open, http_answer,
                      http_get, http_request, imap_open, kafka_open,
                      mongo_message, mongo_open, mqtt_open, mysql_open, name,
                      nats_open,
                      pg_message, pkt, postgres_open, redis_command,
                      rsync_open, smtp_open, socks_open, ssh_open, websocket)
from scripts import DOWN, UP, down, moment, size, up, words


def _many(r, most=600):
    """How many turns, and what is between them: a program that is in a hurry,
    one that works, or one that waits for somebody."""
    if r.random() < .5:
        return size(r, 1, most), 0, 0
    return size(r, 1, 60), 0, moment(r, .001, .3)


def request_http_page(r):
    """A page and what belongs to it."""
    page = r.choice(["/", "/index.html", "/shop/item.php?id=7", "/news"])
    yield from http_get(r, page, "text/html", size(r, 1000, 90000),
                        think=moment(r, .0005, .2))
    for _ in range(size(r, 1, 25)):
        path, kind = r.choice([
            ("/app.css", "text/css"), ("/app.js", "application/javascript"),
            ("/a/logo.png", "image/png"), ("/b/photo.jpg", "image/jpeg"),
            ("/f.woff2", "font/woff2"), ("/icon.svg", "image/svg+xml")])
        yield from http_get(r, path, kind, size(r, 200, 120000),
                            r.uniform(0, .05), r.uniform(0, .005))


def request_http_images(r):
    """Thumbnails, or the tiles of a map."""
    path, kind = r.choice([("/t/{}.png", "image/png"), ("/t/{}", "image/webp"),
                           ("/i/{}.jpg", "image/jpeg")])
    for i in range(size(r, 2, 80)):
        yield from http_get(r, path.format(i), kind, size(r, 2000, 60000),
                            r.choice([0, 0, 0, moment(r, .01, .8)]),
                            moment(r, .0003, .02))


def request_http_clicks(r):
    """Somebody reads: a page, then another."""
    for _ in range(r.randint(2, 8)):
        yield from http_get(r, r.choice(["/", "/a.html", "/b.php?x=1"]),
                            "text/html", size(r, 2000, 90000),
                            moment(r, .3, 2.5), moment(r, .001, .2),
                            r.random() < .5)
        for _ in range(r.choice([0, 1, 4])):
            yield from http_get(r, "/c.css", "text/css", size(r, 90, 30000))


def request_http_refresh(r):
    """A program that asks for the state of things again and again."""
    every = moment(r, .02, .7)
    for _ in range(max(2, int(r.uniform(1, 5) / every))):
        yield from http_get(r, r.choice(["/state", "/metrics", "/api/a.json"]),
                            r.choice(["application/json", "text/plain"]),
                            size(r, 20, 9000), every * r.uniform(.8, 1.2))


def request_http_form(r):
    """Some of it goes up, no file of size."""
    for _ in range(r.choice([1, 1, 3])):
        n = size(r, 200, 90000)
        yield up(http_request(r, "/form.php", "POST", n), n,
                 r.choice([0, r.uniform(0, .5)]))
        n = size(r, 20, 30000)
        yield down(http_answer(r, "text/html", n), n, moment(r, .001, .3))


def request_http_missing(r):
    """Nothing new, not there, or elsewhere."""
    for _ in range(size(r, 1, 12)):
        yield up(http_request(r, f"/{name(r)}", r.choice(["GET", "HEAD"])),
                 wait=r.uniform(0, .05))
        yield down(http_answer(r, "text/html", 0, r.choice(
            ["304 Not Modified", "404 Not Found", "302 Found",
             "204 No Content"])), wait=moment(r, .0003, .05))


def request_fastcgi(r):
    for _ in range(size(r, 1, 60)):
        yield up(b"\1\1\0\1\0\x08\0\0\0\1\0\0\0\0\0\0",
                 r.randint(200, 1200), r.uniform(0, .02))
        yield down(b"\1\6\0\1", size(r, 100, 60000), moment(r, .0005, .2))


def request_mssql(r):
    yield up(b"\x12\1\0\x2f\0\0\0\0\0\0\x1a\0\6\1\0\x20\0\1\2\0\x21\0"
             b"\1\3\0\x22\0\4\4\0\x26\0\1\xff\x11\0\0\0\0\0\0\0\0\0\0"
             b"\0\0\0")
    yield down(b"\4\1\0\x2b\0\0\1\0\0\0\x1a\0\6\1\0\x20\0\1\2\0\x21\0",
               22, .001)
    yield up(b"\x10\1\1\x20", 284)
    yield down(b"\4\1\1\x80", 380, .002)
    n, low, high = _many(r, 300)
    for _ in range(n):
        yield up(b"\1\1\0\x60", size(r, 20, 900), r.uniform(low, high))
        yield down(b"\4\1\0\x60", size(r, 20, 16000), moment(r, .0003, .03))


def request_dns(r):
    for _ in range(size(r, 1, 8)):
        yield up(b"\0\x21\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0"
                 b"\0\1\0\1", wait=r.uniform(0, .02))
        yield down(b"\0\x2d\x12\x34\x81\x80\0\1\0\1\0\0\0\0",
                   size(r, 30, 1400), moment(r, .0003, .2))


def request_mqtt(r):
    """Says what it has to say, and goes."""
    yield from mqtt_open(r)
    for _ in range(size(r, 1, 30)):
        yield up(b"\x32", size(r, 10, 900), r.choice([0, r.uniform(0, .05)]))
        yield down(b"\x40\2\0\1", wait=.0005)
    yield up(b"\xe0\0")


def request_git_http(r):
    """Smart HTTP, when there is little to fetch."""
    yield from http_get(r, "/a.git/info/refs?service=git-upload-pack",
                        "application/x-git-upload-pack-advertisement",
                        size(r, 100, 20000), 0, moment(r, .002, .1))
    for _ in range(r.choice([1, 2])):
        n = r.randint(100, 800)
        yield up(http_request(r, "/a.git/git-upload-pack", "POST", n), n)
        n = size(r, 100, 60000)
        yield down(http_answer(r, "application/x-git-upload-pack-result"), n,
                   moment(r, .002, .1))


def request_http_hurry(r):
    """A load generator: the same again at once, small or not so small."""
    n = size(r, 50, 60000)
    path = r.choice(["/", "/index.html", "/health", f"/{name(r)}"])
    kind = r.choice(["text/html", "text/plain", "application/octet-stream",
                     "application/json"])
    for _ in range(size(r, 1, 1200)):
        yield from http_get(r, path, kind, n, 0, r.choice([0, 0, .0005]))


def request_http_once(r):
    n = size(r, 100, 120000)
    path, kind = r.choice([
        ("/item.html", "text/html"), ("/", "text/html"), ("/x", "text/plain"),
        ("/photo.jpg", "image/jpeg"), ("/lib.js", "text/javascript"),
        ("/data.json", "application/json"), ("/doc.pdf", "application/pdf")])
    yield from http_get(r, path, kind, n, 0, moment(r, .0003, .3),
                        r.random() < .7)


def request_http_api(r):
    n, low, high = _many(r, 300)
    for _ in range(n):
        length = size(r, 20, 8000)
        method = r.choice(["POST", "POST", "PUT", "PATCH", "GET", "DELETE"])
        if method in ("GET", "DELETE"):
            length = 0
        yield up(http_request(r, f"/api/v1/{name(r)}", method, length),
                 length, r.uniform(low, high))
        length = size(r, 2, 20000)
        yield down(http_answer(r, "application/json", length), length,
                   moment(r, .0005, .1))


def request_http2(r):
    """With prior knowledge: a preface, then small frames."""
    yield up(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\4\0\0\0\0\0", 18)
    yield down(b"\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x80", 9)
    n, low, high = _many(r, 300)
    for _ in range(n):
        yield up(b"\0\0\x60\1\5\0\0\0\1", size(r, 30, 2000),
                 r.uniform(low, high))
        yield down(b"\0\0\x40\1\4\0\0\0\1", size(r, 60, 20000),
                   moment(r, .0003, .05))


def request_rpc(r):
    n, low, high = _many(r, 1500)
    for _ in range(n):
        length = size(r, 16, 600)
        yield up(struct.pack(">I", length), length, r.uniform(low, high))
        length = size(r, 8, 4000)
        yield down(struct.pack(">I", length), length, r.uniform(0, .002))


def request_redis(r):
    n, low, high = _many(r, 1500)
    deep = r.choice([1, 1, 1, 4, 16])
    word = r.choice(["GET", "SET", "HGETALL", "LRANGE", "INCR"])
    most = r.choice([10, 100, 6000])
    for _ in range(n):
        command = redis_command(r, word, f"key:{r.randint(1, 10**6):09}")
        if word == "SET":
            command = redis_command(r, word, "key", words(r, size(r, 2, 900)))
        yield up(command * deep, wait=r.uniform(low, high))
        yield down(b"+OK\r\n" * deep, (size(r, 1, most) - 1) * deep)


def request_memcached(r):
    n, low, high = _many(r, 1000)
    for _ in range(n):
        if r.random() < .7:
            yield up(b"get key:%d\r\n" % size(r, 1, 10**6),
                     wait=r.uniform(low, high))
            yield down(b"VALUE key 0 ", size(r, 4, 4000))
        else:
            length = size(r, 2, 2000)
            yield up(b"set key 0 60 %d\r\n" % length, length + 2)
            yield down(b"STORED\r\n")


def request_postgres(r):
    yield from postgres_open(r)
    n, low, high = _many(r, 500)
    most = r.choice([200, 2000, 30000])
    for _ in range(n):
        text = r.choice([b"SELECT abalance FROM a WHERE id = %d;",
                         b"UPDATE t SET a = a + 1 WHERE id = %d;",
                         b"BEGIN; -- %d", b"INSERT INTO h VALUES (%d, 1);",
                         b"END; -- %d"]) % r.randint(1, 10**6)
        text += words(r, size(r, 1, 400))
        yield up(pg_message(b"Q", len(text) + 1) + text + b"\0",
                 wait=r.uniform(low, high))
        yield down(b"T\0\0\0\x21\0\1", size(r, 20, most),
                   moment(r, .0002, .03))


def request_postgres_prepared(r):
    yield from postgres_open(r)
    n, low, high = _many(r, 500)
    for _ in range(n):
        yield up(b"P\0\0\0\x30", r.randint(60, 300), r.uniform(low, high))
        yield down(b"1\0\0\0\4" b"2\0\0\0\4", size(r, 20, 3000),
                   moment(r, .0002, .02))


def request_mysql(r):
    yield from mysql_open(r)
    n, low, high = _many(r, 400)
    most = r.choice([300, 3000, 30000])
    for _ in range(n):
        yield up(b"\xb0\0\0\0\3SELECT " + words(r, size(r, 10, 400)),
                 wait=r.uniform(low, high))
        yield down(b"\1\0\0\1", size(r, 8, most), moment(r, .0002, .04))


def request_mongo(r):
    yield from mongo_open(r)
    n, low, high = _many(r, 400)
    for _ in range(n):
        length = size(r, 60, 1500)
        yield up(mongo_message(r, length), length - 4, r.uniform(low, high))
        length = size(r, 40, 12000)
        yield down(mongo_message(r, length, 7), length - 4,
                   moment(r, .0002, .02))


def request_cassandra(r):
    yield from cassandra_open(r)
    n, low, high = _many(r, 400)
    for _ in range(n):
        yield up(b"\4\0\0\2\x0a\0\0\1\0", size(r, 40, 900),
                 r.uniform(low, high))
        yield down(b"\x84\0\0\2\x08\0\0\1\0", size(r, 13, 8000), .0005)


def request_ldap(r):
    yield up(b"0\x0c\2\1\1`\7\2\1\3\4\0\x80\0")
    yield down(b"0\x0c\2\1\1a\7\x0a\1\0\4\0\4\0", wait=.001)
    for _ in range(size(r, 1, 40)):
        yield up(b"0\x84\0\0\0\x64\2\1\2c", r.randint(60, 200),
                 r.uniform(0, .05))
        yield down(b"0\x84\0\0\1\0\2\1\2d", size(r, 40, 5000),
                   moment(r, .0005, .02))


def request_kafka(r):
    yield from kafka_open(r)
    n, low, high = _many(r, 300)
    for _ in range(n):
        length = size(r, 80, 8000)
        yield up(struct.pack(">IHH", length, 0, 7), length - 4,
                 r.uniform(low, high))
        yield down(struct.pack(">II", 50, 1), 46, .001)


def request_amqp(r):
    yield from amqp_open(r)
    n, low, high = _many(r, 200)
    for _ in range(n):
        yield up(b"\1\0\1\0\0\0\x20", size(r, 40, 3000), r.uniform(low, high))
        yield down(b"\1\0\1", size(r, 10, 3000), .0005)


def request_nats(r):
    yield from nats_open(r)
    n, low, high = _many(r, 600)
    for _ in range(n):
        yield up(b"PUB x.y _INBOX.abc 20\r\n", size(r, 10, 900),
                 r.uniform(low, high))
        yield down(b"MSG _INBOX.abc 1 20\r\n", size(r, 10, 2000))


def request_websocket(r):
    yield from websocket(r, "/rpc")
    n, low, high = _many(r, 400)
    for _ in range(n):
        yield frame(UP, size(r, 20, 800), r.uniform(low, high))
        yield frame(DOWN, size(r, 20, 8000), moment(r, .0005, .03))


def request_smtp(r):
    """A letter: most of it goes up."""
    for _ in range(r.choice([1, 1, 1, 3])):
        yield from smtp_open(r)
        yield up(b"From: a\r\nTo: b\r\n", size(r, 300, 60000))
        yield down(b"250 2.0.0 Ok: queued\r\n", wait=moment(r, .001, .1))
    yield up(b"QUIT\r\n")
    yield down(b"221 2.0.0 Bye\r\n")


def request_imap(r):
    yield from imap_open(r)
    for _ in range(size(r, 1, 30)):
        yield up(b"a7 UID FETCH %d (BODY[])\r\n" % r.randint(1, 9999),
                 wait=r.choice([0, r.uniform(0, .05)]))
        yield down(b"* 1 FETCH (UID 7 BODY[] {900}\r\n", size(r, 300, 40000),
                   moment(r, .0005, .02))


def request_pop3(r):
    yield down(b"+OK ready.\r\n", wait=r.uniform(.001, .02))
    for word in (b"CAPA", b"USER me", b"PASS secret", b"STAT", b"LIST"):
        yield up(word + b"\r\n")
        yield down(b"+OK\r\n", size(r, 1, 300), r.uniform(.0005, .02))
    for i in range(size(r, 1, 12)):
        yield up(b"RETR %d\r\n" % i)
        yield down(b"+OK\r\n", size(r, 400, 40000), .001)


def request_ssh_command(r):
    """One command or a few, and what they say."""
    yield from ssh_open(r)
    for _ in range(r.choice([1, 1, 2, 6])):
        yield up(fill=r.randint(60, 200))
        yield down(fill=28, wait=.001)
        yield down(fill=size(r, 44, 20000), wait=moment(r, .002, .3))
    yield up(fill=r.choice([36, 68]))


def request_ssh_forward(r):
    """Requests through a forwarded port."""
    yield from ssh_open(r)
    yield up(fill=100)
    yield down(fill=44, wait=.001)
    n, low, high = _many(r, 300)
    for _ in range(n):
        yield up(fill=size(r, 100, 900), wait=r.uniform(low, high))
        yield down(fill=size(r, 100, 16000), wait=moment(r, .0003, .05))


def request_git_small(r):
    """Nothing new, or little."""
    yield from git_open(r)
    if r.random() < .6:
        yield up(pkt(b"want " + b"0" * 40 + b"\n") + b"0009done\n",
                 r.randint(0, 900), .002)
        yield down(pkt(b"NAK\n") + b"PACK", size(r, 200, 60000),
                   r.uniform(.002, .03))
    else:
        yield up(b"0000")


def request_rsync_small(r):
    """A list of files of which hardly any has changed."""
    yield from rsync_open(r)
    for _ in range(r.randint(1, 4)):
        yield down(fill=size(r, 100, 20000), wait=r.uniform(.001, .02))
        yield up(fill=size(r, 8, 3000))
    yield down(fill=r.randint(20, 200))


def request_ftp(r):
    yield down(b"220 (vsFTPd 3.0.3)\r\n", wait=r.uniform(.001, .05))
    for word in (b"USER me", b"PASS me", b"SYST", b"PWD", b"TYPE I"):
        yield up(word + b"\r\n")
        yield down(b"230 done\r\n", r.randint(0, 60), r.uniform(.0005, .02))
    for _ in range(size(r, 1, 20)):
        for word in (b"PASV", b"RETR file.bin"):
            yield up(word + b"\r\n")
            yield down(b"227 here it is\r\n", r.randint(0, 40),
                       r.uniform(.0005, .02))
        yield down(b"226 Transfer complete.\r\n", wait=moment(r, .002, .5))


def request_socks(r):
    yield from socks_open(r, request_http_page(r))


def request_lines(r):
    """Words of no protocol that is known, a line each."""
    n, low, high = _many(r, 800)
    most = r.choice([40, 400, 9000])
    for _ in range(n):
        yield up(words(r, r.randint(3, 60)) + b"\n", wait=r.uniform(low, high))
        yield down(b"ok ", size(r, 1, most),
                   r.choice([0, moment(r, .0002, .05)]))


def request_batches(r):
    """Several at once, and all their answers."""
    n, low, high = _many(r, 300)
    for _ in range(n):
        deep = r.choice([2, 8, 32])
        yield up(b"\0\0\1\7", r.randint(20, 200) * deep, r.uniform(low, high))
        yield down(b"\0\0\1\7", size(r, 8, 900) * deep, r.uniform(0, .01))


def request_objects(r):
    """A store of values of all sizes, with a protocol of its own."""
    n, low, high = _many(r, 300)
    for _ in range(n):
        if r.random() < .3:
            yield up(b"\x9aPUT", size(r, 100, 60000), r.uniform(low, high))
            yield down(b"\x9aOK", 8, moment(r, .0002, .01))
        else:
            yield up(b"\x9aGET", r.randint(12, 80), r.uniform(low, high))
            yield down(b"\x9aOK", size(r, 10, 60000), moment(r, .0002, .01))


def request_trades(r):
    """Orders and what became of them, when they come."""
    yield up(b"8=FIX.4.4\x019=65\x0135=A\x01", 50)
    yield down(b"8=FIX.4.4\x019=65\x0135=A\x01", 50, .002)
    n, low, high = _many(r, 300)
    for _ in range(n):
        yield up(b"8=FIX.4.4\x019=130\x0135=D\x01", r.randint(100, 160),
                 r.uniform(low, high))
        for _ in range(r.choice([1, 1, 2])):
            yield down(b"8=FIX.4.4\x019=180\x0135=8\x01",
                       r.randint(140, 260), moment(r, .0002, .01))


def request_http_part(r):
    """A part of a file, and no large one."""
    for _ in range(r.choice([1, 1, 2, 6])):
        n = size(r, 500, 90000)
        path, kind = r.choice([("/paper.pdf", "application/pdf"),
                               ("/a.zip", "application/zip"),
                               ("/index.bin", "application/octet-stream"),
                               ("/t/1.jpg", "image/jpeg")])
        yield up(http_request(r, path, more=f"Range: bytes=0-{n - 1}\r\n"),
                 wait=r.uniform(0, .05))
        yield down(http_answer(r, kind, n, "206 Partial Content"), n,
                   moment(r, .0005, .05))


def request_http_store(r):
    """Objects by their keys, some put and some fetched."""
    n, low, high = _many(r, 120)
    for _ in range(n):
        length = size(r, 50, 90000)
        if r.random() < .4:
            yield up(http_request(r, f"/bucket/{name(r)}", "PUT", length),
                     length, r.uniform(low, high))
            yield down(http_answer(r, "", 0), wait=moment(r, .001, .05))
        else:
            yield from http_get(r, f"/bucket/{name(r)}", r.choice(
                ["binary/octet-stream", "application/octet-stream", ""]),
                                length, r.uniform(low, high),
                                moment(r, .001, .05))


def request_http_search(r):
    """What may be meant, after every few keys."""
    for _ in range(r.randint(2, 14)):
        yield from http_get(r, f"/suggest?q={name(r)}", "application/json",
                            size(r, 200, 6000), moment(r, .1, .9),
                            moment(r, .002, .08))


def request_ssh_list(r):
    """Folders are looked at, a small file is fetched (sftp)."""
    yield from ssh_open(r)
    for _ in range(size(r, 4, 60)):
        yield up(fill=r.randint(36, 140), wait=r.choice([0, 0, moment(r, .01,
                                                                      .5)]))
        yield down(fill=size(r, 28, 9000), wait=r.uniform(.0003, .01))


def request_ssh_git(r):
    """Nothing new, or little, through ssh."""
    yield from ssh_open(r)
    yield up(fill=r.randint(90, 160))
    yield down(fill=size(r, 100, 20000), wait=moment(r, .003, .1))
    for _ in range(r.choice([0, 1, 2])):
        yield up(fill=size(r, 60, 1500))
        yield down(fill=size(r, 60, 40000), wait=moment(r, .001, .05))
    yield up(fill=r.choice([36, 44]))


def request_smtp_many(r):
    """Short letters, one after the other."""
    for _ in range(r.randint(2, 12)):
        yield from smtp_open(r)
        yield up(b"From: a\r\nTo: b\r\n", size(r, 200, 9000))
        yield down(b"250 2.0.0 Ok: queued\r\n", wait=moment(r, .001, .05))


def request_postgres_report(r):
    """Few queries that take their time."""
    yield from postgres_open(r)
    for _ in range(r.randint(1, 5)):
        yield up(pg_message(b"Q", 200), r.randint(60, 900), r.uniform(0, .1))
        yield down(b"T\0\0\0\x61\0\5", size(r, 100, 60000),
                   moment(r, .02, 1.5))
