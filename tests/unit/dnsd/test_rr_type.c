/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/rr_type.h"

#include "tests/unit/base/check_main.h"

#include <string.h>

static long type_of(const char *text)
{
	uint16_t type;

	return rr_type_from_text(text, strlen(text), &type) ? type : -1;
}

START_TEST(test_types)
{
	char text[RR_TEXT_MAX];

	ck_assert_int_eq(type_of("A"), 1);
	ck_assert_int_eq(type_of("aaaa"), 28);
	ck_assert_int_eq(type_of("Https"), RR_HTTPS);
	ck_assert_int_eq(type_of("NULL"), 10);
	ck_assert_int_eq(type_of("TYPE1"), 1);
	ck_assert_int_eq(type_of("type65535"), 65535);
	ck_assert_int_eq(type_of("TYPE65536"), -1);
	ck_assert_int_eq(type_of("TYPE"), -1);
	ck_assert_int_eq(type_of("TYPE1x"), -1);
	ck_assert_int_eq(type_of("TYPE-1"), -1);
	ck_assert_int_eq(type_of("AA"), -1);
	ck_assert_int_eq(type_of(""), -1);
	/* Every number comes back, by mnemonic or not. */
	for (uint32_t type = 0; type <= UINT16_MAX; type++) {
		size_t length = rr_type_to_text((uint16_t)type, text);

		ck_assert_uint_eq(length, strlen(text));
		ck_assert_int_eq(type_of(text), type);
	}
	ck_assert_uint_eq(rr_type_to_text(RR_NSEC3PARAM, text), 10);
	ck_assert_str_eq(text, "NSEC3PARAM");
	rr_type_to_text(4711, text);
	ck_assert_str_eq(text, "TYPE4711");
}
END_TEST

START_TEST(test_classes)
{
	char text[RR_TEXT_MAX];
	uint16_t number;

	ck_assert(rr_class_from_text("in", 2, &number));
	ck_assert_uint_eq(number, RR_CLASS_IN);
	ck_assert(rr_class_from_text("CLASS3", 6, &number));
	ck_assert_uint_eq(number, RR_CLASS_CH);
	ck_assert(!rr_class_from_text("XX", 2, &number));
	rr_class_to_text(RR_CLASS_ANY, text);
	ck_assert_str_eq(text, "ANY");
	rr_class_to_text(4711, text);
	ck_assert_str_eq(text, "CLASS4711");
}
END_TEST

START_TEST(test_data)
{
	ck_assert(rr_type_is_data(RR_A));
	ck_assert(rr_type_is_data(127));
	ck_assert(rr_type_is_data(RR_URI));
	ck_assert(rr_type_is_data(65535));
	ck_assert(!rr_type_is_data(0));
	ck_assert(!rr_type_is_data(RR_OPT));
	ck_assert(!rr_type_is_data(128));
	ck_assert(!rr_type_is_data(RR_TSIG));
	ck_assert(!rr_type_is_data(RR_ANY));
	ck_assert_str_eq(rr_type_fields(RR_MX), "hC");
	ck_assert_ptr_null(rr_type_fields(RR_ANY));
	ck_assert_ptr_null(rr_type_fields(4711));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("rr_type");

	tcase_add_test(tcase, test_types);
	tcase_add_test(tcase, test_classes);
	tcase_add_test(tcase, test_data);
	return check_main(tcase);
}
