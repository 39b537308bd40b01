# SPDX-License-Identifier: Apache-2.0
"""Streams: media at its own pace, in ticks, in segments, or ahead at first."""
import struct

from openings import (frame, http_answer, http_get, http_request, rtmp_open,
                      rtsp_open, ssh_open, websocket)
from scripts import DOWN, UP, down, paced, size, up

TICKS = (.01, .02, .033, .04, .1, .2, .5)


def _seconds(r):
    return r.uniform(2, 9)


def _segments(r, playlist, kinds, path, ahead):
    """Segments as a player fetches them: some at once, then one a segment's
    length; between them the playlist where it is live."""
    length = r.uniform(.5, 2)
    rate = size(r, 40000, 800000)
    known = r.random() < .8
    for i in range(ahead + max(1, int(_seconds(r) / length))):
        wait = 0 if i < ahead else length * r.uniform(.8, 1.1)
        if playlist and (i == 0 or r.random() < .7):
            yield from http_get(r, playlist[0], playlist[1],
                                size(r, 200, 4000), wait)
            wait = r.uniform(0, .01)
        n = rate * length * r.uniform(.6, 1.3)
        yield from http_get(r, path.format(i), r.choice(kinds), int(n), wait,
                            r.uniform(.0005, .02), known)


def stream_hls(r):
    yield from _segments(r, ("/live/index.m3u8",
                             "application/vnd.apple.mpegurl"),
                         ["video/mp2t"], "/live/seg{}.ts", r.randint(1, 3))


def stream_dash(r):
    playlist = ("/v/manifest.mpd", "application/dash+xml")
    yield from _segments(r, r.choice([playlist, None]),
                         ["video/mp4", "video/iso.segment"],
                         r.choice(["/v/{}.m4s", "/v/chunk-{}.m4v"]),
                         r.randint(1, 4))


def stream_audio_segments(r):
    yield from _segments(r, None, ["audio/aac", "audio/mp4"], "/a/{}.aac",
                         r.randint(1, 3))


def stream_ranges(r):
    """A player that asks for parts of one file when it needs them."""
    n, gap = size(r, 60000, 900000), r.uniform(.4, 1.6)
    for i in range(max(2, int(_seconds(r) / gap))):
        yield up(http_request(r, "/films/1.mp4", more=f"Range: bytes={i * n}-"
                              f"{i * n + n - 1}\r\n"),
                 wait=0 if i < 2 else gap * r.uniform(.8, 1.2))
        yield down(http_answer(r, "video/mp4", n, "206 Partial Content"), n,
                   .002)


def stream_progressive(r):
    """One answer, ahead at first, then at the film's rate."""
    rate = size(r, 40000, 900000)
    path, kind = r.choice([("/film.mp4", "video/mp4"),
                           ("/film.webm", "video/webm"),
                           ("/song.mp3", "audio/mpeg"),
                           ("/stream", "video/x-flv"),
                           ("/get?v=1", "video/mp4")])
    more = r.choice(["", "Range: bytes=0-\r\n"])
    yield up(http_request(r, path, more=more))
    yield down(http_answer(r, kind, 10**8, "206 Partial Content" if more
                           else "200 OK"),
               rate * r.uniform(.2, 3), .002)
    yield from paced(r, DOWN, rate, _seconds(r), r.choice(TICKS))


def stream_limited(r):
    """A server that lets nobody have it faster than it is looked at."""
    rate = size(r, 60000, 900000)
    path, kind = r.choice([("/talk.mp4", "video/mp4"),
                           ("/cam", "multipart/x-mixed-replace"),
                           ("/paced/film", "application/octet-stream"),
                           ("/tv.ts", "video/mp2t"), ("/x.mp3", "audio/mpeg")])
    yield up(http_request(r, path))
    yield down(http_answer(r, kind, r.choice([None, 10**8])), 4096, .002)
    yield from paced(r, DOWN, rate, _seconds(r), r.choice(TICKS))


def stream_radio(r):
    rate = r.choice([8000, 16000, 24000, 40000])
    yield up(http_request(r, r.choice(["/radio", "/live.mp3", "/;"]),
                          more="Icy-MetaData: 1\r\n"))
    yield down(http_answer(r, r.choice(["audio/mpeg", "audio/aac"])),
               r.choice([0, 16, 64]) << 10, .002)
    yield from paced(r, DOWN, rate, _seconds(r), r.choice(TICKS))


def stream_rtmp_up(r):
    yield from rtmp_open(r)
    yield from paced(r, UP, size(r, 40000, 900000), _seconds(r),
                     r.choice([.02, .033, .04, .1]))


def stream_rtmp_down(r):
    yield from rtmp_open(r)
    yield down(fill=size(r, 1000, 400000), wait=.01)
    yield from paced(r, DOWN, size(r, 40000, 900000), _seconds(r),
                     r.choice([.02, .033, .04, .1]))


def stream_rtsp(r):
    """Frames between the lines of RTSP (RFC 2326 10.12)."""
    yield from rtsp_open(r)
    yield from paced(r, DOWN, size(r, 20000, 700000), _seconds(r),
                     r.choice([.01, .02, .033, .04]), b"$\0\5\x78")


def stream_raw(r):
    """No protocol that is known; up or down; a test of a rate, or a camera."""
    way = r.choice([UP, DOWN])
    yield up(fill=r.randint(4, 200))
    if r.random() < .5:
        yield down(fill=r.randint(1, 100))
    yield from paced(r, way, size(r, 20000, 1000000), _seconds(r),
                     r.choice(TICKS))


def stream_websocket(r):
    yield from websocket(r, "/video")
    rate, tick = size(r, 20000, 700000), r.choice([.02, .033, .1, .25])
    for _ in range(int(_seconds(r) / tick)):
        yield frame(DOWN, min(65000, rate * tick * r.uniform(.6, 1.4)), tick)


def stream_call(r):
    """Sound and a picture both ways, as of a call over TCP."""
    yield up(b"\0\1\0\x08\x21\x12\xa4\x42" b"0123456789ab\x80\x22\0\4test")
    yield down(b"\1\1\0\x0c\x21\x12\xa4\x42" b"0123456789ab", 12, .001)
    tick, n = .02, size(r, 160, 4000)
    for _ in range(int(_seconds(r) / tick)):
        yield up(struct.pack(">HH", 0x4000, n), n * r.uniform(.7, 1.3), tick)
        yield down(struct.pack(">HH", 0x4000, n), n * r.uniform(.7, 1.3))


def stream_voice(r):
    """Sound both ways, with nothing that tells what it is."""
    yield up(fill=r.randint(20, 400))
    yield down(fill=r.randint(20, 400), wait=.005)
    tick, n = r.choice([.02, .02, .04]), size(r, 60, 700)
    for _ in range(int(_seconds(r) / tick)):
        yield up(b"\x80", n, tick)
        yield down(b"\x80", n, r.uniform(0, .003))


def stream_websocket_call(r):
    yield from websocket(r, "/rtc")
    tick, n = r.choice([.02, .033]), size(r, 200, 9000)
    for _ in range(int(_seconds(r) / tick)):
        yield frame(UP, n * r.uniform(.6, 1.4), tick)
        yield frame(DOWN, n * r.uniform(.6, 1.4), r.uniform(0, .003))


def stream_http_up(r):
    """A camera that sends an answerless body."""
    yield up(http_request(r, "/ingest/live.ts", r.choice(["PUT", "POST"]),
                          more="Transfer-Encoding: chunked\r\n"))
    if r.random() < .4:
        yield down(b"HTTP/1.1 100 Continue\r\n\r\n", wait=.001)
    yield from paced(r, UP, size(r, 40000, 900000), _seconds(r),
                     r.choice(TICKS))


def stream_desktop(r):
    """A screen as a film: much goes down in ticks, little up."""
    yield up(fill=r.randint(40, 400))
    yield down(fill=r.randint(100, 3000), wait=.005)
    tick, rate = r.choice([.016, .033, .05]), size(r, 100000, 900000)
    for _ in range(int(_seconds(r) / tick)):
        if r.random() < .1:
            yield up(fill=r.randint(8, 40))
        yield down(b"\0\0\0\1", rate * tick * r.uniform(.5, 1.5), tick)


def stream_ssh_video(r):
    """A camera that is looked at through ssh."""
    yield from ssh_open(r)
    yield up(fill=r.randint(60, 200))
    yield down(fill=28, wait=.001)
    yield from paced(r, DOWN, size(r, 40000, 800000), _seconds(r),
                     r.choice([.02, .033, .04, .1]))


def stream_push(r):
    """Pieces that the server sends by itself, each some tenths of a second."""
    yield up(fill=r.randint(20, 400))
    rate, tick = size(r, 40000, 800000), r.uniform(.2, 1)
    for _ in range(max(3, int(_seconds(r) / tick))):
        yield down(fill=rate * tick * r.uniform(.7, 1.3),
                   wait=tick * r.uniform(.9, 1.1))


def stream_segments_up(r):
    """A recorder that puts a segment after the other."""
    length, rate = r.uniform(.5, 1.5), size(r, 40000, 800000)
    for i in range(max(2, int(_seconds(r) / length))):
        n = int(rate * length * r.uniform(.7, 1.2))
        yield up(http_request(r, f"/live/{i}.ts", "PUT", n), n,
                 0 if i == 0 else length)
        yield down(http_answer(r, "", 0, "201 Created"), wait=.002)
