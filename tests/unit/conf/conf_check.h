/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the unit tests of this folder have in common: running a suite, and
 * parsing texts.
 *
 * Thread:  the main thread of a test program.
 */
#include "conf/conf.h"

#include "base/strbuf.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The exit status of main(). */
static inline int conf_check_main(TCase *tcase)
{
	Suite *suite = suite_create("conf");
	SRunner *runner = srunner_create(suite);
	int failed;

	/* ctest has the time limit. */
	tcase_set_timeout(tcase, 0);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* A text that must be right. */
static inline struct conf *conf_check_parse(const char *text)
{
	struct conf_errors errors;
	struct conf *conf = NULL;
	int rc;

	conf_errors_init(&errors);
	rc = conf_parse("t.yaml", text, strlen(text), &conf, &errors);
	for (uint32_t i = 0; rc != 0 && i < errors.n_errors; i++)
		puts(errors.errors[i].text);
	ck_assert_int_eq(rc, 0);
	conf_errors_fini(&errors);
	return conf;
}

/* A file of the source tree, as text. */
static inline void conf_check_read(const char *name, struct strbuf *ret)
{
	const char *source = getenv("BRAID_SOURCE");
	char path[1024], bytes[4096];
	size_t n;
	FILE *f;

	ck_assert_ptr_nonnull(source);
	(void)snprintf(path, sizeof(path), "%s/%s", source, name);
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s", path);
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		strbuf_add(ret, bytes, n);
	fclose(f);
}
