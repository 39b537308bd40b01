/* SPDX-License-Identifier: Apache-2.0 */
#include "base/source_table.h"

#include "tests/unit/base/check_main.h"

#define SEED UINT64_C(0x5eed)
#define FULL 4096 /* connections of the table that is filled */

static struct source_table *table;

static struct addr addr_of(const char *text)
{
	struct addr a = {0};

	ck_assert_int_eq(addr_parse(&a, text), 0);
	return a;
}

/* 10.0.0.0 + n */
static struct addr nth(uint32_t n)
{
	struct addr a = addr_of("10.0.0.0:1");

	a.in.sin_addr.s_addr = htonl(0x0a000000 + n);
	return a;
}

static struct source_admission admit(
    const struct addr *a, uint32_t connections, uint32_t rate, int64_t ms)
{
	struct source_limit limit = {connections, rate};

	return source_admit(table, 1, a, &limit, (struct mono){ms * NS_PER_MS});
}

static enum source_verdict verdict(
    const char *text, uint32_t connections, uint32_t rate, int64_t ms)
{
	struct addr a = addr_of(text);

	return admit(&a, connections, rate, ms).verdict;
}

static void start(uint32_t connections)
{
	table = source_table_new(connections, 64, SEED);
	ck_assert_ptr_nonnull(table);
}

START_TEST(test_connections)
{
	struct addr a = addr_of("192.0.2.1:1"), b = addr_of("192.0.2.2:1");
	struct source_admission held[3];

	start(100);
	for (int i = 0; i < 3; i++) {
		held[i] = admit(&a, 3, 0, 0);
		ck_assert_int_eq(held[i].verdict, SOURCE_ADMITTED);
		ck_assert_uint_ne(held[i].slot, SOURCE_UNTRACKED);
	}
	ck_assert_int_eq(admit(&a, 3, 0, 0).verdict, SOURCE_TOO_MANY);
	/* The port makes no other source, and another source is not met. */
	addr_set_port(&a, 2);
	ck_assert_int_eq(admit(&a, 3, 0, 0).verdict, SOURCE_TOO_MANY);
	ck_assert_int_eq(admit(&b, 3, 0, 0).verdict, SOURCE_ADMITTED);
	ck_assert_uint_eq(source_connections(table, 1, &a), 3);
	source_release(table, held[1].slot);
	ck_assert_uint_eq(source_connections(table, 1, &a), 2);
	ck_assert_int_eq(admit(&a, 3, 0, 0).verdict, SOURCE_ADMITTED);
	ck_assert_int_eq(admit(&a, 3, 0, 0).verdict, SOURCE_TOO_MANY);
	/* A higher limit after a reload holds at once. */
	ck_assert_int_eq(admit(&a, 4, 0, 0).verdict, SOURCE_ADMITTED);
	source_table_free(table);
}
END_TEST

START_TEST(test_scopes)
{
	struct addr a = addr_of("192.0.2.1:1");
	struct source_limit one = {.connections = 1};
	struct mono now = {0};

	start(100);
	ck_assert_int_eq(
	    source_admit(table, 1, &a, &one, now).verdict, SOURCE_ADMITTED);
	ck_assert_int_eq(
	    source_admit(table, 2, &a, &one, now).verdict, SOURCE_ADMITTED);
	ck_assert_int_eq(
	    source_admit(table, 2, &a, &one, now).verdict, SOURCE_TOO_MANY);
	ck_assert_uint_eq(source_connections(table, 1, &a), 1);
	source_table_free(table);
}
END_TEST

START_TEST(test_what_one_source_is)
{
	start(100);
	ck_assert_int_eq(
	    verdict("[2001:db8:0:1::1]:1", 1, 0, 0), SOURCE_ADMITTED);
	ck_assert_int_eq(
	    verdict("[2001:db8:0:1:ffff::2]:1", 1, 0, 0), SOURCE_TOO_MANY);
	ck_assert_int_eq(
	    verdict("[2001:db8:0:2::1]:1", 1, 0, 0), SOURCE_ADMITTED);
	ck_assert_int_eq(verdict("192.0.2.1:1", 1, 0, 0), SOURCE_ADMITTED);
	ck_assert_int_eq(
	    verdict("[::ffff:192.0.2.1]:1", 1, 0, 0), SOURCE_TOO_MANY);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(verdict("unix:/x", 1, 1, 0), SOURCE_ADMITTED);
	source_table_free(table);
	table = source_table_new(100, 48, SEED);
	ck_assert_int_eq(
	    verdict("[2001:db8:0:1::1]:1", 1, 0, 0), SOURCE_ADMITTED);
	ck_assert_int_eq(
	    verdict("[2001:db8:0:2::1]:1", 1, 0, 0), SOURCE_TOO_MANY);
	source_table_free(table);
}
END_TEST

static uint32_t admitted(
    const struct addr *a, uint32_t asks, uint32_t rate, int64_t ms)
{
	uint32_t n = 0;

	while (asks--) {
		struct source_admission got = admit(a, 0, rate, ms);

		ck_assert_int_ne(got.verdict, SOURCE_TOO_MANY);
		if (got.verdict != SOURCE_ADMITTED)
			continue;
		n++;
		source_release(table, got.slot);
	}
	return n;
}

START_TEST(test_rate)
{
	struct addr a = addr_of("192.0.2.1:1");

	start(100);
	/* A second's worth at once, then ten a second. */
	ck_assert_uint_eq(admitted(&a, 50, 10, 1000), 10);
	ck_assert_uint_eq(admitted(&a, 50, 10, 1099), 0);
	ck_assert_uint_eq(admitted(&a, 50, 10, 1100), 1);
	ck_assert_uint_eq(admitted(&a, 50, 10, 1500), 4);
	/* However often it asks: refusals are not counted. */
	for (int64_t ms = 1501; ms < 2500; ms++)
		ck_assert_uint_eq(
		    admitted(&a, 5, 10, ms), ms % 100 == 0 ? 1 : 0);
	/* A pause fills it up to a second's worth, not more. */
	ck_assert_uint_eq(admitted(&a, 50, 10, 100000), 10);
	ck_assert_uint_eq(admitted(&a, 50, 1, 200000), 1);
	ck_assert_uint_eq(admitted(&a, 50, 1, 200999), 0);
	ck_assert_uint_eq(admitted(&a, 50, 1, 201000), 1);
	ck_assert_uint_eq(admitted(&a, 50, UINT32_MAX, 201000), 50);
	/* What was refused for its rate holds no connection. */
	ck_assert_uint_eq(source_connections(table, 1, &a), 0);
	source_table_free(table);
}
END_TEST

/* As many sources as it was made for, each with a connection: all of them
 * have a slot. */
START_TEST(test_full_as_promised)
{
	start(FULL);
	for (uint32_t i = 0; i < FULL; i++) {
		struct addr a = nth(i);
		struct source_admission got = admit(&a, 1, 0, 0);

		ck_assert_int_eq(got.verdict, SOURCE_ADMITTED);
		ck_assert_uint_ne(got.slot, SOURCE_UNTRACKED);
		ck_assert(!got.evicted);
	}
	for (uint32_t i = 0; i < FULL; i++) {
		struct addr a = nth(i);

		ck_assert_int_eq(admit(&a, 1, 0, 0).verdict, SOURCE_TOO_MANY);
	}
	source_table_free(table);
}
END_TEST

/* Beyond that others get in, and those who are known stay limited. */
START_TEST(test_overfull)
{
	uint32_t tracked = 0, untracked = 0;

	start(1);
	for (uint32_t i = 0; i < 200; i++) {
		struct addr a = nth(i);
		struct source_admission got = admit(&a, 1, 0, 0);

		ck_assert_int_eq(got.verdict, SOURCE_ADMITTED);
		if (got.slot == SOURCE_UNTRACKED) {
			untracked++;
			source_release(table, got.slot);
			continue;
		}
		tracked++;
		ck_assert(!got.evicted);
		ck_assert_int_eq(admit(&a, 1, 0, 0).verdict, SOURCE_TOO_MANY);
	}
	ck_assert_uint_eq(tracked, source_table_slots(table));
	ck_assert_uint_eq(untracked, 200 - tracked);
	source_table_free(table);
}
END_TEST

/* Slots without connections: taken over when their time has passed, before
 * that only the one that owes least. */
START_TEST(test_aging)
{
	uint32_t slots, evicted = 0;
	struct addr heavy = addr_of("192.0.2.1:1");

	start(1);
	slots = source_table_slots(table);
	/* It owes almost a second; the others a tenth each. */
	ck_assert_uint_eq(admitted(&heavy, 50, 10, 1000), 10);
	for (uint32_t i = 0; i < 10 * slots; i++) {
		struct addr a = nth(i);
		struct source_admission got = admit(&a, 1, 10, 1000);

		ck_assert_int_eq(got.verdict, SOURCE_ADMITTED);
		ck_assert_uint_ne(got.slot, SOURCE_UNTRACKED);
		source_release(table, got.slot);
		evicted += got.evicted;
	}
	ck_assert_uint_ge(evicted, 9 * slots);
	ck_assert_uint_eq(admitted(&heavy, 50, 10, 1000), 0);
	/* All have been paid. */
	for (uint32_t i = 0; i < slots / 2; i++) {
		struct addr a = nth(1000000 + i);
		struct source_admission got = admit(&a, 1, 1000, 2000 + i);

		ck_assert(!got.evicted);
		source_release(table, got.slot);
	}
	source_table_free(table);
}
END_TEST

/* A source that was taken over begins anew, without the other's debt. */
START_TEST(test_no_inherited_debt)
{
	start(1);
	for (uint32_t i = 0; i < 1000; i++) {
		struct addr a = nth(i);

		ck_assert_uint_eq(admitted(&a, 50, 10, 1000), 10);
	}
	source_table_free(table);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("source_table");

	tcase_add_test(tcase, test_connections);
	tcase_add_test(tcase, test_scopes);
	tcase_add_test(tcase, test_what_one_source_is);
	tcase_add_test(tcase, test_rate);
	tcase_add_test(tcase, test_full_as_promised);
	tcase_add_test(tcase, test_overfull);
	tcase_add_test(tcase, test_aging);
	tcase_add_test(tcase, test_no_inherited_debt);
	return check_main(tcase);
}
