/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/record.h"

#include "tests/unit/base/check_main.h"

#include <string.h>
#include <sys/socket.h>

static unsigned fields_of(const char *line, int length)
{
	unsigned n = 1;

	ck_assert_int_lt(length, RECORD_LINE_MAX);
	ck_assert_int_eq(line[length - 1], '\n');
	for (int i = 0; i < length; i++)
		n += line[i] == ',';
	return n;
}

/* As many values as names, also of the longest numbers. */
START_TEST(test_header_and_row_agree)
{
	char header[RECORD_LINE_MAX], line[RECORD_LINE_MAX];
	struct record_row row = {.flow = UINT64_MAX,
	    .class = FLOW_CLASS_BULK,
	    .observed = FLOW_CLASS_STREAM,
	    .checkpoint = PROFILE_AT_64K,
	    .confidence = 9876,
	    .up_bytes = UINT64_MAX,
	    .down_bytes = UINT64_MAX,
	    .duration_ms = UINT32_MAX};
	int n = record_format_header(header), m;

	memset(row.listener, 'l', RECORD_NAME_MAX);
	memset(row.pool, 'p', RECORD_NAME_MAX);
	memset(row.network, '9', sizeof row.network - 1);
	for (int i = 0; i < N_FEATURES; i++)
		row.vector[i] = INT32_MIN;
	m = record_format(&row, line);
	ck_assert_uint_eq(fields_of(header, n), fields_of(line, m));
	line[m] = header[n] = '\0';
	ck_assert_ptr_nonnull(strstr(header, ",group,class,client_port,"));
	ck_assert_ptr_nonnull(strstr(header, ",recent_down_permille\n"));
	ck_assert_ptr_nonnull(strstr(line, ",64KiB,bulk,9876,"));
	ck_assert_ptr_nonnull(strstr(line, ",stream,-2147483648,"));
}
END_TEST

START_TEST(test_networks)
{
	const uint8_t v4[16] = {192, 0, 2, 77};
	const uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8, 0, 1, 0, 2, [15] = 9};
	char text[48];

	record_network(AF_INET, v4, false, text);
	ck_assert_str_eq(text, "192.0.2.0/24");
	record_network(AF_INET6, v6, false, text);
	ck_assert_str_eq(text, "2001:db8:1::/48");
	record_network(AF_INET, v4, true, text);
	ck_assert_str_eq(text, "192.0.2.77/32");
	record_network(AF_INET6, v6, true, text);
	ck_assert_str_eq(text, "2001:db8:1:2::9/128");
	record_network(AF_UNIX, v4, true, text);
	ck_assert_str_eq(text, "");
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("record");

	tcase_add_test(tcase, test_header_and_row_agree);
	tcase_add_test(tcase, test_networks);
	return check_main(tcase);
}
