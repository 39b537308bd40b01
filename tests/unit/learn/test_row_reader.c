/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/row_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/strbuf.h"
#include "learn/csv.h"
#include "tests/unit/base/check_main.h"

START_TEST(test_split)
{
	static const struct {
		const char *line, *fields[4];
		int err;
	} cases[] = {
	    {"", {""}, 0},
	    {"a", {"a"}, 0},
	    {"a,b,", {"a", "b", ""}, 0},
	    {",,", {"", "", ""}, 0},
	    {"\"a,b\",c", {"a,b", "c"}, 0},
	    {"\"a \"\"b\"\", c\",,x", {"a \"b\", c", "", "x"}, 0},
	    {"\"\",\"\"\"\"", {"", "\""}, 0},
	    {"a,b,c,d,e", {0}, BR_E_LIMIT},
	    {"a\"b\"", {0}, BR_E_SYNTAX},
	    {"\"a\"b", {0}, BR_E_SYNTAX},
	    {"\"a", {0}, BR_E_SYNTAX},
	    {"\"", {0}, BR_E_SYNTAX},
	    {"\"a\"\"", {0}, BR_E_SYNTAX},
	};

	for (size_t i = 0; i < BR_COUNT(cases); i++) {
		size_t length = strlen(cases[i].line);
		/* Not one byte more than was asked for. */
		char *line = malloc(length + 1), *fields[4];
		uint32_t n = 77;

		memcpy(line, cases[i].line, length);
		ck_assert_int_eq(
		    csv_split(line, length, fields, 4, &n), cases[i].err);
		for (uint32_t f = 0; !cases[i].err && f < 4; f++) {
			if (!cases[i].fields[f]) {
				ck_assert_uint_eq(n, f);
				break;
			}
			ck_assert_str_eq(fields[f], cases[i].fields[f]);
		}
		if (cases[i].err)
			ck_assert_uint_eq(n, 77);
		free(line);
	}
	char zero[] = "a\0b";
	char *fields[4];
	uint32_t n;

	ck_assert_int_eq(csv_split(zero, 3, fields, 4, &n), BR_E_SYNTAX);
}
END_TEST

START_TEST(test_numbers)
{
	static const struct {
		const char *text;
		int err;
		int32_t value;
	} cases[] = {
	    {"0", 0, 0},
	    {"-0", 0, 0},
	    {"007", 0, 7},
	    {"2147483647", 0, INT32_MAX},
	    {"-2147483648", 0, INT32_MIN},
	    {"2147483648", -ERANGE, 0},
	    {"-2147483649", -ERANGE, 0},
	    {"99999999999999999999999999", -ERANGE, 0},
	    {"", BR_E_SYNTAX, 0},
	    {"-", BR_E_SYNTAX, 0},
	    {"+1", BR_E_SYNTAX, 0},
	    {" 1", BR_E_SYNTAX, 0},
	    {"1.5", BR_E_SYNTAX, 0},
	    {"99999999999999999999x", BR_E_SYNTAX, 0},
	};
	static const char *const bad[] = {
	    "", "x", "inf", "nan", "0x10", "1e", "1 ", "--1", "."};
	double number = 0;
	int32_t value = 0;

	for (size_t i = 0; i < BR_COUNT(cases); i++) {
		int err = csv_int32(cases[i].text, &value);

		ck_assert_int_eq(err, cases[i].err);
		if (!err)
			ck_assert_int_eq(value, cases[i].value);
	}
	for (size_t i = 0; i < BR_COUNT(bad); i++)
		ck_assert_int_eq(csv_number(bad[i], &number), BR_E_SYNTAX);
	ck_assert_int_eq(csv_number("1e999", &number), -ERANGE);
	ck_assert_int_eq(csv_number("2.5e-1", &number), 0);
	ck_assert_double_eq(number, 0.25);
}
END_TEST

static int header(struct row_reader *reader, const char *text)
{
	char line[1024];

	snprintf(line, sizeof line, "%s", text);
	return row_reader_header(reader, line, strlen(line));
}

static int row(struct row_reader *reader, const char *text)
{
	char line[1024];

	snprintf(line, sizeof line, "%s", text);
	return row_reader_row(reader, line, strlen(line));
}

START_TEST(test_rows)
{
	struct row_reader r;

	row_reader_init(&r);
	ck_assert_int_eq(header(&r, "_id,up,class,down,weight,group\r"), 0);
	ck_assert_uint_eq(r.data.n_features, 2);
	ck_assert_str_eq(r.feature_names[0], "up");
	ck_assert_str_eq(r.feature_names[1], "down");
	ck_assert_int_eq(row(&r, "x,-3,bulk,4,0.5,\"monday, 1\"\r"), 0);
	ck_assert_int_eq(row(&r, ",5,web,6,1,tuesday"), 0);
	ck_assert_int_eq(row(&r, ",7,bulk,8,2,\"monday, 1\""), 0);
	/* The second file has its columns elsewhere, and no weights. */
	ck_assert_int_eq(header(&r, "class,group,down,up"), 0);
	ck_assert_int_eq(row(&r, "rpc,tuesday,10,9"), 0);
	ck_assert_uint_eq(r.data.n_rows, 4);
	ck_assert_int_eq(r.data.columns[0][0], -3);
	ck_assert_int_eq(r.data.columns[1][2], 8);
	ck_assert_int_eq(r.data.columns[0][3], 9);
	ck_assert_int_eq(r.data.columns[1][3], 10);
	ck_assert_double_eq(r.data.weights[0], 0.5);
	ck_assert_double_eq(r.data.weights[3], 1);
	ck_assert_uint_eq(r.data.groups[0], r.data.groups[2]);
	ck_assert_uint_eq(r.data.groups[1], r.data.groups[3]);
	ck_assert_uint_ne(r.data.groups[0], r.data.groups[1]);
	ck_assert_uint_eq(r.n_classes, 3);
	ck_assert_str_eq(r.class_names[0], "bulk");
	ck_assert_str_eq(r.class_names[1], "web");
	ck_assert_str_eq(r.class_names[2], "rpc");
	ck_assert_uint_eq(r.data.labels[3], 2);
	/* bulk web bulk rpc */
	row_reader_sort_classes(&r);
	ck_assert_str_eq(r.class_names[1], "rpc");
	ck_assert_uint_eq(r.data.labels[0], 0);
	ck_assert_uint_eq(r.data.labels[1], 2);
	ck_assert_uint_eq(r.data.labels[2], 0);
	ck_assert_uint_eq(r.data.labels[3], 1);
	ck_assert_int_eq(row(&r, "web,tuesday,10,9"), 0);
	ck_assert_uint_eq(r.data.labels[4], 2);
	row_reader_fini(&r);
}
END_TEST

START_TEST(test_without_groups)
{
	struct row_reader r;
	uint32_t label;

	row_reader_init(&r);
	ck_assert_int_eq(row_reader_class(&r, "web", &label), 0);
	ck_assert_int_eq(header(&r, "a,class"), 0);
	ck_assert_int_eq(row(&r, "1,bulk"), 0);
	ck_assert_int_eq(row(&r, "1,web"), 0);
	ck_assert_uint_eq(r.data.labels[0], 1);
	ck_assert_uint_eq(r.data.labels[1], 0);
	ck_assert_uint_ne(r.data.groups[0], r.data.groups[1]);
	row_reader_fini(&r);
}
END_TEST

START_TEST(test_bad_headers)
{
	static const struct {
		const char *first, *second, *error;
	} cases[] = {
	    {"", NULL, "column 1: \"\" is no name"},
	    {"a,b", NULL, "no column \"class\""},
	    {"class,weight", NULL, "no column is a feature"},
	    {"a,class,a", NULL, "two columns are called \"a\""},
	    {"a b,class", NULL, "column 1: \"a b\" is no name"},
	    {"a\x1b[2J,class", NULL, "column 1: \"a?[2J\" is no name"},
	    {"a\"b,class", NULL, "a quote at a wrong place"},
	    {"a,class", "b,class", "the first file has no feature \"b\""},
	    {"a,b,class", "a,class", "no column \"b\", which the first"},
	    {"a,class", "a,class,group", "a column \"group\", unlike"},
	    {"a,class,group", "a,class", "no column \"group\", unlike"},
	};

	for (size_t i = 0; i < BR_COUNT(cases); i++) {
		struct row_reader r;
		int err;

		row_reader_init(&r);
		err = header(&r, cases[i].first);
		if (cases[i].second) {
			ck_assert_int_eq(err, 0);
			err = header(&r, cases[i].second);
		}
		ck_assert_int_eq(err, BR_E_SYNTAX);
		ck_assert_msg(
		    strstr(r.error, cases[i].error) == r.error, "%s", r.error);
		row_reader_fini(&r);
	}
}
END_TEST

START_TEST(test_bad_rows)
{
	static const struct {
		const char *line, *error;
		int err;
	} cases[] = {
	    {"1,2,x,1", "4 columns, but the header has 5", BR_E_SYNTAX},
	    {"1,2,x,1,g,7", "6 columns, but", BR_E_SYNTAX},
	    {"1.5,2,x,1,g", "a: \"1.5\" is no whole number", BR_E_SYNTAX},
	    {"1,3000000000,x,1,g",
		"b: \"3000000000\" is no whole number of 32 bits", -ERANGE},
	    {"1,2,,1,g", "the class \"\" is no name", BR_E_SYNTAX},
	    {"1,2,x y,1,g", "the class \"x y\" is no name", BR_E_SYNTAX},
	    {"1,2,x,0,g", "the weight \"0\" is no number from 1e-09", -ERANGE},
	    {"1,2,x,1e308,g", "the weight \"1e308\" is no", -ERANGE},
	    {"1,2,x,1e-10,g", "the weight \"1e-10\" is no", -ERANGE},
	    {"1,2,x,-1,g", "the weight \"-1\" is no", -ERANGE},
	    {"1,2,x,nan,g", "the weight \"nan\" is no", BR_E_SYNTAX},
	    {"1,2,x,1,", "the group is empty", BR_E_SYNTAX},
	    {"1,2,x,1,\"g", "a quote at a wrong place", BR_E_SYNTAX},
	};
	struct row_reader r;

	row_reader_init(&r);
	ck_assert_int_eq(header(&r, "a,b,class,weight,group"), 0);
	for (size_t i = 0; i < BR_COUNT(cases); i++) {
		ck_assert_int_eq(row(&r, cases[i].line), cases[i].err);
		ck_assert_msg(
		    strstr(r.error, cases[i].error) == r.error, "%s", r.error);
	}
	ck_assert_uint_eq(r.data.n_rows, 0);
	row_reader_fini(&r);
}
END_TEST

START_TEST(test_group_by)
{
	struct row_reader r;

	row_reader_init(&r);
	row_reader_group_by(&r, "_time", 10);
	/* Behind a byte order mark. */
	ck_assert_int_eq(header(&r, "\xef\xbb\xbf_time,a,class,group"), 0);
	ck_assert_int_eq(row(&r, "2026-11-20T01:00,1,x,web"), 0);
	ck_assert_int_eq(row(&r, "2026-11-20T02:00,1,x,mail"), 0);
	ck_assert_int_eq(row(&r, "2026-11-21T01:00,1,x,web"), 0);
	ck_assert_int_eq(row(&r, "short,1,x,web"), 0);
	ck_assert_uint_eq(r.data.n_groups, 3);
	ck_assert_uint_eq(r.data.n_features, 1);
	ck_assert_uint_eq(r.data.groups[0], r.data.groups[1]);
	ck_assert_uint_ne(r.data.groups[1], r.data.groups[2]);
	ck_assert_int_eq(header(&r, "a,class,group"), BR_E_SYNTAX);
	ck_assert_str_eq(r.error, "no column \"_time\" to group by");
	row_reader_fini(&r);
}
END_TEST

START_TEST(test_too_many_columns)
{
	static const uint32_t too_many[] = {
	    DATASET_FEATURES_MAX + 1, ROW_COLUMNS_MAX + 1};

	for (size_t i = 0; i < BR_COUNT(too_many); i++) {
		struct row_reader r;
		struct strbuf line;

		strbuf_init(&line);
		strbuf_adds(&line, "class");
		for (uint32_t f = 0; f < too_many[i]; f++)
			strbuf_addf(&line, ",f%u", f);
		row_reader_init(&r);
		ck_assert_int_eq(
		    row_reader_header(&r, line.text, line.length), BR_E_LIMIT);
		ck_assert_str_eq(r.error,
		    i ? "more than 1088 columns" : "more than 1024 features");
		row_reader_fini(&r);
		strbuf_fini(&line);
	}
}
END_TEST

START_TEST(test_too_many_classes)
{
	struct row_reader r;
	char line[32];

	row_reader_init(&r);
	ck_assert_int_eq(header(&r, "a,class"), 0);
	for (uint32_t i = 0; i <= DATASET_CLASSES_MAX; i++) {
		int err;

		snprintf(line, sizeof line, "1,c%u", i);
		err = row(&r, line);
		ck_assert_int_eq(err, i < DATASET_CLASSES_MAX ? 0 : BR_E_LIMIT);
	}
	ck_assert_str_eq(r.error, "more than 256 classes");
	ck_assert_int_eq(row(&r, "1,c7"), 0);
	row_reader_fini(&r);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("row_reader");

	tcase_add_test(tcase, test_split);
	tcase_add_test(tcase, test_numbers);
	tcase_add_test(tcase, test_rows);
	tcase_add_test(tcase, test_without_groups);
	tcase_add_test(tcase, test_bad_headers);
	tcase_add_test(tcase, test_bad_rows);
	tcase_add_test(tcase, test_group_by);
	tcase_add_test(tcase, test_too_many_columns);
	tcase_add_test(tcase, test_too_many_classes);
	return check_main(tcase);
}
