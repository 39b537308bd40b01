/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/dns_tcp.h"

#include "tests/unit/base/check_main.h"
#include "tests/unit/dnsd/dns_stream.h"

/* More bytes than two sockets hold, also where they may hold much. */
#define MESSAGES 1500u
#define MESSAGE_BYTES 20000u

static struct made {
	struct dns_transfer transfer;
	uint16_t next;
	uint32_t ended;
} made;

static size_t made_next(
    struct dns_transfer *transfer, uint8_t *out, size_t room)
{
	struct made *m = br_container_of(transfer, struct made, transfer);

	ck_assert_uint_eq(room, DNS_MESSAGE_MAX);
	if (m->next == MESSAGES)
		return 0;
	memset(out, 0, MESSAGE_BYTES);
	out[0] = (uint8_t)(m->next >> 8);
	out[1] = (uint8_t)m->next;
	out[2] = 0x80;
	m->next++;
	return MESSAGE_BYTES;
}

static void made_end(struct dns_transfer *transfer)
{
	br_container_of(transfer, struct made, transfer)->ended++;
}

static struct dns_transfer *begin(void *context,
    const struct dns_client *client, const uint8_t *query, size_t length,
    const struct query_facts *facts)
{
	ck_assert_ptr_eq(context, &dns_check);
	ck_assert_int_eq(client->transport, DNS_TCP);
	ck_assert_uint_eq(length, QUERY);
	ck_assert_uint_eq(facts->kind, DNS_KIND_transfer);
	made = (struct made){.transfer = {made_next, made_end}};
	return query[8] == 'n' ? NULL : &made.transfer;
}

static void ask_transfer(int fd, char how)
{
	uint8_t bytes[2 + QUERY] = {0, QUERY};

	dns_check_query(bytes + 2, QUERY, 0, 0, DNS_KIND_transfer, 0);
	bytes[2 + 8] = (uint8_t)how;
	push(fd, bytes, sizeof bytes);
}

/* The server of these tests has the hook. */
static void start_transfers(void)
{
	dns_stream_start();
	stop_tcp();
	dns_tcp_free(tcp);
	dns_server_free(dns_check.server);
	dns_check.options.hooks.transfer = begin;
	start_server();
}

START_TEST(test_transfer)
{
	int fd = connect_accepted();

	ask(fd, 1000, 0);
	ask_transfer(fd, 'y');
	ask(fd, 1001, 0);
	expect(fd, 1000, QUERY);
	for (uint16_t i = 0; i < MESSAGES; i++)
		expect(fd, i, MESSAGE_BYTES);
	expect(fd, 1001, QUERY);
	ck_assert_uint_eq(made.ended, 1);
	ck_assert_uint_eq(COUNT(tcp_transfers), 1);
	close(fd);
}
END_TEST

/* A long one is no reason for others to wait: a turn has its budget. */
START_TEST(test_transfer_budget)
{
	int fd = connect_accepted();

	ask_transfer(fd, 'y');
	dns_check_until(COUNT(tcp_transfers) == 1);
	ck_assert_uint_le(made.next, 32);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	for (uint16_t i = 0; i < MESSAGES; i++)
		expect(fd, i, MESSAGE_BYTES);
	expect_end(fd);
	ck_assert_uint_eq(made.ended, 1);
}
END_TEST

START_TEST(test_transfer_gone)
{
	int fd = connect_accepted();

	ask_transfer(fd, 'y');
	dns_check_settle();
	ck_assert_uint_eq(made.ended, 0);
	reset(fd);
	dns_check_until(made.ended == 1);
	dns_check_until(!dns_tcp_open(dns_check.server));
}
END_TEST

START_TEST(test_transfer_none)
{
	int fd = connect_accepted();

	ask(fd, 1, 0);
	ask_transfer(fd, 'n');
	expect(fd, 1, QUERY);
	expect_end(fd);
	ck_assert_uint_eq(COUNT(tcp_transfers), 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("dns_transfer");

	tcase_add_checked_fixture(tcase, start_transfers, dns_stream_stop);
	tcase_add_test(tcase, test_transfer);
	tcase_add_test(tcase, test_transfer_budget);
	tcase_add_test(tcase, test_transfer_gone);
	tcase_add_test(tcase, test_transfer_none);
	return check_main(tcase);
}
