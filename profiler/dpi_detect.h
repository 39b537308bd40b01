/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The detectors behind dpi.h, by family, and what they share. Each is a pure
 * function over all bytes of one side so far, at least one. It is asked again
 * with more of them while it says OPEN, and no more when it said anything else.
 *
 *     DPI_NO      these bytes are not that protocol's
 *     DPI_OPEN    they may begin it
 *     DPI_MAYBE   they are a whole piece of it, and of something else, too
 *     DPI_YES     it is
 *
 * Thread:  any (pure).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "conf/protocol.h"

enum dpi_answer { DPI_NO, DPI_OPEN, DPI_MAYBE, DPI_YES };

typedef enum dpi_answer dpi_detector(const uint8_t *bytes, size_t length);

/* --- dpi_bytes.c: what several need --- */

/* In a pattern: any byte. */
#define DPI_ANY 0x100u

/* Whether the bytes begin so: NO, OPEN or YES. */
enum dpi_answer dpi_begins(
    const uint8_t *bytes, size_t length, const char *text);
enum dpi_answer dpi_begins_any_case(
    const uint8_t *bytes, size_t length, const char *lower_text);
enum dpi_answer dpi_pattern(
    const uint8_t *bytes, size_t length, const uint16_t *pattern, size_t count);
#define DPI_PATTERN(bytes, length, array)                                      \
	dpi_pattern(bytes, length, array, BR_COUNT(array))

uint32_t dpi_le32(const uint8_t *bytes);
uint32_t dpi_le24(const uint8_t *bytes);
uint32_t dpi_be32(const uint8_t *bytes);
uint32_t dpi_be24(const uint8_t *bytes);
uint16_t dpi_be16(const uint8_t *bytes);
/* Printable ASCII only. */
bool dpi_printable(const uint8_t *bytes, size_t length);
bool dpi_is_digit(uint8_t c);
bool dpi_is_alpha(uint8_t c);

/* A line of text without its end, LF or CR LF. */
struct dpi_line {
	const uint8_t *at;
	size_t length;
};
#define DPI_LINE_MAX 512
/* YES: the line that begins there; OPEN: no end yet, and all of it is text;
 * NO: control characters, or longer than DPI_LINE_MAX. */
enum dpi_answer dpi_line(
    const uint8_t *bytes, size_t length, struct dpi_line *ret);
/* Takes the word at the front, up to a blank, and the blanks behind it. False
 * at the end of the line. */
bool dpi_word(struct dpi_line *line, struct dpi_line *ret);
/* In any case of letters. */
bool dpi_word_is(struct dpi_line word, const char *lower_text);
bool dpi_line_has(struct dpi_line line, const char *lower_text);
/* Whether the word is one of the texts, up to a NULL. */
bool dpi_word_in(struct dpi_line word, const char *const *lower_texts);
/* Whether `bytes` may be the beginning of one of these words, in any case, or
 * is one of them with a blank or the line's end behind it. */
enum dpi_answer dpi_command(
    const uint8_t *bytes, size_t length, const char *const *lower_texts);

/* --- dpi_web.c --- */
dpi_detector dpi_http_client, dpi_http_server;
dpi_detector dpi_http2_client, dpi_http2_server;
dpi_detector dpi_tls_client, dpi_tls_server;
dpi_detector dpi_ajp_client, dpi_ajp_server;
dpi_detector dpi_fastcgi_client, dpi_fastcgi_server;

/* --- dpi_shell.c --- */
dpi_detector dpi_ssh, dpi_vnc, dpi_telnet;
dpi_detector dpi_rdp_client, dpi_rdp_server;

/* --- dpi_mail.c --- */
dpi_detector dpi_smtp_client, dpi_smtp_server;
dpi_detector dpi_imap_client, dpi_imap_server;
dpi_detector dpi_pop3_client, dpi_pop3_server;
dpi_detector dpi_nntp_client, dpi_nntp_server;
dpi_detector dpi_ftp_client, dpi_ftp_server;

/* --- dpi_chat.c --- */
dpi_detector dpi_irc_client, dpi_irc_server, dpi_xmpp;

/* --- dpi_directory.c --- */
dpi_detector dpi_smb, dpi_dns_client, dpi_dns_server;
dpi_detector dpi_ldap_client, dpi_ldap_server;
dpi_detector dpi_kerberos_client, dpi_kerberos_server;

/* --- dpi_database.c --- */
dpi_detector dpi_mysql_client, dpi_mysql_server;
dpi_detector dpi_postgresql_client, dpi_postgresql_server;
dpi_detector dpi_mssql_client, dpi_mssql_server;
dpi_detector dpi_oracle_client, dpi_oracle_server;

/* --- dpi_store.c --- */
dpi_detector dpi_mongodb_client, dpi_mongodb_server;
dpi_detector dpi_redis_client, dpi_redis_server;
dpi_detector dpi_memcached_client, dpi_memcached_server;
dpi_detector dpi_cassandra_client, dpi_cassandra_server;

/* --- dpi_queue.c --- */
dpi_detector dpi_kafka_client;
dpi_detector dpi_amqp_client, dpi_amqp_server;
dpi_detector dpi_mqtt_client, dpi_mqtt_server;
dpi_detector dpi_nats_client, dpi_nats_server;
dpi_detector dpi_stomp_client, dpi_stomp_server;

/* --- dpi_media.c --- */
dpi_detector dpi_rtmp, dpi_rtsp_client, dpi_rtsp_server, dpi_stun;

/* --- dpi_transfer.c --- */
dpi_detector dpi_bittorrent, dpi_rsync, dpi_braid;
dpi_detector dpi_git_client, dpi_git_server;
dpi_detector dpi_socks_client, dpi_socks_server;
