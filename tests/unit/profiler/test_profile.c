/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts at checkpoints, what they advise, models that are refused, and the
 * table of earlier flows. */
#include "profiler/profile.h"

#include "profiler/hints.h"
#include "profiler/model_abi.h"
#include "tests/unit/base/check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct profile p;
static struct model model;
static struct history history;
static uint32_t answer; /* of the model: class << 16 | confidence */
static int32_t asked[N_FEATURES];
static int32_t vector[N_FEATURES];
static unsigned n_asked;

#define PAGE "GET /index.html HTTP/1.1\r\nHost: a.example\r\n\r\n"
#define PAGE_ANSWER                                                            \
	"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"                       \
	"Content-Length: 2100\r\n\r\n"

static const char *const classes[] = {"bulk", "request", "push"};

static uint32_t classify(const int32_t *features)
{
	memcpy(asked, features, sizeof asked);
	n_asked++;
	return answer;
}

static struct braid_model abi;

static void open_all(void)
{
	char why[200];

	abi = (struct braid_model){.magic = BRAID_MODEL_MAGIC,
	    .abi = BRAID_MODEL_ABI,
	    .features_hash = features_hash(),
	    .n_features = N_FEATURES,
	    .n_classes = 3,
	    .name = "test",
	    .classes = classes,
	    .classify = classify};
	ck_assert_int_eq(model_bind(&model, &abi, why, sizeof why), 0);
	ck_assert_int_eq(history_init(&history, 64, 42), 0);
	profile_start(&p, (struct mono){0});
	n_asked = 0;
}

static void close_all(void)
{
	history_fini(&history);
}

static struct mono at_ms(int64_t ms)
{
	return (struct mono){ms * NS_PER_MS};
}

static bool read_and_judge(int64_t ms, bool up, uint32_t bytes)
{
	features_on_read(&p.features, up, bytes, at_ms(ms));
	if (!profile_is_due(&p, at_ms(ms)))
		return false;
	profile_judge(&p, &model, &history, NULL, at_ms(ms), vector);
	return true;
}

START_TEST(test_checkpoints)
{
	answer = 1u << 16 | 9000;
	ck_assert(read_and_judge(1, true, 100));
	ck_assert_uint_eq(p.checkpoint, PROFILE_AT_FIRST);
	ck_assert(!read_and_judge(2, true, 100));
	ck_assert(read_and_judge(3, false, 100));
	ck_assert_uint_eq(p.checkpoint, PROFILE_AT_ANSWER);
	ck_assert(!read_and_judge(4, false, 10000));
	ck_assert(read_and_judge(5, false, 16384 - 10300));
	ck_assert_uint_eq(p.checkpoint, PROFILE_AT_16K);
	ck_assert(!read_and_judge(6, false, 1));
	/* Two at once are one verdict. */
	ck_assert(read_and_judge(7, false, 2u << 20));
	ck_assert_uint_eq(p.checkpoint, PROFILE_AT_1M);
	ck_assert(!read_and_judge(249, false, 1));
	ck_assert(read_and_judge(250, false, 1));
	ck_assert_uint_eq(p.checkpoint, PROFILE_AT_250MS);
	ck_assert_uint_eq(n_asked, 5);
}
END_TEST

/* A silence may pass several at once; each is passed only once. */
START_TEST(test_checkpoints_in_time)
{
	answer = 1u << 16 | 9000;
	ck_assert(read_and_judge(1, true, 100));
	ck_assert(read_and_judge(300, true, 100));
	ck_assert_uint_eq(p.checkpoint, PROFILE_AT_250MS);
	ck_assert(!read_and_judge(999, true, 100));
	ck_assert(read_and_judge(1000, true, 100));
	ck_assert_uint_eq(p.checkpoint, PROFILE_AT_1S);
	ck_assert(!read_and_judge(3999, true, 100));
	ck_assert(read_and_judge(9000, true, 100));
	ck_assert_uint_eq(p.checkpoint, PROFILE_AT_4S);
	ck_assert(!read_and_judge(100000, true, 1));
	ck_assert_uint_eq(n_asked, 4);

	profile_start(&p, (struct mono){0});
	ck_assert(read_and_judge(5000, true, 100));
	ck_assert_uint_eq(
	    p.passed, 1u << PROFILE_AT_FIRST | 1u << PROFILE_AT_250MS |
			  1u << PROFILE_AT_1S | 1u << PROFILE_AT_4S);
	ck_assert(!read_and_judge(5001, true, 100));
}
END_TEST

/* Small reads are not many bytes, but they fill the sequence; what was told to
 * the model as recent begins after each verdict. */
START_TEST(test_checkpoint_of_reads)
{
	answer = 1u << 16 | 9000;
	ck_assert(read_and_judge(1, true, 10));
	ck_assert(read_and_judge(1, false, 10));
	for (unsigned i = 2; i < FEATURES_SEQUENCE - 1; i++)
		ck_assert(!read_and_judge(2, i & 1, 10));
	ck_assert(read_and_judge(3, true, 1000));
	ck_assert_uint_eq(p.checkpoint, PROFILE_AT_READS);
	ck_assert_int_eq(asked[FEATURE_recent_small_permille], 928);
	ck_assert(!read_and_judge(4, false, 10));
	ck_assert(read_and_judge(250, true, 1000));
	ck_assert_int_eq(asked[FEATURE_recent_small_permille], 500);
}
END_TEST

START_TEST(test_verdicts_change)
{
	answer = 1u << 16 | 9000;
	read_and_judge(1, true, 100);
	ck_assert_uint_eq(p.class, FLOW_CLASS_REQUEST);
	ck_assert_uint_eq(p.confidence, 9000);
	ck_assert_uint_eq(p.n_changes, 1);
	answer = 0u << 16 | 8000;
	read_and_judge(2, false, 20000);
	ck_assert_uint_eq(p.class, FLOW_CLASS_BULK);
	ck_assert_uint_eq(p.first_class, FLOW_CLASS_REQUEST);
	ck_assert_uint_eq(p.n_changes, 2);
	answer = 2u << 16 | (PROFILE_SURE - 1);
	read_and_judge(3, false, 100000);
	ck_assert_uint_eq(p.class, FLOW_CLASS_UNKNOWN);
	/* Classes and confidences that no model should give. */
	answer = 77u << 16 | 0xffff;
	read_and_judge(300, false, 1);
	ck_assert_uint_eq(p.class, FLOW_CLASS_UNKNOWN);
	ck_assert_uint_eq(p.confidence, 10000);
}
END_TEST

START_TEST(test_pinned)
{
	profile_pin(&p, FLOW_CLASS_PUSH);
	answer = 0u << 16 | 10000;
	ck_assert(read_and_judge(1, true, 100));
	ck_assert_uint_eq(p.class, FLOW_CLASS_PUSH);
	ck_assert_uint_eq(n_asked, 0);
	ck_assert(!read_and_judge(2, true, 100));
}
END_TEST

START_TEST(test_pinned_by_protocol)
{
	struct conf_pins pins = {0};

	answer = 0u << 16 | 9000;
	pins.by_protocol[PROTOCOL_UNKNOWN] = CONF_PIN(FLOW_CLASS_STREAM);
	pins.by_protocol[PROTOCOL_SSH] = CONF_PIN(FLOW_CLASS_INTERACTIVE);
	pins.by_protocol[PROTOCOL_SMTP] = CONF_PIN(FLOW_CLASS_UNKNOWN);
	profile_pin_by(&p, &pins);
	read_and_judge(1, true, 100);
	ck_assert_uint_eq(p.class, FLOW_CLASS_STREAM);
	ck_assert_uint_eq(p.first_class, FLOW_CLASS_STREAM);
	/* The server's greeting tells more. */
	p.hints.protocol = PROTOCOL_SSH;
	profile_pin_by(&p, &pins);
	ck_assert_uint_eq(p.class, FLOW_CLASS_INTERACTIVE);
	p.hints.protocol = PROTOCOL_SMTP;
	profile_pin_by(&p, &pins);
	ck_assert(p.pinned);
	ck_assert_uint_eq(p.class, FLOW_CLASS_UNKNOWN);
	ck_assert_uint_eq(p.confidence, 10000);
	/* One that is not named is the model's again, or nobody's. */
	profile_pin(&p, FLOW_CLASS_STREAM);
	p.hints.protocol = PROTOCOL_HTTP;
	profile_pin_by(&p, &pins);
	ck_assert(!p.pinned);
	ck_assert_uint_eq(p.class, FLOW_CLASS_UNKNOWN);
	read_and_judge(2, false, 100);
	ck_assert_uint_eq(p.class, FLOW_CLASS_BULK);
	pins.any = CONF_PIN(FLOW_CLASS_PUSH);
	profile_pin_by(&p, &pins);
	ck_assert_uint_eq(p.class, FLOW_CLASS_PUSH);
	p.hints.protocol = PROTOCOL_SSH;
	profile_pin_by(&p, &pins);
	ck_assert_uint_eq(p.class, FLOW_CLASS_INTERACTIVE);
}
END_TEST

static struct history_key key_of(const char *name, uint8_t last)
{
	const uint8_t ip[16] = {192, 0, last, 9};

	return history_key(
	    &history, 1, name, (uint32_t)strlen(name), 8, AF_INET, ip);
}

static void add(struct history_key key, uint64_t bytes, uint32_t duration_ms,
    uint32_t now_s)
{
	history_add(&history, key,
	    &(struct history_flow){bytes, duration_ms, bytes >= 1u << 20},
	    now_s);
}

static struct profile_advice advice_of(enum flow_class class)
{
	struct profile_advice advice;

	profile_pin(&p, class);
	profile_advise(&p, &advice);
	return advice;
}

/* When it is bulk: nothing is forbidden to any class, it only takes more. */
START_TEST(test_advice)
{
	static const struct profile_counter without = PROFILE_COUNTER_DEFAULT;
	struct profile_advice advice;

	for (unsigned i = 0; i < N_FLOW_CLASSES; i++) {
		advice = advice_of((enum flow_class)i);
		if (i == FLOW_CLASS_BULK)
			ck_assert_uint_lt(advice.counter.bytes, without.bytes);
		else
			ck_assert_uint_ge(advice.counter.bytes, without.bytes);
		ck_assert_uint_le(advice.counter.bytes, 1u << 20);
		ck_assert_uint_ge(advice.counter.window_ms, 1000);
		/* Only media are paced, only who waits is kept short. */
		ck_assert_uint_eq(advice.pacing_bps, 0);
		ck_assert_int_eq(advice.unsent_bytes > 0,
		    i == FLOW_CLASS_STREAM || i == FLOW_CLASS_INTERACTIVE);
	}
	/* Pinned to unknown: as without the profiler. */
	advice = advice_of(FLOW_CLASS_UNKNOWN);
	ck_assert_mem_eq(&advice.counter, &without, sizeof without);
}
END_TEST

START_TEST(test_advice_paces_streams)
{
	struct profile_advice stream;

	/* A stream's pace is not known at once; then it has room. */
	features_on_read(&p.features, false, 1000000, at_ms(100));
	stream = advice_of(FLOW_CLASS_STREAM);
	ck_assert_uint_eq(stream.pacing_bps, 0);
	features_on_read(&p.features, false, 1000000, at_ms(1000));
	stream = advice_of(FLOW_CLASS_STREAM);
	ck_assert_uint_eq(stream.pacing_bps, 6000000);
	ck_assert_uint_gt(stream.unsent_bytes, 0);
}
END_TEST

/* First bytes must be surer: the next verdict is near. */
START_TEST(test_sure)
{
	answer = 1u << 16 | (PROFILE_SURE_FIRST - 1);
	read_and_judge(1, true, 100);
	ck_assert_uint_eq(p.checkpoint, PROFILE_AT_FIRST);
	ck_assert_uint_eq(p.class, FLOW_CLASS_UNKNOWN);
	answer = 1u << 16 | PROFILE_SURE;
	read_and_judge(2, false, 100);
	ck_assert_uint_eq(p.checkpoint, PROFILE_AT_ANSWER);
	ck_assert_uint_eq(p.class, FLOW_CLASS_REQUEST);
	profile_start(&p, (struct mono){0});
	answer = 1u << 16 | PROFILE_SURE_FIRST;
	read_and_judge(1, true, 100);
	ck_assert_uint_eq(p.class, FLOW_CLASS_REQUEST);
}
END_TEST

/* The model that comes with Braid is of these features (else: ninja retrain)
 * and tells a page that was fetched from a gigabyte that flows. */
START_TEST(test_builtin_model)
{
	char why[200] = "";
	struct hints_name name;
	struct model builtin;

	ck_assert_msg(!model_builtin(&builtin, why, sizeof why), "%s", why);
	ck_assert_uint_ne(builtin.hash, 0);
	model = builtin;
	hints_of_client(&p.hints, PAGE, sizeof PAGE - 1, &name);
	read_and_judge(1, true, sizeof PAGE - 1);
	hints_of_server(&p.hints, PAGE_ANSWER, sizeof PAGE_ANSWER - 1);
	read_and_judge(3, false, 2200);
	ck_assert_str_eq(flow_class_name(p.class), "request");

	profile_start(&p, (struct mono){0});
	read_and_judge(1, true, 100);
	for (int64_t ms = 2; ms < 600; ms++)
		read_and_judge(ms, false, 65536);
	ck_assert_str_eq(flow_class_name(p.class), "bulk");
	model_free(&builtin);
}
END_TEST

/* Without a verdict: the same pace for longer, unless earlier flows of the same
 * kind were large. */
START_TEST(test_advice_by_history)
{
	static const struct profile_counter without = PROFILE_COUNTER_DEFAULT;
	struct profile_advice advice;

	p.key = key_of("films", 1);
	p.keyed = true;
	profile_advise(&p, &advice);
	ck_assert_uint_eq(advice.counter.bytes, 4 * without.bytes);
	ck_assert_uint_eq(advice.counter.window_ms, 4 * without.window_ms);
	/* Three are not enough. */
	for (int i = 0; i < 4; i++) {
		profile_judge(&p, NULL, &history, NULL, at_ms(1), vector);
		profile_advise(&p, &advice);
		ck_assert_uint_eq(advice.counter.bytes, 4 * without.bytes);
		add(p.key, 4u << 20, 100, 1);
	}
	profile_judge(&p, NULL, &history, NULL, at_ms(1), vector);
	profile_advise(&p, &advice);
	ck_assert_uint_eq(advice.counter.bytes, 16u << 10);
	/* Two small ones bring it back, whatever the mean is. */
	add(p.key, 4000ull << 20, 100, 1);
	add(p.key, 1000, 100, 1);
	add(p.key, 1000, 100, 1);
	profile_judge(&p, NULL, &history, NULL, at_ms(1), vector);
	profile_advise(&p, &advice);
	ck_assert_uint_eq(advice.counter.bytes, 4 * without.bytes);
}
END_TEST

START_TEST(test_expected_length)
{
	struct profile_known known;

	profile_expect(&p, false, &known);
	ck_assert_uint_eq(known.bytes, 0);
	p.hints.message_bytes[1] = (1u << 20) - 1;
	profile_expect(&p, false, &known);
	ck_assert_uint_eq(known.bytes, (1u << 20) - 1);
	ck_assert(!known.bulk);
	p.hints.message_bytes[1] = 1u << 20;
	profile_expect(&p, false, &known);
	ck_assert(known.bulk);
	profile_expect(&p, true, &known);
	ck_assert_uint_eq(known.bytes, 0);
	/* The operator's class counts alone. */
	profile_pin(&p, FLOW_CLASS_REQUEST);
	profile_expect(&p, false, &known);
	ck_assert_uint_eq(known.bytes, 0);
}
END_TEST

START_TEST(test_models_that_are_refused)
{
	struct model kept = model;
	static const char *const strange[] = {"bulk", "sideways"};
	char why[200];

	abi.magic++;
	ck_assert_int_eq(model_bind(&model, &abi, why, sizeof why), BR_E_MODEL);
	abi.magic--;
	abi.abi++;
	ck_assert_int_eq(model_bind(&model, &abi, why, sizeof why), BR_E_MODEL);
	ck_assert_ptr_nonnull(strstr(why, "ABI 2"));
	abi.abi--;
	abi.features_hash ^= 1;
	ck_assert_int_eq(model_bind(&model, &abi, why, sizeof why), BR_E_MODEL);
	ck_assert_ptr_nonnull(strstr(why, "other features"));
	abi.features_hash ^= 1;
	abi.n_classes = 0;
	ck_assert_int_eq(model_bind(&model, &abi, why, sizeof why), BR_E_MODEL);
	abi.n_classes = MODEL_CLASSES_MAX + 1;
	ck_assert_int_eq(model_bind(&model, &abi, why, sizeof why), BR_E_MODEL);
	abi.n_classes = 2;
	abi.classes = strange;
	ck_assert_int_eq(model_bind(&model, &abi, why, sizeof why), BR_E_MODEL);
	ck_assert_ptr_nonnull(strstr(why, "sideways"));
	/* What was there is untouched. */
	ck_assert_mem_eq(&model, &kept, sizeof model);
	ck_assert_int_eq(
	    model_load(&model, "/nonexistent/m.so", why, sizeof why), -ENOENT);
}
END_TEST

/* What becomes code of this process must be nobody else's to write. */
START_TEST(test_models_of_others_are_refused)
{
	char folder[] = "/tmp/braid-model-XXXXXX", path[64], why[200];
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/m.so", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(model_load(&model, path, why, sizeof why), BR_E_MODEL);
	ck_assert_ptr_null(strstr(why, "writable"));
	ck_assert_int_eq(chmod(path, 0620), 0);
	ck_assert_int_eq(model_load(&model, path, why, sizeof why), BR_E_MODEL);
	ck_assert_ptr_nonnull(strstr(why, "it is writable by others"));
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_int_eq(chmod(folder, 0770), 0);
	ck_assert_int_eq(model_load(&model, path, why, sizeof why), BR_E_MODEL);
	ck_assert_ptr_nonnull(strstr(why, "its folder /tmp/"));
	ck_assert_ptr_nonnull(strstr(why, " is writable by others"));
	if (geteuid() == 0) {
		ck_assert_int_eq(chmod(folder, 0700), 0);
		ck_assert_int_eq(chown(path, 12345, 12345), 0);
		ck_assert_int_eq(
		    model_load(&model, path, why, sizeof why), BR_E_MODEL);
		ck_assert_ptr_nonnull(strstr(why, "belongs to user 12345"));
	}
	(void)unlink(path);
	(void)rmdir(folder);
}
END_TEST

/* -- earlier flows ------------------------------------------------------ */

START_TEST(test_history_is_found)
{
	struct features_history found;

	history_find(&history, key_of("a", 1), &found);
	ck_assert_uint_eq(found.flows, 0);
	add(key_of("a", 1), 1000, 10, 1);
	add(key_of("a", 1), 3000, 30, 2);
	history_find(&history, key_of("a", 1), &found);
	ck_assert_uint_eq(found.flows, 2);
	ck_assert_uint_eq(found.bytes, 2000);
	ck_assert_uint_eq(found.duration_ms, 20);
	ck_assert_uint_eq(found.rate_bps, 100000);
	/* Another client is told of all clients. */
	history_find(&history, key_of("a", 2), &found);
	ck_assert_uint_eq(found.flows, 2);
	history_find(&history, key_of("b", 1), &found);
	ck_assert_uint_eq(found.flows, 0);
}
END_TEST

START_TEST(test_history_forgets)
{
	struct features_history found;

	for (int i = 0; i < 50; i++)
		add(key_of("a", 1), 1000, 10, 1);
	for (int i = 0; i < 50; i++)
		add(key_of("a", 1), 1u << 20, 10, 2);
	history_find(&history, key_of("a", 1), &found);
	ck_assert_uint_gt(found.bytes, 1000000);
}
END_TEST

/* A full table takes new kinds, and those seen lately stay. */
START_TEST(test_history_is_bounded)
{
	struct features_history found;
	unsigned known = 0;

	for (uint32_t i = 0; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof name, "n%u", i);
		add(key_of(name, (uint8_t)i), i, 1, i);
		history_find(&history, key_of(name, (uint8_t)i), &found);
		ck_assert_uint_eq(found.flows, 1);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof name, "n%u", i);
		history_find(&history, key_of(name, (uint8_t)i), &found);
		known += found.flows > 0;
		if (found.flows)
			ck_assert_uint_gt(i, 800);
	}
	ck_assert_uint_gt(known, 16);
	ck_assert_uint_le(known, 64);
}
END_TEST

START_TEST(test_history_reaches_the_model)
{
	answer = 0u << 16 | 9000;
	p.key = key_of("a", 1);
	p.keyed = true;
	add(p.key, 4u << 20, 100, 1);
	read_and_judge(1, true, 10);
	ck_assert_int_eq(asked[FEATURE_history_kib], 4096);
	ck_assert_int_eq(asked[FEATURE_history_flows], 1);
	ck_assert_mem_eq(vector, asked, sizeof asked);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("profile");

	tcase_add_checked_fixture(tcase, open_all, close_all);
	tcase_add_test(tcase, test_checkpoints);
	tcase_add_test(tcase, test_checkpoints_in_time);
	tcase_add_test(tcase, test_checkpoint_of_reads);
	tcase_add_test(tcase, test_verdicts_change);
	tcase_add_test(tcase, test_pinned);
	tcase_add_test(tcase, test_pinned_by_protocol);
	tcase_add_test(tcase, test_advice);
	tcase_add_test(tcase, test_sure);
	tcase_add_test(tcase, test_builtin_model);
	tcase_add_test(tcase, test_advice_paces_streams);
	tcase_add_test(tcase, test_advice_by_history);
	tcase_add_test(tcase, test_expected_length);
	tcase_add_test(tcase, test_models_that_are_refused);
	tcase_add_test(tcase, test_models_of_others_are_refused);
	tcase_add_test(tcase, test_history_is_found);
	tcase_add_test(tcase, test_history_forgets);
	tcase_add_test(tcase, test_history_is_bounded);
	tcase_add_test(tcase, test_history_reaches_the_model);
	return check_main(tcase);
}
