/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/text.h"

#include "tests/unit/conf/conf_check.h"

#include <limits.h>

START_TEST(distances)
{
	ck_assert_uint_eq(text_distance("", ""), 0);
	ck_assert_uint_eq(text_distance("weight", ""), 6);
	ck_assert_uint_eq(text_distance("weight", "weight"), 0);
	ck_assert_uint_eq(text_distance("weight", "WEIGHT"), 0);
	ck_assert_uint_eq(text_distance("weigth", "weight"), 1);
	ck_assert_uint_eq(text_distance("weght", "weight"), 1);
	ck_assert_uint_eq(text_distance("weeight", "weight"), 1);
	ck_assert_uint_eq(text_distance("kitten", "sitting"), 3);
}
END_TEST

START_TEST(distance_of_long_words)
{
	char word[TEXT_WORD_MAX + 2];

	memset(word, 'a', sizeof(word));
	word[TEXT_WORD_MAX] = '\0';
	ck_assert_uint_eq(text_distance(word, word), 0);
	word[TEXT_WORD_MAX] = 'a';
	word[TEXT_WORD_MAX + 1] = '\0';
	ck_assert_uint_eq(text_distance(word, word), UINT_MAX);
}
END_TEST

static const char *nearest_of(const char *wanted)
{
	static const char *const known[] = {
	    "weight", "address", "max_connections", "rr", "path", "port"};
	struct text_nearest nearest;

	text_nearest_init(&nearest, wanted);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		text_nearest_offer(&nearest, known[i]);
	return nearest.best ? nearest.best : "-";
}

START_TEST(guesses)
{
	ck_assert_str_eq(nearest_of("weigth"), "weight");
	ck_assert_str_eq(nearest_of("adress"), "address");
	ck_assert_str_eq(nearest_of("max_conn"), "max_connections");
	ck_assert_str_eq(nearest_of("prot"), "port");
	ck_assert_str_eq(nearest_of("RR"), "rr");
	ck_assert_str_eq(nearest_of("colour"), "-");
	ck_assert_str_eq(nearest_of(""), "-");
	ck_assert_str_eq(nearest_of("x"), "-");
}
END_TEST

static size_t bad_at(const char *text, bool *ret_control)
{
	return text_check(text, strlen(text), ret_control);
}

START_TEST(utf8)
{
	bool control;

	ck_assert_uint_eq(bad_at("plain\ttext\r\n", &control), 12);
	ck_assert_uint_eq(bad_at("gr\xc3\xbcn \xe2\x82\xac", &control), 9);
	ck_assert_uint_eq(bad_at("\xf0\x9f\x98\x80", &control), 4);
	/* Alone, overlong, surrogate, beyond U+10FFFF, cut off. */
	ck_assert_uint_eq(bad_at("ab\x80", &control), 2);
	ck_assert(!control);
	ck_assert_uint_eq(bad_at("\xc0\x80", &control), 0);
	ck_assert_uint_eq(bad_at("\xe0\x80\x80", &control), 0);
	ck_assert_uint_eq(bad_at("\xed\xa0\x80", &control), 0);
	ck_assert_uint_eq(bad_at("\xf4\x90\x80\x80", &control), 0);
	ck_assert_uint_eq(bad_at("\xf5\x80\x80\x80", &control), 0);
	ck_assert_uint_eq(bad_at("a\xe2\x82", &control), 1);
	ck_assert(!control);
}
END_TEST

START_TEST(controls)
{
	bool control;

	ck_assert_uint_eq(bad_at("a\x01", &control), 1);
	ck_assert(control);
	ck_assert_uint_eq(text_check("a\0b", 3, &control), 1);
	ck_assert(control);
	ck_assert_uint_eq(bad_at("a\x7f", &control), 1);
	ck_assert(control);
	ck_assert_uint_eq(bad_at("a\xc2\x80", &control), 1);
	ck_assert(control);
	/* NEL is a line break. */
	ck_assert_uint_eq(bad_at("a\xc2\x85", &control), 3);
}
END_TEST

START_TEST(quoting)
{
	struct strbuf sb;
	char text[100];

	strbuf_init(&sb);
	text_quote(&sb, "a\nb\0c", 5);
	ck_assert_str_eq(sb.text, "\"a\\x0ab\\x00c\"");
	/* A character of two bytes across the limit is left out whole. */
	strbuf_clear(&sb);
	memset(text, 'x', sizeof(text));
	memcpy(text + TEXT_QUOTED_MAX - 1, "\xc3\xbc", 2);
	text_quote(&sb, text, sizeof(text));
	ck_assert_uint_eq(sb.length, TEXT_QUOTED_MAX - 1 + 5);
	ck_assert_str_eq(sb.text + sb.length - 6, "xx...\"");
	strbuf_fini(&sb);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("text");

	tcase_add_test(tcase, distances);
	tcase_add_test(tcase, distance_of_long_words);
	tcase_add_test(tcase, guesses);
	tcase_add_test(tcase, utf8);
	tcase_add_test(tcase, controls);
	tcase_add_test(tcase, quoting);
	return conf_check_main(tcase);
}
