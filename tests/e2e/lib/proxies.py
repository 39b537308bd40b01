# SPDX-License-Identifier: Apache-2.0
"""Real proxies before and behind braidd, and what a server behind them sees.
"""

import socket

from . import client
from .process import Failure, wait_until
from .scenario import find_program
from .servers import wait_listening

HAPROXY = """
global
	log stdout format raw local0
	nbthread 1
	maxconn 1000
defaults
	mode tcp
	timeout connect 20s
	timeout client 60s
	timeout server 60s
"""

# A listener of HAProxy's that answers each request with what it knows of the
# client.
HAPROXY_TELLS = """
frontend tells{number}
	mode http
	bind {bind} accept-proxy
	http-request return status 200 content-type text/plain lf-string \
"src=%[src]:%[src_port] dst=%[dst]:%[dst_port] \
authority=%[fc_pp_authority] id=%[fc_pp_unique_id]"
"""

NGINX_STREAM = """
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
worker_processes 1;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 512; }}
{body}
"""


def tells(*binds):
    """Such listeners, one per address."""
    return "".join(HAPROXY_TELLS.format(number=i, bind=bind)
                   for i, bind in enumerate(binds))


class Haproxy:
    """sections: frontends, backends, listens. ports: those to wait for."""

    def __init__(self, s, sections, ports, name="haproxy"):
        s.need("haproxy")
        config = s.write(f"{name}.cfg", HAPROXY + sections)
        self.process = s.start(
            [find_program("haproxy"), "-db", "-f", config], name)
        for port in ports:
            wait_listening(port, self.process, name)


class NginxStream:
    """body: the stream and http blocks."""

    def __init__(self, s, body, ports, name="nginx-stream"):
        s.need("nginx")
        folder = s.make_folder(name)
        config = s.write(f"{name}/nginx.conf", NGINX_STREAM.format(
            user="root" if s.is_root else "nobody", folder=folder, body=body))
        self.process = s.start(
            [find_program("nginx"), "-p", folder, "-c", config, "-e",
             f"{folder}/error.log"], name)
        for port in ports:
            wait_listening(port, self.process, name)


def told(sock):
    """Asks the server behind a connection what it sees of it: a dict. The
    connection is closed by the server."""
    sock.sendall(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
    data, end = client.read_end(sock)
    head, _, body = data.partition(b"\r\n\r\n")
    if end != client.FIN or b" 200 " not in head.split(b"\r\n")[0] + b" ":
        raise Failure(f"answer {data!r}, {end}")
    return dict(word.split("=", 1) for word in body.decode().split())


def ends(sock):
    """Both ends of a connection as the answers of told() name them."""
    def text(address):
        return "unix" if isinstance(address, (str, bytes)) else \
            "%s:%d" % address[:2]
    return text(sock.getsockname()), text(sock.getpeername())
