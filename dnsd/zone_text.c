/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_text.h"

#include "base/assert.h"
#include "dnsd/dname.h"
#include "dnsd/escape.h"
#include "dnsd/rdata.h"
#include "dnsd/zone_files.h"
#include "dnsd/zone_scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum owner_state {
	OWNER_NONE, /* no record yet */
	OWNER_WRONG, /* it was said, and was an error */
	OWNER_KNOWN,
};

/* The owner that the next entry may leave out, for each open file. */
struct owner {
	enum owner_state state;
	uint8_t name[DNAME_MAX];
};

struct reader {
	const struct zone_text_sink *sink;
	struct zone_files files;
	struct owner owners[ZONE_FILES_DEPTH_MAX + 1];
	/* $TTL, the last one written out, the one for neither; NONE: none. */
	uint32_t ttl, last_ttl, default_ttl;
	uint32_t errors;
	/* Of a text: whether its first byte was given a line, a column. */
	bool lines, columns;
	bool stopped; /* by the sink */
	uint8_t rdata[RDATA_MAX];
};

static struct zone_scan *scan_of(struct reader *r)
{
	return &zone_files_last(&r->files)->scan;
}

static struct owner *owner_of(struct reader *r)
{
	return &r->owners[r->files.n - 1];
}

/* -- errors ------------------------------------------------------------ */

int zone_text_format_error(const struct zone_text_where *where,
    const char *text, char *ret, size_t room)
{
	if (!where->file)
		return snprintf(ret, room, "%s", text);
	if (!where->line)
		return snprintf(ret, room, "%s: %s", where->file, text);
	if (!where->column)
		return snprintf(
		    ret, room, "%s:%u: %s", where->file, where->line, text);
	return snprintf(ret, room, "%s:%u:%u: %s", where->file, where->line,
	    where->column, text);
}

static void report(
    struct reader *r, const struct zone_text_where *where, const char *text)
{
	r->sink->on_error(r->sink->context, where, text);
	r->errors++;
}

/* What the scanner keeps of the entry, once. */
static void report_entry(struct reader *r)
{
	struct zone_scan *scan = scan_of(r);
	struct zone_text_where where = {
	    .file = zone_files_last(&r->files)->name,
	    .line = r->lines ? scan->wrong_line : 0,
	    .column = r->columns ? scan->wrong_column : 0,
	};

	if (!scan->wrong_line)
		return;
	report(r, &where, scan->wrong);
	if (r->errors == ZONE_TEXT_ERRORS_MAX) {
		where.column = 0;
		r->sink->on_error(r->sink->context, &where,
		    "too many errors; what follows has not been read");
	}
}

static int refuse(
    struct reader *r, const struct scan_token *token, const char *why)
{
	return zone_scan_refuse(scan_of(r), token, why);
}

/* A word or a quoted string; the end of the entry is `missing`. */
static int next_word(
    struct reader *r, struct scan_token *ret, const char *missing)
{
	zone_scan_next(scan_of(r), ret);
	if (ret->kind == SCAN_FAILED)
		return BR_E_SYNTAX;
	if (ret->kind == SCAN_END || ret->kind == SCAN_EOF)
		return zone_scan_fail(scan_of(r), ret, "%s", missing);
	return 0;
}

static int read_name(
    struct reader *r, const struct scan_token *token, uint8_t ret[DNAME_MAX])
{
	const char *wrong;

	if (token->kind == SCAN_QUOTED)
		return refuse(r, token, "is a name, which is not quoted");
	if (dname_from_text(token->text, token->length,
		zone_files_last(&r->files)->origin, ret, &wrong))
		return refuse(r, token, wrong);
	return 0;
}

/* -- directives -------------------------------------------------------- */

static int read_end(struct reader *r, const char *directive)
{
	struct scan_token token;
	char why[64];

	zone_scan_next(scan_of(r), &token);
	if (token.kind == SCAN_FAILED)
		return BR_E_SYNTAX;
	if (token.kind == SCAN_END)
		return 0;
	(void)snprintf(
	    why, sizeof why, "is one word too many for %s", directive);
	return refuse(r, &token, why);
}

static int read_origin(struct reader *r)
{
	struct scan_token token;
	uint8_t origin[DNAME_MAX];
	int error = next_word(r, &token, "$ORIGIN needs a name");

	if (!error)
		error = read_name(r, &token, origin);
	if (!error)
		error = read_end(r, "$ORIGIN");
	if (!error)
		(void)dname_copy(zone_files_last(&r->files)->origin, origin);
	return error;
}

static int read_ttl_of(
    struct reader *r, const struct scan_token *token, uint32_t *ret)
{
	if (token->kind == SCAN_QUOTED ||
	    !zone_scan_period(token->text, token->length, ret))
		return refuse(r, token, "is not a TTL such as 3600 or 1h30m");
	/* RFC 2181 section 8. */
	if (*ret > ZONE_TEXT_TTL_MAX)
		return refuse(r, token, "is a TTL above 2147483647");
	return 0;
}

/* RFC 2308 section 4. */
static int read_ttl(struct reader *r)
{
	struct scan_token token;
	uint32_t ttl;
	int error = next_word(r, &token, "$TTL needs a time");

	if (!error)
		error = read_ttl_of(r, &token, &ttl);
	if (!error)
		error = read_end(r, "$TTL");
	if (!error)
		r->ttl = ttl;
	return error;
}

static int read_path(
    struct reader *r, const struct scan_token *token, char ret[FILENAME_MAX])
{
	const char *at = token->text, *end = at + token->length;
	const char *wrong = at == end ? "is no name of a file" : NULL;
	size_t length = 0;
	uint8_t byte;
	bool escaped;

	while (at < end && !wrong) {
		wrong = escape_read(&at, end, &byte, &escaped);
		if (!wrong && (!byte || length + 1 == FILENAME_MAX))
			wrong = "is no name of a file";
		if (!wrong)
			ret[length++] = (char)byte;
	}
	ret[length] = '\0';
	return wrong ? refuse(r, token, wrong) : 0;
}

/* RFC 1035 section 5.1: a file and, where there is one, the origin it begins
 * with. The file begins with the owner that is in force here, as in BIND. */
static int read_include(struct reader *r)
{
	struct scan_token file, token;
	char path[FILENAME_MAX], why[ZONE_FILES_WHY_MAX];
	uint8_t origin[DNAME_MAX];
	int error = next_word(r, &file, "$INCLUDE needs a file");

	if (!error)
		error = read_path(r, &file, path);
	if (error)
		return error;
	(void)dname_copy(origin, zone_files_last(&r->files)->origin);
	zone_scan_next(scan_of(r), &token);
	if (token.kind != SCAN_END) {
		error = token.kind == SCAN_FAILED
			    ? BR_E_SYNTAX
			    : read_name(r, &token, origin);
		if (!error)
			error = read_end(r, "$INCLUDE");
		if (error)
			return error;
	}
	if (zone_files_include(&r->files, path, origin, why))
		return zone_scan_fail(scan_of(r), &file, "%s", why);
	if (r->sink->on_include)
		r->sink->on_include(r->sink->context);
	*owner_of(r) = owner_of(r)[-1];
	return 0;
}

static int read_directive(struct reader *r, const struct scan_token *token)
{
	static const struct {
		const char *name;
		int (*read)(struct reader *r);
	} directives[] = {
	    {"$ORIGIN", read_origin},
	    {"$TTL", read_ttl},
	    {"$INCLUDE", read_include},
	};

	if (r->files.path)
		for (size_t i = 0; i < BR_COUNT(directives); i++)
			if (strlen(directives[i].name) == token->length &&
			    !strncasecmp(
				directives[i].name, token->text, token->length))
				return directives[i].read(r);
	return refuse(r, token,
	    r->files.path ? "is not a directive that is known here"
			  : "has no place here: directives stand in files");
}

/* -- records ----------------------------------------------------------- */

/* At the first token of an entry. */
static int read_owner(struct reader *r, const struct scan_token *token)
{
	struct owner *owner = owner_of(r);
	int error;

	if (token->kind == SCAN_BLANK) {
		if (owner->state == OWNER_KNOWN)
			return 0;
		if (owner->state == OWNER_NONE)
			(void)zone_scan_fail(scan_of(r), token,
			    r->files.path
				? "the record has no owner: a line that "
				  "begins with a blank has that of the record "
				  "before, and there is none"
				: "begins with a blank; a record begins with "
				  "its owner");
		return BR_E_SYNTAX;
	}
	owner->state = OWNER_WRONG;
	error = read_name(r, token, owner->name);
	if (!error)
		owner->state = OWNER_KNOWN;
	return error;
}

static int check_class(struct reader *r, const struct scan_token *token)
{
	uint16_t number;

	/* ANY is a type, too, and is refused as such. */
	if (!rr_class_from_text(token->text, token->length, &number) ||
	    number == RR_CLASS_ANY)
		return -ENOENT;
	if (number != RR_CLASS_IN)
		return refuse(r, token, "is a class; only IN can be served");
	return 0;
}

static int check_type(
    struct reader *r, const struct scan_token *token, uint16_t *ret)
{
	if (token->kind == SCAN_QUOTED ||
	    !rr_type_from_text(token->text, token->length, ret)) {
		if (token->length && *token->text == '$')
			return refuse(r, token,
			    "is no type; a directive begins in the first "
			    "column");
		return refuse(r, token, "is not a type, a class or a TTL");
	}
	if (!rr_type_is_data(*ret))
		return refuse(r, token, "is a type that no zone can hold");
	return 0;
}

/* RFC 1035 section 5.1: [TTL] [class] type or [class] [TTL] type. */
static int read_type(struct reader *r, uint16_t *ret_type, uint32_t *ret_ttl)
{
	bool ttl = false, rr_class = false;
	struct scan_token token;
	int error;

	for (;;) {
		error = next_word(r, &token, "the record has no type");
		if (error)
			return error;
		if (!ttl && token.kind == SCAN_WORD && token.text[0] >= '0' &&
		    token.text[0] <= '9') {
			error = read_ttl_of(r, &token, ret_ttl);
			ttl = true;
		} else if (!rr_class && token.kind == SCAN_WORD) {
			error = check_class(r, &token);
			rr_class = true;
			if (error == -ENOENT)
				return check_type(r, &token, ret_type);
		} else {
			return check_type(r, &token, ret_type);
		}
		if (error)
			return error;
	}
}

/* The TTL where the record has none of its own. */
static int default_ttl(
    struct reader *r, const struct scan_token *begin, struct dns_record *record)
{
	record->ttl = r->ttl != ZONE_TEXT_TTL_NONE        ? r->ttl
		      : r->last_ttl != ZONE_TEXT_TTL_NONE ? r->last_ttl
							  : r->default_ttl;
	if (record->ttl != ZONE_TEXT_TTL_NONE)
		return 0;
	if (record->type != RR_SOA)
		return zone_scan_fail(scan_of(r), begin,
		    "the record has no TTL, and no $TTL is before it");
	/* As BIND does where a zone begins without any TTL. */
	const uint8_t *minimum = record->rdata + record->length - 4;

	r->ttl = (uint32_t)minimum[0] << 24 | (uint32_t)minimum[1] << 16 |
		 (uint32_t)minimum[2] << 8 | minimum[3];
	if (r->ttl > ZONE_TEXT_TTL_MAX)
		r->ttl = ZONE_TEXT_TTL_MAX;
	record->ttl = r->ttl;
	return 0;
}

static int read_record(
    struct reader *r, const struct scan_token *begin, struct dns_record *ret)
{
	uint32_t ttl = ZONE_TEXT_TTL_NONE;
	int error = read_owner(r, begin);

	if (!error)
		error = read_type(r, &ret->type, &ttl);
	if (!error)
		error = rdata_read(scan_of(r), ret->type,
		    zone_files_last(&r->files)->origin, r->rdata, &ret->length);
	if (error)
		return error;
	ret->owner = owner_of(r)->name;
	ret->rdata = r->rdata;
	ret->ttl = ttl;
	ret->place.file = zone_files_last(&r->files)->name;
	ret->place.line = begin->line;
	if (ttl == ZONE_TEXT_TTL_NONE)
		return default_ttl(r, begin, ret);
	r->last_ttl = ttl;
	return 0;
}

/* -- files and lines --------------------------------------------------- */

static struct reader *reader_new(
    uint32_t default_ttl, const struct zone_text_sink *sink)
{
	struct reader *r = malloc(sizeof *r);

	if (!r)
		br_out_of_memory("a reader of zone files", sizeof *r);
	r->sink = sink;
	zone_files_init(&r->files);
	r->owners[0].state = OWNER_NONE;
	r->ttl = r->last_ttl = ZONE_TEXT_TTL_NONE;
	r->default_ttl = default_ttl;
	r->errors = 0;
	r->lines = r->columns = true;
	r->stopped = false;
	return r;
}

static int reader_free(struct reader *r)
{
	int error = r->errors ? BR_E_SYNTAX : r->stopped ? -ECANCELED : 0;

	zone_files_fini(&r->files);
	free(r);
	return error;
}

/* At the first token of an entry; *ret_record: it is a record. */
static int read_entry(struct reader *r, struct scan_token *begin,
    struct dns_record *ret, bool *ret_record)
{
	struct scan_token next;

	*ret_record = false;
	if (begin->kind == SCAN_FAILED)
		return BR_E_SYNTAX;
	if (begin->kind == SCAN_WORD && begin->text[0] == '$')
		return read_directive(r, begin);
	if (begin->kind == SCAN_BLANK) {
		/* Nothing but parentheses. */
		zone_scan_next(scan_of(r), &next);
		if (next.kind == SCAN_END)
			return 0;
		if (next.kind == SCAN_FAILED)
			return BR_E_SYNTAX;
		zone_scan_unread(scan_of(r), &next);
	}
	*ret_record = true;
	return read_record(r, begin, ret);
}

static void read_file_entry(struct reader *r)
{
	struct zone_scan *scan = scan_of(r);
	struct dns_record record;
	struct scan_token token;
	bool is_record;
	int error;

	scan->wrong_line = 0;
	zone_scan_next(scan, &token);
	if (token.kind == SCAN_EOF) {
		zone_files_pop(&r->files);
		return;
	}
	error = read_entry(r, &token, &record, &is_record);
	if (error) {
		zone_scan_skip_entry(scan);
		report_entry(r);
	} else if (is_record &&
		   !r->sink->on_record(r->sink->context, &record)) {
		r->stopped = true;
	}
}

int zone_text_read(const char *path, const uint8_t *origin,
    uint32_t default_ttl, const struct zone_text_sink *sink)
{
	struct reader *r = reader_new(default_ttl, sink);
	char why[ZONE_FILES_WHY_MAX];

	if (zone_files_open(&r->files, path, origin, why))
		report(r, &(struct zone_text_where){.file = path}, why);
	while (r->files.n && !r->stopped && r->errors < ZONE_TEXT_ERRORS_MAX)
		read_file_entry(r);
	return reader_free(r);
}

/* The one record of a text. */
static int read_line(struct reader *r, struct dns_record *ret)
{
	struct zone_scan *scan = scan_of(r);
	struct scan_token token;
	bool is_record;
	int error;

	zone_scan_next(scan, &token);
	if (token.kind == SCAN_EOF)
		return zone_scan_fail(scan, &token, "there is no record here");
	error = read_entry(r, &token, ret, &is_record);
	if (error)
		return error;
	if (!is_record)
		return zone_scan_fail(scan, &token, "there is no record here");
	zone_scan_next(scan, &token);
	if (token.kind == SCAN_EOF)
		return 0;
	return zone_scan_refuse(
	    scan, &token, "begins a second record; each is an item of its own");
}

int zone_text_line(const char *text, const struct zone_text_where *where,
    const uint8_t *origin, uint32_t default_ttl,
    const struct zone_text_sink *sink)
{
	struct reader *r = reader_new(default_ttl, sink);
	struct dns_record record;

	r->lines = where->line;
	r->columns = where->column;
	zone_files_open_text(&r->files, where->file, text,
	    r->lines ? where->line : 1, r->columns ? where->column : 1, origin);
	if (read_line(r, &record))
		report_entry(r);
	else if (!sink->on_record(sink->context, &record))
		r->stopped = true;
	return reader_free(r);
}
