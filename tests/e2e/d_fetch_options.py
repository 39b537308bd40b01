#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import http1, scenario
from lib.content import Content
from lib.fetch import Fetch, Pops
from lib.origins import Origin
from lib.range_origin import Answer

PATH = "/a/100000"
BODY = Content(PATH, 100000).bytes()


def usage(s, _pops, fetch):
    for arguments in ([], ["http://a/", "http://b/"], ["--no-such", "x"],
                      ["-X", "POST", "http://a/"], ["-d", "x", "http://a/"],
                      ["-C", "5", "-o", "x", "http://a/"],
                      ["-C", "-", "http://a/"], ["-m", "soon", "http://a/"],
                      ["-m", "-1", "http://a/"], ["--retry", "x", "http://a/"],
                      ["--dns", "nonsense", "http://a/"],
                      ["-H", "no field", "http://a/"],
                      ["-H", "a: b\nc: d", "http://a/"],
                      ["-o", "x", "-O", "http://a/"]):
        got = fetch(*arguments)
        s.equal(got.code, 2, f"usage: {arguments}")
        s.check("braid-fetch: " in got.said, "it says why")
    for url, code in (("ftp://a/", 1), ("file:///etc/passwd", 1),
                      ("http://", 3), ("http://a:99999/", 3),
                      ("http://[::1", 3), ("http:// a/", 3),
                      (f"http://{'a' * 64}.test/", 3)):
        s.equal(fetch(url).code, code, f"exit status of {url[:30]}")
    for option in ("--help", "--version"):
        s.equal(fetch(option).code, 0, option)


def output(s, pops, fetch):
    url = pops.url(PATH)
    got = fetch("-o", s.path("file"), "-w", "%{http_code}\\n%%%{nothing}", url)
    s.equal((got.code, got.body), (0, b"200\n%"), "-o and -w")
    with open(s.path("file"), "rb") as f:
        s.check(f.read() == BODY, "the file")
    got = fetch("-O", url, cwd=s.make_folder("here"))
    s.equal(got.code, 0, "-O")
    with open(s.path("here/100000"), "rb") as f:
        s.check(f.read() == BODY, "the file is named as the path ends")
    for path in ("/", "/..", "/a/."):
        s.check(fetch("-O", pops.url(path), cwd=s.path("here")).code == 23,
                f"-O without a name: {path}")
    s.equal(fetch("-o", s.path("no/such/folder"), url).code, 23, "no folder")
    s.equal(fetch("-o", "/dev/full", url).code, 23, "a full disk")
    with open("/dev/full", "wb") as full:
        s.equal(fetch(url, stdout=full).code, 23, "at the standard output")
        s.equal(fetch("-o", "/dev/null", "-w", "x", url, stdout=full).code,
                23, "of -w, too")
    fetch("-o", s.path("none"), pops.url(PATH, "no.such.test"))
    s.check(not os.path.exists(s.path("none")), "no answer, no file")


def heads(s, pops, fetch):
    got = fetch("-I", pops.url(PATH))
    s.check(got.body.startswith(b"HTTP/1.1 200 OK\r\n") and
            got.body.endswith(b"\r\n\r\n"), "-I")
    s.equal(pops.origins[0].requests[-1][0], "HEAD", "by HEAD")
    got = fetch("-i", pops.url(PATH))
    head, body = got.body.split(b"\r\n\r\n", 1)
    s.check(head.startswith(b"HTTP/1.1 200 OK") and body == BODY, "-i")
    got = fetch("-H", "Range: bytes=5-9", pops.url(PATH))
    s.equal((got.code, got.body), (0, BODY[5:10]), "-H of a range")
    s.equal(fetch(pops.url("/a/0")).body, b"", "an empty body")


def statuses(s, pops, fetch):
    got = fetch(pops.url("/missing"))
    s.equal((got.code, got.body), (0, b"not here\n"), "404 without -f")
    got = fetch("-f", pops.url("/missing"))
    s.equal((got.code, got.body), (22, b""), "404 with -f")
    s.equal(fetch("-sf", pops.url("/missing")).said.count("(22)"), 0, "-s")
    s.check("(22)" in fetch("-sSf", pops.url("/missing")).said, "-sS")

    def busy(_server, _request, answer):
        answer.__dict__.update(Answer(503, body=b"busy\n").__dict__)
    pops.origins[0].trouble = busy
    got = fetch(pops.url(PATH))
    s.equal((got.code, got.body), (0, b"busy\n"), "503 without --retry")
    fetch.forget()
    got = fetch("--retry", "1", pops.url(PATH))
    s.check(got.body == BODY, "503 with --retry: from another")
    for origin in pops.origins:
        origin.trouble = busy
    fetch.forget()
    got = fetch("--retry", "1", pops.url(PATH))
    s.equal((got.code, got.body), (0, b"busy\n"), "503 from all, at the end")
    s.equal(len(got.addresses("connected")), 6, "all were asked twice")
    for origin in pops.origins:
        origin.trouble = None


def silences(s, pops, fetch):
    """Who takes the request and is silent, or goes, is left."""
    def silent(sock, _number):
        while sock.recv(65536):
            pass

    def rude(sock, _number):
        sock.recv(65536)
    # Only who is silent is waited for; a busy machine makes others so.
    for handler, code, patience in ((silent, 28, 1), (rude, 52, 30)):
        pops.origins[0].kill()
        odd = Origin(s, handler, (pops.hosts[0], pops.port))
        fetch.forget()
        got = fetch("--stall-time", patience, pops.url(PATH))
        s.check(got.body == BODY, f"past one of {code}")
        s.equal(got.addresses("connected")[:2], pops.texts[:2],
                "by the second")
        got = fetch("--stall-time", patience,
                    f"http://{pops.texts[0]}{PATH}")
        s.equal(got.code, code, "it alone")
        odd.down()
        pops.origins[0].revive()
    s.equal(fetch(f"http://{pops.texts[0]}{PATH}").code, 0, "an address")


def redirects(s, pops, fetch):
    """Secrets stay with the host they were meant for."""
    seen = []

    def talk(sock, _number):
        request = http1.Reader(sock.recv).head()
        target = request.line[1]
        seen.append((target, request.get("Host").split(":")[0],
                     request.get("Authorization"), request.get("X-Own")))
        to = {"/1": "/2", "/2": pops.url("/3", "other.test"),
              "/ring": "/ring", "/bad": "http://"}.get(target)
        sock.sendall(b"HTTP/1.1 " + (b"302 Found\r\nLocation: %s"
                     % to.encode() if to else b"200 OK") +
                     b"\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody")
    pops.origins[0].kill()
    Origin(s, talk, (pops.hosts[0], pops.port))
    pops.dns.set("other.test", "CNAME", pops.names[0])
    secret = ("-H", "Authorization: x", "-H", "X-Own: y")
    got = fetch("-L", *secret, "-w", " %{num_redirects} %{url_effective}",
                pops.url("/1"))
    s.equal((got.code, got.body.decode()),
            (0, f"body 2 {pops.url('/3', 'other.test')}"), "-L")
    s.equal(seen, [("/1", "www.test", "x", "y"), ("/2", "www.test", "x", "y"),
                   ("/3", "other.test", None, "y")], "what each has seen")
    s.equal(fetch(pops.url("/1"), "-w", "%{http_code}").body, b"body302",
            "without -L")
    s.equal(fetch("-L", "--max-redirs", "3", pops.url("/ring")).code, 47,
            "a ring")
    s.equal(fetch("-L", pops.url("/bad")).code, 3, "to no URL")


def test(s):
    """braid-fetch as a careful curl: usage, output, statuses, silence,
    redirects, exit statuses."""
    pops = Pops(s)
    pops.dns.set("www.test", "CNAME", *pops.names)
    fetch = Fetch(s, pops.dns.text)
    for part in (usage, output, heads, statuses, silences, redirects):
        fetch.forget()
        part(s, pops, fetch)


scenario.run(test)
