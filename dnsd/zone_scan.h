/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Master file syntax below the level of records (RFC 1035 section 5.1): a file
 * or a text as a stream of tokens. Comments, parentheses and the line breaks
 * within them are gone; where an entry begins with a blank is told, since it
 * then has the owner of the entry before.
 *
 *     www  IN ( A        ; comment      WORD www
 *          192.0.2.1 )                  WORD IN   WORD A   WORD 192.0.2.1
 *                                       END
 *          TXT "a b"                    BLANK  WORD TXT  QUOTED a b  END
 *                                       EOF
 *
 * Escapes (\. and \DDD) are left as they are: only who knows the field knows
 * what they mean. Line ends are LF, CRLF or the end of the file; a UTF-8 byte
 * order mark at the beginning is passed over.
 *
 * Thread:  one at a time; it reads from disk, so not control and no worker.
 * Memory:  a token lies in the scanner's buffer until the next one is asked
 *          for. The buffer is the heap's; it grows with the longest token, not
 *          with the file.
 * Errors:  SCAN_FAILED, and what is wrong and where in the scanner. Only the
 *          first error of an entry is kept.
 * Limits:  SCAN_TOKEN_MAX bytes a token.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The data of a record as hexadecimal digits is twice 65,535 bytes, a string
 * of SvcParams with every byte escaped four times as much. */
#define SCAN_TOKEN_MAX ((size_t)256 * 1024)
#define SCAN_WRONG_MAX 512u

enum scan_kind {
	SCAN_BLANK, /* the entry begins with blanks */
	SCAN_WORD,
	SCAN_QUOTED, /* without its quotes */
	SCAN_END, /* of the entry */
	SCAN_EOF, /* always after SCAN_END, if there was an entry */
	SCAN_FAILED,
};

struct scan_token {
	enum scan_kind kind;
	uint32_t line, column; /* of its first byte, a quote included; from 1 */
	const char *text; /* not terminated */
	size_t length;
};

struct zone_scan {
	char *buffer; /* NULL: of a text */
	const char *text; /* the buffer, or the text */
	size_t room;
	/* In the text. Bytes before `first` are done with; `at` is the next
	 * one, `end` the end of what has been read. */
	size_t first, at, end;
	int64_t line_start; /* place of the column 1, from the beginning */
	int64_t before; /* bytes of the file that are before the buffer */
	uint32_t line;
	uint32_t depth; /* of parentheses */
	uint32_t paren_line, paren_column; /* of the outermost that is open */
	int fd; /* -1: the buffer holds all there is */
	bool begun;
	bool fresh; /* nothing of the line has been seen */
	bool ended; /* no more bytes after those in the buffer */
	bool broken; /* the file could not be read on; not yet told */
	bool in_entry; /* a token came since the last SCAN_END */
	bool pairs; /* a word goes on through quotes: alpn="h2" */

	bool has_unread;
	struct scan_token unread;

	/* What is wrong with the entry; line 0: nothing. */
	uint32_t wrong_line, wrong_column;
	char wrong[SCAN_WRONG_MAX];
};

/* Of an open file, which stays the caller's. */
void zone_scan_open(struct zone_scan *scan, int fd);
/* Of a text, which must outlive the scanner. Its first byte counts as being
 * at that line and column. */
void zone_scan_open_text(struct zone_scan *scan, const char *text,
    size_t length, uint32_t line, uint32_t column);
void zone_scan_close(struct zone_scan *scan);

/* The next token. After SCAN_FAILED the rest of the entry must be passed
 * over. */
void zone_scan_next(struct zone_scan *scan, struct scan_token *ret);
/* Gives a token back, to be the next one. Its text stays as it is. */
void zone_scan_unread(struct zone_scan *scan, const struct scan_token *token);
/* To the end of the entry. Errors on the way are not kept. */
void zone_scan_skip_entry(struct zone_scan *scan);

/* Says what is wrong with the entry, at the token; returns BR_E_SYNTAX.
 * Control bytes in the text are shown as dots. Only the first is kept. */
int zone_scan_fail(struct zone_scan *scan, const struct scan_token *token,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same, of the token itself: `"192.0.2.300" is not an IPv4 address`. */
int zone_scan_refuse(
    struct zone_scan *scan, const struct scan_token *token, const char *why);
/* The token as an error text shows it: quoted, cut where it is long. */
#define SCAN_SHOWN_MAX 80u
const char *zone_scan_show(
    const struct scan_token *token, char ret[SCAN_SHOWN_MAX]);

/* A word that is a number in decimal digits, up to `max`. */
bool zone_scan_number(
    const char *text, size_t length, uint32_t max, uint32_t *ret);
/* A word that is a time: a number of seconds, or numbers with the units w, d,
 * h, m and s as in 1h30m. */
bool zone_scan_period(const char *text, size_t length, uint32_t *ret_s);
