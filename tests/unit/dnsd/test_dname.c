/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/dname.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *name_of(const char *text)
{
	static uint8_t names[32][DNAME_MAX];
	static unsigned turn;
	const char *wrong = NULL;
	uint8_t *name = names[turn++ % 32];

	ck_assert_msg(!dname_from_text(text, strlen(text), NULL, name, &wrong),
	    "%s: %s", text, wrong ? wrong : "");
	return name;
}

static void refused(const char *text, const char *why)
{
	uint8_t name[DNAME_MAX];
	const char *wrong = NULL;

	ck_assert_int_eq(
	    dname_from_text(text, strlen(text), NULL, name, &wrong), -EINVAL);
	ck_assert_str_eq(wrong, why);
}

START_TEST(test_from_text)
{
	const uint8_t *origin = name_of("Example.org.");
	uint8_t name[DNAME_MAX];
	const char *wrong;

	ck_assert_mem_eq(name_of("a.bc."), "\1a\2bc", 6);
	ck_assert_mem_eq(name_of("a.bc"), "\1a\2bc", 6);
	ck_assert_mem_eq(name_of("."), "", 1);
	ck_assert_mem_eq(name_of("a\\.b\\046\\\\."), "\5a.b.\\", 7);
	ck_assert_int_eq(dname_from_text("www", 3, origin, name, &wrong), 0);
	ck_assert_mem_eq(name, "\3www\7Example\3org", 17);
	ck_assert_int_eq(dname_from_text("@", 1, origin, name, &wrong), 0);
	ck_assert_mem_eq(name, "\7Example\3org", 13);
	ck_assert_int_eq(dname_from_text("x.", 2, origin, name, &wrong), 0);
	ck_assert_mem_eq(name, "\1x", 3);
	refused("", "is empty");
	refused("a..b", "has an empty label");
	refused(".a", "has an empty label");
	refused("a\\", "ends in the middle of an escape");
	refused("a\\1", "has an escape of less than three digits");
	refused("a\\12x", "has an escape of less than three digits");
	refused("a\\256", "has an escape above 255");
}
END_TEST

START_TEST(test_limits)
{
	char text[300];
	uint8_t name[DNAME_MAX];
	const char *wrong;

	memset(text, 'a', sizeof text);
	text[63] = '\0';
	ck_assert_uint_eq(dname_size(name_of(text)), 65);
	text[63] = 'a';
	text[64] = '\0';
	refused(text, "has a label of more than 63 bytes");
	/* 127 labels of one byte: the longest name there is. */
	for (int i = 0; i < 254; i += 2)
		memcpy(text + i, "a.", 2);
	text[254] = '\0';
	ck_assert_uint_eq(dname_size(name_of(text)), DNAME_MAX);
	ck_assert_uint_eq(dname_labels(name_of(text)), DNAME_LABELS_MAX);
	text[254] = 'a';
	text[255] = '\0';
	refused(text, "is longer than 255 bytes");
	text[255] = '.';
	text[256] = '\0';
	refused(text, "is longer than 255 bytes");
	text[253] = '\0';
	ck_assert_uint_eq(dname_size(name_of(text)), DNAME_MAX);
	text[251] = '\0';
	ck_assert_int_eq(
	    dname_from_text(text, 251, name_of("xy."), name, &wrong), -EINVAL);
	ck_assert_str_eq(wrong, "is longer than 255 bytes with its origin");
	ck_assert_int_eq(
	    dname_from_text(text, 251, name_of("x."), name, &wrong), 0);
	ck_assert_uint_eq(dname_join(name, name_of(text), name_of("x.")), 255);
	ck_assert_uint_eq(dname_join(name, name_of(text), name_of("xy.")), 0);
	/* It is the last label that is too much. */
	memset(text, 'a', sizeof text);
	text[63] = text[127] = text[191] = '.';
	text[255] = '\0';
	refused(text, "is longer than 255 bytes");
	text[254] = '.';
	refused(text, "is longer than 255 bytes");
}
END_TEST

START_TEST(test_to_text)
{
	char text[DNAME_TEXT_MAX];
	uint8_t all[DNAME_MAX] = {63};

	ck_assert_uint_eq(dname_to_text(name_of("."), text), 1);
	ck_assert_str_eq(text, ".");
	ck_assert_uint_eq(
	    dname_to_text(name_of("W\\.w.a\\000b\\;."), text), 14);
	ck_assert_str_eq(text, "W\\.w.a\\000b\\;.");
	/* The longest text: a name full of zeros. */
	all[64] = 63;
	all[128] = 63;
	all[192] = 61;
	ck_assert_uint_eq(dname_to_text(all, text), 250 * 4 + 4);
	ck_assert_mem_eq(name_of(text), all, DNAME_MAX);
}
END_TEST

START_TEST(test_measure)
{
	uint8_t bytes[300] = {0};

	ck_assert_uint_eq(dname_measure(bytes, 1), 1);
	ck_assert_uint_eq(dname_measure(bytes, 0), 0);
	ck_assert_uint_eq(dname_measure((const uint8_t *)"\1a", 3), 3);
	ck_assert_uint_eq(dname_measure((const uint8_t *)"\1a", 2), 0);
	ck_assert_uint_eq(dname_measure((const uint8_t *)"\xc0\x0c", 3), 0);
	ck_assert_uint_eq(dname_measure((const uint8_t *)"\x40", 2), 0);
	for (int i = 0; i < 254; i += 2)
		bytes[i] = 1;
	ck_assert_uint_eq(dname_measure(bytes, sizeof bytes), 255);
	bytes[254] = 1;
	ck_assert_uint_eq(dname_measure(bytes, sizeof bytes), 0);
}
END_TEST

START_TEST(test_relations)
{
	const uint8_t *www = name_of("WWW.Example.org."),
		      *org = name_of("ORG.");
	uint8_t joined[DNAME_MAX];

	ck_assert(dname_equal(www, name_of("www.example.ORG.")));
	ck_assert(!dname_equal(www, name_of("www.examplf.org.")));
	ck_assert(!dname_equal(www, org));
	ck_assert(!dname_equal(org, www));
	ck_assert(dname_is_within(www, org));
	ck_assert(dname_is_within(www, www));
	ck_assert(dname_is_within(www, name_of(".")));
	ck_assert(!dname_is_within(org, www));
	/* "ample.org" ends alike, and is no ancestor. */
	ck_assert(!dname_is_within(www, name_of("ample.org.")));
	ck_assert(dname_equal(dname_ancestor(www, 1), org));
	ck_assert(dname_equal(dname_parent(org), name_of(".")));
	ck_assert(dname_is_wildcard(name_of("*.a.")));
	ck_assert(!dname_is_wildcard(name_of("*a.a.")));
	ck_assert_uint_eq(dname_join(joined, name_of("a.b."), org), 9);
	ck_assert(dname_equal(joined, name_of("a.b.org.")));
}
END_TEST

START_TEST(test_order)
{
	/* RFC 4034 section 6.1 */
	static const char *const sorted[] = {"example.", "a.example.",
	    "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.",
	    "z.example.", "\\001.z.example.", "*.z.example.",
	    "\\200.z.example."};

	for (int i = 0; i < 9; i++)
		for (int j = 0; j < 9; j++) {
			int order = dname_compare(
			    name_of(sorted[i]), name_of(sorted[j]));

			ck_assert_int_eq(
			    (order > 0) - (order < 0), (i > j) - (i < j));
		}
}
END_TEST

START_TEST(test_common_labels)
{
	uint8_t name[DNAME_MAX];

	(void)dname_copy(name, name_of("a.www.Example.org."));
	ck_assert_uint_eq(dname_common_labels(name, name), 4);
	ck_assert_uint_eq(
	    dname_common_labels(name, name_of("WWW.example.org.")), 3);
	ck_assert_uint_eq(
	    dname_common_labels(name, name_of("b.example.org.")), 2);
	ck_assert_uint_eq(
	    dname_common_labels(name, name_of("a.www.xexample.org.")), 1);
	ck_assert_uint_eq(dname_common_labels(name, name_of("net.")), 0);
	ck_assert_uint_eq(dname_common_labels(name, name_of(".")), 0);
}
END_TEST

/* Every byte, at every place of a word. */
START_TEST(test_key_is_lower)
{
	uint8_t name[DNAME_MAX], lower[DNAME_MAX];
	struct dname_key key;

	for (unsigned byte = 0; byte < 256; byte++)
		for (size_t length = 1; length <= 17; length++) {
			name[0] = (uint8_t)length;
			memset(name + 1, (int)byte, length);
			name[length + 1] = 0;
			dname_key_of(&key, name, length + 2, 7);
			ck_assert_uint_eq(dname_lower(lower, name), key.size);
			ck_assert_mem_eq(key.name, lower, key.size);
		}
}
END_TEST

/* When a signature is renewed goes by hashes, also after an upgrade. */
START_TEST(test_hash_stays)
{
	ck_assert_uint_eq(dname_hash(name_of("."), 7), 7);
	ck_assert_uint_eq(dname_hash(name_of("a."), 7), 0x7472ece9);
	ck_assert_uint_eq(dname_hash(name_of("abcdefg."), 7), 0x9cdcb93a);
	ck_assert_uint_eq(dname_hash(name_of("abcdefgh."), 7), 0xa7a18b22);
	ck_assert_uint_eq(
	    dname_hash(name_of("WWW.A-label-of-20-bytes.example."), 7),
	    0x7b63d7b4);
}
END_TEST

START_TEST(test_key)
{
	const uint8_t *name = name_of("WwW.a-label-of-20-bytes.Example.");
	struct dname_key key, other;

	dname_key_of(&key, name, dname_size(name), 7);
	ck_assert_uint_eq(key.labels, 3);
	for (uint32_t i = 0; i <= 3; i++) {
		ck_assert(
		    dname_equal(key.name + key.at[i], dname_ancestor(name, i)));
		ck_assert_uint_eq(
		    key.hash[i], dname_hash(dname_ancestor(name, i), 7));
	}
	ck_assert_uint_eq(key.hash[3],
	    dname_hash(name_of("www.A-LABEL-OF-20-BYTES.example."), 7));
	/* Where labels end counts, and so does the seed. */
	ck_assert_uint_ne(
	    dname_hash(name_of("a.bc."), 7), dname_hash(name_of("ab.c."), 7));
	dname_key_of(&other, name, dname_size(name), 8);
	ck_assert_uint_ne(key.hash[3], other.hash[3]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dname");
	TCase *tcase = tcase_create("dname");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_from_text);
	tcase_add_test(tcase, test_limits);
	tcase_add_test(tcase, test_to_text);
	tcase_add_test(tcase, test_measure);
	tcase_add_test(tcase, test_relations);
	tcase_add_test(tcase, test_order);
	tcase_add_test(tcase, test_common_labels);
	tcase_add_test(tcase, test_key_is_lower);
	tcase_add_test(tcase, test_hash_stays);
	tcase_add_test(tcase, test_key);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
