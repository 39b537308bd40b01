/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braidctl_bar.h"

#include "tests/unit/base/check_main.h"

static void expect(const struct bar *bar, uint32_t width, const char *want)
{
	struct strbuf text;

	strbuf_init(&text);
	bar_draw(bar, width, false, &text);
	ck_assert_str_eq(text.length ? strbuf_text(&text) : "", want);
	strbuf_fini(&text);
}

START_TEST(test_all_there_is)
{
	struct bar bar = {.to = 400,
	    .sent = 40,
	    .frontier = 310,
	    .n_pieces = 3,
	    .pieces = {{.from = 240, .to = 310, .arrived = 240, .lane = 2},
		{.from = 40, .to = 120, .arrived = 120, .lane = 0},
		{.from = 120, .to = 200, .arrived = 160, .lane = 11}}};

	expect(&bar, 40, "####|===0===|==11...|___|..2...|        ");
	/* No room for numbers. */
	expect(&bar, 10, "#|=|.||.| ");
	expect(&bar, 0, "");
}
END_TEST

START_TEST(test_a_part)
{
	struct bar bar = {.from = 1000,
	    .to = 1100,
	    .sent = 1000,
	    .frontier = 1100,
	    .n_pieces = 1,
	    .pieces = {{.from = 1000, .to = 1050, .arrived = 1025, .lane = 7}}};

	expect(&bar, 20, "====7.....|_________");
	bar.to = bar.from;
	expect(&bar, 20, "");
	bar.to = UINT64_C(1) << 50;
	bar.frontier = bar.to;
	bar.n_pieces = 0;
	expect(&bar, 5, "_____");
}
END_TEST

START_TEST(test_colours)
{
	struct bar bar = {.to = 4,
	    .sent = 1,
	    .frontier = 3,
	    .n_pieces = 1,
	    .pieces = {{.from = 1, .to = 2, .arrived = 2, .lane = 0}}};
	struct strbuf text;

	strbuf_init(&text);
	bar_draw(&bar, 4, true, &text);
	ck_assert_ptr_nonnull(strstr(strbuf_text(&text), "\033["));
	strbuf_fini(&text);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("braidctl_bar");

	tcase_add_test(tcase, test_all_there_is);
	tcase_add_test(tcase, test_a_part);
	tcase_add_test(tcase, test_colours);
	return check_main(tcase);
}
