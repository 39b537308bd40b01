# SPDX-License-Identifier: Apache-2.0
"""Push: long idle; a little now and then, mostly from the server."""
from openings import (amqp_open, frame, http_answer, http_request, imap_open,
                      kafka_open, mqtt_open, mysql_open, name, nats_open,
                      pg_message, postgres_open, redis_command, ssh_open,
                      stomp_open, websocket, xmpp_open)
from scripts import DOWN, UP, down, moment, size, up, words


def _idle(r):
    return moment(r, .4, 4)


def _news(r, said, low=2, high=6):
    """A word now and then, alone or a few together."""
    for _ in range(r.randint(low, high)):
        yield said(r, _idle(r))
        while r.random() < .25:
            yield said(r, r.uniform(0, .02))


def push_websocket(r):
    yield from websocket(r, r.choice(["/ws", "/notify", "/socket.io/?EIO=4"]))
    for _ in range(r.randint(0, 3)):
        yield frame(UP, size(r, 10, 300), r.uniform(.001, .1))
        yield frame(DOWN, size(r, 10, 600), r.uniform(.001, .02))
    for step in _news(r, lambda r, w: frame(DOWN, size(r, 20, 1500), w)):
        yield step
        if r.random() < .3:
            yield up(b"\x8a\x80\1\2\3\4")


def push_websocket_chat(r):
    """A room in which little is said."""
    yield from websocket(r, "/chat")
    yield frame(DOWN, size(r, 100, 9000), .01)
    for _ in range(r.randint(2, 6)):
        way = r.choice([DOWN, DOWN, UP])
        yield frame(way, size(r, 20, 600), _idle(r))
        if way == UP:
            yield frame(DOWN, size(r, 10, 300), .002)


def push_mqtt(r):
    yield from mqtt_open(r)
    for _ in range(r.choice([1, 1, 3])):
        yield up(b"\x82\x14\0\1", r.randint(6, 40), r.uniform(0, .02))
        yield down(b"\x90\3\0\1\0", wait=.001)
    yield from _news(r, lambda r, w: down(b"\x30", size(r, 10, 600), w))


def push_mqtt_sensor(r):
    """The other way round: a device tells what it measures."""
    yield from mqtt_open(r)
    for _ in range(r.randint(2, 6)):
        yield up(b"\x32", size(r, 10, 300), _idle(r))
        if r.random() < .7:
            yield down(b"\x40\2\0\1", wait=.001)


def push_events(r):
    yield up(http_request(r, r.choice(["/events", "/stream", "/sse?id=1"]),
                          more="Accept: text/event-stream\r\n"))
    yield down(http_answer(r, "text/event-stream", None, "200 OK",
                           "Cache-Control: no-cache\r\n"), wait=.002)
    yield from _news(r, lambda r, w: down(b"data: ", size(r, 20, 1500), w))


def push_poll(r):
    for _ in range(r.randint(2, 5)):
        n = size(r, 10, 600)
        yield up(http_request(r, "/poll", r.choice(["GET", "POST"])),
                 wait=r.uniform(0, .05))
        yield down(http_answer(r, "application/json", n), n, _idle(r))


def push_imap(r):
    yield from imap_open(r)
    yield up(b"a4 IDLE\r\n")
    yield down(b"+ idling\r\n", wait=.002)
    yield from _news(r, lambda r, w: down(b"* 23 EXISTS\r\n",
                                          r.choice([0, 14]), w))


def push_postgres(r):
    yield from postgres_open(r)
    for _ in range(r.choice([1, 1, 3])):
        text = b"LISTEN %s\0" % name(r).encode()
        yield up(pg_message(b"Q", len(text)) + text)
        yield down(b"C\0\0\0\x0bLISTEN\0Z\0\0\0\5I", wait=.001)
    yield from _news(r, lambda r, w: down(b"A\0\0\0\x20", size(r, 10, 900), w))


def push_redis(r):
    yield up(redis_command(r, r.choice(["SUBSCRIBE", "PSUBSCRIBE"]), name(r)))
    yield down(b"*3\r\n$9\r\nsubscribe\r\n", 20)
    yield from _news(r, lambda r, w: down(b"*3\r\n$7\r\nmessage\r\n",
                                          size(r, 10, 900), w))


def push_nats(r):
    yield from nats_open(r)
    yield up(b"SUB news 1\r\n")
    yield from _news(r, lambda r, w: down(b"MSG news 1 20\r\n",
                                          size(r, 10, 900), w))


def push_amqp(r):
    yield from amqp_open(r)
    yield up(b"\1\0\1", 40)
    yield down(b"\1\0\1", 30, .001)
    for step in _news(r, lambda r, w: down(b"\1\0\1", size(r, 60, 1500), w)):
        yield step
        if r.random() < .7:
            yield up(b"\1\0\1", 18)


def push_stomp(r):
    yield from stomp_open(r)
    yield up(b"SUBSCRIBE\nid:0\ndestination:/queue/a\n\n\0")
    yield from _news(r, lambda r, w: down(b"MESSAGE\nsubscription:0\n",
                                          size(r, 30, 900), w))


def push_kafka(r):
    """Fetches that wait until there is something."""
    yield from kafka_open(r)
    for _ in range(r.randint(2, 8)):
        yield up(b"\0\0\0\x60\0\1\0\x0b", 92, r.uniform(0, .005))
        yield down(b"\0\0\0\x40\0\0\0\7", size(r, 60, 1500),
                   r.choice([.5, 1, _idle(r)]))


def push_xmpp(r):
    yield from xmpp_open(r)
    yield from _news(r, lambda r, w: down(b"<message from='a'>",
                                          size(r, 40, 900), w))


def push_device(r):
    """No protocol that is known: a telephone that waits for news."""
    yield up(fill=r.randint(20, 500))
    yield down(fill=r.randint(4, 400), wait=.01)
    for step in _news(r, lambda r, w: down(b"\1", size(r, 30, 1500), w)):
        yield step
        if r.random() < .4:
            yield up(fill=r.randint(4, 40))


def push_irc(r):
    yield up(b"NICK somebody\r\nUSER a 0 * :Real Name\r\n")
    yield down(b":irc.example 001 me :Welcome\r\n", size(r, 100, 4000), .05)
    yield from _news(r, lambda r, w: down(b":who!x@y PRIVMSG #room :",
                                          r.randint(2, 120), w))


def push_ssh_tail(r):
    """A log that is looked at through ssh."""
    yield from ssh_open(r)
    yield up(fill=r.randint(60, 200))
    yield down(fill=28, wait=.001)
    yield down(fill=size(r, 100, 3000), wait=.01)
    yield from _news(r, lambda r, w: down(fill=size(r, 60, 900), wait=w))


def push_feed(r):
    """An answer that never ends: a line of JSON now and then."""
    yield up(http_request(r, r.choice(["/watch", "/feed?since=now"])))
    yield down(http_answer(r, "application/json", None, "200 OK",
                           "Transfer-Encoding: chunked\r\n"),
               size(r, 1, 2000), .003)
    yield from _news(r, lambda r, w: down(b"a0\r\n{" + words(r, 8),
                                          size(r, 30, 900), w))


def push_telemetry(r):
    """A machine tells how it is; nobody answers, or only that it was heard."""
    yield up(b"{" + words(r, 20), r.randint(0, 200))
    heard = r.random() < .5
    for _ in range(r.randint(2, 6)):
        yield up(b"{" + words(r, 10), size(r, 20, 900), _idle(r))
        if heard:
            yield down(b"ok\n")


def push_log(r):
    """Lines of a log, as they happen."""
    for _ in range(r.randint(3, 8)):
        for _ in range(r.choice([1, 1, 3])):
            yield up(b"<13>1 - host app - - ", size(r, 20, 300))
        yield up(b"<13>1 - host app - - ", size(r, 20, 300), _idle(r))


def push_h2_watch(r):
    yield up(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\4\0\0\0\0\0", 18)
    yield down(b"\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x80", 9)
    yield up(b"\0\0\x60\1\5\0\0\0\1", r.randint(60, 300))
    yield down(b"\0\0\x40\1\4\0\0\0\1", r.randint(60, 300), .002)
    yield from _news(r, lambda r, w: down(b"\0\0\x40\0\0\0\0\0\1",
                                          size(r, 20, 1200), w))


def push_redis_queue(r):
    """Waits for work, does it, waits again."""
    for _ in range(r.randint(2, 6)):
        yield up(redis_command(r, "BLPOP", name(r), "0"),
                 wait=r.uniform(0, .05))
        yield down(b"*2\r\n$4\r\n", size(r, 10, 900), _idle(r))


def push_mysql_replica(r):
    """A replica that hears of each change."""
    yield from mysql_open(r)
    for _ in range(r.randint(2, 5)):
        yield up(b"\x20\0\0\0\3SET @a=1", r.randint(4, 60))
        yield down(b"\7\0\0\1\0\0\0\2\0\0\0", wait=.0005)
    yield up(b"\x1b\0\0\0\x12\4\0\0\0", 20)
    yield down(b"\x30\0\0\1\0", 120, .001)
    yield from _news(r, lambda r, w: down(b"\x40\0\0\2\0",
                                          size(r, 40, 1500), w))


def push_amqp_sensor(r):
    yield from amqp_open(r)
    for _ in range(r.randint(2, 6)):
        yield up(b"\1\0\1", size(r, 60, 900), _idle(r))


def push_websocket_sensor(r):
    yield from websocket(r, "/telemetry")
    heard = r.random() < .4
    for _ in range(r.randint(2, 6)):
        yield frame(UP, size(r, 20, 900), _idle(r))
        if heard:
            yield frame(DOWN, r.randint(2, 40), .001)


def push_alive(r):
    """Nothing but signs of life."""
    yield up(fill=r.randint(10, 300))
    yield down(fill=r.randint(4, 300), wait=.005)
    every = moment(r, .5, 3)
    for _ in range(r.randint(2, 5)):
        yield up(fill=r.randint(1, 12), wait=every)
        if r.random() < .7:
            yield down(fill=r.randint(1, 12))


def push_http_ticks(r):
    """Prices, as they change, in one answer that does not end."""
    yield up(http_request(r, "/prices", more="Accept: text/event-stream\r\n"))
    yield down(http_answer(r, "text/event-stream"), size(r, 10, 3000), .003)
    for _ in range(r.randint(4, 14)):
        yield down(b"data: ", size(r, 20, 300), moment(r, .15, 1.2))
