/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/wire_records.h"

#include "dnsd/zone_print.h"
#include "tests/unit/base/check_main.h"

#include <stdlib.h>
#include <string.h>

#define QUESTION 3, 'w', 'w', 'w', 2, 'a', 'b', 0, 0, 1, 0, 1

/* CNAME to a compressed name, MX of it, SOA in authority, A and OPT behind. */
static const uint8_t message[] = {0x12, 0x34, 0x84, 0, 0, 1, 0, 2, 0, 1, 0, 2,
    QUESTION,
    /* www.ab 60 CNAME x.ab */
    0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, 'x', 0xc0, 16,
    /* x.ab (in the rdata before) 61 MX 10 www.ab */
    0xc0, 36, 0, 15, 0, 1, 0, 0, 0, 61, 0, 4, 0, 10, 0xc0, 12,
    /* ab 62 SOA ab x.ab 1 2 3 4 5 */
    0xc0, 16, 0, 6, 0, 1, 0, 0, 0, 62, 0, 24, 0xc0, 16, 0xc0, 36, 0, 0, 0, 1, 0,
    0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5,
    /* www.ab 63 A 192.0.2.1 */
    0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 63, 0, 4, 192, 0, 2, 1,
    /* OPT */
    0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};

static void on_record(
    void *context, enum wire_section section, const struct dns_record *record)
{
	struct strbuf *text = context;

	strbuf_addf(text, "%d ", section);
	zone_print_record(text, record);
}

START_TEST(test_names_in_full)
{
	struct strbuf text;

	strbuf_init(&text);
	ck_assert_int_eq(
	    wire_records_read(message, sizeof message, on_record, &text), 0);
	ck_assert_str_eq(strbuf_text(&text),
	    "1 www.ab. 60 IN CNAME x.ab.\n"
	    "1 x.ab. 61 IN MX 10 www.ab.\n"
	    "2 ab. 62 IN SOA ab. x.ab. 1 2 3 4 5\n"
	    "3 www.ab. 63 IN A 192.0.2.1\n");
	strbuf_fini(&text);
}
END_TEST

static int read_bytes(const uint8_t *bytes, size_t length)
{
	/* Exactly so long, for the sanitizer. */
	uint8_t *copy = malloc(length ? length : 1);
	struct strbuf text;
	int err;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, length);
	strbuf_init(&text);
	err = wire_records_read(copy, length, on_record, &text);
	strbuf_fini(&text);
	free(copy);
	return err;
}

START_TEST(test_cut)
{
	uint8_t longer[sizeof message + 1];

	for (size_t length = 0; length < sizeof message; length++)
		ck_assert_int_eq(read_bytes(message, length), BR_E_PROTOCOL);
	memcpy(longer, message, sizeof message);
	longer[sizeof message] = 0;
	ck_assert_int_eq(read_bytes(longer, sizeof longer), BR_E_PROTOCOL);
}
END_TEST

/* Each byte another one: it may be another message, but nothing worse. */
START_TEST(test_changed)
{
	uint8_t changed[sizeof message];

	for (size_t i = 0; i < sizeof message; i++) {
		for (unsigned value = 0; value < 256; value += 5) {
			memcpy(changed, message, sizeof message);
			changed[i] = (uint8_t)value;
			(void)read_bytes(changed, sizeof changed);
		}
	}
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("wire_records");

	tcase_add_test(tcase, test_names_in_full);
	tcase_add_test(tcase, test_cut);
	tcase_add_test(tcase, test_changed);
	return check_main(tcase);
}
