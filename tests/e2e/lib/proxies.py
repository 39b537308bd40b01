# SPDX-License-Identifier: Apache-2.0
"""Real proxies before and behind braidd, and what a server behind them sees.
"""

from . import client
from .process import Failure
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

NGINX = """
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
worker_processes 1;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 512; }}
stream {{
	access_log off;
	{stream}
}}
http {{
	access_log off;
	client_body_temp_path {folder}/body;
	proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/fastcgi;
	uwsgi_temp_path {folder}/uwsgi;
	scgi_temp_path {folder}/scgi;
	{http}
}}
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


class Nginx:
    """What stands in its stream and http blocks. ports: those to wait for."""

    def __init__(self, s, ports, stream="", http="", name="nginx"):
        s.need("nginx")
        folder = s.make_folder(name)
        config = s.write(f"{name}/nginx.conf", NGINX.format(
            user="root" if s.is_root else "nobody", folder=folder,
            stream=stream, http=http))
        self.process = s.start(
            [find_program("nginx"), "-p", folder, "-c", config, "-e",
             f"{folder}/error.log"], name)
        for port in ports:
            wait_listening(port, self.process, name)


def _pairs(text):
    return dict(word.split("=", 1) for word in text.decode().split())


def told(sock):
    """Asks the server behind a connection what it sees of it: a dict. The
    connection is closed by the server."""
    sock.sendall(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
    data, end = client.read_end(sock)
    head, _, body = data.partition(b"\r\n\r\n")
    if end != client.FIN or not head.startswith(b"HTTP/1.1 200 "):
        raise Failure(f"answer {data!r}, {end}")
    return _pairs(body)


def told_by_stream(sock):
    """Of a server that says it at once, whatever it is asked."""
    data, end = client.read_end(sock)
    if end != client.FIN:
        raise Failure(f"answer {data!r}, {end}")
    return _pairs(data)


def ends(sock):
    """Both ends of a connection as the answers of told() name them."""
    def text(address):
        return "unix" if isinstance(address, (str, bytes)) else \
            "%s:%d" % address[:2]
    return text(sock.getsockname()), text(sock.getpeername())
