# SPDX-License-Identifier: Apache-2.0
"""Interactive: somebody waits for each answer; small and irregular."""
from openings import (frame, mysql_open, name, pg_message, postgres_open,
                      redis_command, socks_open, ssh_open, telnet_open,
                      websocket)
from scripts import DOWN, UP, down, moment, size, up, words


def _typed(r, key, echo, keys, answer):
    """Keys that are echoed; at a line's end an answer. A person types in
    bursts and thinks between them."""
    pace = r.uniform(.03, .2)
    for _ in range(keys):
        thinks = r.random() < .06
        yield up(key(r), wait=r.uniform(.3, 1.2) if thinks
                 else r.uniform(.5, 1.6) * pace)
        yield down(echo(r), wait=r.uniform(.0003, .003))
        if r.random() < .12:
            yield from answer(r)


def _ssh_answer(r):
    for _ in range(r.choice([1, 1, 2])):
        yield down(fill=size(r, 44, 6000), wait=moment(r, .001, .1))


def interactive_ssh(r):
    """A shell: a terminal is asked for, then keys."""
    yield from ssh_open(r)
    yield up(fill=r.randint(100, 700))
    yield down(fill=r.choice([28, 36]), wait=.001)
    yield down(fill=size(r, 100, 3000), wait=moment(r, .005, .2))
    yield down(fill=r.randint(44, 120), wait=moment(r, .005, .2))
    small = r.choice([36, 44, 52])
    yield from _typed(r, lambda _: bytes(small),
                      lambda r: bytes(small + r.choice([0, 0, 8, 24])),
                      r.randint(8, 60), _ssh_answer)


def interactive_ssh_editor(r):
    """Keys that move a screen: answers are larger than an echo."""
    yield from ssh_open(r)
    yield up(fill=r.randint(100, 700))
    yield down(fill=28, wait=.001)
    yield down(fill=size(r, 1000, 9000), wait=moment(r, .005, .2))
    yield from _typed(r, lambda _: bytes(36),
                      lambda r: bytes(size(r, 60, 900)),
                      r.randint(8, 60), _ssh_answer)


def interactive_ssh_lines(r):
    """A shell in which whole lines are sent, by a person or a script that
    waits as one."""
    yield from ssh_open(r)
    yield up(fill=r.randint(60, 700))
    yield down(fill=28, wait=.001)
    yield down(fill=size(r, 60, 2000), wait=moment(r, .005, .3))
    for _ in range(r.randint(3, 14)):
        yield up(fill=r.randint(36, 100), wait=r.uniform(.15, 1))
        yield down(fill=r.randint(36, 120), wait=.001)
        yield from _ssh_answer(r)


def interactive_telnet(r):
    yield from telnet_open(r)

    def answer(r):
        yield up(b"\r\n", wait=.1)
        yield down(words(r, size(r, 20, 800)), wait=.005)

    yield from _typed(r, lambda r: words(r, 1), lambda r: words(r, 1),
                      r.randint(8, 60), answer)


def interactive_terminal(r):
    """A shell in a browser: keys in frames."""
    yield from websocket(r, "/terminal")
    for _ in range(r.randint(10, 60)):
        yield frame(UP, r.randint(2, 30), r.uniform(.03, .4))
        yield frame(DOWN, size(r, 4, 400), r.uniform(.0005, .01))


def _game(r, to, from_):
    tick = r.choice([.016, .033, .05, .1])
    for _ in range(int(r.uniform(1.5, 7) / tick)):
        if r.random() < .8:
            yield to(r.randint(8, 60), tick)
        if r.random() < .8:
            yield from_(r.randint(20, 400), r.uniform(0, .005))


def interactive_game(r):
    yield up(b"JOIN", r.randint(10, 60))
    yield down(b"WORLD", r.randint(200, 9000), .005)
    yield from _game(r, lambda n, w: up(b"\2", n, w),
                     lambda n, w: down(b"\3", n, w))


def interactive_websocket_game(r):
    yield from websocket(r, "/game")
    yield frame(DOWN, size(r, 200, 9000), .005)
    yield from _game(r, lambda n, w: frame(UP, n, w),
                     lambda n, w: frame(DOWN, n, w))


def interactive_vnc(r):
    yield down(b"RFB 003.008\n", wait=.002)
    yield up(b"RFB 003.008\n")
    yield down(b"\1\1")
    yield up(b"\1")
    yield down(fill=4)
    yield up(b"\1")
    yield down(fill=60)
    yield up(b"\0", 80)
    yield down(b"\0", size(r, 2000, 60000), .01)
    for _ in range(r.randint(30, 200)):
        yield up(b"\5", r.choice([5, 7, 15]), moment(r, .008, .2))
        if r.random() < .4:
            yield down(b"\0", size(r, 40, 6000), r.uniform(.001, .01))


def interactive_rdp(r):
    yield up(b"\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0")
    yield down(b"\3\0\0\x13\x0e\xd0\0\0\x12\x34\0\2\x1f\x08\0\2\0\0\0",
               wait=.002)
    for _ in range(r.randint(4, 8)):
        yield up(fill=r.randint(60, 700))
        yield down(fill=size(r, 60, 3000), wait=r.uniform(.001, .03))
    for _ in range(r.randint(30, 150)):
        yield up(fill=r.randint(28, 90), wait=moment(r, .008, .25))
        if r.random() < .5:
            yield down(fill=size(r, 40, 8000), wait=r.uniform(.001, .015))


def interactive_prompt(r):
    """Lines typed by a person at a prompt."""
    yield down(b"ready\n> ", wait=.003)
    for _ in range(r.randint(4, 14)):
        yield up(words(r, r.randint(3, 50)) + b"\n", wait=r.uniform(.2, 1.2))
        yield down(words(r, size(r, 5, 2000)), wait=r.uniform(.001, .03))


def interactive_sql_prompt(r):
    """A person at a database."""
    first = r.random() < .5
    yield from postgres_open(r) if first else mysql_open(r)
    for _ in range(r.randint(4, 12)):
        text = words(r, r.randint(10, 120))
        yield up((pg_message(b"Q", len(text)) if first else b"\x30\0\0\0\3") +
                 text, wait=r.uniform(.25, 1.5))
        yield down(b"T\0\0\0\x21", size(r, 20, 4000), moment(r, .001, .05))


def interactive_redis_prompt(r):
    for _ in range(r.randint(4, 14)):
        yield up(redis_command(r, "GET", name(r)), wait=r.uniform(.25, 1.3))
        yield down(b"$3\r\n", size(r, 3, 300), .0005)


def interactive_ssh_slow(r):
    """Keys of somebody who looks for each."""
    yield from ssh_open(r)
    yield up(fill=r.randint(100, 700))
    yield down(fill=r.choice([28, 36]), wait=.001)
    yield down(fill=size(r, 100, 1500), wait=moment(r, .005, .2))
    for _ in range(r.randint(8, 24)):
        yield up(fill=36, wait=moment(r, .12, .9))
        yield down(fill=r.choice([36, 36, 44]), wait=r.uniform(.0003, .003))
        if r.random() < .15:
            yield from _ssh_answer(r)


def interactive_editor(r):
    """Several write one text: keys go up, those of others come."""
    yield from websocket(r, "/pad")
    yield frame(DOWN, size(r, 500, 30000), .02)
    for _ in range(r.randint(15, 70)):
        if r.random() < .7:
            yield frame(UP, r.randint(20, 120), moment(r, .04, .4))
            yield frame(DOWN, r.randint(10, 60), r.uniform(.0005, .005))
        else:
            yield frame(DOWN, r.randint(30, 160), moment(r, .04, .4))


def interactive_mud(r):
    """A game of words."""
    yield down(words(r, size(r, 100, 4000)), wait=.005)
    for _ in range(r.randint(5, 20)):
        yield up(words(r, r.randint(1, 20)) + b"\r\n",
                 wait=moment(r, .15, 1.2))
        yield down(words(r, size(r, 30, 1500)), wait=r.uniform(.0005, .02))


def interactive_tunnel(r):
    yield from socks_open(r, interactive_telnet(r))


def interactive_remote_app(r):
    """Clicks and keys go up, pieces of a picture come back, in a protocol of
    its own."""
    yield up(fill=r.randint(20, 400))
    yield down(fill=size(r, 1000, 60000), wait=.01)
    for _ in range(r.randint(20, 90)):
        yield up(fill=r.randint(8, 60), wait=moment(r, .02, .5))
        if r.random() < .6:
            yield down(fill=size(r, 60, 9000), wait=r.uniform(.002, .03))


def interactive_debugger(r):
    """Steps through a program by hand."""
    for _ in range(r.randint(6, 25)):
        yield up(b"{", r.randint(40, 200), moment(r, .1, 1.2))
        for _ in range(r.choice([1, 2, 3])):
            yield down(b"{", size(r, 60, 3000), r.uniform(.001, .02))
