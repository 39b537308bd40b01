/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/http_status.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct row {
	const char *bytes;
	int status;
};

static const struct row complete[] = {
    {"HTTP/1.1 200 OK\r\n", 200},
    {"HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\nbody", 404},
    {"HTTP/1.1 503 \r\n", 503},
    {"HTTP/1.1 204\r\n", 204}, /* no blank before an empty reason */
    {"HTTP/1.1 200 OK\n", 200}, /* bare LF */
    {"HTTP/1.1 200\n", 200},
    {"HTTP/1.1 999 \xc3\xa4\r\n", 999},
    {"HTTP/1.1 101 Switching Protocols\r\n", 101},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", 200},
    {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX: y\r\n\r\n"
     "HTTP/1.1 100 \n\nHTTP/1.1 500 No\r\n",
	500},
};

static const struct row refused[] = {
    {"SSH-2.0-OpenSSH_9.2\r\n", BR_E_PROTOCOL},
    {"h", BR_E_PROTOCOL},
    {"HTTP/2.0 200 OK\r\n", BR_E_PROTOCOL},
    {"HTTP/1.x", BR_E_PROTOCOL},
    {"HTTP/1.1200", BR_E_PROTOCOL},
    {"HTTP/1.1  200 OK\r\n", BR_E_PROTOCOL},
    {"HTTP/1.1 099 x\r\n", BR_E_PROTOCOL},
    {"HTTP/1.1 2x0 OK\r\n", BR_E_PROTOCOL},
    {"HTTP/1.1 2000 OK\r\n", BR_E_PROTOCOL},
    {"HTTP/1.1 -20 OK\r\n", BR_E_PROTOCOL},
    {"\r\nHTTP/1.1 200 OK\r\n", BR_E_PROTOCOL},
    {"HTTP/1.1 100 \r\n\r\nnonsense", BR_E_PROTOCOL},
};

START_TEST(test_complete)
{
	const struct row *row = &complete[_i];

	ck_assert_int_eq(
	    http_status_parse(row->bytes, strlen(row->bytes)), row->status);
}
END_TEST

/* Whatever is cut off, the answer is "more", never a status or an error. */
START_TEST(test_every_prefix_is_partial)
{
	const struct row *row = &complete[_i];
	size_t length = strlen(row->bytes);
	size_t first = 0;

	while (first <= length &&
	       http_status_parse(row->bytes, first) == HTTP_STATUS_PARTIAL)
		first++;
	ck_assert_uint_le(first, length);
	ck_assert_int_eq(row->bytes[first - 1], '\n');
	for (size_t n = first; n <= length; n++)
		ck_assert_int_eq(http_status_parse(row->bytes, n), row->status);
}
END_TEST

START_TEST(test_refused)
{
	const struct row *row = &refused[_i];

	ck_assert_int_eq(
	    http_status_parse(row->bytes, strlen(row->bytes)), row->status);
}
END_TEST

START_TEST(test_nul_in_reason)
{
	static const char bytes[] = "HTTP/1.1 200 O\0K\r\n";

	ck_assert_int_eq(
	    http_status_parse(bytes, sizeof(bytes) - 1), BR_E_PROTOCOL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_status");
	TCase *tcase = tcase_create("http_status");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, test_complete, 0,
	    (int)(sizeof(complete) / sizeof(complete[0])));
	tcase_add_loop_test(tcase, test_every_prefix_is_partial, 0,
	    (int)(sizeof(complete) / sizeof(complete[0])));
	tcase_add_loop_test(tcase, test_refused, 0,
	    (int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_test(tcase, test_nul_in_reason);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
