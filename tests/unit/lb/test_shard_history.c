/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/shard_history.h"

#include <string.h>

#include "tests/unit/base/check_main.h"

#define SEED UINT64_C(0x9e3779b97f4a7c15)

static struct shard_history history;

static void start(uint32_t entries)
{
	ck_assert_int_eq(shard_history_init(&history, entries, SEED), 0);
}

static uint64_t key(const char *pool, const char *host, const char *target)
{
	return shard_history_key(
	    &history, pool, host, strlen(host), target, strlen(target));
}

START_TEST(test_what_was_learned_is_expected)
{
	uint64_t film, other;

	start(1024);
	film = key("origins", "www.example.com", "/film.mp4");
	other = key("origins", "www.example.com", "/other.mp4");
	ck_assert_uint_eq(shard_history_expect(&history, film), 0);
	shard_history_learn(&history, film, 5000000);
	ck_assert_uint_eq(shard_history_expect(&history, film), 5000000);
	ck_assert_uint_eq(shard_history_expect(&history, other), 0);
	/* The last counts, not a mean. */
	shard_history_learn(&history, film, 7);
	ck_assert_uint_eq(shard_history_expect(&history, film), 7);
	shard_history_forget(&history, film);
	ck_assert_uint_eq(shard_history_expect(&history, film), 0);
	shard_history_forget(&history, film);
	shard_history_fini(&history);
}
END_TEST

START_TEST(test_what_a_key_is_made_of)
{
	char host[2][SHARD_HISTORY_HOST_MAX + 8];
	uint64_t first;

	start(4);
	first = key("p", "www.example.com", "/a");
	ck_assert_uint_eq(first, key("p", "WWW.Example.COM", "/a"));
	ck_assert_uint_ne(first, key("p", "www.example.com", "/A"));
	ck_assert_uint_ne(first, key("q", "www.example.com", "/a"));
	ck_assert_uint_ne(first, key("p", "www.example.org", "/a"));
	ck_assert_uint_ne(first, key("p", "www.example.com/", "a"));
	ck_assert_uint_ne(first, key("pw", "ww.example.com", "/a"));
	ck_assert_uint_ne(key("p", "", ""), 0);
	/* A Host without end is cut, and read no further than its end. */
	for (int i = 0; i < 2; i++)
		memset(host[i], 'h', sizeof host[i]);
	host[0][SHARD_HISTORY_HOST_MAX] = 'x';
	ck_assert_uint_eq(
	    shard_history_key(&history, "p", host[0], sizeof host[0], "/", 1),
	    shard_history_key(&history, "p", host[1], sizeof host[1], "/", 1));
	host[0][SHARD_HISTORY_HOST_MAX - 1] = 'x';
	ck_assert_uint_ne(
	    shard_history_key(&history, "p", host[0], sizeof host[0], "/", 1),
	    shard_history_key(&history, "p", host[1], sizeof host[1], "/", 1));
	shard_history_fini(&history);
}
END_TEST

/* One set of four: each key lands there. */
START_TEST(test_what_was_not_used_for_longest_makes_room)
{
	start(1);
	for (uint64_t k = 1; k <= 4; k++)
		shard_history_learn(&history, k, k * 10);
	ck_assert_uint_eq(shard_history_expect(&history, 1), 10);
	shard_history_learn(&history, 5, 50);
	ck_assert_uint_eq(shard_history_expect(&history, 2), 0);
	ck_assert_uint_eq(shard_history_expect(&history, 1), 10);
	ck_assert_uint_eq(shard_history_expect(&history, 3), 30);
	ck_assert_uint_eq(shard_history_expect(&history, 4), 40);
	ck_assert_uint_eq(shard_history_expect(&history, 5), 50);
	/* A gap is closed, so what is behind it is still found. */
	shard_history_forget(&history, 4);
	ck_assert_uint_eq(shard_history_expect(&history, 1), 10);
	ck_assert_uint_eq(shard_history_expect(&history, 4), 0);
	shard_history_learn(&history, 6, 60);
	for (uint64_t k = 1; k <= 6; k++)
		ck_assert_uint_eq(shard_history_expect(&history, k),
		    k == 2 || k == 4 ? 0 : k * 10);
	shard_history_fini(&history);
}
END_TEST

/* Against a plain array, for long: nothing is found that was not learned, and
 * what was learned among few keys is found. */
START_TEST(test_against_an_array)
{
	uint64_t known[64] = {0};
	uint64_t rng = 1;

	start(4096);
	for (int i = 0; i < 200000; i++) {
		uint64_t target, k;

		rng = rng * UINT64_C(6364136223846793005) + 1;
		target = rng >> 58;
		k = shard_history_key(&history, "p", "h", 1, &target, 8);
		if (rng >> 40 & 1) {
			known[target] = (rng >> 20 & 0xffff) + 1;
			shard_history_learn(&history, k, known[target]);
		} else if (!(rng >> 41 & 7)) {
			known[target] = 0;
			shard_history_forget(&history, k);
		}
		ck_assert_uint_eq(
		    shard_history_expect(&history, k), known[target]);
	}
	shard_history_fini(&history);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("shard_history");

	tcase_add_test(tcase, test_what_was_learned_is_expected);
	tcase_add_test(tcase, test_what_a_key_is_made_of);
	tcase_add_test(tcase, test_what_was_not_used_for_longest_makes_room);
	tcase_add_test(tcase, test_against_an_array);
	return check_main(tcase);
}
