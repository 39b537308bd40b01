/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of states, and docs/generated/states.md, which is printed from
 * it. The same program prints that file: test_flow_state --print (target
 * generated-states).
 */
#include "lb/flow_state.h"

#include "tests/unit/lb/lb_check.h"

#define BIT(n) (1u << (n))

START_TEST(test_rows_are_complete)
{
	uint32_t reached = BIT(FLOW_ACCEPTED);

	for (unsigned i = 0; i < FLOW_N_STATES; i++) {
		const struct flow_state_row *row = &flow_states[i];

		ck_assert_ptr_nonnull(row->name);
		ck_assert_ptr_nonnull(row->what);
		ck_assert_uint_eq(row->next & ~(BIT(FLOW_N_STATES) - 1), 0);
		/* A timeout has somebody who hears it, and nobody else has. */
		ck_assert_int_eq(
		    row->timeout != FLOW_TIMEOUT_NONE, row->on_timer != NULL);
		/* Only the first is not entered by flow_enter(). */
		ck_assert_int_eq(i != FLOW_ACCEPTED, row->on_enter != NULL);
		reached |= row->next;
	}
	ck_assert_uint_eq(reached, BIT(FLOW_N_STATES) - 1);
}
END_TEST

START_TEST(test_every_state_can_end)
{
	uint32_t ends = BIT(FLOW_CLOSING), before = 0;

	ck_assert_uint_eq(flow_states[FLOW_CLOSING].next, 0);
	while (ends != before) {
		before = ends;
		for (unsigned i = 0; i < FLOW_N_STATES; i++)
			if (flow_states[i].next & ends)
				ends |= BIT(i);
	}
	ck_assert_uint_eq(ends, BIT(FLOW_N_STATES) - 1);
}
END_TEST

/* What was in flight in any state may complete in closing. */
START_TEST(test_closing_knows_every_operation)
{
	uint32_t any = 0;

	for (unsigned i = 0; i < FLOW_N_STATES; i++)
		any |= flow_states[i].in_flight;
	ck_assert_uint_eq(flow_states[FLOW_CLOSING].in_flight, any);
	ck_assert_uint_eq(any, BIT(FLOW_TAG_POLL_OUT_DOWN + 1) - 1);
}
END_TEST

/* A client's byte goes to a server in established only: so a connect or a
 * handshake that failed may be tried elsewhere. What tls_connect sends is its
 * own handshake. */
START_TEST(test_sending_starts_when_connected)
{
	const uint32_t sends = BIT(FLOW_TAG_POLL_IN_UP) | BIT(FLOW_TAG_SEND_UP);

	for (unsigned i = 0; i < FLOW_N_STATES; i++)
		if (i != FLOW_ESTABLISHED && i != FLOW_CLOSING &&
		    i != FLOW_TLS_CONNECT)
			ck_assert_uint_eq(flow_states[i].in_flight & sends, 0);
	/* Back only in http mode, with nothing under way (http_home.c). */
	ck_assert_uint_eq(flow_states[FLOW_ESTABLISHED].next,
	    BIT(FLOW_CLOSING) | BIT(FLOW_CHOOSING));
}
END_TEST

START_TEST(test_document_is_fresh)
{
	const char *source = getenv("BRAID_SOURCE");
	static char file_text[65536];
	struct strbuf printed;
	char path[4096];
	size_t length;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/docs/generated/states.md",
	    source ? source : ".");
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s cannot be read", path);
	length = fread(file_text, 1, sizeof file_text - 1, f);
	file_text[length] = '\0';
	(void)fclose(f);
	strbuf_init(&printed);
	flow_state_print(&printed);
	ck_assert_msg(!strcmp(strbuf_text(&printed), file_text),
	    "docs/generated/states.md is stale: build generated-states");
	strbuf_fini(&printed);
}
END_TEST

static int print_document(void)
{
	struct strbuf text;
	int failed;

	strbuf_init(&text);
	flow_state_print(&text);
	failed = fputs(strbuf_text(&text), stdout) < 0 || fflush(stdout);
	strbuf_fini(&text);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	TCase *tcase;

	if (argc > 1 && !strcmp(argv[1], "--print"))
		return print_document();
	tcase = tcase_create("flow_state");
	tcase_add_test(tcase, test_rows_are_complete);
	tcase_add_test(tcase, test_every_state_can_end);
	tcase_add_test(tcase, test_closing_knows_every_operation);
	tcase_add_test(tcase, test_sending_starts_when_connected);
	tcase_add_test(tcase, test_document_is_fresh);
	return lb_check_main(tcase);
}
