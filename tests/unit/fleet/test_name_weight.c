/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/name_weight.h"
#include "tests/unit/base/check_main.h"

/* Weights of one priority, behind a record of another that must not count. */
static void expect(uint32_t server_weight, uint32_t n, const uint16_t *weights,
    const uint32_t *wanted)
{
	struct name_record records[5] = {{.priority = 1, .weight = 65535}};

	for (uint32_t i = 0; i < n; i++) {
		records[i + 1].priority = 2;
		records[i + 1].weight = weights[i];
	}
	for (uint32_t i = 0; i < n; i++)
		ck_assert_uint_eq(
		    name_weight(records, n + 1, i + 1, server_weight),
		    wanted[i]);
}

START_TEST(test_weights)
{
	expect(1, 3, (uint16_t[]){1, 5, 60}, (uint32_t[]){1, 5, 60});
	expect(3, 2, (uint16_t[]){1, 5}, (uint32_t[]){3, 15});
	/* All 0: they share evenly. */
	expect(7, 2, (uint16_t[]){0, 0}, (uint32_t[]){7, 7});
	/* 0 beside others: a very small share. */
	expect(1, 3, (uint16_t[]){0, 1, 3}, (uint32_t[]){1, 100, 300});
	/* The server's own 0 is none at all. */
	expect(0, 2, (uint16_t[]){0, 9}, (uint32_t[]){0, 0});
	/* Nothing passes the largest weight; the shares stay, none is 0. */
	expect(2, 2, (uint16_t[]){65535, 32768}, (uint32_t[]){65535, 32768});
	expect(10, 3, (uint16_t[]){65535, 1, 0}, (uint32_t[]){65535, 1, 1});
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("name_weight");

	tcase_add_test(tcase, test_weights);
	return check_main(tcase);
}
