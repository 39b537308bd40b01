/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/slip.h"

#include "tests/unit/base/check_main.h"

#include <string.h>

#define HEADER(q, an, ns, ar) 0x12, 0x34, 0x84, 0x00, 0, q, 0, an, 0, ns, 0, ar
#define QUESTION 3, 'w', 'w', 'w', 2, 'a', 'b', 0, 0, 1, 0, 1
#define A 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1
#define LONG_A 1, 'x', 0xc0, 16, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1
#define OPT 0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 5, 0, 3, 0, 1, 'n'

static void becomes(const uint8_t *from, size_t length, const uint8_t *expected,
    size_t expected_length)
{
	uint8_t *answer = malloc(length ? length : 1);

	ck_assert_ptr_nonnull(answer);
	memcpy(answer, from, length);
	ck_assert_uint_eq(slip_truncate(answer, length), expected_length);
	ck_assert_mem_eq(answer, expected, expected_length);
	free(answer);
}

START_TEST(test_records_go)
{
	static const uint8_t from[] = {HEADER(1, 2, 1, 1), QUESTION, A, LONG_A,
	    A, A},
			     to[] = {HEADER(1, 0, 0, 0), QUESTION};
	uint8_t expected[sizeof to];

	memcpy(expected, to, sizeof to);
	expected[2] |= 2;
	becomes(from, sizeof from, expected, sizeof expected);
	/* And what has none is only marked. */
	becomes(to, sizeof to, expected, sizeof expected);
}
END_TEST

START_TEST(test_opt_stays)
{
	static const uint8_t to[] = {HEADER(1, 0, 0, 1), QUESTION, OPT};
	static const uint8_t last[] = {
	    HEADER(1, 2, 0, 2), QUESTION, A, A, LONG_A, OPT};
	static const uint8_t first[] = {
	    HEADER(1, 1, 0, 2), QUESTION, A, OPT, A};
	uint8_t expected[sizeof to];

	memcpy(expected, to, sizeof to);
	expected[2] |= 2;
	becomes(last, sizeof last, expected, sizeof expected);
	becomes(first, sizeof first, expected, sizeof expected);
	becomes(to, sizeof to, expected, sizeof expected);
}
END_TEST

START_TEST(test_no_question)
{
	static const uint8_t from[] = {HEADER(0, 0, 0, 1), OPT},
			     to[] = {0x12, 0x34, 0x86, 0, 0, 0, 0, 0, 0, 0, 0,
				 1, OPT};

	becomes(from, sizeof from, to, sizeof to);
}
END_TEST

/* Every beginning of a message: never read or written beyond its end, which
 * the sanitizer sees since each is in memory of its own size. */
START_TEST(test_cut_off)
{
	static const uint8_t from[] = {HEADER(1, 1, 0, 2), QUESTION, A, OPT, A};
	static const size_t question_end = 24;

	for (size_t length = 0; length < sizeof from; length++) {
		uint8_t *answer = malloc(length ? length : 1);
		size_t size;

		ck_assert_ptr_nonnull(answer);
		memcpy(answer, from, length);
		size = slip_truncate(answer, length);
		ck_assert_uint_le(size, length);
		ck_assert_int_eq(size > 0, length >= question_end);
		free(answer);
	}
}
END_TEST

START_TEST(test_two_questions)
{
	uint8_t answer[] = {HEADER(2, 0, 0, 0), QUESTION, QUESTION};

	ck_assert_uint_eq(slip_truncate(answer, sizeof answer), 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("slip");

	tcase_add_test(tcase, test_records_go);
	tcase_add_test(tcase, test_opt_stays);
	tcase_add_test(tcase, test_no_question);
	tcase_add_test(tcase, test_cut_off);
	tcase_add_test(tcase, test_two_questions);
	return check_main(tcase);
}
