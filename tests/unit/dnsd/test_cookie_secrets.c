/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/cookie_secrets.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_1 "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define SECRET_2 "dd3bdf9344b678b185a6f5cb60fca715"
#define NOT_ONE "has a line that is not 32 hexadecimal digits"

static struct cookie_secrets secrets_of(const char *text)
{
	struct cookie_secrets secrets;

	ck_assert_ptr_null(cookie_secrets_parse(text, strlen(text), &secrets));
	return secrets;
}

static void refused(const char *text, const char *why)
{
	struct cookie_secrets secrets;

	ck_assert_str_eq(
	    cookie_secrets_parse(text, strlen(text), &secrets), why);
}

START_TEST(test_parse)
{
	struct cookie_secrets secrets =
	    secrets_of("# made in May\n\n " SECRET_1 "\t# old\r\n"
		       "E5E973E5A6B2A43F48E7DC849E37BFCF\n" SECRET_2);
	struct cookie_secrets one = secrets_of(SECRET_1);

	ck_assert_uint_eq(secrets.n, 3);
	ck_assert_mem_eq(&secrets.keys[0], one.keys, sizeof *one.keys);
	ck_assert_mem_eq(&secrets.keys[1], one.keys, sizeof *one.keys);
	ck_assert_mem_ne(&secrets.keys[2], one.keys, sizeof *one.keys);
	refused("", "has no secret");
	refused("\n# nothing\n\n", "has no secret");
	refused(SECRET_1 "\nabc\n", NOT_ONE);
	refused(SECRET_1 "0", NOT_ONE);
	refused("g5e973e5a6b2a43f48e7dc849e37bfcf", NOT_ONE);
	refused("/5:973e5a6b2a43f48e7dc849e37bfcf", NOT_ONE);
	refused("e`e973e5a6b2a43f48e7dc849e37bfcf", NOT_ONE);
	refused("e@e973e5a6b2a43f48e7dc849e37bfcf", NOT_ONE);
	char many[COOKIE_SECRETS_MAX * 33 + 34] = "";

	for (unsigned i = 0; i <= COOKIE_SECRETS_MAX; i++)
		memcpy(many + 33 * i, SECRET_1 "\n", 34);
	refused(many, "has more than 8 secrets");
	many[33 * COOKIE_SECRETS_MAX] = '\0';
	ck_assert_uint_eq(secrets_of(many).n, COOKIE_SECRETS_MAX);
}
END_TEST

static char path[] = "/tmp/test_cookie_secrets.XXXXXX";

static const char *load(const char *text, size_t times, uint32_t *ret_n)
{
	const char *why = "nothing";
	FILE *file = fopen(path, "w");
	struct cookie_secrets *secrets;

	for (size_t i = 0; i < times; i++)
		ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	secrets = cookie_secrets_load(path, &why);
	ck_assert((secrets != NULL) == (why == NULL));
	if (secrets)
		*ret_n = secrets->n;
	cookie_secrets_unref(secrets);
	return why;
}

START_TEST(test_load)
{
	const char *why;
	uint32_t n = 0;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_ptr_null(load(SECRET_1 "\n" SECRET_2 "\n", 1, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(load("", 1, &n), "has no secret");
	ck_assert_str_eq(
	    load("#234567\n", COOKIE_FILE_MAX / 8, &n), "has no secret");
	ck_assert_str_eq(load("#234567\n", COOKIE_FILE_MAX / 8 + 1, &n),
	    "has more than 4096 bytes");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_ptr_null(cookie_secrets_load(path, &why));
	ck_assert_str_eq(why, br_strerror(-ENOENT));
	ck_assert_ptr_null(cookie_secrets_load("/", &why));
	ck_assert_str_eq(why, br_strerror(-EISDIR));
	/* Nobody writes to it: that must not hold up the clerk. */
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_ptr_null(cookie_secrets_load(path, &why));
	ck_assert_str_eq(why, "has no secret");
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(test_random)
{
	struct cookie_secrets *a = cookie_secrets_random();
	struct cookie_secrets *b = cookie_secrets_random();

	ck_assert_uint_eq(a->n, 1);
	ck_assert_mem_ne(a->keys, b->keys, sizeof *a->keys);
	ck_assert_ptr_eq(cookie_secrets_ref(a), a);
	cookie_secrets_unref(a);
	ck_assert_uint_eq(a->n, 1);
	cookie_secrets_unref(a);
	cookie_secrets_unref(b);
	cookie_secrets_unref(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cookie_secrets");
	TCase *tcase = tcase_create("cookie_secrets");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_parse);
	tcase_add_test(tcase, test_load);
	tcase_add_test(tcase, test_random);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
