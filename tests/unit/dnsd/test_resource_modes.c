/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/resource.h"

#include "base/assert.h"
#include "dnsd/rr_type.h"
#include "tests/unit/dnsd/resource_fixture.h"
#include "tests/unit/dnsd/share_check.h"

#define NOW FIXTURE_NOW
#define FEW 50000u

static struct resource_choice c;
static struct answer_set set;

static const char *name_text(const uint8_t *name)
{
	static char text[DNAME_TEXT_MAX];

	(void)dname_to_text(name, text);
	return text;
}

static uint32_t at16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

/* -- what owners hold -------------------------------------------------- */

START_TEST(test_types)
{
	static const struct {
		enum conf_mode mode;
		bool alias;
		uint16_t types[3];
	} cases[] = {
	    {CONF_MODE_PICK, true, {RR_CNAME}},
	    {CONF_MODE_RANK, false, {RR_HTTPS, RR_A, RR_AAAA}},
	    {CONF_MODE_ADDRS, false, {RR_A, RR_AAAA}},
	    {CONF_MODE_SRV, false, {RR_SRV}},
	    {CONF_MODE_LITERAL, true, {RR_CNAME}},
	};
	uint16_t types[RESOURCE_TYPES_MAX] = {0};
	struct resource *r;
	uint32_t n;

	fixture_start(2);
	f.resource.mode = cases[_i].mode;
	f.resource.port = 443;
	r = fixture_made();
	n = resource_types(r, types);
	ck_assert(!memcmp(types, cases[_i].types, sizeof types));
	ck_assert_uint_eq(n, 3u - !types[1] - !types[2]);
	ck_assert_int_eq(resource_is_alias(r), cases[_i].alias);
	ck_assert_int_eq(resource_mode(r), cases[_i].mode);
	ck_assert_str_eq(name_text(resource_owner(r)), "www.cdn.example.");
	ck_assert_str_eq(resource_name(r), "www");
	ck_assert_uint_eq(resource_slot(r), FIXTURE_SLOT);
	fixture_choose(r, NULL, 1, &c);
	for (uint16_t type = 1; type < 300; type++) {
		bool held = cases[_i].alias;

		for (uint32_t i = 0; i < n; i++)
			held |= types[i] == type;
		resource_answer(r, &c, type, &set);
		ck_assert_int_eq(set.n > 0, held);
		if (held)
			ck_assert_uint_eq(
			    set.type, cases[_i].alias ? RR_CNAME : type);
	}
	fixture_stop();
}
END_TEST

START_TEST(test_one_family)
{
	uint16_t types[RESOURCE_TYPES_MAX];
	struct resource *r;

	fixture_start(2);
	f.resource.mode = CONF_MODE_ADDRS;
	for (int i = 0; i < 2; i++)
		f.conf.pops[i].n_addresses = 1;
	r = fixture_made();
	ck_assert_uint_eq(resource_types(r, types), 1);
	ck_assert_uint_eq(types[0], RR_A);
	fixture_choose(r, NULL, 1, &c);
	resource_answer(r, &c, RR_AAAA, &set);
	ck_assert_uint_eq(set.n, 0);
	fixture_stop();
}
END_TEST

/* -- modes ------------------------------------------------------------- */

START_TEST(test_pick)
{
	struct resource *r;

	fixture_start(3);
	r = fixture_made();
	for (uint32_t i = 0; i < 50; i++) {
		fixture_choose(r, NULL, i, &c);
		resource_answer(r, &c, RR_AAAA, &set);
		ck_assert_uint_eq(set.n, 1);
		ck_assert(dname_equal(
		    set.records[0].rdata, resource_target(r, c.chosen[0])));
		ck_assert_uint_eq(set.records[0].length,
		    dname_size(resource_target(r, c.chosen[0])));
	}
	ck_assert_str_eq(
	    name_text(resource_target(r, 2)), "www--pop2.cdn.example.");
	fixture_stop();
}
END_TEST

START_TEST(test_rank)
{
	/* alpn=h2,http/1.1 port=8443 ipv4hint ipv6hint, by hand. */
	static const uint8_t params[] = {0, 1, 0, 12, 2, 'h', '2', 8, 'h', 't',
	    't', 'p', '/', '1', '.', '1', 0, 3, 0, 2, 0x20, 0xfb};
	const char *alpn[] = {"h2", "http/1.1"};
	uint64_t firsts[4] = {0}, weights[] = {4, 3, 2, 0};
	struct resource *r;
	struct policy *policy;

	fixture_start(4);
	fixture_weights(4, 3, 2, 1);
	f.facts[3].up = false;
	f.resource.mode = CONF_MODE_RANK;
	f.resource.name = "@";
	f.resource.n = 4;
	f.resource.alpn = (struct conf_texts){alpn, 2};
	f.resource.port = 8443;
	r = fixture_made();
	policy = fixture_policy(NOW);
	ck_assert_str_eq(
	    name_text(resource_target(r, 0)), "apex--pop0.cdn.example.");
	for (uint32_t i = 0; i < FEW; i++) {
		fixture_choose(r, policy, i, &c);
		firsts[c.chosen[0]]++;
		/* Who is down stands last. */
		if (c.n != 4 || c.chosen[3] != 3)
			ck_abort_msg("client %u", i);
	}
	share_check(firsts, weights, 4);
	resource_answer(r, &c, RR_HTTPS, &set);
	ck_assert_uint_eq(set.n, 5);
	for (uint32_t i = 0; i < 5; i++) {
		const uint8_t *rdata = set.records[i].rdata;
		size_t name = dname_size(rdata + 2);
		uint8_t hint[] = {0, 4, 0, 4, 192, 0, 2, c.chosen[i % 4]};

		ck_assert_uint_eq(at16(rdata), i + 1);
		ck_assert(!memcmp(rdata + 2 + name, params, sizeof params));
		if (i == 4) {
			/* The owner itself, without hints. */
			ck_assert_uint_eq(name, 1);
			ck_assert_uint_eq(
			    set.records[i].length, 3 + sizeof params);
			continue;
		}
		ck_assert(
		    dname_equal(rdata + 2, resource_target(r, c.chosen[i])));
		ck_assert(!memcmp(
		    rdata + 2 + name + sizeof params, hint, sizeof hint));
		ck_assert_uint_eq(set.records[i].length,
		    2 + name + sizeof params + sizeof hint + 20);
	}
	resource_answer(r, &c, RR_A, &set);
	ck_assert_uint_eq(set.n, 1);
	ck_assert_uint_eq(set.records[0].rdata[3], c.chosen[0]);
	resource_answer(r, &c, RR_AAAA, &set);
	ck_assert_uint_eq(set.n, 1);
	ck_assert_uint_eq(set.records[0].length, 16);
	ck_assert_uint_eq(set.records[0].rdata[15], c.chosen[0]);
	policy_free(policy);
	fixture_stop();
}
END_TEST

START_TEST(test_addrs_and_domains)
{
	uint64_t count[6] = {0};
	uint32_t wrong = 0;
	struct resource *r;

	fixture_start(6);
	f.resource.mode = CONF_MODE_ADDRS;
	/* Halls a and b have three POPs, one stands alone: no domain has more
	 * than 3/7 of the weight, so there are always two. */
	fixture_weights(1, 1, 1, 1, 2, 1);
	for (int i = 0; i < 5; i++)
		f.conf.pops[i].domain = i < 3 ? "a" : "b";
	r = fixture_made();
	for (uint32_t i = 0; i < FEW; i++) {
		fixture_choose(r, NULL, i, &c);
		resource_answer(r, &c, RR_A, &set);
		wrong += set.n != 2 || c.n != 2;
		wrong += resource_pop(r, c.chosen[0])->domain ==
			 resource_pop(r, c.chosen[1])->domain;
		for (int k = 0; k < 2; k++) {
			count[c.chosen[k]]++;
			wrong += set.records[k].rdata[3] != c.chosen[k];
		}
	}
	ck_assert_uint_eq(wrong, 0);
	for (int i = 0; i < 6; i++) {
		double p = 2.0 * f.resource.weights[i] / 7;

		ck_assert_double_le(fabs((double)count[i] - FEW * p),
		    4.9 * sqrt(FEW * p * (1 - p)));
	}
	fixture_stop();
}
END_TEST

START_TEST(test_srv)
{
	struct policy *policy;
	struct resource *r;

	fixture_start(3);
	fixture_weights(50, 30, 20);
	f.resource.mode = CONF_MODE_SRV;
	f.resource.name = "_xmpp._tcp.chat";
	f.resource.port = 5222;
	r = fixture_made();
	ck_assert_str_eq(name_text(resource_target(r, 0)),
	    "xmpp-tcp-chat--pop0.cdn.example.");
	fixture_choose(r, NULL, 1, &c);
	/* All are named to everybody: no key decided. */
	ck_assert_uint_eq(c.scope, 0);
	resource_answer(r, &c, RR_SRV, &set);
	ck_assert_uint_eq(set.n, 3);
	for (int i = 0; i < 3; i++) {
		const uint8_t *rdata = set.records[i].rdata;

		ck_assert_uint_eq(at16(rdata), 1);
		ck_assert_uint_eq(
		    at16(rdata + 2), f.resource.weights[c.chosen[i]] / 10);
		ck_assert_uint_eq(at16(rdata + 4), 5222);
		ck_assert(
		    dname_equal(rdata + 6, resource_target(r, c.chosen[i])));
		ck_assert_uint_eq(
		    set.records[i].length, 6 + dname_size(rdata + 6));
	}
	f.facts[0].up = false;
	policy = fixture_policy(NOW);
	fixture_choose(r, policy, 1, &c);
	resource_answer(r, &c, RR_SRV, &set);
	ck_assert_uint_eq(set.n, 2);
	policy_free(policy);
	fixture_stop();
}
END_TEST

/* Whom an answer counts for goes by weight, too, not by who stands first. */
START_TEST(test_srv_counts_by_weight)
{
	static const double shares[] = {0.5, 0.3, 0.2};
	uint64_t counts[3] = {0};
	struct resource *r;

	fixture_start(3);
	fixture_weights(50, 30, 20);
	f.resource.mode = CONF_MODE_SRV;
	f.resource.name = "_xmpp._tcp.chat";
	f.resource.port = 5222;
	r = fixture_made();
	for (uint32_t i = 0; i < 10000; i++) {
		fixture_choose(r, NULL, i, &c);
		counts[resource_counted(r, &c)]++;
	}
	share_check_expected(counts, shares, 3);
	fixture_stop();
}
END_TEST

/* Two of four: a client that picks by weight goes by weight all the same. */
START_TEST(test_srv_of_some)
{
	static const uint64_t weights[] = {
	    70000000, 15000000, 10000000, 5000000};
	double expected[4], got[4] = {0};
	struct resource *r;

	fixture_start(4);
	for (int i = 0; i < 4; i++) {
		f.resource.weights[i] = (uint32_t)weights[i];
		expected[i] = (double)weights[i] / 1e8;
	}
	f.resource.mode = CONF_MODE_SRV;
	f.resource.port = 1;
	f.resource.n = 2;
	r = fixture_made();
	for (uint32_t i = 0; i < FEW; i++) {
		double total = 0;

		fixture_choose(r, NULL, i, &c);
		resource_answer(r, &c, RR_SRV, &set);
		if (set.n != 2)
			ck_abort_msg("%u records", set.n);
		for (int k = 0; k < 2; k++)
			total += at16(set.records[k].rdata + 2);
		for (int k = 0; k < 2; k++)
			got[c.chosen[k]] +=
			    at16(set.records[k].rdata + 2) / total;
	}
	ck_assert_uint_eq(c.scope, 20);
	for (int i = 0; i < 4; i++)
		ck_assert_double_le(fabs(got[i] / FEW - expected[i]), 0.005);
	fixture_stop();
}
END_TEST

START_TEST(test_literal)
{
	struct prefix allowed = fixture_subnet("198.51.100.0/24");
	struct addr other = fixture_address("198.51.101.1");
	struct resource_client client = {&other, NULL};
	struct resource *r;

	fixture_start(3);
	f.resource.mode = CONF_MODE_LITERAL;
	f.resource.allow = (struct conf_prefixes){&allowed, 1};
	r = fixture_made();
	for (uint32_t i = 0; i < 50; i++) {
		fixture_choose(r, NULL, i, &c);
		ck_assert_int_eq(c.mode, CONF_MODE_LITERAL);
		resource_answer(r, &c, RR_CNAME, &set);
		ck_assert_uint_eq(set.n, 3);
		for (int k = 0; k < 3; k++)
			ck_assert(dname_equal(set.records[k].rdata,
			    resource_target(r, c.chosen[k])));
		/* The order that pick has, for everybody else. */
		uint8_t first = c.chosen[0];
		struct prefix from = fixture_nth(i);

		client.subnet = &from;
		resource_choose(r, NULL, NULL, &client, NOW, &c);
		ck_assert_int_eq(c.mode, CONF_MODE_PICK);
		resource_answer(r, &c, RR_CNAME, &set);
		ck_assert_uint_eq(set.n, 1);
		ck_assert_uint_eq(c.chosen[0], first);
	}
	f.resource.allow.n = 0;
	r = fixture_made();
	fixture_choose(r, NULL, 1, &c);
	ck_assert_int_eq(c.mode, CONF_MODE_PICK);
	fixture_stop();
}
END_TEST

/* -- targets ----------------------------------------------------------- */

static char records[2048];

static void on_record(void *context, const struct dns_record *record)
{
	size_t at = strlen(records);

	(void)context;
	ck_assert_uint_eq(record->ttl, RESOURCE_TARGET_TTL_S);
	(void)snprintf(records + at, sizeof records - at, "%s %u %u\n",
	    name_text(record->owner), record->type, record->length);
}

static const char *records_of(const struct resource *r)
{
	records[0] = '\0';
	resource_records(r, on_record, NULL);
	return records;
}

START_TEST(test_target_records)
{
	const char *alpn[] = {"h2"};

	fixture_start(2);
	f.conf.pops[1].n_addresses = 1;
	ck_assert_str_eq(records_of(fixture_made()),
	    "www--pop0.cdn.example. 1 4\n"
	    "www--pop0.cdn.example. 28 16\n"
	    "www--pop1.cdn.example. 1 4\n");
	f.resource.alpn = (struct conf_texts){alpn, 1};
	f.resource.target = "{pop}.{resource}";
	ck_assert_str_eq(records_of(fixture_made()),
	    "pop0.www.cdn.example. 1 4\n"
	    "pop0.www.cdn.example. 28 16\n"
	    "pop0.www.cdn.example. 65 38\n"
	    "pop1.www.cdn.example. 1 4\n"
	    "pop1.www.cdn.example. 65 18\n");
	/* Of another zone: not ours to say. */
	f.resource.target = "{pop}.example.net.";
	ck_assert_str_eq(records_of(fixture_made()), "");
	/* Its owner has the addresses. */
	f.resource.mode = CONF_MODE_ADDRS;
	f.conf.pops[1].n_addresses = 2;
	ck_assert_str_eq(records_of(fixture_made()), "");
	ck_assert_ptr_null(resource_target(fixture_made(), 0));
	fixture_stop();
}
END_TEST

START_TEST(test_what_is_refused)
{
	static const uint32_t zero[65];
	char long_name[300] = {0};
	static struct addr many[40];

#define REFUSED(text)                                                          \
	ck_assert_ptr_null(fixture_try());                                     \
	ck_assert_str_eq(f.problems, text)
	fixture_start(4);
	memset(long_name, 'a', 70);
	f.resource.name = "@";
	REFUSED("a CNAME cannot be at the zone's apex: take mode rank or "
		"addrs\n");
	f.resource.mode = CONF_MODE_LITERAL;
	f.is_signed = true;
	/* Every problem at once, but what hangs on others. */
	f.resource.target = "x.{resource}";
	REFUSED("a CNAME cannot be at the zone's apex: take mode rank or "
		"addrs\n"
		"target \"x.apex\" of POP pop1 is another POP's as well\n"
		"target \"x.apex\" of POP pop2 is another POP's as well\n"
		"target \"x.apex\" of POP pop3 is another POP's as well\n");
	f.resource.name = "www";
	f.resource.target = "{pop}";
	REFUSED("mode literal cannot be in a signed zone\n");
	f.is_signed = false;
	f.resource.mode = CONF_MODE_PICK;
	f.resource.name = "pop2";
	REFUSED("target \"pop2\" of POP pop2 is the resource itself\n");
	f.resource.name = "*";
	f.resource.target = "{resource}.{pop}";
	REFUSED("target \"*.pop0\" of POP pop0 is a wildcard\n"
		"target \"*.pop1\" of POP pop1 is a wildcard\n"
		"target \"*.pop2\" of POP pop2 is a wildcard\n"
		"target \"*.pop3\" of POP pop3 is a wildcard\n");
	f.resource.name = "www";
	f.resource.target = "{pop}";
	f.conf.pops[2].name = long_name;
	ck_assert_ptr_null(fixture_try());
	ck_assert_ptr_nonnull(
	    strstr(f.problems, "has a label of more than 63 bytes\n"));
	f.conf.pops[2].name = "pop2";
	char longer[1100] = {0};

	memset(longer, 'b', sizeof longer - 1);
	f.resource.target = longer;
	ck_assert_ptr_null(fixture_try());
	ck_assert_ptr_nonnull(
	    strstr(f.problems, "of POP pop0 is longer than 255 bytes\n"));
	f.resource.target = "{pop}";
	f.resource.name = "a..b";
	REFUSED("the name has an empty label\n"
		"a CNAME cannot be at the zone's apex: take mode rank or "
		"addrs\n");
	f.resource.name = "www";
	memcpy(f.resource.weights, zero, 4 * sizeof *zero);
	REFUSED("every weight is 0\n");
	f.resource.weights[0] = 1;
	f.resource.mode = CONF_MODE_SRV;
	REFUSED("mode srv needs a port\n");
	f.resource.mode = CONF_MODE_RANK;
	f.conf.pops[1].n_addresses = 1;
	REFUSED("POP pop3 has an IPv6 address and POP pop1 has none: in this "
		"mode all have, or none\n");
	f.resource.mode = CONF_MODE_ADDRS;
	for (int i = 0; i < 40; i++)
		many[i] = f.conf.pops[0].addresses[0];
	for (int i = 0; i < 4; i++)
		f.conf.pops[i].n_addresses = 1;
	f.conf.pops[1].addresses = many;
	f.conf.pops[1].n_addresses = 40;
	REFUSED("an answer could have 120 addresses (n is 3), 72 at most\n");
	fixture_stop();

	fixture_start(20);
	f.resource.mode = CONF_MODE_RANK;
	f.resource.n = 9;
	REFUSED("mode rank names at most 8 POPs, n is 9\n");
	f.resource.mode = CONF_MODE_SRV;
	f.resource.port = 1;
	f.resource.n = 17;
	REFUSED("mode srv names at most 16 POPs, n is 17\n");
	f.is_signed = true;
	REFUSED("in a signed zone it has at most 8 POPs, these are 20\n"
		"in a signed zone n is at most 3, not 17\n");
	fixture_stop();
}
END_TEST

/* -- variants ---------------------------------------------------------- */

static uint32_t n_variants;

/* Sets of srv lie in what resource_variants() has on its stack: records are
 * compared by a hash of all bytes. */
static uint64_t hash_of(const struct answer_set *s)
{
	static const struct siphash_key key = {1, 2};
	uint64_t sum = s->n;

	for (uint32_t i = 0; i < s->n; i++)
		sum += siphash_2_4(
		    &key, s->records[i].rdata, s->records[i].length);
	return sum;
}

static uint64_t hashes[512];

static void on_variant(void *context, const struct answer_set *s)
{
	(void)context;
	ck_assert_uint_eq(s->variant, n_variants);
	ck_assert_uint_eq(s->ttl, 33);
	hashes[n_variants++] = hash_of(s);
}

static uint32_t variants_of(const struct resource *r, uint16_t type)
{
	n_variants = 0;
	ck_assert_uint_eq(
	    resource_variants(r, type, on_variant, NULL), n_variants);
	/* All different. */
	for (uint32_t i = 0; i < n_variants; i++)
		for (uint32_t k = 0; k < i; k++)
			if (hashes[i] == hashes[k])
				ck_abort_msg("variants %u and %u", i, k);
	return n_variants;
}

/* Every answer is one of those that were signed. */
static void answers_are_variants(const struct resource *r, uint16_t type)
{
	bool seen[512] = {false};
	uint32_t n = variants_of(r, type), n_seen = 0, wrong = 0;

	for (uint32_t i = 0; i < FEW; i++) {
		fixture_choose(r, NULL, i, &c);
		resource_answer(r, &c, type, &set);
		wrong += set.variant >= n;
		wrong +=
		    set.variant < n && hashes[set.variant] != hash_of(&set);
		wrong += set.ttl > resource_ttl_max(r);
		n_seen += !seen[set.variant];
		seen[set.variant] = true;
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_gt(n_seen, 1);
	resource_choose_heaviest(r, &c);
	resource_answer(r, &c, type, &set);
	ck_assert_uint_eq(hashes[set.variant], hash_of(&set));
}

START_TEST(test_variants)
{
	static const struct {
		enum conf_mode mode;
		uint16_t type;
		uint32_t n;
	} cases[] = {
	    {CONF_MODE_PICK, RR_CNAME, 8},
	    {CONF_MODE_RANK, RR_HTTPS, 336},
	    {CONF_MODE_RANK, RR_A, 8},
	    {CONF_MODE_RANK, RR_AAAA, 8},
	    {CONF_MODE_ADDRS, RR_A, 92},
	    {CONF_MODE_ADDRS, RR_AAAA, 92},
	    {CONF_MODE_SRV, RR_SRV, 92},
	};
	struct resource *r;

	fixture_start(8);
	f.is_signed = true;
	f.resource.port = 1;
	f.resource.mode = cases[_i].mode;
	for (uint32_t heavy = 1; heavy <= 7; heavy += 3) {
		/* Also with sets of one and of two. */
		f.resource.weights[0] = heavy;
		r = fixture_made();
		answers_are_variants(r, cases[_i].type);
		ck_assert_uint_eq(n_variants, cases[_i].n);
	}
	ck_assert_uint_eq(variants_of(r, RR_TXT), 0);
	fixture_stop();
}
END_TEST

START_TEST(test_srv_of_signed_zone_splits)
{
	static const uint64_t weights[] = {5, 3, 2};
	double got[3] = {0};
	struct resource *r;

	fixture_start(3);
	fixture_weights(5, 3, 2);
	f.is_signed = true;
	f.resource.port = 1;
	f.resource.mode = CONF_MODE_SRV;
	r = fixture_made();
	for (uint32_t i = 0; i < FEW; i++) {
		fixture_choose(r, NULL, i, &c);
		for (uint32_t k = 0; k < c.n; k++)
			got[c.chosen[k]] += 1.0 / c.n;
	}
	for (int i = 0; i < 3; i++)
		ck_assert_double_le(
		    fabs(got[i] / FEW - (double)weights[i] / 10), 0.01);
	fixture_stop();
}
END_TEST

START_TEST(test_heaviest)
{
	struct resource *r;

	fixture_start(4);
	fixture_weights(2, 9, 4, 4);
	r = fixture_made();
	resource_choose_heaviest(r, &c);
	ck_assert_uint_eq(c.n, 1);
	ck_assert_uint_eq(c.chosen[0], 1);
	ck_assert_uint_eq(c.ttl, 30);
	f.resource.mode = CONF_MODE_LITERAL;
	r = fixture_made();
	resource_choose_heaviest(r, &c);
	ck_assert_uint_eq(c.n, 1);
	f.resource.mode = CONF_MODE_RANK;
	r = fixture_made();
	resource_choose_heaviest(r, &c);
	ck_assert_uint_eq(c.n, 3);
	ck_assert(!memcmp(c.chosen, (uint8_t[]){1, 2, 3}, 3));
	f.resource.mode = CONF_MODE_SRV;
	f.resource.port = 1;
	r = fixture_made();
	resource_choose_heaviest(r, &c);
	resource_answer(r, &c, RR_SRV, &set);
	ck_assert_uint_eq(set.n, 3);
	ck_assert_uint_eq(at16(set.records[0].rdata + 2), 9);
	fixture_stop();
	/* The second heaviest fails with the first. */
	fixture_start(5);
	f.resource.mode = CONF_MODE_ADDRS;
	f.conf.pops[1].domain = f.conf.pops[2].domain = "x";
	fixture_weights(3, 5, 4, 3, 3);
	r = fixture_made();
	resource_choose_heaviest(r, &c);
	ck_assert_uint_eq(c.n, 2);
	ck_assert(!memcmp(c.chosen, (uint8_t[]){1, 0}, 2));
	fixture_stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("resource_modes");

	tcase_add_loop_test(tcase, test_types, 0, 5);
	tcase_add_test(tcase, test_one_family);
	tcase_add_test(tcase, test_pick);
	tcase_add_test(tcase, test_rank);
	tcase_add_test(tcase, test_addrs_and_domains);
	tcase_add_test(tcase, test_srv);
	tcase_add_test(tcase, test_srv_counts_by_weight);
	tcase_add_test(tcase, test_srv_of_some);
	tcase_add_test(tcase, test_literal);
	tcase_add_test(tcase, test_target_records);
	tcase_add_test(tcase, test_what_is_refused);
	tcase_add_loop_test(tcase, test_variants, 0, 7);
	tcase_add_test(tcase, test_srv_of_signed_zone_splits);
	tcase_add_test(tcase, test_heaviest);
	return check_main(tcase);
}
