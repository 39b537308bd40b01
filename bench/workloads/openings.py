# SPDX-License-Identifier: Apache-2.0
"""How protocols begin: real first bytes, by their specifications, and the
sizes of what follows until the work of a flow begins."""
import struct

from scripts import DOWN, UP, Step, down, name, size, up, words

AGENTS = ("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0",
          "okhttp/4.12", "agent/1", "Go-http-client/1.1", "player/2.3",
          "python/3.11", "app/77 CFNetwork/1490", "")


# -- HTTP/1.1 --------------------------------------------------------------

def http_request(r, path, method="GET", length=0, more=""):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {name(r)}.example"]
    agent = r.choice(AGENTS)
    if agent:
        lines.append(f"User-Agent: {agent}")
    if r.random() < .8:
        lines.append("Accept: */*")
    if r.random() < .4:
        lines.append("Accept-Encoding: gzip, deflate, br")
    if length:
        lines.append(f"Content-Length: {length}")
    if r.random() < .3:
        lines.append(f"Cookie: s={name(r, r.randint(10, 500))}")
    if r.random() < .2:
        lines.append(f"Authorization: Bearer {name(r, r.randint(30, 600))}")
    return ("\r\n".join(lines) + "\r\n" + more + "\r\n").encode()


def http_answer(r, kind, length=None, status="200 OK", more=""):
    lines = [f"HTTP/1.1 {status}"]
    if r.random() < .7:
        lines.append(f"Server: {name(r, r.randint(3, 12))}")
    if r.random() < .7:
        lines.append("Date: Sat, 01 Jan 2000 00:00:00 GMT")
    if kind:
        lines.append(f"Content-Type: {kind}")
    if length is not None:
        lines.append(f"Content-Length: {length}")
    for _ in range(r.choice([0, 1, 4])):
        lines.append(f"X-{name(r)}: {name(r, r.randint(4, 40))}")
    return ("\r\n".join(lines) + "\r\n" + more + "\r\n").encode()


def http_get(r, path, kind, n, wait=0.0, think=.001, known=True, more="",
             rate=0.0):
    """One request and its answer of n bytes."""
    yield up(http_request(r, path, more=more), wait=wait)
    yield down(http_answer(r, kind, n if known else None,
                           more="" if known else
                           "Transfer-Encoding: chunked\r\n"), n, think, rate)


def websocket(r, path):
    yield up(http_request(r, path, more="Connection: Upgrade\r\n"
                          "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"))
    yield down(http_answer(r, "", None, "101 Switching Protocols",
                           "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: "
                           "AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"),
               wait=r.uniform(.0005, .02))


def frame(way, n, wait=0.0):
    """A text frame of a WebSocket (RFC 6455 5.2), masked by the client."""
    mask = 0x80 if way == UP else 0
    n = int(n)
    head = (bytes((0x81, mask | n)) if n < 126
            else struct.pack(">BBH", 0x81, mask | 126, n))
    return Step(way, head + (b"\1\2\3\4" if mask else b""), n, wait)


# -- TLS -------------------------------------------------------------------

def _extension(kind, body):
    return struct.pack(">HH", kind, len(body)) + body


def client_hello(r, alpn=None, host=None, resumes=False):
    """A ClientHello (RFC 8446 4.1.2) that a reader accepts."""
    new = r.random() < .85
    groups = b"".join(struct.pack(">H", g) for g in (29, 23, 24))
    parts = [_extension(10, struct.pack(">H", len(groups)) + groups),
             _extension(13, struct.pack(">HHHHH", 8, 0x403, 0x804, 0x401,
                                        0x805))]
    if host:
        entry = struct.pack(">BH", 0, len(host)) + host.encode()
        parts.append(_extension(0, struct.pack(">H", len(entry)) + entry))
    if alpn:
        names = b"".join(struct.pack(">B", len(a)) + a for a in alpn)
        parts.append(_extension(16, struct.pack(">H", len(names)) + names))
    if new:
        share = (struct.pack(">HH", 29, 32) + bytes(32) if r.random() < .6
                 else struct.pack(">HH", 4588, 1216) + bytes(1216))
        parts.append(_extension(43, b"\4\3\4\3\3"))
        parts.append(_extension(51, struct.pack(">H", len(share)) + share))
    if resumes:
        parts.append(_extension(35, bytes(r.randint(100, 240))))
    body = b"".join(parts)
    if len(body) < 400 and r.random() < .4:
        body += _extension(21, bytes(400 - len(body)))
    ciphers = b"".join(struct.pack(">H", 0x1301 + i)
                       for i in range(r.randint(3, 17)))
    hello = (b"\3\3" + r.randbytes(32) + b"\x20" + r.randbytes(32) +
             struct.pack(">H", len(ciphers)) + ciphers + b"\1\0" +
             struct.pack(">H", len(body)) + body)
    shake = b"\1" + struct.pack(">I", len(hello))[1:] + hello
    return b"\x16\3\1" + struct.pack(">H", len(shake)) + shake, new


def tls_open(r, alpn=None):
    host = f"{name(r)}.example" if r.random() < .9 else None
    resumes = r.random() < .3
    hello, new = client_hello(r, alpn, host, resumes)
    server = b"\x16\3\3\0\x7a\2\0\0\x76\3\3" + r.randbytes(32)
    yield up(hello)
    n = r.randint(150, 300) if resumes else r.randint(1100, 4800)
    yield down(server, n, r.uniform(.0003, .004))
    if new:
        yield up(b"\x14\3\3\0\1\1\x17\3\3\0\x35", 53 if r.random() < .9
                 else r.randint(1500, 3000))
        if r.random() < .6:
            yield down(b"\x17\3\3\0\xea", 2 * 255 - 5, .0005)
    elif not resumes:
        yield up(b"\x16\3\3\0\x25\x10", r.randint(80, 140))
        yield down(b"\x14\3\3\0\1\1\x16\3\3\0\x28", 40, .001)
    else:
        yield up(b"\x14\3\3\0\1\1\x16\3\3\0\x28", 40)


def tls(way, n, wait=0.0, rate=0.0):
    """n bytes in records of 16 KiB at most."""
    n = int(n)
    head = b"\x17\3\3" + struct.pack(">H", min(n + 17, 16401))
    return Step(way, head, n + 22 * (n // 16384) + 17, wait, rate)


def through_tls(r, steps, alpn):
    """The same behaviour, but nothing of it can be read."""
    yield from tls_open(r, alpn)
    for step in steps:
        yield tls(step.way, step.bytes, step.wait, step.rate)


# -- shells ----------------------------------------------------------------

def ssh_open(r):
    """RFC 4253: names, keys, then authentication and a channel."""
    hello = b"SSH-2.0-%s\r\n" % r.choice(
        [b"OpenSSH_9.2p1 Debian-2", b"OpenSSH_8.9p1", b"PuTTY_0.78",
         b"libssh2_1.10.0", b"dropbear_2022.83", b"Go"])
    if r.random() < .6:
        yield up(hello)
        yield down(b"SSH-2.0-OpenSSH_9.2p1\r\n", wait=r.uniform(.001, .02))
    else:
        yield down(b"SSH-2.0-OpenSSH_9.2p1\r\n", wait=r.uniform(.001, .02))
        yield up(hello)
    n = r.randint(500, 1600)
    yield up(struct.pack(">IBB", n, 8, 20), n)
    yield down(struct.pack(">IBB", 1000, 8, 20), r.randint(700, 1200))
    yield up(struct.pack(">IBB", 44, 6, 30), r.choice([42, 1202, 264]))
    yield down(struct.pack(">IBB", 400, 6, 31), r.randint(400, 1700),
               r.uniform(.001, .01))
    yield up(fill=r.choice([16, 16, 60]))
    yield up(fill=44)
    yield down(fill=44)
    for _ in range(r.randint(1, 4)):
        yield up(fill=r.choice([60, 84, 148, 372, 500, 644]),
                 wait=r.choice([0, 0, 0, r.uniform(.3, 2)]))
        yield down(fill=r.randint(28, 600), wait=moment_of_key(r))
    yield up(fill=r.randint(60, 112))
    yield down(fill=r.choice([28, 44, 500, 628]), wait=r.uniform(.0005, .08))


def moment_of_key(r):
    return r.choice([r.uniform(.0005, .01), r.uniform(.001, .06)])


def telnet_open(r):
    yield down(b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23", wait=.005)
    yield up(b"\xff\xfb\x18\xff\xfc\x20\xff\xfc\x23")
    yield down(b"\xff\xfa\x18\1\xff\xf0")
    yield up(b"\xff\xfa\x18\0xterm\xff\xf0")
    yield down(b"\r\nlogin: ", wait=r.uniform(.002, .05))


# -- databases -------------------------------------------------------------

def pg_message(kind, n):
    return kind + struct.pack(">I", n + 4)


def postgres_open(r):
    """Startup, an authentication, parameters (protocol 3.0)."""
    if r.random() < .4:
        for _ in range(r.choice([1, 1, 2])):
            yield up(struct.pack(">II", 8, 80877103))
            yield down(b"N", wait=r.uniform(.0005, .004))
    body = (b"\0\3\0\0user\0" + name(r).encode() + b"\0database\0" +
            name(r).encode() + b"\0" + r.choice(
                [b"", b"application_name\0psql\0client_encoding\0UTF8\0",
                 b"client_encoding\0UTF8\0"]) + b"\0")
    yield up(struct.pack(">I", len(body) + 4) + body)
    how = r.randint(0, 2)
    if how == 1:
        yield down(b"R\0\0\0\x0c\0\0\0\5abcd", wait=.002)
        yield up(b"p\0\0\0\x28md5", 33)
    elif how == 2:
        yield down(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", wait=.003)
        yield up(b"p\0\0\0\x36SCRAM-SHA-256\0", 37)
        yield down(b"R\0\0\0\x5c\0\0\0\x0b", 84, .001)
        yield up(b"p\0\0\0\x6c", 104)
    yield down(b"R\0\0\0\x08\0\0\0\0S\0\0\0\x16", r.randint(280, 420),
               r.uniform(.001, .008))


def mysql_open(r):
    version = r.choice([b"8.0.36", b"5.5.5-10.11.6-MariaDB", b"5.7.44"])
    greeting = (b"\x0a" + version + b"\0\x0c\0\0\0abcdefgh\0\xff\xff\x21\2\0"
                b"\xff\xc1\x15" + bytes(10) + b"abcdefghijkl\0"
                b"mysql_native_password\0")
    yield down(struct.pack("<I", len(greeting)) + greeting,
               wait=r.uniform(.0005, .004))
    n = r.randint(60, 200)
    yield up(struct.pack("<I", n)[:3] + b"\1\x85\xa2\xbf\1\0\0\0\1\x21" +
             bytes(19) + b"\0\0\0\0root\0", n - 41)
    yield down(b"\7\0\0\2\0\0\0\2\0\0\0", wait=r.uniform(.0005, .004))


def mongo_message(r, n, answers=0):
    """OP_MSG with a document of n bytes."""
    return struct.pack("<IIIIIBI", n + 21, r.randint(1, 9999), answers, 2013,
                       0, 0, n)


def mongo_open(r):
    n = r.randint(100, 400)
    yield up(mongo_message(r, n) + b"\x10hello\0\1\0\0\0", n - 15)
    yield down(mongo_message(r, 300, 7), 296, .001)


def redis_command(r, *parts):
    parts = [p if isinstance(p, bytes) else p.encode() for p in parts]
    return b"*%d\r\n" % len(parts) + b"".join(
        b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def cassandra_open(r):
    yield up(b"\4\0\0\0\5\0\0\0\0")
    yield down(b"\x84\0\0\0\6\0\0\0\x34\0\2\0\x0b", 48, .001)
    yield up(b"\4\0\0\1\1\0\0\0\x16\0\1\0\x0bCQL_VERSION\0\5" b"3.0.0")
    yield down(b"\x84\0\0\1\2\0\0\0\0", wait=.001)


# -- queues ----------------------------------------------------------------

def mqtt_open(r):
    who = name(r, r.randint(2, 23)).encode()
    body = (b"\0\4MQTT\4\2" + struct.pack(">HH", r.choice([30, 60, 300]),
                                          len(who)) + who)
    yield up(b"\x10" + bytes((len(body),)) + body)
    yield down(b"\x20\2\0\0", wait=r.uniform(.0003, .004))


def amqp_open(r):
    yield up(b"AMQP\0\0\x09\1")
    yield down(b"\1\0\0\0\0\1\xf0\0\x0a\0\x0a\0\x09", r.randint(380, 520),
               .002)
    yield up(b"\1\0\0", r.randint(100, 360))
    yield down(b"\1\0\0", 17, .002)
    yield up(b"\1\0\0", r.choice([17, 33]))
    yield up(b"\1\0\0", 13)
    for _ in range(r.randint(1, 3)):
        yield down(b"\1\0\0", r.randint(10, 40), .001)
        yield up(b"\1\0\1", r.randint(13, 70))
    yield down(b"\1\0\1", r.randint(10, 40), .001)


def nats_open(r):
    yield down(b'INFO {"server_id":"', r.randint(200, 500), .001)
    yield up(b'CONNECT {"verbose":false,"name":"x"}\r\nPING\r\n',
             r.randint(0, 150))
    yield down(b"PONG\r\n", wait=.0005)


def kafka_open(r):
    yield up(b"\0\0\0\x11\0\x12\0\0\0\0\0\1\0\7rdkafka")
    yield down(struct.pack(">II", 300, 1), 296, .001)
    yield up(b"\0\0\0\x20\0\3\0\1\0\0\0\2\0\7rdkafka", 15)
    yield down(struct.pack(">II", 200, 2), r.randint(100, 2000), .001)


def stomp_open(_):
    yield up(b"CONNECT\naccept-version:1.2\nhost:a\n\n\0")
    yield down(b"CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0", wait=.001)


def xmpp_open(r):
    yield up(b"<?xml version='1.0'?><stream:stream to='a.example' "
             b"xmlns='jabber:client' "
             b"xmlns:stream='http://etherx.jabber.org/streams'>")
    yield down(b"<?xml version='1.0'?><stream:stream id='1' ",
               r.randint(200, 600), .003)
    for _ in range(r.randint(2, 4)):
        yield up(b"<auth xmlns='urn'>", r.randint(40, 200))
        yield down(b"<success/>", r.randint(30, 400), r.uniform(.002, .02))


# -- mail and files --------------------------------------------------------

def imap_open(r):
    yield down(b"* OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE] ready\r\n",
               wait=r.uniform(.001, .02))
    for word in (b"CAPABILITY", b"LOGIN user password", b"SELECT INBOX"):
        if word != b"CAPABILITY" or r.random() < .5:
            yield up(b"a1 " + word + b"\r\n", wait=r.uniform(0, .03))
            yield down(b"* OK ", size(r, 30, 600), r.uniform(.001, .05))


def smtp_open(r):
    yield down(b"220 mail.example ESMTP ready\r\n", wait=r.uniform(.001, .1))
    yield up(b"EHLO client.example\r\n")
    yield down(b"250-mail.example\r\n250-PIPELINING\r\n250 SIZE 1000000\r\n",
               r.randint(0, 120), .001)
    for word in (b"MAIL FROM:<%s@a.example>\r\n" % words(r, 6).strip(),
                 b"RCPT TO:<%s@b.example>\r\n" % words(r, 6).strip(),
                 b"DATA\r\n"):
        yield up(word)
        yield down(b"250 2.1.0 Ok\r\n", wait=r.uniform(.0005, .03))


def pkt(text):
    """A line of git's protocol."""
    return b"%04x" % (len(text) + 4) + text


def git_open(r):
    more = r.choice([b"", b"\0version=2\0"])
    yield up(pkt(b"git-upload-pack /%s.git\0host=a.example\0%s" %
                 (name(r).encode(), more)))
    refs = size(r, 1, 300)
    if more:
        yield down(pkt(b"version 2\n") + pkt(b"agent=git/2.39\n") +
                   pkt(b"ls-refs=unborn\n"), 90, .003)
        yield up(pkt(b"command=ls-refs\n"), r.randint(60, 150))
        yield down(pkt(b"0" * 40 + b" HEAD\n"), refs * 62, .002)
    else:
        yield down(pkt(b"0" * 40 + b" HEAD\0multi_ack thin-pack\n"),
                   refs * 62, .004)


def rsync_open(r):
    yield up(b"@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n")
    yield down(b"@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n",
               wait=r.uniform(.001, .02))
    yield up(b"files\n")
    yield down(b"@RSYNCD: OK\n", wait=.002)
    yield up(b"--server\0--sender\0-logDtpre.iLsfxCIvu\0.\0", r.randint(5, 60))
    yield down(fill=r.randint(4, 60), wait=.002)


def socks_open(r, steps):
    yield up(b"\5\1\0")
    yield down(b"\5\0", wait=.0005)
    yield up(b"\5\1\0\1\xc0\0\2\1\0\x50")
    yield down(b"\5\0\0\1" + bytes(6), wait=r.uniform(.001, .05))
    yield from steps


def ways(r):
    """UP and DOWN or the other way round."""
    return r.choice([(UP, DOWN), (DOWN, UP)])


# -- media -----------------------------------------------------------------

def rtmp_open(r):
    yield up(b"\3" + bytes(8) + r.randbytes(1528))
    yield down(b"\3", 3072, .001)
    yield up(fill=1536)
    for _ in range(r.randint(2, 4)):
        yield up(b"\3\0\0\0", r.randint(60, 260))
        yield down(b"\2\0\0\0", r.randint(40, 300), r.uniform(.001, .02))


def rtsp_open(r):
    for word in ("OPTIONS", "DESCRIBE", "SETUP", "PLAY"):
        yield up(f"{word} rtsp://cam.example/1 RTSP/1.0\r\nCSeq: 1\r\n"
                 "\r\n".encode())
        yield down(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n", r.randint(20, 600),
                   r.uniform(.001, .03))
