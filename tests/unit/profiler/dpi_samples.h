/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * First bytes as clients and servers of each protocol send them, made by hand
 * from the specifications; and some of other protocols, which are to be
 * taken for none.
 *
 * Thread:  any (constant).
 */
#include <stddef.h>
#include <stdint.h>

#include "conf/protocol.h"

struct dpi_sample {
	const char *client, *server;
	size_t client_length, server_length;
	enum protocol protocol;
};

#define SIDE(bytes) (bytes), sizeof(bytes) - 1
#define CLIENT_SAYS(id, bytes)                                                 \
	{                                                                      \
		.client = (bytes), .client_length = sizeof(bytes) - 1,         \
		.protocol = PROTOCOL_##id                                      \
	}
#define SERVER_SAYS(id, bytes)                                                 \
	{                                                                      \
		.server = (bytes), .server_length = sizeof(bytes) - 1,         \
		.protocol = PROTOCOL_##id                                      \
	}
#define BOTH_SAY(id, c, s)                                                     \
	{                                                                      \
		.client = (c), .client_length = sizeof(c) - 1, .server = (s),  \
		.server_length = sizeof(s) - 1, .protocol = PROTOCOL_##id      \
	}

#define ZEROS_19 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define NETBIOS_NAME "CKFDENECFDEFFCFGEFFCCACACACACACA"

/* version 1.2, random, no session, one cipher, one compression; name a.test */
#define HELLO_BODY                                                             \
	"\x03\x03"                                                             \
	"0123456789abcdef0123456789abcdef"                                     \
	"\0\0\2\x13\1\1\0\0\x0f\0\0\0\x0b\0\x09\0\0\6a.test"
#define HELLO "\x16\x03\x01\0\x3e\1\0\0\x3a" HELLO_BODY
#define SERVER_HELLO                                                           \
	"\x16\x03\x03\0\x2a\2\0\0\x26\x03\x03"                                 \
	"0123456789abcdef0123456789abcdef\0\x13\1\0"

/* Certain by the client's bytes alone. */
static const struct dpi_sample dpi_clients[] = {
    CLIENT_SAYS(HTTP, "GET /a?b=c HTTP/1.1\r\nHost: www.example.com\r\n\r\n"),
    CLIENT_SAYS(HTTP, "POST /x HTTP/1.0\r\nContent-Length: 1\r\n\r\nx"),
    CLIENT_SAYS(HTTP, "CONNECT example.com:443 HTTP/1.1\r\nHost: e\r\n\r\n"),
    CLIENT_SAYS(HTTP, "OPTIONS * HTTP/1.1\nHost: a\n\n"),
    CLIENT_SAYS(HTTP, "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    CLIENT_SAYS(HTTP, "VERSION-CONTROL http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    CLIENT_SAYS(WEBSOCKET, "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: "
			   "keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n"),
    CLIENT_SAYS(HTTP2, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    CLIENT_SAYS(TLS, HELLO),
    CLIENT_SAYS(TLS, "\x80\x2e\1\3\1\0\x15\0\0\0\x10"
		     "\0\0\4\0\0\5\0\0\x0a\1\0\x80\7\0\xc0\3\0\x80\0\0\xff"
		     "0123456789abcdef"),
    CLIENT_SAYS(SSH, "SSH-2.0-OpenSSH_9.2p1\r\n"),
    CLIENT_SAYS(SSH, "SSH-1.99-Cisco-1.25\n"),
    CLIENT_SAYS(SMTP, "EHLO [192.0.2.1]\r\n"),
    CLIENT_SAYS(SMTP, "helo mail.example.com\r\n"),
    CLIENT_SAYS(SMTP, "LHLO a\r\n"),
    CLIENT_SAYS(IMAP, "a001 CAPABILITY\r\n"),
    CLIENT_SAYS(IMAP, "A1 LOGIN user pass\r\n"),
    CLIENT_SAYS(IMAP, "x starttls\r\n"),
    CLIENT_SAYS(IMAP, "C1 NOOP\r\n"),
    CLIENT_SAYS(POP3, "CAPA\r\n"),
    CLIENT_SAYS(POP3, "STLS\r\n"),
    CLIENT_SAYS(POP3, "APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n"),
    CLIENT_SAYS(FTP, "AUTH TLS\r\n"),
    CLIENT_SAYS(FTP, "FEAT\r\n"),
    CLIENT_SAYS(FTP, "OPTS UTF8 ON\r\n"),
    CLIENT_SAYS(NNTP, "MODE READER\r\n"),
    CLIENT_SAYS(NNTP, "CAPABILITIES\r\n"),
    CLIENT_SAYS(NNTP, "AUTHINFO USER me\r\n"),
    CLIENT_SAYS(NNTP, "IHAVE <a@b.c>\r\n"),
    CLIENT_SAYS(IRC, "NICK somebody\r\n"),
    CLIENT_SAYS(IRC, "CAP LS 302\r\n"),
    CLIENT_SAYS(IRC, "USER a 0 * :Real Name\r\n"),
    CLIENT_SAYS(IRC, "PASS secret\r\nNICK somebody\r\n"),
    CLIENT_SAYS(XMPP, "<?xml version='1.0'?><stream:stream to='a.example' "),
    CLIENT_SAYS(XMPP, "<stream:stream xmlns='jabber:client'"),
    CLIENT_SAYS(XMPP, "<?xml version='1.0'?>\r\n <stream:stream\n"),
    CLIENT_SAYS(TELNET, "\xff\xfd\x03\xff\xfb\x18"),
    CLIENT_SAYS(TELNET, "\xff\xfb\x18\xff\xfa\x18\0xterm\xff\xf0"),
    CLIENT_SAYS(RDP, "\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0"),
    CLIENT_SAYS(RDP, "\3\0\0\x24\x1f\xe0\0\0\0\0\0"
		     "Cookie: mstshash=somebody\r\n"),
    CLIENT_SAYS(RDP, "\3\0\0\x0b\6\xe0\0\0\0\0\0"),
    CLIENT_SAYS(VNC, "RFB 003.008\n"),
    CLIENT_SAYS(SMB, "\0\0\0\x54\xff"
		     "SMBr\0\0\0\0\x18"),
    CLIENT_SAYS(SMB, "\0\0\0\xe8\xfeSMB@\0\0\0"),
    CLIENT_SAYS(SMB, "\x81\0\0\x44 " NETBIOS_NAME "\0 " NETBIOS_NAME "\0"),
    CLIENT_SAYS(LDAP, "0\x0c\2\1\1`\7\2\1\3\4\0\x80\0"),
    CLIENT_SAYS(LDAP, "0\x84\0\0\0\x16\2\2\1\1`\x84\0\0\0\x0c\2\1\3\4\1a\x80\4"
		      "pass"),
    CLIENT_SAYS(LDAP, "0\x1d\2\1\1w\x18\x80\x16"
		      "1.3.6.1.4.1.1466.20037"),
    CLIENT_SAYS(LDAP, "0\x25\2\1\2c \4\0\x0a\1\0\x0a\1\0\2\1\0\2\1\0\1\1\0"
		      "\x87\x0bobjectClass0\0"),
    CLIENT_SAYS(KERBEROS, "\0\0\0\x20j\x1e"
			  "0\x1c\xa1\3\2\1\5\xa2\3\2\1\x0a"
			  "\xa4\x10"
			  "0123456789abcdef"),
    CLIENT_SAYS(KERBEROS, "\0\0\0\xc2l\x81\xbf"
			  "0\x81\xbc\xa1\3\2\1\5\xa2\3\2\1\x0c"),
    CLIENT_SAYS(MYSQL,
	"\x3a\0\0\1\x85\xa2\xbf\1\0\0\0\1\x21" ZEROS_19 "\0\0\0\0root\0\0"),
    CLIENT_SAYS(POSTGRESQL, "\0\0\0\x16\0\3\0\0user\0postgres\0\0"),
    CLIENT_SAYS(POSTGRESQL, "\0\0\0\x08\4\xd2\x16\x2f"),
    CLIENT_SAYS(POSTGRESQL, "\0\0\0\x08\4\xd2\x16\x30"),
    CLIENT_SAYS(POSTGRESQL, "\0\0\0\x10\4\xd2\x16\x2e\0\0\1\2\3\4\5\6"),
    CLIENT_SAYS(MSSQL, "\x12\1\0\x2f\0\0\0\0\0\0\x1a\0\6\1\0\x20\0\1\2\0\x21\0"
		       "\1\3\0\x22\0\4\4\0\x26\0\1\xff\x11\0\0\0\0\0\0\0\0\0\0"
		       "\0\0\0"),
    CLIENT_SAYS(MSSQL, "\x10\1\0\x90\0\0\1\0\x88\0\0\0\4\0\0\x74"),
    CLIENT_SAYS(ORACLE,
	"\0\x50\0\0\1\0\0\0\1\x36\1\x2c\0\0\x08\0\x7f\xff\x7f\x08\0\0\0\1\0"
	"\x16\0\x3a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	"(DESCRIPTION=(ADDRESS="),
    CLIENT_SAYS(ORACLE, "\0\x4a\0\0\1\0\0\0\1\x3e\1\x2c\0\x41\x20\0\xff\xff"
			"\x4f\x98\0\0\0\1\1\x22\0\x4a"),
    CLIENT_SAYS(MONGODB,
	"\x3a\0\0\0\1\0\0\0\0\0\0\0\xd4\7\0\0\0\0\0\0admin.$cmd\0\0\0\0\0"
	"\xff\xff\xff\xff\x13\0\0\0\x10isMaster\0\1\0\0\0\0"),
    CLIENT_SAYS(MONGODB, "\x29\0\0\0\1\0\0\0\0\0\0\0\xdd\7\0\0\0\0\0\0\0"
			 "\x14\0\0\0\x10hello\0\1\0\0\0\0\0\0\0"),
    CLIENT_SAYS(REDIS, "*1\r\n$4\r\nPING\r\n"),
    CLIENT_SAYS(REDIS, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n"),
    CLIENT_SAYS(REDIS, "PING\r\n"),
    CLIENT_SAYS(REDIS, "HELLO 3\r\n"),
    CLIENT_SAYS(MEMCACHED, "get some_key\r\n"),
    CLIENT_SAYS(MEMCACHED, "set a 0 3600 5\r\nabcde\r\n"),
    CLIENT_SAYS(MEMCACHED, "stats\r\n"),
    CLIENT_SAYS(MEMCACHED, "incr a 1\r\n"),
    CLIENT_SAYS(MEMCACHED, "\x80\0\0\3\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0"
			   "key"),
    CLIENT_SAYS(CASSANDRA, "\4\0\0\0\5\0\0\0\0"),
    CLIENT_SAYS(CASSANDRA, "\3\0\0\0\5\0\0\0\0"),
    CLIENT_SAYS(CASSANDRA, "\2\0\0\5\0\0\0\0"),
    CLIENT_SAYS(CASSANDRA, "\5\0\0\1\1\0\0\0\x16\0\1\0\x0b"
			   "CQL_VERSION\0\5"
			   "3.0.0"),
    CLIENT_SAYS(CASSANDRA, "\xcaU-\xfa\x0c\x0a\x0c\x11\6\xc0\0\2\1\x1b\x58"
			   "\xf3\xcb\x19\xb3"),
    CLIENT_SAYS(KAFKA, "\0\0\0\x11\0\x12\0\0\0\0\0\1\0\7rdkafka"),
    CLIENT_SAYS(KAFKA, "\0\0\0\x24\0\x12\0\3\0\0\0\1\0\6client\0\5java\6"
		       "3.4.0\0"),
    CLIENT_SAYS(KAFKA, "\0\0\0\x16\0\3\0\1\0\0\0\2\0\x08sarama-1\0\0\0\0"),
    CLIENT_SAYS(AMQP, "AMQP\0\0\x09\1"),
    CLIENT_SAYS(AMQP, "AMQP\3\1\0\0"),
    CLIENT_SAYS(MQTT, "\x10\x11\0\4MQTT\4\2\0\x3c\0\5Bus41"),
    CLIENT_SAYS(MQTT, "\x10\x14\0\6MQIsdp\3\2\0\x3c\0\6client"),
    CLIENT_SAYS(NATS, "CONNECT {\"verbose\":false}\r\nPING\r\n"),
    CLIENT_SAYS(STOMP, "CONNECT\naccept-version:1.2\nhost:a\n\n\0"),
    CLIENT_SAYS(STOMP, "STOMP\r\nhost:a\r\n\r\n\0"),
    CLIENT_SAYS(AJP, "\x12\x34\0\x30\2\2\0\x08HTTP/1.1\0\0\1/\0"),
    CLIENT_SAYS(AJP, "\x12\x34\0\1\x0a"),
    CLIENT_SAYS(FASTCGI, "\1\1\0\1\0\x08\0\0\0\1\0\0\0\0\0\0"),
    CLIENT_SAYS(RTSP, "OPTIONS rtsp://192.0.2.1/a RTSP/1.0\r\nCSeq: 1\r\n"),
    CLIENT_SAYS(RTSP, "OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n"),
    CLIENT_SAYS(BITTORRENT, "\x13"
			    "BitTorrent protocol\0\0\0\0\0\x10\0\5"),
    CLIENT_SAYS(SOCKS, "\5\1\0"),
    CLIENT_SAYS(SOCKS, "\5\3\0\1\2"),
    CLIENT_SAYS(SOCKS, "\4\1\0\x50\xc0\0\2\1somebody\0"),
    CLIENT_SAYS(SOCKS, "\4\1\1\xbb\0\0\0\1\0www.example.com\0"),
    CLIENT_SAYS(RSYNC, "@RSYNCD: 31.0 sha512 md5\n"),
    CLIENT_SAYS(GIT, "0032git-upload-pack /project.git\0host=a.test\0"),
    CLIENT_SAYS(STUN, "\0\1\0\x08\x21\x12\xa4\x42"
		      "0123456789ab\x80\x22\0\4test"),
    CLIENT_SAYS(STUN, "\0\x14\0\1\0\0\x21\x12\xa4\x42"
		      "0123456789ab"),
    CLIENT_SAYS(DNS, "\0\x21\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0"
		     "\0\1\0\1"),
    CLIENT_SAYS(DNS, "\0\x2c\x12\x34\1\x20\0\1\0\0\0\0\0\1\3www\7example\3com"
		     "\0\0\x1c\0\1\0\0\x29\x10\0\0\0\0\0\0\0"),
    CLIENT_SAYS(BRAID, "\xb7"
		       "BRAID\r\n"),
};

/* Certain by the server's bytes alone. */
static const struct dpi_sample dpi_servers[] = {
    SERVER_SAYS(HTTP, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    SERVER_SAYS(HTTP2, "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x80"),
    SERVER_SAYS(TLS, SERVER_HELLO),
    SERVER_SAYS(TLS, "\x15\3\1\0\2\2\x28"),
    SERVER_SAYS(SSH, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
    SERVER_SAYS(SMTP, "220 mail.example.com ESMTP Postfix\r\n"),
    SERVER_SAYS(SMTP, "220-ftp.example.com ESMTP\r\n220 x\r\n"),
    SERVER_SAYS(IMAP, "* OK [CAPABILITY IMAP4rev1] ready\r\n"),
    SERVER_SAYS(IMAP, "* PREAUTH hello\r\n"),
    SERVER_SAYS(POP3, "+OK Dovecot ready.\r\n"),
    SERVER_SAYS(FTP, "220 (vsFTPd 3.0.3)\r\n"),
    SERVER_SAYS(FTP, "220-FileZilla Server 1.6\r\n"),
    SERVER_SAYS(NNTP, "200 news.example.com InterNetNews ready\r\n"),
    SERVER_SAYS(NNTP, "201 Leafnode NNTP Daemon\r\n"),
    SERVER_SAYS(IRC, ":irc.example.com NOTICE * :*** Looking up\r\n"),
    SERVER_SAYS(IRC, ":irc.example.com 001 me :Welcome\r\n"),
    SERVER_SAYS(IRC, "NOTICE AUTH :*** Looking up your hostname\r\n"),
    SERVER_SAYS(IRC, "PING :1234\r\n"),
    SERVER_SAYS(XMPP, "<?xml version='1.0'?><stream:stream id='1'>"),
    SERVER_SAYS(TELNET, "\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23"),
    SERVER_SAYS(RDP, "\3\0\0\x13\x0e\xd0\0\0\x12\x34\0\2\x1f\x08\0\2\0\0\0"),
    SERVER_SAYS(VNC, "RFB 003.889\n"),
    SERVER_SAYS(SMB, "\0\0\1\0\xfeSMB@\0\1\0"),
    SERVER_SAYS(LDAP, "0\x0c\2\1\1a\7\x0a\1\0\4\0\4\0"),
    SERVER_SAYS(KERBEROS, "\0\0\0\x20~\x1e"
			  "0\x1c\xa0\3\2\1\5\xa1\3\2\1\x1e\xa4\x10"
			  "0123456789abcdef"),
    SERVER_SAYS(MYSQL, "\x4a\0\0\0\x0a"
		       "8.0.36\0\x0c\0\0\0abcdefgh\0\xff\xff"),
    SERVER_SAYS(MYSQL, "\x5b\0\0\0\x0a"
		       "5.5.5-10.6.12-MariaDB\0\1\0\0\0abcdefgh\0"),
    SERVER_SAYS(MYSQL, "\x17\0\0\0\xff\x10\4Too many connections"),
    SERVER_SAYS(POSTGRESQL, "R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"),
    SERVER_SAYS(POSTGRESQL, "E\0\0\0\x60SFATAL\0VFATAL\0"),
    SERVER_SAYS(MSSQL, "\4\1\0\x2b\0\0\1\0\0\0\x1a\0\6\1\0\x20\0\1\2\0\x21\0\1"
		       "\3\0\x22\0\0\4\0\x22\0\1\xff\x10\0\7\xd0\0\0\2\0\0"),
    SERVER_SAYS(ORACLE, "\0\x08\0\0\x0b\0\0\0"),
    SERVER_SAYS(MONGODB, "\x60\0\0\0\5\0\0\0\1\0\0\0\1\0\0\0\x08\0\0\0"),
    SERVER_SAYS(REDIS, "+PONG\r\n"),
    SERVER_SAYS(REDIS, "-NOAUTH Authentication required.\r\n"),
    SERVER_SAYS(MEMCACHED, "STORED\r\n"),
    SERVER_SAYS(MEMCACHED, "STAT pid 1\r\n"),
    SERVER_SAYS(CASSANDRA, "\x84\0\0\0\6\0\0\0\x34\0\2\0\x0b"),
    SERVER_SAYS(CASSANDRA, "\x84\0\0\0\2\0\0\0\0"),
    SERVER_SAYS(AMQP, "\1\0\0\0\0\1\xf0\0\x0a\0\x0a\0\x09"),
    SERVER_SAYS(NATS, "INFO {\"server_id\":\"a\"}\r\n"),
    SERVER_SAYS(STOMP, "CONNECTED\nversion:1.2\n\n\0"),
    SERVER_SAYS(AJP, "AB\0\x20\4\0\xc8"),
    SERVER_SAYS(AJP, "AB\0\1\x09"),
    SERVER_SAYS(RTSP, "RTSP/1.0 200 OK\r\n"),
    SERVER_SAYS(RSYNC, "@RSYNCD: 31.0\n"),
    SERVER_SAYS(GIT, "00c9348534c760d2f56ecf93f8d67b84c5f0aba077c1 HEAD\0"),
    SERVER_SAYS(GIT, "000eversion 1\n"),
    SERVER_SAYS(STUN, "\1\1\0\x0c\x21\x12\xa4\x42"
		      "0123456789ab"),
    SERVER_SAYS(DNS, "\0\x2d\x12\x34\x81\x80\0\1\0\1\0\0\0\0\3www\7example\3"
		     "com\0\0\1\0\1"),
};

/* Certain only by what both have said. */
static const struct dpi_sample dpi_pairs[] = {
    BOTH_SAY(FTP, "USER me\r\n", "220 ready\r\n"),
    BOTH_SAY(SMTP, "EHLO a\r\n", "220 ready\r\n"),
    BOTH_SAY(POP3, "USER me\r\n", "+OK\r\n"),
    BOTH_SAY(NNTP, "GROUP misc.test\r\n", "200 hello\r\n"),
    BOTH_SAY(REDIS, "*1\r\n$4\r\nINFO\r\n", "$5\r\nhello\r\n"),
    BOTH_SAY(SOCKS, "\5\1\0\5\1\0\1\xc0\0\2\1\0\x50", "\5\0\5\0"),
    BOTH_SAY(SOCKS, "\4\1\0\x50\xc0\0\2\1\0GET /", "\0Z\0\0\0\0"),
};

/* They do not go together: the client counts. */
static const struct dpi_sample dpi_conflicts[] = {
    BOTH_SAY(HTTP, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "SSH-2.0-x\r\n"),
    BOTH_SAY(TLS, HELLO, "HTTP/1.1 400 Bad Request\r\n\r\n"),
};

/* Of protocols that are not known, or broken pieces of those that are. */
static const struct dpi_sample dpi_others[] = {
    CLIENT_SAYS(UNKNOWN, "\0\x0e\x38PZ(\xa7\x82ux\x8d\0\0\0\0\0"), /* OpenVPN */
    CLIENT_SAYS(UNKNOWN, "{\"jsonrpc\": \"2.0\", \"method\": \"echo\"}"),
    CLIENT_SAYS(UNKNOWN, "{\"id\":1,\"method\":\"mining.subscribe\"}\n"),
    CLIENT_SAYS(UNKNOWN, "ES\0\0\0\x34\0\0\0\0\0\0\0\1\x08\0\x5c\xc6"),
    CLIENT_SAYS(UNKNOWN, "NXSH-8.10.1\n\x16\3\1\0\x7d\1"),
    CLIENT_SAYS(UNKNOWN, "8=FIX.4.2\1"
			 "9=65\1"
			 "35=A\1"),
    /* S7: RDP's transport, other parameters. */
    CLIENT_SAYS(UNKNOWN, "\3\0\0\x16\x11\xe0\0\0\0\1\0\xc0\1\x0a\xc1\2\1\0\xc2"
			 "\2\1\2"),
    /* H.323: the same transport without X.224. */
    CLIENT_SAYS(UNKNOWN, "\3\0\0\x20\x08\2\0\1\5\4\3\x88\x93\xa5\x28"),
    CLIENT_SAYS(UNKNOWN, "INVITE sip:a@b SIP/2.0\r\nVia: x\r\n"),
    CLIENT_SAYS(UNKNOWN, "example.com\r\n"), /* whois, finger */
    CLIENT_SAYS(UNKNOWN, "GET /\r\n"), /* HTTP/0.9 */
    CLIENT_SAYS(UNKNOWN, "GET / HTTP/2.0\r\n"),
    CLIENT_SAYS(UNKNOWN, "GET /a\tb HTTP/1.1\r\n"),
    CLIENT_SAYS(UNKNOWN, "get / HTTP/1.1\r\nHost: a\r\n\r\n\1"),
    CLIENT_SAYS(UNKNOWN, "GIT / HTTQ/1.1\r\n"),
    CLIENT_SAYS(UNKNOWN, "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"),
    CLIENT_SAYS(UNKNOWN, "\x16\3\1\0\x3e\2\0\0\x3a\3\3\1\2"), /* not Hello */
    CLIENT_SAYS(UNKNOWN, "\x16\3\1\0\x3e\1\0\0\x3a\4\3"),
    CLIENT_SAYS(UNKNOWN, "\x17\3\3\0\x20"
			 "01234567890123456789012345678901"),
    CLIENT_SAYS(UNKNOWN, "SSH-3.0-x\r\n"),
    CLIENT_SAYS(UNKNOWN, "EHLO\r\n"),
    CLIENT_SAYS(UNKNOWN, "EHLO a b\r\n"),
    CLIENT_SAYS(UNKNOWN, "USER me\r\n"), /* FTP's or POP3's */
    CLIENT_SAYS(UNKNOWN, "AUTH PLAIN\r\n"),
    CLIENT_SAYS(UNKNOWN, "a001 UNHEARD OF\r\n"),
    CLIENT_SAYS(UNKNOWN, "abc noop\r\n"),
    CLIENT_SAYS(UNKNOWN, "APOP mrose short\r\n"),
    CLIENT_SAYS(UNKNOWN, "NICK a b c d\r\n"),
    CLIENT_SAYS(UNKNOWN, "<?xml version='1.0'?><soap:Envelope>"),
    CLIENT_SAYS(UNKNOWN, "<stream:streams>"),
    CLIENT_SAYS(UNKNOWN, "\xff\xfd\x03"), /* one command is little */
    CLIENT_SAYS(UNKNOWN, "\xff\xd8\xff\xe0\0\x10JFIF\0"),
    CLIENT_SAYS(UNKNOWN, "\3\0\0\x13\x0d\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0"),
    CLIENT_SAYS(UNKNOWN, "RFB 003x008\n"),
    CLIENT_SAYS(UNKNOWN, "\0\0\0\x10\xfeSMB@\0"), /* shorter than a header */
    CLIENT_SAYS(UNKNOWN, "0\x0c\2\1\1`\x17\2\1\3\4\0\x80\0"),
    CLIENT_SAYS(UNKNOWN, "0\x29\2\1\1\4\6public\xa0\x1c\2\4"), /* SNMP */
    CLIENT_SAYS(UNKNOWN, "\0\0\0\x20j\x1d"
			 "0\x1c\xa1\3\2\1\5\xa2\3\2\1\x0a"),
    CLIENT_SAYS(UNKNOWN, "\0\0\0\x20j\x1e"
			 "0\x1c\xa1\3\2\1\5\xa2\3\2\1\x0b"),
    CLIENT_SAYS(UNKNOWN, "\x3a\0\0\1\x85\xa0\xbf\1\0\0\0\1\x21" ZEROS_19),
    CLIENT_SAYS(UNKNOWN, "\0\0\0\x16\0\3\0\7user\0postgres\0\0"),
    CLIENT_SAYS(UNKNOWN, "\0\0\0\x09\4\xd2\x16\x2f\0"),
    CLIENT_SAYS(UNKNOWN, "\x12\1\0\x2f\0\0\0\0\0\0\x1b\0\6\xff"),
    CLIENT_SAYS(UNKNOWN, "\0\x51\0\0\1\0\0\0\1\x36\1\x2c\0\0\x08\0\x7f\xff\x7f"
			 "\x08\0\0\0\1\0\x16\0\x3a"),
    CLIENT_SAYS(UNKNOWN, "\x3b\0\0\0\1\0\0\0\7\0\0\0\xd4\7\0\0\0\0\0\0a.b\0"),
    CLIENT_SAYS(UNKNOWN, "\x29\0\0\0\1\0\0\0\0\0\0\0\xdd\7\0\0\0\0\0\0\1"
			 "\x14\0\0\0"),
    CLIENT_SAYS(UNKNOWN, "*1\r\n$4\r\nP\1NG\r\n"),
    CLIENT_SAYS(UNKNOWN, "*x\r\n"),
    CLIENT_SAYS(UNKNOWN, "PING me\r\n"),
    CLIENT_SAYS(UNKNOWN, "set a b c\r\n"),
    CLIENT_SAYS(UNKNOWN, "\x80\0\0\3\7\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0"),
    CLIENT_SAYS(UNKNOWN, "\4\0\0\0\5\0\0\0\1x"),
    CLIENT_SAYS(UNKNOWN, "\4\0\0\0\x0b\0\0\0\0"),
    CLIENT_SAYS(UNKNOWN, "\0\0\0\x21\0\x12\0\0\0\0\0\1\0\7rdkafka"),
    CLIENT_SAYS(UNKNOWN, "\0\0\0\x11\0\x12\0\0\0\0\0\1\0\7rd\1afka"),
    CLIENT_SAYS(UNKNOWN, "\0\0\3\x56\0\1\0\1\0\0\3\x4e\1\x10\0\x14someone"),
    CLIENT_SAYS(UNKNOWN, "AMQP\7\7\7\7"),
    CLIENT_SAYS(UNKNOWN, "\x10\x11\0\4MQTX\4\2\0\x3c\0\5Bus41"),
    CLIENT_SAYS(UNKNOWN, "\x10\x11\0\4MQTT\4\1\0\x3c\0\5Bus41"),
    CLIENT_SAYS(UNKNOWN, "CONNECT [1]\r\n"),
    CLIENT_SAYS(UNKNOWN, "STOMP\nno header here\n"),
    CLIENT_SAYS(UNKNOWN, "\x12\x34\0\x30\2\x63\0\x08HTTP/1.1"),
    CLIENT_SAYS(UNKNOWN, "\1\1\0\1\0\x08\0\0\0\7\0\0\0\0\0\0"),
    CLIENT_SAYS(UNKNOWN, "SETUP http://a RTSP/1.0\r\n"),
    CLIENT_SAYS(UNKNOWN, "\x13"
			 "BitTorrent pr0tocol"),
    CLIENT_SAYS(UNKNOWN, "\5\2\0\0"), /* the same method twice */
    CLIENT_SAYS(UNKNOWN, "\5\1\xff"),
    CLIENT_SAYS(UNKNOWN, "\4\1\0\0\xc0\0\2\1\0"),
    CLIENT_SAYS(UNKNOWN, "@RSYNCD: EXIT\n"),
    CLIENT_SAYS(UNKNOWN, "0032git-remote-pack /a\0"),
    CLIENT_SAYS(UNKNOWN, "\0\1\0\x09\x21\x12\xa4\x42"
			 "0123456789ab"),
    CLIENT_SAYS(UNKNOWN, "\0\x22\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\3com"
			 "\0\0\1\0\1x"),
    CLIENT_SAYS(UNKNOWN, "\0\x1d\x12\x34\1\0\0\2\0\0\0\0\0\0\3www"),
    CLIENT_SAYS(UNKNOWN, "\xb7"
			 "BRAID\n\n"),
    SERVER_SAYS(UNKNOWN, "220 ready\r\n"), /* SMTP's or FTP's */
    SERVER_SAYS(UNKNOWN, "<<<check_mk>>>\nVersion: 1.4.0p9\n"),
    SERVER_SAYS(UNKNOWN, "\nI20100\n08/19/2024 02:52\n"),
    SERVER_SAYS(UNKNOWN, "% IANA WHOIS server\n"),
    SERVER_SAYS(UNKNOWN, "id\npwd\n"),
    SERVER_SAYS(UNKNOWN, "+OK\r\n"),
    SERVER_SAYS(UNKNOWN, "\x15\0\0\0\2\1\0"),
};

static inline const uint8_t *dpi_bytes(const char *text)
{
	return (const uint8_t *)text;
}
