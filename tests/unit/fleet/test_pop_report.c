/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/pop_report.h"

#include "base/assert.h"
#include "tests/unit/base/check_main.h"

static const struct mono now = {1000 * NS_PER_S};

/* What one node said, so many seconds ago. */
static struct board_agent said(int64_t age_s, bool down)
{
	return (struct board_agent){.reports = true,
	    .down = down,
	    .heard_ns = now.ns - age_s * NS_PER_S};
}

static struct board_agent load(uint32_t percent)
{
	struct board_agent agent = said(1, false);

	agent.has_percent = true;
	agent.percent = percent;
	return agent;
}

static struct pop_report of(const struct board_agent *agents, uint32_t n)
{
	struct pop_report report = {0};

	for (uint32_t i = 0; i < n; i++)
		pop_report_add(&report, &agents[i], now);
	return report;
}

static struct pop_report of_one(struct board_agent agent)
{
	return of(&agent, 1);
}

START_TEST(test_age)
{
	struct board_agent agent = said(30, false);

	ck_assert(pop_report_counts(&agent, now));
	agent.heard_ns--;
	ck_assert(!pop_report_counts(&agent, now));
	ck_assert_uint_eq(of_one(agent).n, 0);
	agent = (struct board_agent){0};
	ck_assert(!pop_report_counts(&agent, now));
	/* Not even when the clock has just begun. */
	ck_assert(!pop_report_counts(&agent, (struct mono){1}));
}
END_TEST

START_TEST(test_until)
{
	struct board_agent agents[] = {
	    said(12, false), said(29, true), said(31, false), said(3, false)};
	struct pop_report report = of(agents, BR_COUNT(agents));
	struct mono until = pop_report_until(&report);

	ck_assert_uint_eq(report.n, 3);
	ck_assert_int_eq(report.youngest_ns, now.ns - 3 * NS_PER_S);
	/* Of the oldest that counts; at that very moment it does not. */
	ck_assert_int_eq(until.ns, now.ns + 1 * NS_PER_S + 1);
	ck_assert(!pop_report_counts(&agents[1], until));
	ck_assert(pop_report_counts(&agents[1], (struct mono){until.ns - 1}));
	report = of(NULL, 0);
	ck_assert_int_eq(pop_report_until(&report).ns, INT64_MAX);
}
END_TEST

/* The table of the header. */
START_TEST(test_judge)
{
	struct pop_report none = {0}, up = of_one(said(1, false)),
			  down = of_one(said(1, true));
	static const struct {
		enum pop_checks own;
		bool none, up, down; /* is it up */
		bool differs_up, differs_down;
	} rows[] = {
	    {POP_CHECKS_UP, true, true, true, false, true},
	    {POP_CHECKS_DOWN, false, true, false, true, false},
	    {POP_CHECKS_NONE, true, true, false, false, false},
	};

	for (size_t i = 0; i < BR_COUNT(rows); i++) {
		enum pop_checks own = rows[i].own;

		ck_assert_int_eq(pop_report_judge(own, &none), rows[i].none);
		ck_assert_int_eq(pop_report_judge(own, &up), rows[i].up);
		ck_assert_int_eq(pop_report_judge(own, &down), rows[i].down);
		ck_assert(!pop_report_differs(own, &none));
		ck_assert_int_eq(
		    pop_report_differs(own, &up), rows[i].differs_up);
		ck_assert_int_eq(
		    pop_report_differs(own, &down), rows[i].differs_down);
	}
}
END_TEST

START_TEST(test_one_of_several_is_up)
{
	struct board_agent agents[] = {said(1, true), said(2, false)};
	struct pop_report report = of(agents, 2);

	ck_assert(pop_report_judge(POP_CHECKS_DOWN, &report));
	ck_assert(!pop_report_differs(POP_CHECKS_UP, &report));
	/* The other one's word was too old. */
	agents[1] = said(31, false);
	report = of(agents, 2);
	ck_assert(!pop_report_judge(POP_CHECKS_DOWN, &report));
}
END_TEST

START_TEST(test_load)
{
	struct board_agent agents[] = {load(50), load(25), said(1, true)};
	struct pop_report report = of(agents, 1);

	ck_assert_uint_eq(pop_report_percent(&report), 50);
	/* Rounded up; who is down is not in the mean. */
	report = of(agents, 3);
	ck_assert_uint_eq(pop_report_percent(&report), 38);
	agents[1] = load(1);
	agents[0] = load(1);
	report = of(agents, 2);
	ck_assert_uint_eq(pop_report_percent(&report), 1);
	/* A node cannot attract clients. */
	report = of_one(load(200));
	ck_assert_uint_eq(pop_report_percent(&report), 100);
	report = of_one(said(1, false));
	ck_assert_uint_eq(pop_report_percent(&report), 100);
	report = of_one(said(1, true));
	ck_assert_uint_eq(pop_report_percent(&report), 0);
	report = of_one(said(31, false));
	ck_assert_uint_eq(pop_report_percent(&report), 0);
}
END_TEST

START_TEST(test_drain)
{
	struct board_agent agents[] = {load(80), load(60)};
	struct pop_report report = of(agents, 2);

	ck_assert(!pop_report_drains(&report));
	/* One of two: the POP keeps what the other can take. */
	agents[0].admin = BOARD_DRAIN;
	report = of(agents, 2);
	ck_assert(!pop_report_drains(&report));
	ck_assert_uint_eq(pop_report_percent(&report), 30);
	agents[1].admin = BOARD_MAINT;
	report = of(agents, 2);
	ck_assert(pop_report_drains(&report));
	/* What is down takes nobody either, but that alone is no drain. */
	agents[1] = said(1, true);
	report = of(agents, 2);
	ck_assert(pop_report_drains(&report));
	report = of_one(said(1, true));
	ck_assert(!pop_report_drains(&report));
	/* 0 % as well. */
	report = of_one(load(0));
	ck_assert(pop_report_drains(&report));
	ck_assert_uint_eq(pop_report_percent(&report), 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("pop_report");

	tcase_add_test(tcase, test_age);
	tcase_add_test(tcase, test_until);
	tcase_add_test(tcase, test_judge);
	tcase_add_test(tcase, test_one_of_several_is_up);
	tcase_add_test(tcase, test_load);
	tcase_add_test(tcase, test_drain);
	return check_main(tcase);
}
