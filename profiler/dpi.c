/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/dpi.h"

#include "base/assert.h"
#include "profiler/dpi_detect.h"

#include <string.h>

#define B(id) PROTOCOL_BIT(PROTOCOL_##id)

#define TLS_HANDSHAKE 22 /* type of record */

enum side { CLIENT, SERVER };

static dpi_detector *const detectors[2][PROTOCOL_COUNT] = {
    {
	[PROTOCOL_HTTP] = dpi_http_client,
	[PROTOCOL_HTTP2] = dpi_http2_client,
	[PROTOCOL_TLS] = dpi_tls_client,
	[PROTOCOL_SSH] = dpi_ssh,
	[PROTOCOL_SMTP] = dpi_smtp_client,
	[PROTOCOL_IMAP] = dpi_imap_client,
	[PROTOCOL_POP3] = dpi_pop3_client,
	[PROTOCOL_FTP] = dpi_ftp_client,
	[PROTOCOL_NNTP] = dpi_nntp_client,
	[PROTOCOL_IRC] = dpi_irc_client,
	[PROTOCOL_XMPP] = dpi_xmpp,
	[PROTOCOL_TELNET] = dpi_telnet,
	[PROTOCOL_RDP] = dpi_rdp_client,
	[PROTOCOL_VNC] = dpi_vnc,
	[PROTOCOL_SMB] = dpi_smb,
	[PROTOCOL_LDAP] = dpi_ldap_client,
	[PROTOCOL_KERBEROS] = dpi_kerberos_client,
	[PROTOCOL_MYSQL] = dpi_mysql_client,
	[PROTOCOL_POSTGRESQL] = dpi_postgresql_client,
	[PROTOCOL_MSSQL] = dpi_mssql_client,
	[PROTOCOL_ORACLE] = dpi_oracle_client,
	[PROTOCOL_MONGODB] = dpi_mongodb_client,
	[PROTOCOL_REDIS] = dpi_redis_client,
	[PROTOCOL_MEMCACHED] = dpi_memcached_client,
	[PROTOCOL_CASSANDRA] = dpi_cassandra_client,
	[PROTOCOL_KAFKA] = dpi_kafka_client,
	[PROTOCOL_AMQP] = dpi_amqp_client,
	[PROTOCOL_MQTT] = dpi_mqtt_client,
	[PROTOCOL_NATS] = dpi_nats_client,
	[PROTOCOL_STOMP] = dpi_stomp_client,
	[PROTOCOL_AJP] = dpi_ajp_client,
	[PROTOCOL_FASTCGI] = dpi_fastcgi_client,
	[PROTOCOL_RTMP] = dpi_rtmp,
	[PROTOCOL_RTSP] = dpi_rtsp_client,
	[PROTOCOL_BITTORRENT] = dpi_bittorrent,
	[PROTOCOL_SOCKS] = dpi_socks_client,
	[PROTOCOL_RSYNC] = dpi_rsync,
	[PROTOCOL_GIT] = dpi_git_client,
	[PROTOCOL_STUN] = dpi_stun,
	[PROTOCOL_DNS] = dpi_dns_client,
	[PROTOCOL_BRAID] = dpi_braid,
    },
    {
	[PROTOCOL_HTTP] = dpi_http_server,
	[PROTOCOL_HTTP2] = dpi_http2_server,
	[PROTOCOL_TLS] = dpi_tls_server,
	[PROTOCOL_SSH] = dpi_ssh,
	[PROTOCOL_SMTP] = dpi_smtp_server,
	[PROTOCOL_IMAP] = dpi_imap_server,
	[PROTOCOL_POP3] = dpi_pop3_server,
	[PROTOCOL_FTP] = dpi_ftp_server,
	[PROTOCOL_NNTP] = dpi_nntp_server,
	[PROTOCOL_IRC] = dpi_irc_server,
	[PROTOCOL_XMPP] = dpi_xmpp,
	[PROTOCOL_TELNET] = dpi_telnet,
	[PROTOCOL_RDP] = dpi_rdp_server,
	[PROTOCOL_VNC] = dpi_vnc,
	[PROTOCOL_SMB] = dpi_smb,
	[PROTOCOL_LDAP] = dpi_ldap_server,
	[PROTOCOL_KERBEROS] = dpi_kerberos_server,
	[PROTOCOL_MYSQL] = dpi_mysql_server,
	[PROTOCOL_POSTGRESQL] = dpi_postgresql_server,
	[PROTOCOL_MSSQL] = dpi_mssql_server,
	[PROTOCOL_ORACLE] = dpi_oracle_server,
	[PROTOCOL_MONGODB] = dpi_mongodb_server,
	[PROTOCOL_REDIS] = dpi_redis_server,
	[PROTOCOL_MEMCACHED] = dpi_memcached_server,
	[PROTOCOL_CASSANDRA] = dpi_cassandra_server,
	[PROTOCOL_AMQP] = dpi_amqp_server,
	[PROTOCOL_MQTT] = dpi_mqtt_server,
	[PROTOCOL_NATS] = dpi_nats_server,
	[PROTOCOL_STOMP] = dpi_stomp_server,
	[PROTOCOL_AJP] = dpi_ajp_server,
	[PROTOCOL_FASTCGI] = dpi_fastcgi_server,
	[PROTOCOL_RTMP] = dpi_rtmp,
	[PROTOCOL_RTSP] = dpi_rtsp_server,
	[PROTOCOL_BITTORRENT] = dpi_bittorrent,
	[PROTOCOL_SOCKS] = dpi_socks_server,
	[PROTOCOL_RSYNC] = dpi_rsync,
	[PROTOCOL_GIT] = dpi_git_server,
	[PROTOCOL_STUN] = dpi_stun,
	[PROTOCOL_DNS] = dpi_dns_server,
	[PROTOCOL_BRAID] = dpi_braid,
    },
};

/* --- the first byte --- */

/* A word of commands that are understood in any case of letters: `both`;
 * what is said in capitals only: `capital`; in small letters: `small`. */
#define LETTER(big, little, both, capital, small)                              \
	[big] = B(IMAP) | B(HTTP) | (both) | (capital), [little] = B(IMAP) |   \
								   (both) |    \
								   (small)
#define DIGIT(digit, more) [digit] = B(IMAP) | B(GIT) | (more)

static const protocol_set client_first[256] = {
    [0x00] = B(SMB) | B(KERBEROS) | B(POSTGRESQL) | B(KAFKA) | B(STUN),
    [0x01] = B(FASTCGI) | B(STUN) | B(CASSANDRA),
    [0x02] = B(CASSANDRA),
    [0x03] = B(CASSANDRA) | B(RDP) | B(RTMP),
    [0x04] = B(CASSANDRA) | B(SOCKS),
    [0x05] = B(CASSANDRA) | B(SOCKS),
    [0x10] = B(MSSQL) | B(MQTT),
    [0x12] = B(MSSQL) | B(AJP),
    [0x13] = B(BITTORRENT),
    [0x16] = B(TLS),
    [0x80] = B(TLS) | B(MEMCACHED),
    [0x81] = B(SMB),
    [0xb7] = B(BRAID),
    [0xca] = B(CASSANDRA),
    [0xff] = B(TELNET),
    ['\r'] = B(HTTP),
    ['*'] = B(REDIS),
    ['@'] = B(RSYNC),
    ['<'] = B(XMPP),
    DIGIT('0', B(LDAP)),
    DIGIT('1', 0),
    DIGIT('2', 0),
    DIGIT('3', 0),
    DIGIT('4', 0),
    DIGIT('5', 0),
    DIGIT('6', 0),
    DIGIT('7', 0),
    DIGIT('8', 0),
    DIGIT('9', 0),
    LETTER(
	'A', 'a', B(FTP) | B(POP3) | B(NNTP), B(AMQP), B(MEMCACHED) | B(GIT)),
    LETTER('B', 'b', 0, 0, B(GIT)),
    LETTER('C', 'c', B(IRC) | B(POP3) | B(NNTP) | B(NATS), B(STOMP),
	B(MEMCACHED) | B(GIT)),
    LETTER('D', 'd', B(RTSP), 0, B(MEMCACHED) | B(GIT)),
    LETTER('E', 'e', B(SMTP), 0, B(GIT)),
    LETTER('F', 'f', B(FTP), 0, B(MEMCACHED) | B(GIT)),
    LETTER('G', 'g', B(NNTP) | B(RTSP), 0, B(MEMCACHED)),
    LETTER('H', 'h', B(SMTP) | B(REDIS), 0, 0),
    LETTER('I', 'i', B(NNTP), 0, B(MEMCACHED)),
    LETTER('J', 'j', 0, 0, 0),
    LETTER('K', 'k', 0, 0, 0),
    LETTER('L', 'l', B(SMTP) | B(NNTP), 0, 0),
    LETTER('M', 'm', B(NNTP), 0, B(MEMCACHED)),
    LETTER('N', 'n', B(IRC), 0, 0),
    LETTER('O', 'o', B(FTP) | B(RTSP), 0, 0),
    LETTER('P', 'p', B(IRC) | B(REDIS) | B(RTSP), B(HTTP2), B(MEMCACHED)),
    LETTER('Q', 'q', 0, 0, 0),
    LETTER('R', 'r', B(RTSP), B(VNC), B(MEMCACHED)),
    LETTER(
	'S', 's', B(POP3) | B(FTP) | B(RTSP), B(SSH) | B(STOMP), B(MEMCACHED)),
    LETTER('T', 't', 0, 0, B(MEMCACHED)),
    LETTER('U', 'u', B(IRC) | B(FTP) | B(POP3), 0, 0),
    LETTER('V', 'v', 0, 0, B(MEMCACHED)),
    LETTER('W', 'w', 0, 0, 0),
    LETTER('X', 'x', 0, 0, 0),
    LETTER('Y', 'y', 0, 0, 0),
    LETTER('Z', 'z', 0, 0, 0),
};

static const protocol_set server_first[256] = {
    [0x00] = B(HTTP2) | B(SMB) | B(KERBEROS) | B(SOCKS) | B(STUN),
    [0x01] = B(AMQP) | B(FASTCGI) | B(STUN),
    [0x03] = B(RDP) | B(RTMP),
    [0x04] = B(MSSQL),
    [0x05] = B(SOCKS),
    [0x13] = B(BITTORRENT),
    [0x15] = B(TLS),
    [0x16] = B(TLS),
    [0x20] = B(MQTT),
    [0x81] = B(CASSANDRA) | B(MEMCACHED),
    [0x82] = B(CASSANDRA),
    [0x83] = B(CASSANDRA),
    [0x84] = B(CASSANDRA),
    [0x85] = B(CASSANDRA),
    [0xb7] = B(BRAID),
    [0xff] = B(TELNET),
    ['$'] = B(REDIS),
    ['%'] = B(REDIS),
    ['*'] = B(IMAP) | B(REDIS),
    ['+'] = B(POP3) | B(REDIS),
    ['-'] = B(REDIS),
    [':'] = B(REDIS) | B(IRC),
    ['<'] = B(XMPP),
    ['@'] = B(RSYNC),
    ['0'] = B(GIT) | B(LDAP),
    ['1'] = B(GIT),
    ['2'] = B(GIT) | B(SMTP) | B(FTP) | B(NNTP),
    ['3'] = B(GIT),
    ['A'] = B(AMQP) | B(AJP),
    ['C'] = B(STOMP),
    ['E'] = B(POSTGRESQL) | B(MEMCACHED) | B(IRC),
    ['H'] = B(HTTP),
    ['I'] = B(NATS),
    ['N'] = B(MEMCACHED) | B(IRC),
    ['P'] = B(IRC),
    ['R'] = B(VNC) | B(RTSP) | B(POSTGRESQL),
    ['S'] = B(SSH) | B(POSTGRESQL) | B(MEMCACHED),
    ['V'] = B(MEMCACHED),
};

/* Those that begin with the low byte of a length may begin with any byte;
 * those that begin with its high byte, with a small one. */
#define DNS_QUERY_FIRST_MAX 0x10
#define DNS_ANSWER_FIRST_MAX 0x1f /* text begins behind it */
#define ORACLE_FIRST_MAX 0x08
#define STUN_FRAMED_FIRST_MAX 0x05

static protocol_set candidates(enum side side, uint8_t first)
{
	protocol_set set = B(MYSQL) | B(MONGODB);

	set |= side == CLIENT ? client_first[first] : server_first[first];
	if (first <= ORACLE_FIRST_MAX)
		set |= B(ORACLE);
	if (first <= STUN_FRAMED_FIRST_MAX)
		set |= B(STUN);
	if (first <=
	    (side == CLIENT ? DNS_QUERY_FIRST_MAX : DNS_ANSWER_FIRST_MAX))
		set |= B(DNS);
	return set;
}

/* --- judging --- */

void dpi_start(struct dpi *dpi)
{
	memset(dpi, 0, offsetof(struct dpi, head));
	for (int side = 0; side < 2; side++) {
		dpi->possible[side] = PROTOCOL_ALL;
		dpi->open[side] = PROTOCOL_ALL;
		dpi->need[side] = 1;
	}
	client_hello_start(&dpi->reader);
}

static void settle(struct dpi *dpi, enum side side, enum protocol protocol)
{
	dpi->yes[side] = (uint8_t)protocol;
	dpi->possible[side] = PROTOCOL_BIT(protocol);
	dpi->open[side] = 0;
}

/* A ClientHello may be longer than what detectors look at, and its reader
 * takes versions that they do not: what it has not refused stays possible. */
static bool reads_hello(
    const struct dpi *dpi, enum side side, const uint8_t *bytes)
{
	return side == CLIENT && bytes[0] == TLS_HANDSHAKE && !dpi->hello_done;
}

/* Asks those that still want bytes of this side. */
static void judge(
    struct dpi *dpi, enum side side, const uint8_t *bytes, uint32_t length)
{
	protocol_set open, left, held;

	if (!dpi->seen[side])
		dpi->possible[side] = dpi->open[side] =
		    candidates(side, bytes[0]);
	open = dpi->open[side];
	held = reads_hello(dpi, side, bytes) ? B(TLS) : 0;
	for (left = open; left; left &= left - 1) {
		unsigned id = (unsigned)__builtin_ctzll(left);

		switch (detectors[side][id](bytes, length)) {
		case DPI_NO:
			dpi->possible[side] &= ~(PROTOCOL_BIT(id) & ~held);
			dpi->hello_alone |= (held & PROTOCOL_BIT(id)) != 0;
			open &= ~PROTOCOL_BIT(id);
			break;
		case DPI_MAYBE:
			open &= ~PROTOCOL_BIT(id);
			break;
		case DPI_YES:
			settle(dpi, side, (enum protocol)id);
			dpi->seen[side] = length;
			return;
		case DPI_OPEN:
			break;
		}
	}
	/* More is not looked at. */
	if (length == DPI_BYTES_MAX) {
		dpi->possible[side] &= ~(open & ~held);
		dpi->hello_alone |= (open & held) != 0;
		open = 0;
	}
	dpi->open[side] = open;
	dpi->seen[side] = length;
	dpi->need[side] = length + 1;
}

static void look(
    struct dpi *dpi, enum side side, const uint8_t *bytes, size_t length)
{
	uint32_t n = length < DPI_BYTES_MAX ? (uint32_t)length : DPI_BYTES_MAX;

	if (n > dpi->seen[side] && dpi->open[side])
		judge(dpi, side, bytes, n);
}

/* --- what belongs to the two that are read further --- */

/* Also while it is not certain: a handshake that goes wrong early is to be
 * told from one of another protocol. */
static void read_hello(struct dpi *dpi, const uint8_t *bytes, size_t length,
    struct client_hello *hello)
{
	if (dpi->hello_done)
		return;
	switch (client_hello_read(&dpi->reader, bytes, length, hello)) {
	case CLIENT_HELLO_MORE:
		break;
	case CLIENT_HELLO_DONE:
		dpi->hello_done = true;
		settle(dpi, CLIENT, PROTOCOL_TLS);
		break;
	case CLIENT_HELLO_MALFORMED:
		dpi->tls_cause = dpi->reader.cause;
		dpi->hello_done = true;
		break;
	case CLIENT_HELLO_NOT_TLS:
		dpi->hello_done = true;
		break;
	}
	if (dpi->hello_done && dpi->hello_alone &&
	    dpi->yes[CLIENT] != PROTOCOL_TLS)
		dpi->possible[CLIENT] &= ~B(TLS);
}

static void read_heads(struct dpi *dpi, const uint8_t *client,
    size_t client_length, const uint8_t *server, size_t server_length)
{
	size_t most =
	    client_length < DPI_BYTES_MAX ? client_length : DPI_BYTES_MAX;

	if (!dpi->heads_begun) {
		http1_head_start(&dpi->head, false);
		http1_head_start(&dpi->answer, true);
		dpi->heads_begun = true;
	}
	if (!dpi->head_done && client_length)
		dpi->head_done =
		    http1_head_read(&dpi->head, client, most) != HTTP1_MORE ||
		    most == DPI_BYTES_MAX;
	if (server_length && !dpi->answer_done) {
		most = server_length < DPI_BYTES_MAX ? server_length
						     : DPI_BYTES_MAX;
		dpi->answer_done =
		    http1_head_read(&dpi->answer, server, most) != HTTP1_MORE;
	}
}

/* RFC 6455 4.1 */
static bool is_websocket(const struct dpi *dpi, const uint8_t *client)
{
	const struct http1_head *head = &dpi->head;

	return (head->shapes & HTTP1_UPGRADES) &&
	       http1_list_has(client, head->known[HTTP1_UPGRADE], "websocket");
}

/* --- the verdict --- */

static enum protocol decide(const struct dpi *dpi)
{
	protocol_set both = dpi->possible[CLIENT] & dpi->possible[SERVER];

	if (dpi->yes[CLIENT])
		return (enum protocol)dpi->yes[CLIENT];
	if (dpi->yes[SERVER])
		return (enum protocol)dpi->yes[SERVER];
	/* Both have said a whole piece of it, and of nothing else in common. */
	if (!dpi->seen[CLIENT] || !dpi->seen[SERVER] || !both ||
	    (both & (both - 1)) ||
	    (both & (dpi->open[CLIENT] | dpi->open[SERVER])))
		return PROTOCOL_UNKNOWN;
	return (enum protocol)__builtin_ctzll(both);
}

static enum dpi_result finish_http(struct dpi *dpi, const uint8_t *client,
    size_t client_length, struct dpi_verdict *ret)
{
	ret->head = &dpi->head;
	ret->answer = &dpi->answer;
	if (dpi->head_done || !client_length) {
		if (is_websocket(dpi, client))
			ret->protocol = PROTOCOL_WEBSOCKET;
		ret->possible = PROTOCOL_BIT(ret->protocol);
		return DPI_DONE;
	}
	ret->possible = B(HTTP) | B(WEBSOCKET);
	ret->client_need = (uint32_t)client_length + 1;
	return DPI_MORE;
}

static enum dpi_result finish_tls(struct dpi *dpi, const uint8_t *client,
    size_t client_length, struct client_hello *hello, struct dpi_verdict *ret)
{
	/* One in the form of SSL 2 has no names. */
	if (!client_length || client[0] != TLS_HANDSHAKE)
		return DPI_DONE;
	if (dpi->hello_done) {
		if (!dpi->tls_cause)
			ret->hello = hello;
		return DPI_DONE;
	}
	ret->client_need = dpi->reader.need;
	return DPI_MORE;
}

static enum dpi_result finish_unknown(struct dpi *dpi, struct dpi_verdict *ret)
{
	protocol_set both = dpi->possible[CLIENT] & dpi->possible[SERVER];

	ret->possible = both | B(UNKNOWN);
	if (!both)
		return DPI_UNKNOWN;
	if (both & B(HTTP))
		ret->possible |= B(WEBSOCKET);
	if (dpi->open[CLIENT])
		ret->client_need = dpi->need[CLIENT];
	else if (dpi->hello_alone && !dpi->hello_done)
		ret->client_need = dpi->reader.need;
	if (dpi->open[SERVER])
		ret->server_need = dpi->need[SERVER];
	return ret->client_need || ret->server_need ? DPI_MORE : DPI_UNKNOWN;
}

enum dpi_result dpi_read(struct dpi *dpi, const uint8_t *client,
    size_t client_length, const uint8_t *server, size_t server_length,
    struct client_hello *hello, struct dpi_verdict *ret)
{
	enum protocol protocol;

	look(dpi, CLIENT, client, client_length);
	look(dpi, SERVER, server, server_length);
	if (client_length && client[0] == TLS_HANDSHAKE)
		read_hello(dpi, client, client_length, hello);
	protocol = decide(dpi);
	*ret = (struct dpi_verdict){
	    .protocol = protocol, .possible = PROTOCOL_BIT(protocol)};
	ret->tls_cause = dpi->tls_cause;
	switch (protocol) {
	case PROTOCOL_UNKNOWN:
		return finish_unknown(dpi, ret);
	case PROTOCOL_HTTP:
		read_heads(dpi, client, client_length, server, server_length);
		return finish_http(dpi, client, client_length, ret);
	case PROTOCOL_TLS:
		return finish_tls(dpi, client, client_length, hello, ret);
	default:
		return DPI_DONE;
	}
}
