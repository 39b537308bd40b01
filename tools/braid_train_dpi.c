/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What profiler/dpi makes of captured first bytes. Prints a row per flow with
 * the verdict, the name and how many bytes were needed, then the score against
 * the label column.
 *
 * Columns, by the names in the first line: proto (the label), client_hex,
 * server_hex; if there, host (name to compare with), has_syn (0: the beginning
 * is missing, so the row is not scored), server_first, pcap (names a row).
 */
#include "tools/braid_train.h"

#include "base/assert.h"
#include "base/error.h"
#include "learn/csv.h"
#include "profiler/dpi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COLUMNS_MAX 64
#define SIDE_BYTES_MAX (CLIENT_HELLO_BYTES_MAX + 1)
#define NAME_ROOM (CLIENT_HELLO_NAME_MAX + 1)

/* What labels of other tools are called here. Those that are not in it are
 * protocols that Braid does not tell apart. */
static const struct {
	const char *label;
	enum protocol protocol;
} labels[] = {
    {"HTTP", PROTOCOL_HTTP},
    {"HTTP_Connect", PROTOCOL_HTTP},
    {"HTTP_Proxy", PROTOCOL_HTTP},
    {"SOAP", PROTOCOL_HTTP},
    {"HTTP2", PROTOCOL_HTTP2},
    {"WebSocket", PROTOCOL_WEBSOCKET},
    {"TLS", PROTOCOL_TLS},
    {"IMAPS", PROTOCOL_TLS},
    {"POPS", PROTOCOL_TLS},
    {"SMTPS", PROTOCOL_TLS},
    {"SSH", PROTOCOL_SSH},
    {"SMTP", PROTOCOL_SMTP},
    {"IMAP", PROTOCOL_IMAP},
    {"POP3", PROTOCOL_POP3},
    {"FTP_CONTROL", PROTOCOL_FTP},
    {"FTPS", PROTOCOL_FTP},
    {"Usenet", PROTOCOL_NNTP},
    {"IRC", PROTOCOL_IRC},
    {"Jabber", PROTOCOL_XMPP},
    {"Telnet", PROTOCOL_TELNET},
    {"RDP", PROTOCOL_RDP},
    {"VNC", PROTOCOL_VNC},
    {"SMBv1", PROTOCOL_SMB},
    {"SMBv23", PROTOCOL_SMB},
    {"NetBIOS", PROTOCOL_SMB},
    {"LDAP", PROTOCOL_LDAP},
    {"Kerberos", PROTOCOL_KERBEROS},
    {"MySQL", PROTOCOL_MYSQL},
    {"PostgreSQL", PROTOCOL_POSTGRESQL},
    {"MsSQL-TDS", PROTOCOL_MSSQL},
    {"Oracle", PROTOCOL_ORACLE},
    {"MongoDB", PROTOCOL_MONGODB},
    {"RESP", PROTOCOL_REDIS},
    {"Redis", PROTOCOL_REDIS},
    {"Memcached", PROTOCOL_MEMCACHED},
    {"Cassandra", PROTOCOL_CASSANDRA},
    {"Kafka", PROTOCOL_KAFKA},
    {"AMQP", PROTOCOL_AMQP},
    {"MQTT", PROTOCOL_MQTT},
    {"Nats", PROTOCOL_NATS},
    {"STOMP", PROTOCOL_STOMP},
    {"AJP", PROTOCOL_AJP},
    {"FastCGI", PROTOCOL_FASTCGI},
    {"RTMP", PROTOCOL_RTMP},
    {"RTSP", PROTOCOL_RTSP},
    {"BitTorrent", PROTOCOL_BITTORRENT},
    {"SOCKS", PROTOCOL_SOCKS},
    {"RSYNC", PROTOCOL_RSYNC},
    {"Git", PROTOCOL_GIT},
    {"STUN", PROTOCOL_STUN},
    {"DNS", PROTOCOL_DNS},
};

struct columns {
	/* Positions; UINT32_MAX: not there. */
	uint32_t label, client, server, host, has_syn, server_first, pcap;
};

struct row {
	const char *label, *host, *pcap;
	bool scored, server_first;
	uint8_t client[SIDE_BYTES_MAX], server[SIDE_BYTES_MAX];
	size_t client_length, server_length;
};

/* What came out, and after how many bytes. */
struct outcome {
	enum protocol protocol;
	char name[NAME_ROOM];
	size_t client_bytes, server_bytes; /* until the protocol was certain */
	size_t name_bytes; /* of the client's, until the name was whole */
	bool cut; /* the capture ends before the name */
};

struct score {
	uint32_t rows, right, missed, wrong;
};

struct scores {
	struct score supported, unsupported, names;
	uint32_t not_scored;
};

/* --- reading --- */

static int find_columns(char **fields, uint32_t n, struct columns *ret)
{
	struct columns c;

	memset(&c, 0xff, sizeof(c));
	for (uint32_t i = 0; i < n; i++) {
		if (!strcmp(fields[i], "proto"))
			c.label = i;
		else if (!strcmp(fields[i], "client_hex"))
			c.client = i;
		else if (!strcmp(fields[i], "server_hex"))
			c.server = i;
		else if (!strcmp(fields[i], "host"))
			c.host = i;
		else if (!strcmp(fields[i], "has_syn"))
			c.has_syn = i;
		else if (!strcmp(fields[i], "server_first"))
			c.server_first = i;
		else if (!strcmp(fields[i], "pcap"))
			c.pcap = i;
	}
	if (c.label == UINT32_MAX || c.client == UINT32_MAX ||
	    c.server == UINT32_MAX)
		return -ENOENT;
	*ret = c;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NULL, or what is wrong. */
static const char *read_hex(const char *text, uint8_t *ret, size_t *ret_length)
{
	size_t n = 0;

	for (; text[0]; text += 2) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (high >= 0 && !text[1])
			return "an odd number of hexadecimal digits";
		if (low < 0)
			return "a byte that is no hexadecimal digit";
		if (n == SIDE_BYTES_MAX)
			return "more bytes than are looked at";
		ret[n++] = (uint8_t)(high << 4 | low);
	}
	*ret_length = n;
	return NULL;
}

/* Where in a file, for what is said of it. */
struct place {
	const char *name;
	unsigned line;
};

static int bad_line(
    const struct place *at, const char *column, const char *what)
{
	(void)fprintf(stderr, "braid-train: %s:%u: %s%s%s\n", at->name,
	    at->line, column, *column ? ": " : "", what);
	return TRAIN_DATA;
}

static int split(const struct place *at, char *line, size_t length,
    char **fields, uint32_t *ret_n)
{
	int err = csv_split(line, length, fields, COLUMNS_MAX, ret_n);

	if (err == BR_E_LIMIT)
		return bad_line(at, "", "too many columns");
	return err ? bad_line(
			 at, "", "a quote at a wrong place, or a byte of 0")
		   : TRAIN_OK;
}

static const char *field_of(
    char *const *fields, uint32_t column, const char *fallback)
{
	return column == UINT32_MAX ? fallback : fields[column];
}

static int read_row(const struct place *at, char *line, size_t length,
    const struct columns *columns, struct row *ret)
{
	char *fields[COLUMNS_MAX];
	const char *wrong;
	uint32_t n;
	int code = split(at, line, length, fields, &n);

	if (code)
		return code;
	for (const uint32_t *c = &columns->label; c <= &columns->pcap; c++) {
		if (*c != UINT32_MAX && *c >= n)
			return bad_line(
			    at, "", "fewer columns than the header has");
	}
	ret->label = fields[columns->label];
	ret->host = field_of(fields, columns->host, "");
	ret->pcap = field_of(fields, columns->pcap, "");
	ret->scored = !strcmp(field_of(fields, columns->has_syn, "1"), "1");
	ret->server_first =
	    !strcmp(field_of(fields, columns->server_first, "0"), "1");
	wrong =
	    read_hex(fields[columns->client], ret->client, &ret->client_length);
	if (wrong)
		return bad_line(at, "client_hex", wrong);
	wrong =
	    read_hex(fields[columns->server], ret->server, &ret->server_length);
	return wrong ? bad_line(at, "server_hex", wrong) : TRAIN_OK;
}

/* --- one flow --- */

static void copy_name(char ret[NAME_ROOM], const char *at, size_t length)
{
	(void)snprintf(ret, NAME_ROOM, "%.*s", (int)length, at);
}

static void take_name(const struct row *row, const struct dpi_verdict *verdict,
    char ret[NAME_ROOM])
{
	if (verdict->hello)
		copy_name(
		    ret, verdict->hello->name, verdict->hello->name_length);
	else if (verdict->head)
		copy_name(ret,
		    (const char *)row->client +
			verdict->head->known[HTTP1_HOST].at,
		    verdict->head->known[HTTP1_HOST].length);
}

/* Byte by byte: whoever speaks first, then the other. */
static void classify(const struct row *row, struct outcome *ret)
{
	size_t n[2] = {0, 0};
	const size_t most[2] = {row->client_length, row->server_length};
	static struct client_hello hello;
	struct dpi_verdict verdict = {0};
	enum dpi_result result = DPI_MORE;
	struct dpi dpi;

	*ret = (struct outcome){0};
	dpi_start(&dpi);
	for (int turn = 0; turn < 2; turn++) {
		int side = row->server_first ? !turn : turn;

		while (result != DPI_DONE && n[side] < most[side]) {
			n[side]++;
			result = dpi_read(&dpi, row->client, n[0], row->server,
			    n[1], &hello, &verdict);
			if (verdict.protocol && !ret->protocol) {
				ret->client_bytes = n[0];
				ret->server_bytes = n[1];
			}
			ret->protocol = verdict.protocol;
		}
	}
	ret->cut = result == DPI_MORE;
	ret->name_bytes = n[0];
	take_name(row, &verdict, ret->name);
}

/* --- scoring --- */

static const char missed[] = "MISSED", wrong[] = "WRONG";

static enum protocol protocol_of_label(const char *label)
{
	for (size_t i = 0; i < BR_COUNT(labels); i++) {
		if (!strcmp(labels[i].label, label))
			return labels[i].protocol;
	}
	return PROTOCOL_UNKNOWN;
}

/* Labels name the host, a Host field may have a port. */
static bool same_name(const char *name, const char *host)
{
	size_t n = strlen(host);

	return !strncasecmp(name, host, n) && (!name[n] || name[n] == ':');
}

static bool agrees(enum protocol verdict, enum protocol label)
{
	return verdict == label ||
	       (label == PROTOCOL_HTTP && verdict == PROTOCOL_WEBSOCKET);
}

/* Other protocols have names too, which are not read. */
static bool has_name(const struct row *row, const struct outcome *outcome)
{
	return row->host[0] && (outcome->protocol == PROTOCOL_TLS ||
				   outcome->protocol == PROTOCOL_HTTP ||
				   outcome->protocol == PROTOCOL_WEBSOCKET);
}

static const char *count(struct score *score, bool right, bool absent)
{
	score->rows++;
	if (right) {
		score->right++;
		return "right";
	}
	if (absent) {
		score->missed++;
		return missed;
	}
	score->wrong++;
	return wrong;
}

static const char *score_row(
    const struct row *row, const struct outcome *outcome, struct scores *scores)
{
	enum protocol label = protocol_of_label(row->label);

	if (!row->scored) {
		scores->not_scored++;
		return "-";
	}
	if (has_name(row, outcome))
		(void)count(&scores->names, same_name(outcome->name, row->host),
		    !outcome->name[0]);
	if (!label)
		return count(&scores->unsupported, !outcome->protocol, false);
	return count(&scores->supported, agrees(outcome->protocol, label),
	    !outcome->protocol);
}

static void print_row(FILE *output, const struct row *row,
    const struct outcome *outcome, const char *verdict)
{
	const char *note = "";

	if (outcome->cut)
		note = " cut";
	if (row->scored && has_name(row, outcome) &&
	    !same_name(outcome->name, row->host))
		note = outcome->cut ? " cut NAME" : " NAME";
	(void)fprintf(output, "%-7s %-14s %-12s %4zu %4zu %4zu  %s%s  %s\n",
	    verdict, row->label, protocol_name(outcome->protocol),
	    outcome->client_bytes, outcome->server_bytes, outcome->name_bytes,
	    outcome->name[0] ? outcome->name : "-", note, row->pcap);
}

static void print_score(
    FILE *output, const char *what, const struct score *score)
{
	(void)fprintf(output,
	    "%-28s %5u rows, %5u right, %5u missed, %5u wrong (%.1f %%)\n",
	    what, score->rows, score->right, score->missed, score->wrong,
	    score->rows ? 100.0 * score->right / score->rows : 0.0);
}

static void print_scores(FILE *output, const struct scores *scores)
{
	print_score(output, "protocols that it knows", &scores->supported);
	print_score(output, "others, to be unknown", &scores->unsupported);
	print_score(output, "names of hosts", &scores->names);
	(void)fprintf(output, "%-28s %5u rows\n", "without a beginning",
	    scores->not_scored);
}

/* --- the whole file --- */

static int read_header(
    const struct place *at, char *line, size_t length, struct columns *ret)
{
	char *fields[COLUMNS_MAX];
	uint32_t n;
	int code;

	csv_skip_mark(&line, &length);
	code = split(at, line, length, fields, &n);
	if (!code && find_columns(fields, n, ret))
		code = bad_line(at, "",
		    "want at least the columns proto, client_hex and "
		    "server_hex");
	return code;
}

static void score_and_print(
    const struct row *row, bool wrong_only, struct scores *scores)
{
	struct outcome outcome;
	const char *verdict;

	classify(row, &outcome);
	verdict = score_row(row, &outcome, scores);
	if (!wrong_only || verdict == missed || verdict == wrong)
		print_row(stdout, row, &outcome, verdict);
}

static int read_rows(
    FILE *input, const char *name, bool wrong_only, char **line, size_t *room)
{
	static struct row row;
	struct columns columns = {0};
	struct scores scores = {0};
	struct place at = {.name = name};
	ssize_t length;

	while ((length = getline(line, room, input)) > 0) {
		int code;

		while (length && strchr("\r\n", (*line)[length - 1]))
			(*line)[--length] = '\0';
		code =
		    at.line++
			? read_row(&at, *line, (size_t)length, &columns, &row)
			: read_header(&at, *line, (size_t)length, &columns);
		if (code)
			return code;
		if (at.line > 1)
			score_and_print(&row, wrong_only, &scores);
	}
	if (ferror(input))
		return bad_line(&at, "", strerror(errno));
	if (!at.line) {
		at.line = 1;
		return bad_line(&at, "", "the file is empty");
	}
	print_scores(stdout, &scores);
	return TRAIN_OK;
}

static int read_file(const char *path, bool wrong_only)
{
	char *line = NULL;
	size_t room = 0;
	FILE *input = fopen(path, "re");
	int status;

	if (!input) {
		(void)fprintf(
		    stderr, "braid-train: %s: %s\n", path, strerror(errno));
		return TRAIN_NO_INPUT;
	}
	status = read_rows(input, path, wrong_only, &line, &room);
	(void)fclose(input);
	free(line);
	return status;
}

int train_dpi_main(int argc, char **argv)
{
	static const char usage[] =
	    "usage: braid-train dpi [OPTION] FILE.csv ...\n\n"
	    "  --wrong   only rows that are not right, and the score\n\n"
	    "Columns, by the names in the first line: proto (the label),\n"
	    "client_hex, server_hex; if there: host, has_syn (0: not scored),\n"
	    "server_first, pcap. Each row is printed with whether it is right,\n"
	    "label, verdict, bytes of the client and of the server until it\n"
	    "was certain, bytes of the client until the name was known, the\n"
	    "name; then the score.\n";

	int first = 1;

	if (argc > 1 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		(void)fputs(usage, stdout);
		return TRAIN_OK;
	}
	if (argc > 1 && !strcmp(argv[1], "--wrong"))
		first++;
	if (first >= argc || argv[first][0] == '-') {
		(void)fputs(usage, stderr);
		return TRAIN_USAGE;
	}
	for (int i = first; i < argc; i++) {
		int status = read_file(argv[i], first > 1);

		if (status)
			return status;
	}
	return TRAIN_OK;
}
