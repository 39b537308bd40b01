/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_answer.h"

#include "tests/unit/base/check_main.h"

#include <string.h>

/* www.test at 12, its question 14 bytes long. */
#define HEADER(flags, an) "\x12\x34" flags "\0\1\0" an "\0\0\0\0"
#define QUESTION(type) "\3www\4test\0\0" type "\0\1"
#define WWW "\xc0\x0c"
#define TEST "\xc0\x10"
#define RR(type, length) "\0" type "\0\1\0\0\0\x1e\0" length
#define OK "\x84\0"

static struct fetch_answer answer;
static uint8_t www[DNAME_MAX];

static void name_of(const char *text, uint8_t ret[DNAME_MAX])
{
	const char *wrong;

	ck_assert_int_eq(
	    dname_from_text(text, strlen(text), NULL, ret, &wrong), 0);
}

/* In a block of its own, so that reading beyond it is seen. */
static const char *read_n(const void *bytes, size_t length, uint16_t type)
{
	void *copy = malloc(length ? length : 1);
	const char *wrong;

	memcpy(copy, bytes, length);
	wrong = fetch_answer_read(copy, length, www, type, &answer);
	free(copy);
	return wrong;
}

#define READ(bytes, type) read_n(bytes, sizeof(bytes) - 1, type)

static void expect_name(const uint8_t *name, const char *text)
{
	char got[DNAME_TEXT_MAX];

	(void)dname_to_text(name, got);
	ck_assert_str_eq(got, text);
}

static void expect_addr(const struct addr *addr, const char *text)
{
	char got[ADDR_TEXT_MAX];

	(void)addr_format(addr, got);
	ck_assert_str_eq(got, text);
}

START_TEST(test_several_aliases)
{
	const struct fetch_record *at;
	uint8_t pop[DNAME_MAX];

	ck_assert_ptr_null(
	    READ(HEADER(OK, "\4") QUESTION("\1")
		     WWW RR("\5", "\7") "\4POP2" TEST WWW RR(
			 "\5", "\7") "\4pop1" TEST "\4pop1" TEST RR("\1",
			 "\4") "\300\0\2\1"
			       "\4Pop2" TEST RR("\1", "\4") "\300\0\2\2",
		RR_A));
	ck_assert(answer.authoritative);
	ck_assert_uint_eq(answer.n, 4);
	at = fetch_answer_next(&answer, NULL, www, RR_CNAME);
	expect_name(at->target, "pop2.test.");
	ck_assert_uint_eq(at->ttl_s, 30);
	at = fetch_answer_next(&answer, at, www, RR_CNAME);
	expect_name(at->target, "pop1.test.");
	ck_assert_ptr_null(fetch_answer_next(&answer, at, www, RR_CNAME));
	/* Which of the two to follow is not for it to say. */
	expect_name(fetch_answer_follow(&answer, www), "www.test.");
	name_of("pop2.test", pop);
	at = fetch_answer_next(&answer, NULL, pop, RR_A);
	expect_addr(&at->addr, "192.0.2.2");
}
END_TEST

START_TEST(test_alias)
{
	ck_assert_ptr_null(
	    READ(HEADER(OK, "\2") QUESTION("\34")
		     WWW RR("\5", "\4") "\1a" TEST "\1A" TEST RR(
			 "\34", "\20") "\x20\1\r\270\0\0\0\0\0\0\0\0\0\0\0\7",
		RR_AAAA));
	expect_name(fetch_answer_follow(&answer, www), "a.test.");
	expect_addr(&answer.records[1].addr, "2001:db8::7");
	/* A ring comes to an end. */
	ck_assert_ptr_null(READ(
	    HEADER(OK, "\2") QUESTION("\1")
		WWW RR("\5", "\4") "\1a" TEST "\1a" TEST RR("\5", "\2") WWW,
	    RR_A));
	(void)fetch_answer_follow(&answer, www);
}
END_TEST

START_TEST(test_services)
{
	const struct fetch_service *service;

	ck_assert_ptr_null(READ(
	    HEADER(OK, "\2") QUESTION("\101") WWW RR("\101",
		"\72") "\0\1\4pop1\4test\0"
		       "\0\1\0\3\2h2"
		       "\0\3\0\2\40\373"
		       "\0\4\0\10\300\0\2\1\300\0\2\2"
		       "\0\6\0\20\x20\1\r\270\0\0\0\0\0\0\0\0\0\0\0\1" WWW RR(
			   "\101", "\16") "\0\0\5alias\4test\0",
	    RR_HTTPS));
	ck_assert_uint_eq(answer.n, 2);
	expect_name(answer.records[1].target, "alias.test.");
	service = &answer.records[0].service;
	ck_assert_uint_eq(service->priority, 1);
	ck_assert_uint_eq(service->port, 8443);
	ck_assert(service->http2 && service->http1);
	ck_assert_ptr_null(service->unusable);
	ck_assert_uint_eq(service->n_hints, 3);
	expect_addr(&service->hints[1], "192.0.2.2");
	expect_addr(&service->hints[2], "2001:db8::1");
	expect_name(answer.records[0].target, "pop1.test.");
}
END_TEST

static const char *unusable(const char *params, size_t length)
{
	uint8_t bytes[200];
	size_t n = 0;
	const char head[] =
	    HEADER(OK, "\1") QUESTION("\101") WWW "\0\101\0\1\0\0\0\x1e\0";

	memcpy(bytes, head, sizeof head - 1);
	n = sizeof head - 1;
	bytes[n++] = (uint8_t)(3 + length);
	memcpy(bytes + n, "\0\1\0", 3);
	memcpy(bytes + n + 3, params, length);
	ck_assert_ptr_null(read_n(bytes, n + 3 + length, RR_HTTPS));
	return answer.n ? answer.records[0].service.unusable : "left out";
}

#define UNUSABLE(params) unusable(params, sizeof(params) - 1)

START_TEST(test_unusable)
{
	ck_assert_ptr_null(UNUSABLE(""));
	ck_assert(answer.records[0].service.http1);
	ck_assert_str_eq(UNUSABLE("\0\1\0\3\2h3\0\2\0\0"),
	    "it speaks neither HTTP/1.1 nor HTTP/2");
	ck_assert_ptr_null(UNUSABLE("\0\1\0\3\2h3"));
	ck_assert(!answer.records[0].service.http2);
	ck_assert_ptr_null(UNUSABLE("\0\0\0\2\0\1\0\1\0\3\2h2"));
	ck_assert_str_eq(UNUSABLE("\0\0\0\2\0\5\0\1\0\3\2h2\0\5\0\2xx"),
	    "it demands what is not known here");
	ck_assert_str_eq(UNUSABLE("\0\3\0\2\0\0"), "its port is 0");
	/* Twice the same key, and a value of the wrong length. */
	ck_assert_str_eq(UNUSABLE("\0\3\0\2\0\1\0\3\0\2\0\1"), "left out");
	ck_assert_str_eq(UNUSABLE("\0\4\0\3\1\2\3"), "left out");
}
END_TEST

START_TEST(test_not_an_answer)
{
	ck_assert_ptr_nonnull(READ("", RR_A));
	ck_assert_ptr_nonnull(READ(HEADER("\4\0", "\0") QUESTION("\1"), RR_A));
	ck_assert_ptr_nonnull(READ(HEADER(OK, "\0") QUESTION("\34"), RR_A));
	ck_assert_ptr_nonnull(
	    READ(HEADER(OK, "\0") "\3wwx\4test\0\0\1\0\1", RR_A));
	ck_assert_ptr_nonnull(
	    READ(HEADER("\x86\0", "\0") QUESTION("\1"), RR_A));
	ck_assert_ptr_null(
	    READ(HEADER("\x84\3", "\0") "\3WWW\4TeSt\0\0\1\0\1", RR_A));
	ck_assert_str_eq(fetch_answer_verdict(&answer), "no such name");
	/* Fewer records than it says. */
	ck_assert_ptr_nonnull(READ(HEADER(OK, "\1") QUESTION("\1"), RR_A));
	ck_assert_uint_eq(answer.n, 0);
	/* Pointers forward, to themselves, and half a one. */
	ck_assert_ptr_nonnull(READ(
	    HEADER(OK, "\1") QUESTION("\1") "\300\50" RR("\1", "\4") "\1\2\3\4",
	    RR_A));
	ck_assert_ptr_nonnull(READ(
	    HEADER(OK, "\1") QUESTION("\1") "\300\32" RR("\1", "\4") "\1\2\3\4",
	    RR_A));
	ck_assert_ptr_nonnull(
	    READ(HEADER(OK, "\1") QUESTION("\1") "\300", RR_A));
	/* Data of the wrong length is left out. */
	ck_assert_ptr_null(READ(
	    HEADER(OK, "\1") QUESTION("\1") WWW RR("\1", "\3") "\1\2\3", RR_A));
	ck_assert_uint_eq(answer.n, 0);
}
END_TEST

/* Any prefix of an answer is refused, none is read beyond. */
START_TEST(test_every_prefix)
{
	const char bytes[] = HEADER(OK, "\2") QUESTION("\1") WWW RR(
	    "\5", "\4") "\1a" TEST "\1a" TEST RR("\1", "\4") "\300\0\2\1";

	for (size_t n = 0; n < sizeof bytes - 1; n++)
		ck_assert_ptr_nonnull(read_n(bytes, n, RR_A));
	ck_assert_ptr_null(read_n(bytes, sizeof bytes - 1, RR_A));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("answer");

	(void)dname_copy(www, (const uint8_t *)"\3www\4test");
	tcase_add_test(tcase, test_several_aliases);
	tcase_add_test(tcase, test_alias);
	tcase_add_test(tcase, test_services);
	tcase_add_test(tcase, test_unusable);
	tcase_add_test(tcase, test_not_an_answer);
	tcase_add_test(tcase, test_every_prefix);
	return check_main(tcase);
}
