/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/dns_udp.h"

#include "tests/unit/base/check_main.h"
#include "tests/unit/dnsd/dns_check.h"
#include "tests/unit/io/datagram_arrived.h"

#define COUNT(name) dns_check_count(&dns_check.metrics.name)
#define RATE 5u
/* Room for more than a turn's worth of datagrams. */
#define QUEUE_BYTES (200u << 10)

static struct dns_udp *udp;
static struct addr at;
static int client;

static void start(void)
{
	struct addr bind_to = dns_check_ip("127.0.0.1");
	int fd;

	dns_check_start(&(struct dns_server_limits){0});
	fd = datagram_open(
	    &bind_to, &(struct datagram_options){.receive_bytes = QUEUE_BYTES});
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sock_local(fd, &at), 0);
	udp = dns_udp_new(fd);
	ck_assert_ptr_nonnull(udp);
	ck_assert_int_eq(dns_udp_fd(udp), fd);
	ck_assert(dns_udp_done(udp));
	dns_udp_start(udp, dns_check.server);
	client = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(client, 0);
	ck_assert_int_eq(sock_set_receive_room(client, QUEUE_BYTES), 0);
	ck_assert_int_eq(connect(client, &at.sa, at.length), 0);
}

static void stop_udp(void)
{
	ck_assert(!dns_udp_done(udp));
	dns_udp_stop(udp);
	dns_check_until(dns_udp_done(udp));
}

static void stop(void)
{
	if (!dns_udp_done(udp))
		stop_udp();
	dns_udp_free(udp);
	close(client);
	dns_check_stop();
}

static void ask(uint16_t id, uint16_t answer_size, uint8_t cookie)
{
	uint8_t query[20];

	dns_check_query(query, sizeof query, id, answer_size, 0, cookie);
	ck_assert_int_eq(send(client, query, sizeof query, 0), sizeof query);
}

/* The next answer's ID; -1: none has come. */
static int answer(size_t *ret_size, bool *ret_truncated)
{
	uint8_t bytes[2048];
	ssize_t n = recv(client, bytes, sizeof bytes, 0);

	if (n < 0)
		return -1;
	ck_assert_int_ge(n, DNS_CHECK_HEADER);
	ck_assert_uint_eq(bytes[2] & 0x80, 0x80);
	*ret_size = (size_t)n;
	*ret_truncated = bytes[2] & 2;
	return bytes[0] << 8 | bytes[1];
}

static void expect(uint16_t id, size_t size, bool truncated)
{
	size_t got;
	bool tc;

	ck_assert_int_eq(answer(&got, &tc), id);
	ck_assert_uint_eq(got, size);
	ck_assert_int_eq(tc, truncated);
}

START_TEST(test_answers)
{
	for (uint16_t i = 0; i < 3; i++)
		ask(i, (uint16_t)(100 + i), 0);
	dns_check_until(COUNT(udp_answers) == 3);
	for (uint16_t i = 0; i < 3; i++)
		expect(i, 100u + i, false);
	ask(7, 0, 0);
	dns_check_until(COUNT(udp_answers) == 4);
	expect(7, 20, false);
	ck_assert_uint_eq(COUNT(udp_queries), 4);
	ck_assert(addr_is_loopback(&dns_check.source));
	ck_assert_uint_eq(dns_check.idle_100ms, 0);
}
END_TEST

/* No more than RESPONDER_UDP_MAX, however much there is to say. */
START_TEST(test_room)
{
	ask(1, 5000, 0);
	dns_check_until(COUNT(udp_answers) == 1);
	expect(1, RESPONDER_UDP_MAX, false);
}
END_TEST

START_TEST(test_dropped)
{
	ck_assert_int_eq(send(client, "short", 5, 0), 5);
	ck_assert_int_eq(send(client, "", 0, 0), 0);
	ask(2, 0, 0);
	dns_check_until(COUNT(udp_queries) == 3);
	expect(2, 20, false);
	ck_assert_uint_eq(COUNT(udp_answers), 1);
}
END_TEST

/* A turn has its budget; what is left comes in the next, unasked. */
START_TEST(test_budget)
{
	const uint32_t n = DNS_UDP_TURN_MAX + DATAGRAM_BATCH + 1;
	size_t size;
	bool tc;

	dns_check_settle();
	for (uint32_t i = 0; i < n; i++)
		ask((uint16_t)i, 0, 0);
	datagram_wait_arrived(dns_udp_fd(udp), n);
	dns_check_until(COUNT(udp_queries) > 0);
	ck_assert_uint_eq(COUNT(udp_queries), DNS_UDP_TURN_MAX);
	dns_check_until(COUNT(udp_answers) == n);
	for (uint32_t i = 0; i < n; i++)
		ck_assert_int_eq(answer(&size, &tc), (int)i);
}
END_TEST

static void limit(uint32_t slip)
{
	dns_server_set_limits(dns_check.server,
	    &(struct dns_server_limits){.rrl_rate = RATE, .rrl_slip = slip});
}

/* A second's worth, then each second one truncated; in one batch, so within
 * one moment. */
START_TEST(test_rate)
{
	limit(2);
	dns_check_settle();
	for (uint16_t i = 0; i < RATE + 6; i++)
		ask(i, 300, 0);
	datagram_wait_arrived(dns_udp_fd(udp), RATE + 6);
	dns_check_until(COUNT(udp_queries) == RATE + 6);
	for (uint16_t i = 0; i < RATE; i++)
		expect(i, 300, false);
	expect(RATE + 1, DNS_CHECK_HEADER, true);
	expect(RATE + 3, DNS_CHECK_HEADER, true);
	expect(RATE + 5, DNS_CHECK_HEADER, true);
	ck_assert_uint_eq(COUNT(udp_rate_slipped), 3);
	ck_assert_uint_eq(COUNT(udp_rate_dropped), 3);
	ck_assert_uint_eq(COUNT(udp_answers), RATE + 3);
}
END_TEST

/* RFC 7873 section 5.2.3: a valid cookie is no forged address. */
START_TEST(test_rate_cookie)
{
	limit(0);
	for (uint16_t i = 0; i < 20; i++)
		ask(i, 0, i % 2 ? DNS_COOKIE_valid : DNS_COOKIE_invalid);
	datagram_wait_arrived(dns_udp_fd(udp), 20);
	dns_check_until(COUNT(udp_queries) == 20);
	ck_assert_uint_eq(COUNT(udp_rate_dropped), 10 - RATE);
	ck_assert_uint_eq(COUNT(udp_rate_slipped), 0);
	ck_assert_uint_eq(COUNT(udp_answers), 10 + RATE);
}
END_TEST

START_TEST(test_rate_off)
{
	for (uint16_t i = 0; i < 20; i++)
		ask(i, 0, 0);
	dns_check_until(COUNT(udp_answers) == 20);
}
END_TEST

/* What has arrived before the stop is answered. */
START_TEST(test_stop)
{
	dns_check_settle();
	ask(1, 0, 0);
	ask(2, 0, 0);
	datagram_wait_arrived(dns_udp_fd(udp), 2);
	stop_udp();
	expect(1, 20, false);
	expect(2, 20, false);
	ck_assert_int_eq(dns_udp_fd(udp), -1);
}
END_TEST

/* Never started: it closes what it was given. */
START_TEST(test_never_started)
{
	struct addr bind_to = dns_check_ip("127.0.0.1");
	int fd = datagram_open(&bind_to, &(struct datagram_options){0});
	struct dns_udp *other = dns_udp_new(fd);

	ck_assert_ptr_nonnull(other);
	dns_udp_free(other);
	dns_udp_free(NULL);
	ck_assert_int_eq(sock_local(fd, &bind_to), -EBADF);
}
END_TEST

/* A client that cannot be answered is counted. */
START_TEST(test_port_zero)
{
	struct sockaddr_in from = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	uint16_t packet[4 + 10] = {0, htons(addr_port(&at)), htons(28)};

	if (raw < 0) /* only root may */
		return;
	ck_assert_int_eq(sendto(raw, packet, sizeof packet, 0,
			     (struct sockaddr *)&from, sizeof from),
	    sizeof packet);
	dns_check_until(COUNT(udp_queries) == 1);
	ck_assert_uint_eq(COUNT(udp_send_errors), 1);
	close(raw);
}
END_TEST

/* ICMP that says nobody listens there costs a server nothing. */
START_TEST(test_client_gone)
{
	ask(1, 0, 0);
	close(client);
	dns_check_until(COUNT(udp_queries) == 1);
	client = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(client, 0);
	ck_assert_int_eq(connect(client, &at.sa, at.length), 0);
	for (uint16_t i = 0; i < 3; i++) {
		ask(i, 0, 0);
		dns_check_until(COUNT(udp_queries) == 2u + i);
		expect(i, 20, false);
	}
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("dns_udp");

	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, test_answers);
	tcase_add_test(tcase, test_room);
	tcase_add_test(tcase, test_dropped);
	tcase_add_test(tcase, test_budget);
	tcase_add_test(tcase, test_rate);
	tcase_add_test(tcase, test_rate_cookie);
	tcase_add_test(tcase, test_rate_off);
	tcase_add_test(tcase, test_stop);
	tcase_add_test(tcase, test_never_started);
	tcase_add_test(tcase, test_port_zero);
	tcase_add_test(tcase, test_client_gone);
	return check_main(tcase);
}
