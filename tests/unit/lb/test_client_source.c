/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/client_source.h"

#include "tests/unit/lb/lb_check.h"

static struct flow_client client_of(const char *text)
{
	struct flow_client client = {0};
	struct addr addr;

	ck_assert_int_eq(addr_parse_ip(&addr, text), 0);
	addr_set_port(&addr, 4711);
	flow_client_set(&client, &addr);
	return client;
}

static const struct {
	const char *client;
	sa_family_t server;
	const char *want; /* NULL: refused */
} rows[] = {
    {"192.0.2.7", AF_INET, "192.0.2.7"},
    {"127.0.0.1", AF_INET, "127.0.0.1"},
    {"2001:db8::7", AF_INET6, "2001:db8::7"},
    {"::1", AF_INET6, "::1"},
    /* IPv4 by another name. */
    {"::ffff:192.0.2.7", AF_INET, "192.0.2.7"},
    {"::ffff:192.0.2.7", AF_INET6, NULL},
    {"::ffff:0.0.0.0", AF_INET, NULL},
    {"192.0.2.7", AF_INET6, NULL},
    {"2001:db8::7", AF_INET, NULL},
    {"192.0.2.7", AF_UNIX, NULL},
    /* For these the kernel would take an address of ours. */
    {"0.0.0.0", AF_INET, NULL},
    {"224.0.0.1", AF_INET, NULL},
    {"239.255.255.255", AF_INET, NULL},
    {"255.255.255.255", AF_INET, NULL},
    {"::", AF_INET6, NULL},
    {"ff02::1", AF_INET6, NULL},
    {"fe80::1", AF_INET6, NULL},
};

START_TEST(test_addresses)
{
	struct flow_client client = client_of(rows[_i].client);
	struct addr got = {.length = 7}, want;
	int err = client_source(&client, rows[_i].server, &got);

	if (!rows[_i].want) {
		ck_assert_int_eq(err, BR_E_CLIENT_ADDRESS);
		ck_assert_uint_eq(got.length, 7);
		return;
	}
	ck_assert_int_eq(err, 0);
	/* Without a port: the kernel chooses it. */
	ck_assert_int_eq(addr_parse_ip(&want, rows[_i].want), 0);
	ck_assert(addr_equal(&got, &want));
	ck_assert_uint_eq(got.length, want.length);
}
END_TEST

START_TEST(test_no_ip_address)
{
	struct flow_client unknown = {0}, local = {.family = AF_UNIX};
	struct addr got;

	ck_assert_int_eq(
	    client_source(&unknown, AF_INET, &got), BR_E_CLIENT_ADDRESS);
	ck_assert_int_eq(
	    client_source(&unknown, AF_UNSPEC, &got), BR_E_CLIENT_ADDRESS);
	ck_assert_int_eq(
	    client_source(&local, AF_INET6, &got), BR_E_CLIENT_ADDRESS);
	ck_assert_int_eq(
	    client_source(&local, AF_UNIX, &got), BR_E_CLIENT_ADDRESS);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("client_source");

	tcase_add_loop_test(
	    tcase, test_addresses, 0, (int)(sizeof rows / sizeof rows[0]));
	tcase_add_test(tcase, test_no_ip_address);
	return lb_check_main(tcase);
}
