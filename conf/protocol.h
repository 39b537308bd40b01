/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The protocols that Braid tells apart: their names in the configuration, in
 * logs and metrics, and who speaks first. How they are recognised stands in
 * profiler/dpi.h.
 *
 * Thread:  any (constant).
 * Limits:  PROTOCOL_COUNT is at most 63, so that sets of them are words.
 */
#include <stdbool.h>
#include <stdint.h>

enum protocol_kind {
	PROTOCOL_OTHER,
	PROTOCOL_WEB,
	PROTOCOL_ENCRYPTED,
	PROTOCOL_SHELL, /* shells and desktops of other machines */
	PROTOCOL_MAIL, /* and news, chat */
	PROTOCOL_DATABASE,
	PROTOCOL_QUEUE,
	PROTOCOL_MEDIA,
	PROTOCOL_FILE,
	PROTOCOL_DIRECTORY,
};

enum protocol_first {
	PROTOCOL_CLIENT, /* the server waits for the client */
	PROTOCOL_SERVER, /* the client waits for a greeting */
	PROTOCOL_BOTH, /* neither waits */
};

/* X(id, name, kind, who speaks first, usual ports). The ports are for
 * people: no port is evidence of anything. */
#define PROTOCOL_LIST(X)                                                       \
	X(HTTP, "http", WEB, CLIENT, "80, 8080")                               \
	X(HTTP2, "http2", WEB, CLIENT, "80")                                   \
	X(WEBSOCKET, "websocket", WEB, CLIENT, "80")                           \
	X(TLS, "tls", ENCRYPTED, CLIENT, "443")                                \
	X(SSH, "ssh", SHELL, BOTH, "22")                                       \
	X(SMTP, "smtp", MAIL, SERVER, "25, 587")                               \
	X(IMAP, "imap", MAIL, SERVER, "143")                                   \
	X(POP3, "pop3", MAIL, SERVER, "110")                                   \
	X(FTP, "ftp", FILE, SERVER, "21")                                      \
	X(NNTP, "nntp", MAIL, SERVER, "119")                                   \
	X(IRC, "irc", MAIL, CLIENT, "6667")                                    \
	X(XMPP, "xmpp", MAIL, CLIENT, "5222, 5269")                            \
	X(TELNET, "telnet", SHELL, BOTH, "23")                                 \
	X(RDP, "rdp", SHELL, CLIENT, "3389")                                   \
	X(VNC, "vnc", SHELL, SERVER, "5900")                                   \
	X(SMB, "smb", FILE, CLIENT, "445, 139")                                \
	X(LDAP, "ldap", DIRECTORY, CLIENT, "389")                              \
	X(KERBEROS, "kerberos", DIRECTORY, CLIENT, "88")                       \
	X(MYSQL, "mysql", DATABASE, SERVER, "3306")                            \
	X(POSTGRESQL, "postgresql", DATABASE, CLIENT, "5432")                  \
	X(MSSQL, "mssql", DATABASE, CLIENT, "1433")                            \
	X(ORACLE, "oracle", DATABASE, CLIENT, "1521")                          \
	X(MONGODB, "mongodb", DATABASE, CLIENT, "27017")                       \
	X(REDIS, "redis", DATABASE, CLIENT, "6379")                            \
	X(MEMCACHED, "memcached", DATABASE, CLIENT, "11211")                   \
	X(CASSANDRA, "cassandra", DATABASE, CLIENT, "9042, 7000")              \
	X(KAFKA, "kafka", QUEUE, CLIENT, "9092")                               \
	X(AMQP, "amqp", QUEUE, CLIENT, "5672")                                 \
	X(MQTT, "mqtt", QUEUE, CLIENT, "1883")                                 \
	X(NATS, "nats", QUEUE, SERVER, "4222")                                 \
	X(STOMP, "stomp", QUEUE, CLIENT, "61613")                              \
	X(AJP, "ajp", WEB, CLIENT, "8009")                                     \
	X(FASTCGI, "fastcgi", WEB, CLIENT, "9000")                             \
	X(RTMP, "rtmp", MEDIA, CLIENT, "1935")                                 \
	X(RTSP, "rtsp", MEDIA, CLIENT, "554")                                  \
	X(BITTORRENT, "bittorrent", FILE, CLIENT, "6881")                      \
	X(SOCKS, "socks", OTHER, CLIENT, "1080")                               \
	X(RSYNC, "rsync", FILE, BOTH, "873")                                   \
	X(GIT, "git", FILE, CLIENT, "9418")                                    \
	X(STUN, "stun", MEDIA, CLIENT, "3478")                                 \
	X(DNS, "dns", DIRECTORY, CLIENT, "53")                                 \
	X(BRAID, "braid", OTHER, CLIENT, "")

enum protocol {
	PROTOCOL_UNKNOWN,
#define X(id, name, kind, first, ports) PROTOCOL_##id,
	PROTOCOL_LIST(X)
#undef X
	    PROTOCOL_COUNT
};

_Static_assert(PROTOCOL_COUNT <= 63, "a set of protocols is one word");

/* A set of protocols: one bit each, UNKNOWN included. */
typedef uint64_t protocol_set;
#define PROTOCOL_BIT(id) (UINT64_C(1) << (id))
#define PROTOCOL_ALL (~UINT64_C(0) >> (64 - PROTOCOL_COUNT))
/* Beside them, in routes: a client that says nothing for a while. */
#define PROTOCOL_SILENT (UINT64_C(1) << 63)
#define PROTOCOL_SILENT_NAME "silent"

struct protocol_facts {
	const char *name, *ports;
	enum protocol_kind kind;
	enum protocol_first first;
};

/* "unknown" for UNKNOWN. */
const struct protocol_facts *protocol_facts(enum protocol protocol);
const char *protocol_name(enum protocol protocol);
/* UNKNOWN when no protocol is called so. */
enum protocol protocol_by_name(const char *name);
/* Those in which a client says nothing before the server has. */
protocol_set protocol_server_first(void);
