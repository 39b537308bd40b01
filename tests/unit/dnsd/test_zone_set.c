/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_set.h"

#include "tests/unit/base/check_main.h"
#include "tests/unit/dnsd/zone_made.h"

#include <errno.h>

#define SMALL "@ SOA a. b. 1 2 3 4 5\n@ NS @\n@ A 192.0.2.1\n"

static void add(struct zone_set *set, const char *apex)
{
	struct zone *zone = zone_good(apex, SMALL);

	ck_assert_int_eq(zone_set_add(set, zone), 0);
	zone_unref(zone);
}

static const char *found(const struct zone *zone)
{
	static char text[DNAME_TEXT_MAX];

	if (!zone)
		return "none";
	(void)dname_to_text(zone_apex(zone), text);
	return text;
}

START_TEST(test_longest_match)
{
	struct zone_set *set = zone_set_new(MADE_SEED);

	ck_assert_ptr_null(zone_set_find(set, key_made("a.example.")));
	add(set, "Example.");
	add(set, "a.b.example.");
	add(set, "org.");
	ck_assert_str_eq(
	    found(zone_set_find(set, key_made("EXAMPLE."))), "example.");
	ck_assert_str_eq(
	    found(zone_set_find(set, key_made("x.b.example."))), "example.");
	ck_assert_str_eq(found(zone_set_find(set, key_made("A.b.example."))),
	    "a.b.example.");
	ck_assert_str_eq(
	    found(zone_set_find(set, key_made("q.r.a.b.example."))),
	    "a.b.example.");
	ck_assert_ptr_null(zone_set_find(set, key_made("net.")));
	ck_assert_ptr_null(zone_set_find(set, key_made(".")));
	/* The DS of an apex is above it. */
	ck_assert_str_eq(
	    found(zone_set_find_above(set, key_made("a.b.example."))),
	    "example.");
	ck_assert_ptr_null(zone_set_find_above(set, key_made("example.")));
	ck_assert_ptr_null(zone_set_find_above(set, key_made(".")));
	ck_assert_str_eq(
	    found(zone_set_get(set, name_made("ORG.", NULL))), "org.");
	ck_assert_ptr_null(zone_set_get(set, name_made("b.example.", NULL)));
	zone_set_free(set);
	zone_set_free(NULL);
}
END_TEST

START_TEST(test_one_of_each_apex)
{
	struct zone_set *set = zone_set_new(MADE_SEED);
	struct zone *zone = zone_good("A.b.", SMALL);

	add(set, "a.B.");
	ck_assert_int_eq(zone_set_add(set, zone), -EEXIST);
	zone_unref(zone);
	ck_assert_uint_eq(zone_set_count(set), 1);
	ck_assert_str_eq(found(zone_set_at(set, 0)), "a.b.");
	zone_set_free(set);
}
END_TEST

/* Apexes of every depth, the root and the deepest there is among them. */
START_TEST(test_many)
{
	struct zone_set *set = zone_set_new(MADE_SEED);
	char text[300] = ".";
	size_t n = 0;

	add(set, ".");
	for (uint32_t depth = 1; depth <= DNAME_LABELS_MAX; depth++) {
		memmove(text + 2, text, depth == 1 ? 0 : n + 1);
		memcpy(text, "a.", 2);
		n += 2;
		text[n] = '\0';
		add(set, text);
	}
	ck_assert_uint_eq(zone_set_count(set), DNAME_LABELS_MAX + 1);
	for (uint32_t depth = 0; depth <= DNAME_LABELS_MAX; depth++) {
		const struct dname_key *key = key_made(
		    depth ? text + 2 * (DNAME_LABELS_MAX - depth) : ".");

		ck_assert_uint_eq(
		    dname_labels(zone_apex(zone_set_find(set, key))), depth);
		if (depth)
			ck_assert_uint_eq(dname_labels(zone_apex(
					      zone_set_find_above(set, key))),
			    depth - 1);
	}
	ck_assert_str_eq(found(zone_set_find(set, key_made("b."))), ".");
	zone_set_free(set);
}
END_TEST

/* A zone outlives the set when somebody else holds it. */
START_TEST(test_holders)
{
	struct zone_set *set = zone_set_new(MADE_SEED);
	struct zone *zone = zone_good("e.", SMALL);

	ck_assert_int_eq(zone_set_add(set, zone), 0);
	zone_set_free(set);
	ck_assert_str_eq(found(zone), "e.");
	zone_unref(zone);
	zone_unref(NULL);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("zone_set");

	tcase_add_test(tcase, test_longest_match);
	tcase_add_test(tcase, test_one_of_each_apex);
	tcase_add_test(tcase, test_many);
	tcase_add_test(tcase, test_holders);
	return check_main(tcase);
}
