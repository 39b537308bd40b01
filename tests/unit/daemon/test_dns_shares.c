/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_shares.h"

#include "tests/unit/base/check_main.h"

#include <stdio.h>
#include <string.h>

static const uint8_t zone[] = "\3CDN\7example";
static const uint8_t root[] = "";

START_TEST(test_names)
{
	char text[DNAME_TEXT_MAX];
	uint32_t a = dns_shares_row(zone, "shop", "near");
	struct dns_share share;

	ck_assert_str_eq(dns_shares_zone(zone, text), "cdn.example");
	ck_assert_str_eq(dns_shares_zone(root, text), ".");
	/* The same names in whatever case of the zone; others are others. */
	ck_assert_uint_eq(
	    dns_shares_row((const uint8_t *)"\3cdn\7EXAMPLE", "shop", "near"),
	    a);
	ck_assert_uint_ne(dns_shares_row(zone, "shop", "far"), a);
	ck_assert_uint_ne(dns_shares_row(root, "shop", "near"), a);
	ck_assert_uint_ne(dns_shares_row(zone, "sho", "pnear"), a);
	ck_assert_uint_eq(dns_shares_count(), 0);
	dns_shares_keep();
	ck_assert_uint_eq(dns_shares_count(), 4);
	share = dns_shares_at(a);
	ck_assert_str_eq(share.zone, "cdn.example");
	ck_assert_str_eq(share.resource, "shop");
	ck_assert_str_eq(share.pop, "near");
	ck_assert_uint_eq(dns_shares_row(zone, "shop", "near"), a);
	dns_shares_end();
	ck_assert_uint_eq(dns_shares_count(), 0);
}
END_TEST

/* What was refused leaves its rows to others. */
START_TEST(test_refused)
{
	uint32_t kept = dns_shares_row(zone, "shop", "near");
	char pop[16];

	dns_shares_keep();
	for (uint32_t k = 0; k < 3; k++) {
		for (uint32_t i = 0; i < DNS_SHARES_MAX; i++) {
			(void)snprintf(pop, sizeof pop, "p%u.%u", k, i);
			(void)dns_shares_row(zone, "shop", pop);
		}
		ck_assert_uint_eq(
		    dns_shares_row(zone, "shop", "more"), DNS_SHARES_OTHER);
		dns_shares_drop();
		ck_assert_uint_eq(dns_shares_count(), 1);
	}
	ck_assert_uint_eq(dns_shares_row(zone, "shop", "near"), kept);
	ck_assert_uint_eq(dns_shares_row(zone, "shop", "far"), 1);
	dns_shares_keep();
	ck_assert_str_eq(dns_shares_at(1).pop, "far");
	dns_shares_end();
}
END_TEST

START_TEST(test_full)
{
	char pop[16];

	for (uint32_t i = 0; i < DNS_SHARES_MAX; i++) {
		(void)snprintf(pop, sizeof pop, "p%u", i);
		ck_assert_uint_eq(dns_shares_row(zone, "shop", pop), i);
	}
	ck_assert_uint_eq(
	    dns_shares_row(zone, "shop", "one more"), DNS_SHARES_OTHER);
	ck_assert_uint_eq(dns_shares_row(zone, "shop", "p7"), 7);
	dns_shares_keep();
	ck_assert_uint_eq(dns_shares_count(), DNS_SHARES_MAX);
	ck_assert_str_eq(dns_shares_at(DNS_SHARES_OTHER).pop, "other");
	dns_shares_end();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("dns_shares");

	tcase_add_test(tcase, test_names);
	tcase_add_test(tcase, test_refused);
	tcase_add_test(tcase, test_full);
	return check_main(tcase);
}
