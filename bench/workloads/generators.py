# SPDX-License-Identifier: Apache-2.0
"""The generators of the training set by class. Each class has many protocols,
and most protocols are in several classes: what is spoken says little of what
is done with it."""
import generate_bulk
import generate_interactive
import generate_push
import generate_request
import generate_stream

_MODULES = {"request": generate_request, "bulk": generate_bulk,
            "stream": generate_stream, "interactive": generate_interactive,
            "push": generate_push}
# What clients offer in their ClientHello for what they speak inside.
_WEB = ("http", "websocket", "hls", "dash", "events", "poll", "progressive",
        "limited", "radio", "audio", "ranges", "feed", "h2", "terminal",
        "files")


def generators():
    """(class, name, function) of all, by their names' first word."""
    for kind, module in sorted(_MODULES.items()):
        for name, function in sorted(vars(module).items()):
            if name.startswith(kind + "_") and callable(function):
                yield kind, name.replace("_", "-"), function


def alpn(r, name):
    """What the protocol's clients offer within TLS, or None."""
    words = name.split("-")
    if any(word in _WEB for word in words):
        return r.choice([[b"h2", b"http/1.1"], [b"http/1.1"], None])
    if r.random() < .1:
        return [words[1].encode()]
    return None
