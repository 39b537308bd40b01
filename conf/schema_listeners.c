/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the listeners: where clients come in. */
#include "base/assert.h"
#include "conf/schema_table.h"

#define AT(member) .offset = offsetof(struct conf_listener, member)
#define POS(member) .pos_offset = offsetof(struct conf_listener, member)
#define ROUTE_AT(member) .offset = offsetof(struct conf_route, member)
#define CERTIFICATE_AT(member)                                                 \
	.offset = offsetof(struct conf_certificate, member)

/* "http, http2, ... " */
#define PROTOCOL_COMMA(id, name, kind, first, ports) name ", "
#define PROTOCOL_NAMES PROTOCOL_LIST(PROTOCOL_COMMA)

#define HOUR_MS (UINT64_C(3600) * 1000)
#define TIMEOUT_BOUNDS .min = 10, .max = 720 * HOUR_MS

static const struct schema_choice proxy_choices[] = {
    {"off", CONF_PROXY_IN_OFF, SCHEMA_NOW},
    {"accept", CONF_PROXY_IN_ACCEPT, SCHEMA_NOW},
    {0},
};

static const struct schema_choice refuse_choices[] = {
    {"reset", CONF_REFUSE_RESET, SCHEMA_NOW},
    {"close", CONF_REFUSE_CLOSE, SCHEMA_NOW},
    {"drop", CONF_REFUSE_DROP, SCHEMA_NOW},
    {0},
};

static const struct schema_choice tls_versions[] = {
    {"1.2", CONF_TLS_1_2, SCHEMA_NOW},
    {"1.3", CONF_TLS_1_3, SCHEMA_NOW},
    {0},
};

static const struct schema_choice client_verify[] = {
    {"required", CONF_TLS_VERIFY_FULL, SCHEMA_NOW},
    {"optional", CONF_TLS_VERIFY_OPTIONAL, SCHEMA_NOW},
    {0},
};

static const struct schema_row rows[] = {
    {
	.path = "listeners",
	.type = SCHEMA_MAP,
	.offset = offsetof(struct conf, listeners),
	.count_offset = offsetof(struct conf, n_listeners),
	.map = MAP_LISTENERS,
	.min = 1,
	.max = CONF_LISTENERS_MAX,
	.noun = "listener",
	.required = true,
	.unless = "dns",
	.example = "{web: {bind: \"0.0.0.0:80\", pool: origins}}",
	.help = "Where clients connect, by name.",
    },
    {
	.path = "listeners.*",
	.type = SCHEMA_ENTRY,
	AT(name),
	POS(pos),
	.map = MAP_LISTENERS,
	.element_bytes = sizeof(struct conf_listener),
	.noun = "listener",
	.help = "One listener. Its name is yours; logs and metrics carry it.",
    },
    {
	.path = "listeners.*.bind",
	.type = SCHEMA_ADDRESSES,
	AT(binds),
	.count_offset = offsetof(struct conf_listener, n_binds),
	.max = CONF_BINDS_MAX,
	.required = true,
	.example = "[\"0.0.0.0:80\", \"[::]:80\"]",
	.help = "One address or a list of them: IPv4, IPv6 in brackets, or "
		"unix: with a path. \"0.0.0.0:80\" is port 80 on all IPv4 "
		"addresses of this machine, \"[::]:80\" on all IPv6 ones; "
		"for both give both. Names are not resolved. A port below "
		"1024 needs root at the start, or CAP_NET_BIND_SERVICE.",
    },
    {
	.path = "listeners.*.pool",
	.type = SCHEMA_POOL,
	AT(pool),
	POS(pool_pos),
	.required = true,
	.example = "origins",
	.help = "Name of the pool that serves this listener's clients.",
    },
    {
	.path = "listeners.*.backlog",
	.type = SCHEMA_INTEGER,
	AT(backlog),
	.min = 1,
	.max = 65535,
	.fallback = "4096",
	.example = "1024",
	.help = "Connections that the kernel keeps waiting to be accepted, "
		"per worker. net.core.somaxconn limits it.",
    },
    {
	.path = "listeners.*.max_connections",
	.type = SCHEMA_INTEGER,
	AT(max_connections),
	.max = 10000000,
	.fallback = "0",
	.example = "5000",
	.help = "Most connections of this listener at a time; further ones "
		"wait in the backlog. 0: only global.max_connections limits.",
    },
    {
	.path = "listeners.*.timeout",
	.type = SCHEMA_OBJECT,
	.help = "When a connection is given up.",
    },
    {
	.path = "listeners.*.timeout.idle",
	.type = SCHEMA_DURATION,
	AT(idle_ms),
	TIMEOUT_BOUNDS,
	.fallback = "5m",
	.example = "1h",
	.help = "Closes a connection on which no byte has passed either way "
		"for this long, be it that nobody sends or that a side does "
		"not read. One byte in either direction starts it anew.",
    },
    {
	.path = "listeners.*.timeout.half_closed",
	.type = SCHEMA_DURATION,
	AT(half_closed_ms),
	TIMEOUT_BOUNDS,
	.fallback = "30s",
	.example = "2m",
	.help = "The same once one side has finished sending (half of the "
		"connection is closed) and the other has not; the shorter of "
		"this and timeout.idle counts then.",
    },
    {
	.path = "listeners.*.timeout.first_bytes",
	.type = SCHEMA_DURATION,
	AT(first_bytes_ms),
	TIMEOUT_BOUNDS,
	.fallback = "5s",
	.example = "10s",
	.help = "How long a client may take, from the connection on, until "
		"its PROXY header or the first bytes that a route needs "
		"are complete.",
    },
    {
	.path = "listeners.*.timeout.handshake",
	.type = SCHEMA_DURATION,
	AT(handshake_ms),
	TIMEOUT_BOUNDS,
	.fallback = "10s",
	.example = "5s",
	.help = "How long the TLS handshake with a client may take.",
    },
    {
	.path = "listeners.*.tcp",
	.type = SCHEMA_OBJECT,
	.help = "Options of the client's TCP connection; unix sockets ignore "
		"them.",
    },
    {
	.path = "listeners.*.tcp.keepalive",
	.type = SCHEMA_DURATION,
	AT(keepalive_ms),
	.word = "off",
	.min = 1000,
	.max = 9 * HOUR_MS,
	.zero_allowed = true,
	.fallback = "60s",
	.example = "5m",
	.help = "Idle time before the kernel probes whether the client is "
		"still there (TCP_KEEPIDLE, in whole seconds), or off.",
    },
    {
	.path = "listeners.*.tcp.user_timeout",
	.type = SCHEMA_DURATION,
	AT(user_timeout_ms),
	.word = "off",
	.max = HOUR_MS,
	.fallback = "off",
	.example = "30s",
	.help = "How long sent bytes may stay unacknowledged before the "
		"kernel gives the client up (TCP_USER_TIMEOUT), or off: then "
		"timeout.idle ends a client that has vanished or does not "
		"read. With a time here a dead client is found sooner, but "
		"Linux counts the time in which a live one does not read, "
		"too: 30s also ends who pauses a download for 30 s.",
    },
    {
	.path = "listeners.*.wait",
	.type = SCHEMA_DURATION,
	AT(wait_ms),
	.max = 60 * 1000,
	.fallback = "50ms",
	.example = "1s",
	.help = "How long to wait for a client's first byte where a route "
		"needs it. A client that sends nothing for this long speaks a "
		"protocol in which the server begins: it goes to the route "
		"for silent clients, or else to the listener's pool. One "
		"that has begun, but not so that its protocol is certain, "
		"goes where unknown ones go when nothing more comes for "
		"this long. Raise it for clients behind slow or "
		"lossy networks.",
    },
    {
	.path = "listeners.*.routes",
	.type = SCHEMA_MAP,
	AT(routes),
	.count_offset = offsetof(struct conf_listener, n_routes),
	.map = MAP_ROUTES,
	.listed = true,
	.min = 1,
	.max = CONF_ROUTES_MAX,
	.noun = "route",
	.example = "[{sni: \"*.example.com\", pool: x}]",
	.help = "Other pools for some clients. The first route that matches "
		"wins; where none does, the listener's pool serves. Bytes are "
		"waited for only where a route needs them.",
    },
    {
	.path = "listeners.*.routes.*",
	.type = SCHEMA_ENTRY,
	ROUTE_AT(name),
	.pos_offset = offsetof(struct conf_route, pos),
	.map = MAP_ROUTES,
	.element_bytes = sizeof(struct conf_route),
	.noun = "route",
	.help = "One route. It matches when each of its conditions holds; of "
		"a list, one value is enough.",
    },
    {
	.path = "listeners.*.routes.*.sni",
	.type = SCHEMA_NAMES,
	ROUTE_AT(sni),
	.example = "[example.com, \"*.example.com\"]",
	.help = "The server name that the client asks for by TLS, here or "
		"passed through. \"*.example.com\" stands for all names "
		"below example.com, \"*\" for any name.",
    },
    {
	.path = "listeners.*.routes.*.alpn",
	.type = SCHEMA_TEXTS,
	ROUTE_AT(alpn),
	.example = "[h2, http/1.1]",
	.help = "A protocol that the client offers by TLS (ALPN), among the "
		"first 256 bytes of its list; where TLS is terminated here, "
		"the one that was agreed on.",
    },
    {
	.path = "listeners.*.routes.*.source",
	.type = SCHEMA_PREFIXES,
	ROUTE_AT(source),
	.example = "[10.0.0.0/8, \"2001:db8::/32\"]",
	.help = "Where the client comes from; with proxy_protocol, as the "
		"header says.",
    },
    {
	.path = "listeners.*.routes.*.protocol",
	.type = SCHEMA_PROTOCOLS,
	ROUTE_AT(protocols),
	.pos_offset = offsetof(struct conf_route, protocols_pos),
	.example = "[http, ssh]",
	.help = "What the client speaks, by its first bytes: " PROTOCOL_NAMES
		"or silent. http takes WebSockets too, unless a route before "
		"it does. silent is a client that sends nothing for "
		"listeners.*.wait: nobody can know what it speaks before a "
		"server is chosen and greets, so a route with a protocol in "
		"which the server begins (ftp, imap, mysql, nats, nntp, pop3, "
		"smtp, vnc) takes all silent clients.",
    },
    {
	.path = "listeners.*.routes.*.pool",
	.type = SCHEMA_POOL,
	ROUTE_AT(pool),
	.pos_offset = offsetof(struct conf_route, pool_pos),
	.required = true,
	.example = "x",
	.help = "Name of the pool that serves what matches.",
    },
    {
	.path = "listeners.*.proxy_protocol",
	.type = SCHEMA_ENUM,
	AT(proxy_in),
	.choices = proxy_choices,
	.fallback = "off",
	.example = "accept",
	.help = "accept: every connection begins with a PROXY header "
		"(version 1 or 2), which says who the client is. One without "
		"it, or with a malformed one, is closed.",
    },
    {
	.path = "listeners.*.proxy_from",
	.type = SCHEMA_PREFIXES,
	AT(proxy_from),
	.example = "[10.0.0.0/8]",
	.help = "Proxies that may send a PROXY header; connections from "
		"elsewhere are closed. Without it anybody may, and claim to "
		"be anybody.",
    },
    {
	.path = "listeners.*.allow",
	.type = SCHEMA_PREFIXES,
	AT(allow),
	.example = "[10.0.0.0/8, \"2001:db8::/32\"]",
	.help = "Clients that may connect; with it, all others may not. Of "
		"all prefixes in allow and deny that cover a client's "
		"address the longest decides, and a prefix in both denies. "
		"With proxy_protocol, the address that the header names is "
		"meant.",
    },
    {
	.path = "listeners.*.deny",
	.type = SCHEMA_PREFIXES,
	AT(deny),
	.example = "[192.0.2.0/24, 198.51.100.7]",
	.help = "Clients that may not connect; without allow, all others "
		"may.",
    },
    {
	.path = "listeners.*.per_source",
	.type = SCHEMA_OBJECT,
	.help = "Limits for each client: an IPv4 address, or a /64 of IPv6. "
		"With proxy_protocol, the client that the header names; a "
		"header that names none (LOCAL, UNKNOWN) is not limited. They "
		"count over all workers and go on through reloads, but only "
		"connections that began while the listener had a limit.",
    },
    {
	.path = "listeners.*.per_source.connections",
	.type = SCHEMA_INTEGER,
	AT(source_connections),
	.max = 1000000,
	.fallback = "0",
	.example = "100",
	.help = "Most connections of one client at a time; further ones are "
		"refused. 0: no limit.",
    },
    {
	.path = "listeners.*.per_source.rate",
	.type = SCHEMA_RATE,
	AT(source_rate),
	.max = 1000000,
	.fallback = "0",
	.example = "50/s",
	.help = "Most new connections of one client in a second; further ones "
		"are refused. After a pause as many may come at once. 0: no "
		"limit.",
    },
    {
	.path = "listeners.*.refuse",
	.type = SCHEMA_ENUM,
	AT(refuse),
	.choices = refuse_choices,
	.fallback = "reset",
	.example = "drop",
	.help = "How allow, deny and per_source refuse. reset ends the "
		"connection at once and keeps nothing of it. close ends it "
		"as if it had been served; the kernel remembers it for a "
		"minute. drop keeps the client waiting and itself nothing: "
		"with CAP_NET_ADMIN no packet is sent, without it a reset "
		"that no router passes on, so that clients on the same "
		"network do hear it. A client that sends something "
		"afterwards is answered with a reset by the kernel. Behind "
		"proxy_protocol, where the connection is the proxy's, drop "
		"does as reset.",
    },
    {
	.path = "listeners.*.transparent",
	.type = SCHEMA_BOOL,
	AT(transparent),
	.fallback = "false",
	.example = "true",
	.help = "Also takes connections to addresses that this machine does "
		"not have, which a tproxy rule of nft hands to it: see "
		"docs/transparent.md. Where the client wanted to go is to= in "
		"the access log and the destination in PROXY headers. braidd "
		"needs CAP_NET_RAW.",
    },
    {
	.path = "listeners.*.tls",
	.type = SCHEMA_OBJECT,
	.unshown = true,
	.defaults_when_present = true,
	.example = "{certificates: [{cert: /etc/braid/site.pem}]}",
	.help = "Terminates TLS here: servers get the plain bytes, unless "
		"their pool has tls too. Certificates are read again at every "
		"reload.",
    },
    {
	.path = "listeners.*.tls.certificates",
	.type = SCHEMA_MAP,
	AT(tls.certificates),
	.count_offset = offsetof(struct conf_listener, tls.n_certificates),
	.map = MAP_CERTIFICATES,
	.listed = true,
	.min = 1,
	.max = CONF_CERTIFICATES_MAX,
	.noun = "certificate",
	.required = true,
	.example = "[{cert: /etc/braid/site.pem, key: /etc/braid/site.key}]",
	.help = "Certificates with their keys. The one with the name that the "
		"client asks for is shown, exact names before wildcards; of "
		"an RSA and an ECDSA one for the same name, what the client "
		"can use. The first is for clients that ask for no name or "
		"one that no certificate has.",
    },
    {
	.path = "listeners.*.tls.certificates.*",
	.type = SCHEMA_ENTRY,
	CERTIFICATE_AT(name),
	.pos_offset = offsetof(struct conf_certificate, pos),
	.map = MAP_CERTIFICATES,
	.element_bytes = sizeof(struct conf_certificate),
	.noun = "certificate",
	.help = "One certificate.",
    },
    {
	.path = "listeners.*.tls.certificates.*.cert",
	.type = SCHEMA_PATH,
	CERTIFICATE_AT(cert),
	.pos_offset = offsetof(struct conf_certificate, cert_pos),
	.max = 4000,
	.required = true,
	.example = "/etc/braid/site.pem",
	.help = "PEM file with the certificate and, behind it, those between "
		"it and the authority. global.user must be able to read it "
		"for a reload.",
    },
    {
	.path = "listeners.*.tls.certificates.*.key",
	.type = SCHEMA_PATH,
	CERTIFICATE_AT(key),
	.pos_offset = offsetof(struct conf_certificate, key_pos),
	.max = 4000,
	.example = "/etc/braid/site.key",
	.help = "PEM file with its private key, not encrypted. Without this "
		"key it is expected in cert.",
    },
    {
	.path = "listeners.*.tls.certificates.*.ocsp",
	.type = SCHEMA_PATH,
	CERTIFICATE_AT(ocsp),
	.pos_offset = offsetof(struct conf_certificate, ocsp_pos),
	.max = 4000,
	.example = "/etc/braid/site.ocsp",
	.help = "DER file with an OCSP response that is stapled. Fetching it "
		"and reloading is your business.",
    },
    {
	.path = "listeners.*.tls.client_ca",
	.type = SCHEMA_PATH,
	AT(tls.client_ca),
	POS(tls.client_ca_pos),
	.max = 4000,
	.example = "/etc/braid/clients.pem",
	.help = "PEM file with the authorities whose certificates clients "
		"must show (mutual TLS).",
    },
    {
	.path = "listeners.*.tls.client_crl",
	.type = SCHEMA_PATH,
	AT(tls.client_crl),
	POS(tls.client_crl_pos),
	.max = 4000,
	.example = "/etc/braid/clients.crl",
	.help = "PEM file with revocation lists, one of each authority in the "
		"chain; revoked clients are refused.",
    },
    {
	.path = "listeners.*.tls.client_verify",
	.type = SCHEMA_ENUM,
	AT(tls.client_verify),
	.choices = client_verify,
	.fallback = "required",
	.example = "optional",
	.help = "optional: a client without a certificate is let in, one with "
		"a bad certificate is not.",
    },
    {
	.path = "listeners.*.tls.strict_sni",
	.type = SCHEMA_BOOL,
	AT(tls.strict_sni),
	.fallback = "false",
	.example = "true",
	.help = "Refuses clients that ask for no name, or for one that no "
		"certificate has, in place of showing them the first.",
    },
    {
	.path = "listeners.*.tls.min",
	.type = SCHEMA_ENUM,
	AT(tls.min),
	.choices = tls_versions,
	.fallback = "1.2",
	.example = "\"1.3\"",
	.help = "Oldest TLS version accepted.",
    },
    {
	.path = "listeners.*.tls.alpn",
	.type = SCHEMA_TEXTS,
	AT(tls.alpn),
	.example = "[h2, http/1.1]",
	.help = "Protocols offered to clients, best first. The first that the "
		"client knows too is agreed on; with none in common the "
		"connection goes on without.",
    },
    {0},
};

const struct schema_block schema_listeners = {rows, BR_COUNT(rows) - 1};
