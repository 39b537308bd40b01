/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What no file of tests/dnsd/zones can show: files that hold what no editor
 * writes, folders with links, the sink's word, lines of the configuration.
 */
#include "dnsd/zone_text.h"

#include "base/assert.h"
#include "base/strbuf.h"
#include "dnsd/zone_files.h"
#include "dnsd/zone_print.h"
#include "dnsd/zone_scan.h"
#include "tests/unit/base/check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const uint8_t origin[] = "\7example\3org";

/* -- a folder of zone files -------------------------------------------- */

static char folder[64];
static struct strbuf out; /* records and errors as text */
static uint32_t records, records_max;

static const char *path_of(const char *name)
{
	static char paths[4][512];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	(void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

/* What a test made is named here, the deepest first. Also after a test that
 * has failed, which runs no teardown. */
static void clean(void)
{
	static const char *const names[] = {"z", "sub/inc", "sub/other",
	    "sub/z", "sub/link", "sub/up", "sub/pipe", "sub/d0", "sub/d1",
	    "sub/d2", "sub/d3", "sub/d4", "sub/d5", "sub/d6", "sub/d7",
	    "sub/d8", "sub/deep/inc", "sub/deep", "sub"};

	if (!*folder)
		return;
	for (size_t i = 0; i < BR_COUNT(names); i++)
		if (unlink(path_of(names[i])) && errno != ENOENT)
			(void)rmdir(path_of(names[i]));
	(void)rmdir(folder);
	*folder = '\0';
}

static void setup(void)
{
	clean();
	(void)snprintf(folder, sizeof folder, "/tmp/braid-zone-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	strbuf_init(&out);
	records = 0;
	records_max = UINT32_MAX;
}

static void teardown(void)
{
	clean();
	strbuf_fini(&out);
}

static void put_bytes(const char *name, const void *bytes, size_t length)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	close(fd);
}

static void put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

static bool on_record(void *context, const struct dns_record *record)
{
	ck_assert_ptr_eq(context, &out);
	zone_print_record(&out, record);
	return ++records < records_max;
}

static void on_error(
    void *context, const struct zone_text_where *where, const char *text)
{
	struct zone_text_where shown = *where;
	char line[1024];

	ck_assert_ptr_eq(context, &out);
	/* From the temporary folder on. */
	if (shown.file && !strncmp(shown.file, folder, strlen(folder)))
		shown.file += strlen(folder) + 1;
	ck_assert_int_lt(
	    zone_text_format_error(&shown, text, line, sizeof line),
	    (int)sizeof line);
	strbuf_addf(&out, "%s\n", line);
}

static const struct zone_text_sink sink = {&out, on_record, on_error, NULL};

static void gives(const char *name, int error, const char *expected)
{
	strbuf_clear(&out);
	ck_assert_int_eq(
	    zone_text_read(path_of(name), origin, 300, &sink), error);
	ck_assert_str_eq(strbuf_text(&out), expected);
}

static void file_gives(const char *text, int error, const char *expected)
{
	put("z", text);
	gives("z", error, expected);
}

#define FILE_GIVES_BYTES(bytes, error, expected)                               \
	do {                                                                   \
		put_bytes("z", bytes, sizeof(bytes) - 1);                      \
		gives("z", error, expected);                                   \
	} while (0)

/* -- files ------------------------------------------------------------- */

#define A_LINE "a.example.org. 300 IN A 192.0.2.1\n"
#define B_LINE "b.example.org. 300 IN A 192.0.2.2\n"

START_TEST(test_line_ends)
{
	file_gives("", 0, "");
	file_gives("\n\n", 0, "");
	file_gives("; nothing", 0, "");
	file_gives("a A 192.0.2.1", 0, A_LINE);
	file_gives("a A 192.0.2.1\r\nb A 192.0.2.2\r\n", 0, A_LINE B_LINE);
	file_gives("a ( A ; one\r\n192.0.2.1 )\r\n", 0, A_LINE);
	file_gives("a A 192.0.2.1 ; end", 0, A_LINE);
	file_gives(
	    "a A ( 192.0.2.1", BR_E_SYNTAX, "z:1:5: \"(\" is not closed\n");
	file_gives("a A 192.0.2.1 )\nb A 192.0.2.2\n", BR_E_SYNTAX,
	    "z:1:15: \")\" closes no \"(\"\n" B_LINE);
	file_gives("a A 192.0.2.1\\\nb A 192.0.2.2\n", BR_E_SYNTAX,
	    "z:1:5: \"192.0.2.1\\\" ends in the middle of an escape\n" B_LINE);
	file_gives("a A \r 192.0.2.1\nb A 192.0.2.2\n", BR_E_SYNTAX,
	    "z:1:5: a carriage return that no line feed follows\n" B_LINE);
	file_gives("a TXT \"x\n\" 1\nb A 192.0.2.2\n", BR_E_SYNTAX,
	    "z:1:7: \"x\" has no closing quote\n"
	    "z:2:1: \" 1\" has no closing quote\n" B_LINE);
}
END_TEST

START_TEST(test_bytes)
{
	FILE_GIVES_BYTES("\xef\xbb\xbf"
			 "a A 192.0.2.1\n",
	    0, A_LINE);
	/* Only at the beginning of the file; columns count without it. */
	FILE_GIVES_BYTES("\xef\xbb\xbf"
			 "a A x\n",
	    BR_E_SYNTAX, "z:1:5: \"x\" is not an IPv4 address\n");
	FILE_GIVES_BYTES("a A 192.0.2.1\nb\0 A 192.0.2.1\nb A 192.0.2.2\n",
	    BR_E_SYNTAX,
	    A_LINE "z:2:2: a byte 0: this is not a text file\n" B_LINE);
	FILE_GIVES_BYTES("a TXT \"\0\"\nb A 192.0.2.2\n", BR_E_SYNTAX,
	    "z:1:7: \"\" has a byte 0 in it; \\000 is how to write one\n" B_LINE);
	FILE_GIVES_BYTES("a\xff\1 A 192.0.2.1\n", 0,
	    "a\\255\\001.example.org. 300 IN A 192.0.2.1\n");
	FILE_GIVES_BYTES("a A \xff\1\n", BR_E_SYNTAX,
	    "z:1:5: \"\\255\\001\" is not an IPv4 address\n");
	/* UTF-16. */
	FILE_GIVES_BYTES("\xff\xfe"
			 "a\0 \0A\0",
	    BR_E_SYNTAX, "z:1:4: a byte 0: this is not a text file\n");
}
END_TEST

/* A word or string over the edge of what is read at once, at every place. */
START_TEST(test_buffer_edge)
{
	struct strbuf text, expected;

	strbuf_init(&text);
	strbuf_init(&expected);
	for (size_t before = 65500; before < 65560; before += 3) {
		strbuf_clear(&text);
		strbuf_clear(&expected);
		strbuf_addc(&text, ';');
		while (text.length < before)
			strbuf_addc(&text, 'x');
		for (int i = 0; i < 3000; i++) {
			strbuf_addf(&text,
			    "\nlong-name-%d 1h TXT \"a\\\"b%d\" c", i, i);
			strbuf_addf(&expected,
			    "long-name-%d.example.org. 3600 IN TXT "
			    "\"a\\\"b%d\" \"c\"\n",
			    i, i);
		}
		file_gives(text.text, 0, expected.text);
	}
	strbuf_fini(&text);
	strbuf_fini(&expected);
}
END_TEST

START_TEST(test_long_tokens)
{
	struct strbuf text;

	strbuf_init(&text);
	/* A long name has its error, and the next line is read. */
	for (size_t i = 0; i < 70000; i++)
		strbuf_addc(&text, 'n');
	strbuf_adds(&text, " A 192.0.2.1\nb A 192.0.2.2\n");
	file_gives(text.text, BR_E_SYNTAX,
	    "z:1:1: \"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	    "nnnnnnnnnnnnnn...\" has a label of more than 63 bytes\n" B_LINE);
	/* So has what is longer than any word may be. */
	strbuf_clear(&text);
	strbuf_adds(&text, "a TXT ");
	for (size_t i = 0; i < 3 * SCAN_TOKEN_MAX; i++)
		strbuf_addc(&text, 'n');
	strbuf_adds(&text, "\nb A 192.0.2.2\n");
	file_gives(text.text, BR_E_SYNTAX,
	    "z:1:7: a word or string of more than 262144 bytes\n" B_LINE);
	strbuf_clear(&text);
	strbuf_adds(&text, "a TXT \"");
	for (size_t i = 0; i < 3 * SCAN_TOKEN_MAX; i++)
		strbuf_adds(&text, "\\\"");
	strbuf_adds(&text, "\"\nb A 192.0.2.2\n");
	put("z", text.text);
	strbuf_clear(&out);
	ck_assert_int_eq(
	    zone_text_read(path_of("z"), origin, 300, &sink), BR_E_SYNTAX);
	ck_assert_mem_eq(out.text,
	    "z:1:7: a word or string of more than 262144 bytes\n", 50);
	/* The largest record there is, as \DDD. */
	strbuf_clear(&text);
	strbuf_adds(&text, "a CAA 0 a ");
	for (size_t i = 0; i < 65535 - 3; i++)
		strbuf_adds(&text, "\\001");
	strbuf_adds(&text, "\nb A 192.0.2.2");
	put("z", text.text);
	strbuf_clear(&out);
	ck_assert_int_eq(zone_text_read(path_of("z"), origin, 300, &sink), 0);
	ck_assert_uint_gt(out.length, 4 * 65532);
	strbuf_fini(&text);
}
END_TEST

START_TEST(test_errors_bound)
{
	struct strbuf text, expected;

	strbuf_init(&text);
	strbuf_init(&expected);
	for (int i = 1; i <= 200; i++)
		strbuf_adds(&text, "a A x\n");
	for (int i = 1; i <= 100; i++)
		strbuf_addf(
		    &expected, "z:%d:5: \"x\" is not an IPv4 address\n", i);
	strbuf_adds(&expected,
	    "z:100: too many errors; what follows has not been read\n");
	file_gives(text.text, BR_E_SYNTAX, expected.text);
	strbuf_fini(&text);
	strbuf_fini(&expected);
}
END_TEST

START_TEST(test_stop)
{
	records_max = 1;
	file_gives("a A 192.0.2.1\nb A 192.0.2.2\n", -ECANCELED, A_LINE);
}
END_TEST

START_TEST(test_unreadable)
{
	ck_assert_int_eq(mkdir(path_of("sub"), 0700), 0);
	gives("z", BR_E_SYNTAX,
	    "z: the file cannot be opened: No such file or directory\n");
	gives("sub", BR_E_SYNTAX, "sub: the file is not a regular file\n");
	/* Nobody writes to it, and nobody waits. */
	ck_assert_int_eq(mkfifo(path_of("sub/pipe"), 0600), 0);
	gives("sub/pipe", BR_E_SYNTAX,
	    "sub/pipe: the file is not a regular file\n");
}
END_TEST

/* -- $INCLUDE ---------------------------------------------------------- */

START_TEST(test_include)
{
	ck_assert_int_eq(mkdir(path_of("sub"), 0700), 0);
	ck_assert_int_eq(mkdir(path_of("sub/deep"), 0700), 0);
	put("sub/deep/inc", " A 192.0.2.3\n$TTL 77\n@ A 192.0.2.4\n"
			    "$INCLUDE ../other\n");
	put("sub/other", "$ORIGIN x.\no A 192.0.2.5");
	file_gives("a A 192.0.2.1\n"
		   "$include \"sub/deep/inc\" sub ; comment\n"
		   "  TXT after\n"
		   "c A 192.0.2.6\n",
	    0,
	    A_LINE "a.example.org. 300 IN A 192.0.2.3\n"
		   "sub.example.org. 77 IN A 192.0.2.4\n"
		   "o.x. 77 IN A 192.0.2.5\n"
		   "a.example.org. 77 IN TXT \"after\"\n"
		   "c.example.org. 77 IN A 192.0.2.6\n");
	/* Errors name the file and line that they are in. */
	put("sub/other", "\n\no A x\n");
	gives("z", BR_E_SYNTAX,
	    A_LINE "a.example.org. 300 IN A 192.0.2.3\n"
		   "sub.example.org. 77 IN A 192.0.2.4\n"
		   "sub/deep/../other:3:5: \"x\" is not an IPv4 address\n"
		   "a.example.org. 77 IN TXT \"after\"\n"
		   "c.example.org. 77 IN A 192.0.2.6\n");
}
END_TEST

START_TEST(test_include_outside)
{
	ck_assert_int_eq(mkdir(path_of("sub"), 0700), 0);
	put("z", "secret\n");
	put("sub/inc", "b A 192.0.2.2\n");
	put("sub/z", "$INCLUDE ../z\n"
		     "$INCLUDE /etc/passwd\n"
		     "$INCLUDE link\n"
		     "$INCLUDE up/sub/inc\n"
		     "$INCLUDE ../sub/inc\n"
		     "$INCLUDE none\n"
		     "$INCLUDE .\n"
		     "$INCLUDE \"\"\n"
		     "$INCLUDE\n"
		     "$INCLUDE inc a..b\n"
		     "$INCLUDE inc a b\n"
		     "$INCLUDE a\\000b\n"
		     "a A 192.0.2.1\n");
	ck_assert_int_eq(symlink("../z", path_of("sub/link")), 0);
	ck_assert_int_eq(symlink("..", path_of("sub/up")), 0);
	gives("sub/z", BR_E_SYNTAX,
	    "sub/z:1:10: ../z lies outside of the folder of the zone's file\n"
	    "sub/z:2:10: /etc/passwd must be named from the folder of the "
	    "file that includes it\n"
	    "sub/z:3:10: link lies outside of the folder of the zone's file\n"
	    "sub/z:4:10: up/sub/inc lies outside of the folder of the zone's "
	    "file\n"
	    "sub/z:5:10: ../sub/inc lies outside of the folder of the zone's "
	    "file\n"
	    "sub/z:6:10: none cannot be opened: No such file or directory\n"
	    "sub/z:7:10: . is not a regular file\n"
	    "sub/z:8:10: \"\" is no name of a file\n"
	    "sub/z:9:9: $INCLUDE needs a file\n"
	    "sub/z:10:14: \"a..b\" has an empty label\n"
	    "sub/z:11:16: \"b\" is one word too many for $INCLUDE\n"
	    "sub/z:12:10: \"a\\000b\" is no name of a file\n" A_LINE);
	/* A link that stays inside is as good as its file. */
	ck_assert_int_eq(unlink(path_of("sub/link")), 0);
	ck_assert_int_eq(symlink("inc", path_of("sub/link")), 0);
	put("sub/z", "$INCLUDE link\n");
	gives("sub/z", 0, B_LINE);
	ck_assert_int_eq(unlink(path_of("sub/link")), 0);
	/* A pipe among them holds up nobody. */
	ck_assert_int_eq(mkfifo(path_of("sub/pipe"), 0600), 0);
	put("sub/z", "$INCLUDE pipe\n");
	gives("sub/z", BR_E_SYNTAX, "sub/z:1:10: pipe is not a regular file\n");
}
END_TEST

START_TEST(test_include_loop)
{
	char text[64];

	ck_assert_int_eq(mkdir(path_of("sub"), 0700), 0);
	put("sub/z", "$INCLUDE z\na A 192.0.2.1\n");
	gives("sub/z", BR_E_SYNTAX,
	    "sub/z:1:10: z would include itself\n" A_LINE);
	put("sub/z", "$INCLUDE inc\na A 192.0.2.1\n");
	put("sub/inc", "$INCLUDE z\n");
	gives("sub/z", BR_E_SYNTAX,
	    "sub/inc:1:10: z would include itself\n" A_LINE);
	/* Twice one after the other is none. */
	put("sub/z", "$INCLUDE inc\n$INCLUDE inc\n");
	put("sub/inc", "b A 192.0.2.2\n");
	gives("sub/z", 0, B_LINE B_LINE);
	for (unsigned i = 0; i <= 8; i++) {
		(void)snprintf(text, sizeof text, "sub/d%u", i);
		put(text, "b A 192.0.2.2\n");
		if (i == 8)
			break;
		char next[64];

		(void)snprintf(next, sizeof next, "$INCLUDE d%u\n", i + 1);
		put(text, next);
	}
	gives("sub/d0", 0, B_LINE);
	put("sub/z", "$INCLUDE d0\n");
	gives("sub/z", BR_E_SYNTAX,
	    "sub/d7:1:10: d8 is nested too deep: there are 8 files around "
	    "it\n");
}
END_TEST

START_TEST(test_include_count)
{
	struct strbuf text;

	strbuf_init(&text);
	ck_assert_int_eq(mkdir(path_of("sub"), 0700), 0);
	put("sub/inc", "");
	for (unsigned i = 0; i < ZONE_FILES_MAX; i++)
		strbuf_adds(&text, "$INCLUDE inc\n");
	put("sub/z", text.text);
	gives("sub/z", BR_E_SYNTAX,
	    "sub/z:1000:10: inc is one file too many: 1000 have been read\n");
	strbuf_fini(&text);
}
END_TEST

/* -- what is left out -------------------------------------------------- */

START_TEST(test_ttl)
{
	static const char text[] = "@ SOA a. b. 1 2 3 4 60\n"
				   "a A 192.0.2.1\n"
				   "b 1h IN A 192.0.2.2\n"
				   "c IN 1M30s A 192.0.2.3\n"
				   "d A 192.0.2.4\n"
				   "$TTL 5\n"
				   "e 9 A 192.0.2.5\n"
				   "f A 192.0.2.6\n";

	file_gives(text, 0,
	    "example.org. 300 IN SOA a. b. 1 2 3 4 60\n" A_LINE
	    "b.example.org. 3600 IN A 192.0.2.2\n"
	    "c.example.org. 90 IN A 192.0.2.3\n"
	    "d.example.org. 90 IN A 192.0.2.4\n"
	    "e.example.org. 9 IN A 192.0.2.5\n"
	    "f.example.org. 5 IN A 192.0.2.6\n");
	/* Without any, the SOA's last field, as in BIND. */
	strbuf_clear(&out);
	ck_assert_int_eq(
	    zone_text_read(path_of("z"), origin, ZONE_TEXT_TTL_NONE, &sink), 0);
	ck_assert_str_eq(out.text, "example.org. 60 IN SOA a. b. 1 2 3 4 60\n"
				   "a.example.org. 60 IN A 192.0.2.1\n"
				   "b.example.org. 3600 IN A 192.0.2.2\n"
				   "c.example.org. 90 IN A 192.0.2.3\n"
				   "d.example.org. 60 IN A 192.0.2.4\n"
				   "e.example.org. 9 IN A 192.0.2.5\n"
				   "f.example.org. 5 IN A 192.0.2.6\n");
	put("z", "a A 192.0.2.1\n");
	strbuf_clear(&out);
	ck_assert_int_eq(
	    zone_text_read(path_of("z"), origin, ZONE_TEXT_TTL_NONE, &sink),
	    BR_E_SYNTAX);
	ck_assert_str_eq(out.text,
	    "z:1:1: the record has no TTL, and no $TTL is before it\n");
}
END_TEST

/* -- lines of the configuration ---------------------------------------- */

static void line_gives(const char *text, uint32_t line, uint32_t column,
    int error, const char *expected)
{
	struct zone_text_where where = {"braid.yaml", line, column};

	strbuf_clear(&out);
	ck_assert_int_eq(
	    zone_text_line(text, &where, origin, 300, &sink), error);
	ck_assert_str_eq(strbuf_text(&out), expected);
}

START_TEST(test_line)
{
	line_gives("a A 192.0.2.1", 14, 20, 0, A_LINE);
	line_gives("a A 192.0.2.1\n", 14, 20, 0, A_LINE);
	line_gives("@ 1h MX 10 mail ; why", 14, 20, 0,
	    "example.org. 3600 IN MX 10 mail.example.org.\n");
	line_gives("a A 192.0.2.300", 14, 20, BR_E_SYNTAX,
	    "braid.yaml:14:24: \"192.0.2.300\" is not an IPv4 address\n");
	line_gives("a A (\n192.0.2.300 )", 14, 20, BR_E_SYNTAX,
	    "braid.yaml:15:1: \"192.0.2.300\" is not an IPv4 address\n");
	line_gives("a A 192.0.2.300", 14, 0, BR_E_SYNTAX,
	    "braid.yaml:14: \"192.0.2.300\" is not an IPv4 address\n");
	line_gives("a A 192.0.2.300", 0, 0, BR_E_SYNTAX,
	    "braid.yaml: \"192.0.2.300\" is not an IPv4 address\n");
	line_gives("", 14, 20, BR_E_SYNTAX,
	    "braid.yaml:14:20: there is no record here\n");
	line_gives("  ; nothing", 14, 20, BR_E_SYNTAX,
	    "braid.yaml:14:31: there is no record here\n");
	line_gives(" ()", 14, 20, BR_E_SYNTAX,
	    "braid.yaml:14:20: there is no record here\n");
	line_gives(" A 192.0.2.1", 14, 20, BR_E_SYNTAX,
	    "braid.yaml:14:20: begins with a blank; a record begins with its "
	    "owner\n");
	line_gives("a A 192.0.2.1\nb A 192.0.2.2", 14, 20, BR_E_SYNTAX,
	    "braid.yaml:15:1: \"b\" begins a second record; each is an item "
	    "of its own\n");
	line_gives("$INCLUDE /etc/passwd", 14, 20, BR_E_SYNTAX,
	    "braid.yaml:14:20: \"$INCLUDE\" has no place here: directives "
	    "stand in files\n");
	line_gives("$ORIGIN a.", 14, 20, BR_E_SYNTAX,
	    "braid.yaml:14:20: \"$ORIGIN\" has no place here: directives "
	    "stand in files\n");
	line_gives("a", 14, 20, BR_E_SYNTAX,
	    "braid.yaml:14:21: the record has no type\n");
	line_gives("a A", 14, 20, BR_E_SYNTAX,
	    "braid.yaml:14:23: A has no data here\n");
	records_max = records + 1;
	line_gives("a A 192.0.2.1", 14, 20, -ECANCELED, A_LINE);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("zone_text");

	atexit(clean);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_line_ends);
	tcase_add_test(tcase, test_bytes);
	tcase_add_test(tcase, test_buffer_edge);
	tcase_add_test(tcase, test_long_tokens);
	tcase_add_test(tcase, test_errors_bound);
	tcase_add_test(tcase, test_stop);
	tcase_add_test(tcase, test_unreadable);
	tcase_add_test(tcase, test_include);
	tcase_add_test(tcase, test_include_outside);
	tcase_add_test(tcase, test_include_loop);
	tcase_add_test(tcase, test_include_count);
	tcase_add_test(tcase, test_ttl);
	tcase_add_test(tcase, test_line);
	return check_main(tcase);
}
