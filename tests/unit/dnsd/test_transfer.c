/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole zones, as dig takes them over TCP and checks their signatures.
 */
#include "dnsd/transfer.h"

#include "dnsd/dnskey.h"
#include "dnsd/edns.h"
#include "dnsd/rr_type.h"
#include "tests/unit/base/check_main.h"
#include "tests/unit/base/port_slots.h"
#include "tests/unit/dnsd/dns_packet.h"
#include "tests/unit/dnsd/zone_loaded.h"
#include "tests/unit/dnsd/zone_made.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECRET "c2l4dGVlbiBieXRlcyBvciBtb3JlIG9mIGl0"
#define KEY "hmac-sha256:Keys.e:" SECRET
#define WAIT_MS 60000

static char folder[] = "/tmp/test_transfer.XXXXXX";
static char out_path[64], zone_path[64], key_path[64];
static struct tsig_key *key;
static int listener;
static char port_text[8];

/* -- a server of one transfer ------------------------------------------ */

static void listen_on_loopback(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	uint16_t port = port_take();

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_port = htons(port);
	ck_assert_int_eq(
	    bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	(void)snprintf(port_text, sizeof port_text, "%u", port);
}

static void read_all(int fd, uint8_t *bytes, size_t length)
{
	while (length) {
		ssize_t n = read(fd, bytes, length);

		ck_assert_int_gt(n, 0);
		bytes += n;
		length -= (size_t)n;
	}
}

static void write_all(int fd, const uint8_t *bytes, size_t length)
{
	while (length) {
		ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);

		ck_assert_int_gt(n, 0);
		bytes += n;
		length -= (size_t)n;
	}
}

/* How many messages it took. */
static uint32_t serve(const struct transfer_options *options)
{
	static uint8_t bytes[2 + 65535];
	struct pollfd waiting = {.fd = listener, .events = POLLIN};
	struct transfer_options mine;
	struct dns_transfer *transfer;
	uint32_t n = 0;
	size_t length;
	int fd;

	ck_assert_int_eq(poll(&waiting, 1, WAIT_MS), 1);
	fd = accept(listener, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	read_all(fd, bytes, 2);
	length = (size_t)(bytes[0] << 8 | bytes[1]);
	read_all(fd, bytes, length);
	mine = *options;
	mine.zone = zone_ref(options->zone);
	mine.key = tsig_key_copy(options->key);
	transfer = transfer_new(&mine, bytes, length);
	/* A reload in the middle of it. */
	zone_unref(mine.zone);
	tsig_key_free((struct tsig_key *)(uintptr_t)mine.key);
	while ((length = transfer->next(transfer, bytes + 2, 65535))) {
		bytes[0] = (uint8_t)(length >> 8);
		bytes[1] = (uint8_t)length;
		write_all(fd, bytes, 2 + length);
		n++;
	}
	transfer->end(transfer);
	close(fd);
	return n;
}

static pid_t spawn(char *const *words)
{
	extern char **environ;
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out_path,
	    O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(
	    &actions, STDOUT_FILENO, STDERR_FILENO);
	ck_assert_msg(
	    !posix_spawnp(&pid, words[0], &actions, NULL, words, environ),
	    "%s is not installed", words[0]);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What dig prints, `tsig` being its -y or NULL. */
static const char *transferred(const char *tsig,
    const struct transfer_options *options, uint32_t *ret_messages)
{
	static char text[4 << 20];
	char argument[200];
	char *words[] = {"dig", "@127.0.0.1", "-p", port_text, "+tcp",
	    "+tries=1", "+nocmd", "+nostats", "+onesoa", "+time=60",
	    "e.example", "axfr", NULL, NULL, NULL};
	FILE *file;
	pid_t pid;
	size_t n;

	if (tsig) {
		(void)snprintf(argument, sizeof argument, "%s", tsig);
		words[12] = "-y";
		words[13] = argument;
	}
	pid = spawn(words);
	*ret_messages = serve(options);
	(void)status_of(pid);
	file = fopen(out_path, "r");
	n = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[n] = '\0';
	return text;
}

static uint32_t lines_with(const char *text, const char *what)
{
	uint32_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

/* -- tests ------------------------------------------------------------- */

static struct zone *big_zone(uint32_t names)
{
	struct strbuf lines;
	struct zone *zone;

	strbuf_init(&lines);
	strbuf_adds(&lines, "@ SOA ns host 7 2 1 14 30\n@ NS ns\nns A "
			    "192.0.2.53\nlarge TXT ");
	/* Almost as large as an rrset may be. */
	for (int i = 0; i < 249; i++)
		strbuf_addf(&lines, "%0255d ", i);
	for (uint32_t i = 0; i < names; i++)
		strbuf_addf(&lines, "\nh%u A 192.0.2.1", i);
	zone = zone_good("e.example.", strbuf_text(&lines));
	strbuf_fini(&lines);
	return zone;
}

START_TEST(test_many_messages)
{
	struct zone *zone = big_zone(5000);
	struct transfer_options options = {
	    .zone = zone, .is_allowed = true, .now = wall_now()};
	uint32_t messages;
	const char *text = transferred(NULL, &options, &messages);

	ck_assert_uint_eq(lines_with(text, "\tIN\tA\t"), 5001);
	ck_assert_uint_eq(lines_with(text, "\tTXT\t"), 1);
	ck_assert_uint_eq(lines_with(text, "\tSOA\t"), 1);
	ck_assert_uint_eq(lines_with(text, "; Transfer failed"), 0);
	ck_assert_uint_gt(messages, 6);
	/* Each message signed together with the one before it. */
	options.key = key;
	text = transferred(KEY, &options, &messages);
	ck_assert_uint_eq(lines_with(text, "\tIN\tA\t"), 5001);
	ck_assert_uint_eq(lines_with(text, "\tTSIG\t"), messages);
	ck_assert_uint_eq(lines_with(text, "ouldn't verify"), 0);
	zone_unref(zone);
}
END_TEST

static void refused(
    const char *tsig, const struct transfer_options *options, const char *why)
{
	uint32_t messages;
	const char *text = transferred(tsig, options, &messages);

	ck_assert_uint_eq(messages, 1);
	ck_assert_uint_eq(lines_with(text, "\tA\t"), 0);
	ck_assert_msg(strstr(text, "; Transfer failed") != NULL, "%s", text);
	ck_assert_msg(strstr(text, why) != NULL, "%s", text);
}

START_TEST(test_refusals)
{
	struct zone *zone = big_zone(1);
	struct transfer_options options = {.zone = zone, .now = wall_now()};

	refused(NULL, &options, "; Transfer failed.");
	refused(KEY, &options, "BADKEY");
	/* Signed, but not on the list. */
	options.key = key;
	refused(KEY, &options, "; Transfer failed.");
	options.is_allowed = true;
	/* On the list, but not signed. */
	refused(NULL, &options, "; Transfer failed.");
	refused("hmac-sha256:keys.e:c2l4dGVlbiBieXRlcyBvciBtb3JlIG9mIGl1",
	    &options, "BADSIG");
	refused("hmac-sha256:other.e:" SECRET, &options, "BADKEY");
	refused("hmac-sha512:keys.e:" SECRET, &options, "BADKEY");
	refused("hmac-sha256-128:keys.e:" SECRET, &options, "BADTRUNC");
	options.now.ns += 3600 * NS_PER_S;
	refused(KEY, &options, "BADTIME");
	zone_unref(zone);
}
END_TEST

/* RFC 6891 section 6.1.1: who sends an OPT gets one, in the first message; an
 * error says why. */
START_TEST(test_opt)
{
	static struct packet query;
	static struct packet_answer answer;
	static uint8_t out[65535];
	struct zone *zone = big_zone(5000);
	struct transfer_options options = {.zone = zone, .now = wall_now()};
	struct dns_transfer *transfer;
	size_t length;

	packet_query_edns(&query, "e.example.", RR_AXFR, 4096, false);
	transfer = transfer_new(&options, query.bytes, query.length);
	length = transfer->next(transfer, out, sizeof out);
	ck_assert_ptr_null(packet_read(&answer, out, length));
	ck_assert_uint_eq(packet_rcode(&answer), WIRE_REFUSED);
	ck_assert_ptr_nonnull(packet_find_opt(&answer));
	ck_assert_ptr_nonnull(packet_find_option(&answer, EDNS_ERROR, &length));
	transfer->end(transfer);
	options.is_allowed = true;
	transfer = transfer_new(&options, query.bytes, query.length);
	length = transfer->next(transfer, out, sizeof out);
	ck_assert_ptr_null(packet_read(&answer, out, length));
	ck_assert_uint_eq(packet_rcode(&answer), WIRE_NOERROR);
	ck_assert_ptr_nonnull(packet_find_opt(&answer));
	length = transfer->next(transfer, out, sizeof out);
	ck_assert_ptr_null(packet_read(&answer, out, length));
	ck_assert_ptr_null(packet_find_opt(&answer));
	transfer->end(transfer);
	zone_unref(zone);
}
END_TEST

/* A message is signed when it goes, not when the transfer began: a secondary
 * refuses what is five minutes old, and a slow way may take longer. */
START_TEST(test_signed_when_sent)
{
	struct zone *zone = big_zone(1);
	struct transfer_options options = {
	    .zone = zone, .key = key, .is_allowed = true, .now = wall_now()};
	uint32_t messages;
	const char *text, *at;
	int64_t now_s = options.now.ns / NS_PER_S;

	options.now.ns -= 200 * NS_PER_S;
	text = transferred(KEY, &options, &messages);
	ck_assert_uint_eq(lines_with(text, "\tA\t"), 2);
	at = strstr(text, "hmac-sha256. ");
	ck_assert_ptr_nonnull(at);
	ck_assert_int_ge(atoll(strchr(at, ' ')), now_s);
	zone_unref(zone);
}
END_TEST

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* Secondaries get of resources what the configured weights favour; its
 * signatures fit. */
START_TEST(test_signed_zone_with_resources)
{
	char text[2048];
	char *verify[] = {
	    "dnssec-verify", "-q", "-z", "-o", "e.example.", zone_path, NULL};
	struct transfer_options options = {
	    .is_allowed = true, .now = wall_now()};
	struct zone_loaded loaded;
	struct dnskey *pair;
	uint32_t messages;
	const char *got;

	ck_assert_int_eq(dnskey_generate(&pair), 0);
	ck_assert_int_eq(dnskey_save(pair, key_path), 0);
	(void)snprintf(text, sizeof text,
	    "dns:\n  bind: [\"127.0.0.1:5300\"]\n  zones:\n    e.example:\n"
	    "      dnssec: {key: %s}\n"
	    "      records: [\"@ SOA ns h 1 2 3 4 5\", \"@ NS ns\", \"ns A "
	    "192.0.2.53\", \"a.b.c TXT x\", \"*.w MX 1 ns\", \"d NS x.d\", "
	    "\"x.d A 192.0.2.1\"]\n"
	    "      resources:\n"
	    "        cdn: {pops: [ams, fra], weights: {ams: 1, fra: 9}}\n"
	    "        set: {mode: addrs, pops: [ams, fra, lon], n: 2}\n"
	    "        top: {mode: rank, pops: [ams, fra, lon], n: 3}\n"
	    "pops:\n"
	    "  ams: {addresses: [192.0.2.20]}\n"
	    "  fra: {addresses: [192.0.2.30]}\n"
	    "  lon: {addresses: [192.0.2.40]}\n",
	    key_path);
	zone_loaded_init(&loaded, text, wall_now());
	ck_assert_msg(loaded.zone != NULL, "%s",
	    loaded.report.n_problems ? loaded.report.problems[0].text : "");
	options.zone = loaded.zone;
	got = transferred(NULL, &options, &messages);
	ck_assert_msg(strstr(got, "cdn--fra.e.example.") != NULL, "%s", got);
	ck_assert_uint_eq(lines_with(got, "\tIN\tCNAME\t"), 1);
	write_file(zone_path, got);
	if (status_of(spawn(verify))) {
		fputs(got, stderr);
		ck_abort_msg("dnssec-verify refuses the transferred zone");
	}
	zone_unref(loaded.zone);
	zone_loaded_fini(&loaded);
	dnskey_free(pair);
}
END_TEST

START_TEST(test_notify)
{
	struct zone *zone = big_zone(1);
	uint8_t out[1500];
	struct wire_query read;
	struct tsig_session session;
	struct wall now = wall_now();
	size_t length = transfer_notify(zone, 77, NULL, now, out, sizeof out),
	       unsigned_length = length;

	ck_assert_int_eq(wire_query_read(&read, out, length), WIRE_OK);
	ck_assert_uint_eq(read.id, 77);
	/* NOTIFY, authoritative (RFC 1996 section 4.7). */
	ck_assert_uint_eq(read.flags, 0x2400);
	ck_assert_uint_eq(read.type, RR_SOA);
	ck_assert_mem_eq(read.name, "\1e\7example", 11);
	ck_assert_uint_eq(read.counts[WIRE_ANSWER], 1);
	ck_assert_uint_eq(read.counts[WIRE_ADDITIONAL], 0);
	/* As its receiver checks it: signed as any request. */
	length = transfer_notify(zone, 77, key, now, out, sizeof out);
	ck_assert_uint_eq(out[11], 1);
	read = (struct wire_query){.bytes = out,
	    .length = length,
	    .tsig_at = (uint16_t)unsigned_length,
	    .counts = {1, 1, 0, 1}};
	ck_assert_int_eq(tsig_verify(&session, key, &read, now), TSIG_NONE);
	out[20] ^= 1;
	ck_assert_int_eq(tsig_verify(&session, key, &read, now), TSIG_BADSIG);
	zone_unref(zone);
}
END_TEST

/* -- keys -------------------------------------------------------------- */

static void key_refused(const char *text, const char *why)
{
	struct tsig_key *made = NULL;
	const char *wrong = NULL;

	write_file(key_path, text);
	ck_assert_int_lt(tsig_key_load("k", key_path, &made, &wrong), 0);
	ck_assert_str_eq(wrong, why);
	ck_assert_ptr_null(made);
}

START_TEST(test_key_files)
{
	struct tsig_key *made = NULL;
	const char *wrong = NULL;

	key_refused("", "has less than 16 bytes of secret");
	key_refused("c2hvcnQ=", "has less than 16 bytes of secret");
	key_refused("not base64!", "does not hold a secret in base64");
	key_refused("c2hvcn", "does not hold a secret in base64");
	ck_assert_int_eq(unlink(key_path), 0);
	ck_assert_int_eq(tsig_key_load("k", key_path, &made, &wrong), -ENOENT);
	ck_assert_str_eq(wrong, "cannot be read");
	write_file(key_path, " c2l4dGVlbiBieXRl\ncyBvciBtb3Jl \n");
	ck_assert_int_eq(tsig_key_load("k", key_path, &made, &wrong), 0);
	tsig_key_free(made);
	ck_assert_int_eq(
	    tsig_key_load("a..b", key_path, &made, &wrong), BR_E_CONFIG);
	ck_assert_str_eq(wrong, "has an empty label");
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("transfer");
	const char *wrong;
	int rc;

	if (!mkdtemp(folder) ||
	    tsig_key_of("keys.E",
		(const uint8_t *)"sixteen bytes or more of it", 27, &key,
		&wrong))
		return EXIT_FAILURE;
	(void)snprintf(out_path, sizeof out_path, "%s/out", folder);
	(void)snprintf(zone_path, sizeof zone_path, "%s/zone", folder);
	(void)snprintf(key_path, sizeof key_path, "%s/key", folder);
	tcase_add_checked_fixture(tcase, listen_on_loopback, NULL);
	tcase_add_test(tcase, test_many_messages);
	tcase_add_test(tcase, test_refusals);
	tcase_add_test(tcase, test_opt);
	tcase_add_test(tcase, test_signed_when_sent);
	tcase_add_test(tcase, test_signed_zone_with_resources);
	tcase_add_test(tcase, test_notify);
	tcase_add_test(tcase, test_key_files);
	rc = check_main(tcase);
	tsig_key_free(key);
	close(listener);
	(void)unlink(out_path);
	(void)unlink(zone_path);
	(void)unlink(key_path);
	(void)rmdir(folder);
	return rc;
}
