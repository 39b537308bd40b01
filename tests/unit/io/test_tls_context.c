/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_context.h"

#include "io/tls_cache.h"
#include "io/tls_ticket.h"
#include "tests/unit/io/io_check.h"
#include "tests/unit/io/tls_made.h"
#include "tests/unit/io/tls_pair.h"

#include <openssl/ssl.h>

/* Serial numbers, by which a test knows which certificate was used. */
enum {
	CA = 1,
	ONE_EC,
	ONE_RSA,
	WILD,
	COMMON,
	CLIENT,
	REVOKED,
	STRANGER,
	EXPIRED,
	SHORT
};

static struct made ca, other_ca, one_ec;
static struct tls_ticket_keys keys;
static struct pair pair;

static void on_problem(void *owner, const struct tls_problem *problem)
{
	(void)owner;
	ck_abort_msg("%s", problem->text);
}

/* -- problems ---------------------------------------------------------- */

static struct {
	char text[300];
	enum tls_subject subject;
	uint32_t index, n;
	bool warning;
} said;

static void on_noted(void *owner, const struct tls_problem *problem)
{
	(void)owner;
	/* Without the directory, which differs. */
	ck_assert(!strchr(problem->text, '\n'));
	snprintf(said.text, sizeof(said.text), "%s",
	    strncmp(problem->text, made_dir, strlen(made_dir))
		? problem->text
		: problem->text + strlen(made_dir) + 1);
	said.subject = problem->subject;
	said.index = problem->index;
	said.warning = problem->warning;
	said.n++;
}

static void check_refused(const struct tls_server_options *options,
    enum tls_subject subject, uint32_t index, const char *text)
{
	struct tls_server *server = NULL;

	memset(&said, 0, sizeof(said));
	ck_assert_int_eq(
	    tls_server_load(options, on_noted, NULL, &server), BR_E_CONFIG);
	ck_assert_ptr_null(server);
	ck_assert_str_eq(said.text, text);
	ck_assert_msg(said.n == 1, "%u: %s", said.n, text);
	ck_assert_int_eq(said.subject, subject);
	ck_assert_uint_eq(said.index, index);
	ck_assert(!said.warning);
}

START_TEST(test_load_problems)
{
	struct tls_certificate_files files[2] = {
	    {.cert = made_path("one.pem"), .key = made_path("one.key")}};
	struct tls_server_options options = {
	    .certificates = files, .n_certificates = 2};

	static const struct {
		const char *cert, *key;
		enum tls_subject subject;
		const char *text;
	} rows[] = {
	    {"none.pem", "one.key", TLS_SUBJECT_CERT,
		"none.pem: No such file or directory"},
	    {"one.pem", "none.key", TLS_SUBJECT_KEY,
		"none.key: No such file or directory"},
	    {"", "one.key", TLS_SUBJECT_CERT, ": not a regular file"},
	    {"text", "one.key", TLS_SUBJECT_CERT,
		"text: no certificate in PEM format"},
	    {"one.pem", "text", TLS_SUBJECT_KEY,
		"text: no private key in PEM format"},
	    {"broken.pem", "one.key", TLS_SUBJECT_CERT,
		"broken.pem: certificate 1 cannot be read: bad base64 decode"},
	    {"one.pem", "locked.key", TLS_SUBJECT_KEY,
		"locked.key: the private key is encrypted; decrypt it into a "
		"file that only the daemon may read"},
	    {"short.pem", "short.key", TLS_SUBJECT_CERT, "ee key too small"},
	};

	for (size_t i = 0; i < BR_COUNT(rows); i++) {
		char text[300];

		files[1].cert = made_path(rows[i].cert);
		files[1].key = made_path(rows[i].key);
		snprintf(text, sizeof(text), "%s", rows[i].text);
		if (!strcmp(rows[i].cert, "short.pem"))
			snprintf(text, sizeof(text),
			    "%s: the certificate cannot be used: %s",
			    rows[i].cert, rows[i].text);
		check_refused(&options, rows[i].subject, 1, text);
	}
	files[1].cert = made_path("wild.pem");
	files[1].key = made_path("one.key");
	{
		char text[600];

		snprintf(text, sizeof(text),
		    "one.key: the private key does not belong to the "
		    "certificate in %s",
		    made_path("wild.pem"));
		check_refused(&options, TLS_SUBJECT_KEY, 1, text);
	}
}
END_TEST

START_TEST(test_load_options)
{
	struct tls_certificate_files files = {
	    .cert = made_path("one.pem"), .key = made_path("one.key")};
	struct tls_server_options options = {
	    .certificates = &files, .n_certificates = 1};
	const char *const empty[] = {"h2", ""};

	options.verify = TLS_VERIFY_FULL;
	check_refused(&options, TLS_SUBJECT_CA, 0,
	    "client certificates cannot be checked without client_ca");
	options.client_ca = made_path("text");
	check_refused(
	    &options, TLS_SUBJECT_CA, 0, "text: no certificate in PEM format");
	options.client_ca = made_path("ca.pem");
	options.crl = made_path("text");
	check_refused(&options, TLS_SUBJECT_CRL, 0,
	    "text: no revocation list in PEM format");
	options.verify = TLS_VERIFY_NONE;
	options.min = TLS_VERSION_1_3;
	options.max = TLS_VERSION_1_2;
	check_refused(&options, TLS_SUBJECT_VERSION, 0,
	    "the least TLS version is greater than the greatest");
	options.min = options.max = TLS_VERSION_ANY;
	options.ciphers = "NONSENSE";
	check_refused(
	    &options, TLS_SUBJECT_CIPHERS, 0, "NONSENSE: no cipher match");
	options.ciphers = NULL;
	options.ciphersuites = "TLS_NONSENSE";
	check_refused(&options, TLS_SUBJECT_CIPHERSUITES, 0,
	    "TLS_NONSENSE: no cipher match");
	options.ciphersuites = NULL;
	options.alpn = empty;
	options.n_alpn = 2;
	check_refused(
	    &options, TLS_SUBJECT_ALPN, 1, "an ALPN name must not be empty");
	options.n_alpn = 0;
	options.n_certificates = 0;
	check_refused(&options, TLS_SUBJECT_CERT, 0, "no certificate is given");
}
END_TEST

START_TEST(test_load_warnings)
{
	struct tls_certificate_files files = {
	    .cert = made_path("expired.pem"), .key = made_path("expired.key")};
	struct tls_server_options options = {
	    .certificates = &files, .n_certificates = 1};
	struct tls_server *server = NULL;

	memset(&said, 0, sizeof(said));
	ck_assert_int_eq(tls_server_load(&options, on_noted, NULL, &server), 0);
	ck_assert_uint_eq(said.n, 1);
	ck_assert(said.warning);
	ck_assert_str_eq(said.text, "expired.pem: the certificate has expired");
	ck_assert_int_lt(tls_server_first_expiry_s(server), time(NULL));
	tls_server_free(server);
	files = (struct tls_certificate_files){.cert = made_path("one.pem"),
	    .key = made_path("one.key"),
	    .ocsp = made_path("late.ocsp")};
	memset(&said, 0, sizeof(said));
	ck_assert_int_eq(tls_server_load(&options, on_noted, NULL, &server), 0);
	ck_assert(said.warning);
	ck_assert_int_eq(said.subject, TLS_SUBJECT_OCSP);
	ck_assert_str_eq(said.text,
	    "late.ocsp: the OCSP response is out of date and is not sent");
	tls_server_free(server);
	files.ocsp = made_path("text");
	check_refused(&options, TLS_SUBJECT_OCSP, 0,
	    "text: is not an OCSP response in DER format");
	files.ocsp = made_path("wild.ocsp");
	check_refused(&options, TLS_SUBJECT_OCSP, 0,
	    "wild.ocsp: is the OCSP response of another certificate");
}
END_TEST

/* -- a listener and who connects --------------------------------------- */

static struct tls_server *server;
static struct tls_context *context;

static void listener_open(
    struct tls_server_options *options, struct tls_cache *cache)
{
	static const char *const names[] = {"one", "rsa", "wild", "common"};
	static struct tls_certificate_files files[BR_COUNT(names)];
	static char paths[BR_COUNT(names)][3][200];

	for (size_t i = 0; i < BR_COUNT(names); i++) {
		snprintf(paths[i][0], 200, "%s/%s.pem", made_dir, names[i]);
		snprintf(paths[i][1], 200, "%s/%s.key", made_dir, names[i]);
		snprintf(paths[i][2], 200, "%s/%s.ocsp", made_dir, names[i]);
		files[i] = (struct tls_certificate_files){
		    .cert = paths[i][0], .key = paths[i][1]};
		if (!access(paths[i][2], R_OK))
			files[i].ocsp = paths[i][2];
	}
	options->certificates = files;
	options->n_certificates = BR_COUNT(names);
	ck_assert_int_eq(
	    tls_server_load(options, on_problem, NULL, &server), 0);
	ck_assert_int_eq(
	    tls_context_new_server(server, cache, &keys, &context), 0);
}

static void listener_close(void)
{
	tls_context_free(context);
	tls_server_free(server);
}

static struct tls_client *client;
static struct tls_context *client_context;

static void client_open(const struct tls_client_options *options)
{
	struct tls_client_options full = *options;

	if (!full.ca)
		full.ca = made_path("ca.pem");
	ck_assert_int_eq(tls_client_load(&full, on_problem, NULL, &client), 0);
	ck_assert_int_eq(tls_context_new_client(client, &client_context), 0);
}

static void client_close(void)
{
	tls_context_free(client_context);
	tls_client_free(client);
}

static bool connect_to(struct tls_context *to, const struct tls_peer *peer)
{
	pair_open(&pair, client_context, to, peer, 16384, 16384);
	return pair_handshake(&pair);
}

/* The serial number of what the server showed for a name. */
static long shown_for(const char *name, enum tls_version version, bool rsa)
{
	struct tls_client_options options = {.max = version, .min = version};
	struct tls_peer peer = {.sni = name};
	long serial = 0;

	client_open(&options);
	pair_open(&pair, client_context, context, &peer, 16384, 16384);
	SSL_set1_sigalgs_list(
	    pair.client.ssl, rsa ? "rsa_pss_rsae_sha256" : "ECDSA+SHA256");
	if (version == TLS_VERSION_1_2)
		SSL_set_cipher_list(
		    pair.client.ssl, rsa ? "ECDHE+aRSA" : "ECDHE+aECDSA");
	if (pair_handshake(&pair))
		serial = ASN1_INTEGER_get(X509_get_serialNumber(
		    SSL_get0_peer_certificate(pair.client.ssl)));
	pair_close(&pair);
	client_close();
	return serial;
}

static const enum tls_version versions[] = {TLS_VERSION_1_2, TLS_VERSION_1_3};

START_TEST(test_certificate_by_name)
{
	struct tls_server_options options = {0};
	enum tls_version v = versions[_i];

	listener_open(&options, NULL);
	ck_assert_int_eq(shown_for("one.test", v, false), ONE_EC);
	ck_assert_int_eq(shown_for("one.test", v, true), ONE_RSA);
	ck_assert_int_eq(shown_for("ONE.Test", v, false), ONE_EC);
	ck_assert_int_eq(shown_for("a.wild.test", v, false), WILD);
	ck_assert_int_eq(shown_for("B.WILD.TEST", v, false), WILD);
	/* One label only; the bare domain is not meant. */
	ck_assert_int_eq(shown_for("a.b.wild.test", v, false), ONE_EC);
	ck_assert_int_eq(shown_for("wild.test", v, false), ONE_EC);
	/* An exact name counts more than a wildcard. */
	ck_assert_int_eq(shown_for("exact.wild.test", v, false), COMMON);
	ck_assert_int_eq(shown_for("unknown.test", v, true), ONE_RSA);
	ck_assert_int_eq(shown_for(NULL, v, false), ONE_EC);
	/* A name that has no certificate of the kind. */
	ck_assert_int_eq(shown_for("a.wild.test", v, true), 0);
	ck_assert_int_eq(pair.server.cause, TLS_CAUSE_no_shared_cipher);
	listener_close();
}
END_TEST

START_TEST(test_strict_names)
{
	struct tls_server_options options = {.strict_names = true};
	enum tls_version v = versions[_i];

	listener_open(&options, NULL);
	ck_assert_int_eq(shown_for("a.wild.test", v, false), WILD);
	ck_assert_int_eq(shown_for("unknown.test", v, false), 0);
	ck_assert_int_eq(pair.server.cause, TLS_CAUSE_name_not_found);
	ck_assert_int_eq(pair.client.cause, TLS_CAUSE_peer_alert);
	ck_assert_int_eq(pair.client.detail, SSL_AD_UNRECOGNIZED_NAME);
	ck_assert_int_eq(shown_for(NULL, v, false), 0);
	ck_assert_int_eq(pair.server.cause, TLS_CAUSE_name_not_found);
	listener_close();
}
END_TEST

static void check_alpn(const char *const *names, uint32_t n, const char *want)
{
	struct tls_client_options options = {.alpn = names, .n_alpn = n};
	struct tls_facts facts;
	struct tls_peer peer = {0};

	client_open(&options);
	ck_assert(connect_to(context, &peer));
	for (int side = 0; side < 2; side++) {
		tls_session_facts(side ? &pair.server : &pair.client, &facts);
		ck_assert_uint_eq(facts.alpn_length, strlen(want));
		ck_assert_mem_eq(
		    facts.alpn ? facts.alpn : "", want, strlen(want));
	}
	pair_close(&pair);
	client_close();
}

START_TEST(test_alpn)
{
	static const char *const ours[] = {"h2", "http/1.1"};
	static const char *const theirs[] = {"http/1.1", "h2"};
	static const char *const strange[] = {"imap"};
	struct tls_server_options options = {.alpn = ours,
	    .n_alpn = 2,
	    .min = versions[_i],
	    .max = versions[_i]};

	listener_open(&options, NULL);
	/* Our order. */
	check_alpn(theirs, 2, "h2");
	check_alpn(theirs, 1, "http/1.1");
	check_alpn(strange, 1, "");
	check_alpn(NULL, 0, "");
	listener_close();
}
END_TEST

/* -- client certificates ----------------------------------------------- */

/* The cause that the server gives, none if it accepts. */
static enum tls_cause client_judged(const char *name, bool *ret_heard)
{
	char cert[64], key[64];
	struct tls_client_options options = {0};
	struct tls_peer peer = {0};
	struct tls_in in;
	struct tls_out out;
	uint8_t byte;
	size_t n;
	enum tls_cause cause;

	snprintf(cert, sizeof(cert), "%s.pem", name ? name : "");
	snprintf(key, sizeof(key), "%s.key", name ? name : "");
	if (name) {
		options.cert = made_path(cert);
		options.key = made_path(key);
	}
	client_open(&options);
	(void)connect_to(context, &peer);
	cause = (enum tls_cause)pair.server.cause;
	/* In TLS 1.3 a client hears of it after its handshake. */
	if (pair.client_status == TLS_DONE) {
		in = wire_in(&pair.to_client, 16384);
		out = wire_out(&pair.to_server, 16384);
		(void)tls_session_read(&pair.client, &in, &out, &byte, 1, &n);
	}
	*ret_heard = pair.client.cause == TLS_CAUSE_peer_certificate;
	pair_close(&pair);
	client_close();
	return cause;
}

START_TEST(test_mutual)
{
	struct tls_server_options options = {.verify = TLS_VERIFY_FULL,
	    .client_ca = made_path("ca.pem"),
	    .crl = made_path("ca.crl"),
	    .min = versions[_i],
	    .max = versions[_i]};
	struct tls_client_options good = {
	    .cert = made_path("client.pem"), .key = made_path("client.key")};
	struct tls_peer peer = {0};
	struct tls_facts facts;
	char text[64];
	bool heard;

	listener_open(&options, NULL);
	client_open(&good);
	ck_assert(connect_to(context, &peer));
	tls_session_facts(&pair.server, &facts);
	ck_assert(facts.peer_verified);
	ck_assert_uint_eq(
	    tls_session_peer_dn(&pair.server, text, sizeof(text)), 16);
	ck_assert_str_eq(text, "CN=client,O=Test");
	ck_assert_uint_eq(
	    tls_session_peer_cn(&pair.server, text, sizeof(text)), 6);
	pair_close(&pair);
	client_close();
	ck_assert_int_eq(client_judged("revoked", &heard), TLS_CAUSE_revoked);
	ck_assert(heard);
	ck_assert_int_eq(
	    client_judged("stranger", &heard), TLS_CAUSE_unknown_ca);
	ck_assert(heard);
	ck_assert_int_eq(client_judged(NULL, &heard), TLS_CAUSE_no_certificate);
	listener_close();
	/* The list of another authority is no list. */
	options.crl = made_path("other.crl");
	listener_open(&options, NULL);
	ck_assert_int_eq(client_judged("client", &heard), TLS_CAUSE_crl);
	listener_close();
	options.crl = NULL;
	options.verify = TLS_VERIFY_OPTIONAL;
	listener_open(&options, NULL);
	ck_assert_int_eq(client_judged(NULL, &heard), TLS_CAUSE_none);
	ck_assert_int_eq(client_judged("revoked", &heard), TLS_CAUSE_none);
	ck_assert_int_eq(
	    client_judged("stranger", &heard), TLS_CAUSE_unknown_ca);
	listener_close();
}
END_TEST

static int expired_warned;

static void on_expired(void *owner, const struct tls_problem *problem)
{
	(void)owner;
	ck_assert(problem->warning);
	expired_warned++;
}

START_TEST(test_expired_client)
{
	struct tls_server_options options = {
	    .verify = TLS_VERIFY_FULL, .client_ca = made_path("ca.pem")};
	struct tls_client_options late = {.ca = made_path("ca.pem"),
	    .cert = made_path("expired.pem"),
	    .key = made_path("expired.key")};
	struct tls_peer peer = {0};

	listener_open(&options, NULL);
	ck_assert_int_eq(tls_client_load(&late, on_expired, NULL, &client), 0);
	ck_assert_int_eq(expired_warned, 1);
	ck_assert_int_eq(tls_context_new_client(client, &client_context), 0);
	ck_assert(!connect_to(context, &peer));
	ck_assert_int_eq(pair.server.cause, TLS_CAUSE_expired);
	pair_close(&pair);
	client_close();
	listener_close();
}
END_TEST

/* -- staples ----------------------------------------------------------- */

static long staple_length(const char *name)
{
	struct tls_client_options options = {0};
	struct tls_peer peer = {.sni = name};
	const unsigned char *der;
	long length;

	client_open(&options);
	pair_open(&pair, client_context, context, &peer, 16384, 16384);
	SSL_set_tlsext_status_type(pair.client.ssl, TLSEXT_STATUSTYPE_ocsp);
	SSL_set1_sigalgs_list(pair.client.ssl, "ECDSA+SHA256");
	ck_assert(pair_handshake(&pair));
	length = SSL_get_tlsext_status_ocsp_resp(pair.client.ssl, &der);
	pair_close(&pair);
	client_close();
	return length;
}

START_TEST(test_staple)
{
	struct tls_server_options options = {
	    .min = versions[_i], .max = versions[_i]};

	listener_open(&options, NULL);
	ck_assert_int_gt(staple_length("a.wild.test"), 100);
	ck_assert_int_eq(staple_length("one.test"), -1);
	listener_close();
}
END_TEST

/* -- resumption -------------------------------------------------------- */

/* TLS 1.3 tickets come after the handshake. */
static void take_tickets(void)
{
	struct tls_in in = wire_in(&pair.to_client, 16384);
	struct tls_out out = wire_out(&pair.to_server, 16384);
	uint8_t byte;
	size_t n;

	ck_assert_int_eq(
	    tls_session_read(&pair.client, &in, &out, &byte, 1, &n),
	    TLS_WANT_INPUT);
	wire_took(&pair.to_client, &in);
}

static bool resumes(struct tls_context *at, const struct tls_peer *peer)
{
	struct tls_facts facts;
	bool resumed;

	ck_assert(connect_to(at, peer));
	take_tickets();
	tls_session_facts(&pair.server, &facts);
	resumed = facts.resumed;
	tls_session_facts(&pair.client, &facts);
	ck_assert(facts.resumed == resumed);
	pair_close(&pair);
	return resumed;
}

/* Two contexts are two workers. */
START_TEST(test_resume_by_ticket)
{
	struct tls_server_options options = {
	    .min = versions[_i], .max = versions[_i]};
	struct tls_client_options verify = {.verify = TLS_VERIFY_FULL};
	struct tls_resume resume = {0};
	struct tls_peer peer = {
	    .sni = "one.test", .verify_name = "one.test", .resume = &resume};
	struct tls_peer other = {
	    .sni = "one.test", .verify_name = "a.wild.test", .resume = &resume};
	struct tls_ticket_keys next, last, after, strange;
	struct tls_context *second;

	ck_assert_int_eq(tls_ticket_keys_rotate(&keys, &next, 1), 0);
	ck_assert_int_eq(tls_ticket_keys_rotate(&next, &last, 2), 0);
	ck_assert_int_eq(tls_ticket_keys_rotate(&last, &after, 2), 0);
	ck_assert_int_eq(tls_ticket_keys_make(&strange, 2), 0);
	listener_open(&options, NULL);
	ck_assert_int_eq(
	    tls_context_new_server(server, NULL, &keys, &second), 0);
	client_open(&verify);
	ck_assert(!resumes(context, &peer));
	ck_assert_ptr_nonnull(resume.session);
	ck_assert(resumes(second, &peer));
	ck_assert(resumes(context, &peer));
	/* A worker that has rotated, and one that has not. */
	tls_context_set_ticket_keys(second, &next);
	ck_assert(resumes(second, &peer));
	ck_assert(resumes(context, &peer));
	/* Two rotations on, the key of that ticket is gone. */
	tls_context_set_ticket_keys(second, &after);
	ck_assert(!resumes(second, &peer));
	tls_context_set_ticket_keys(second, &strange);
	ck_assert(!resumes(second, &peer));
	ck_assert(resumes(second, &peer));
	/* Under another name it is not even tried: the certificate has not
	 * been checked for that. */
	ck_assert(!connect_to(second, &other));
	ck_assert_int_eq(pair.client.cause, TLS_CAUSE_name_mismatch);
	pair_close(&pair);
	ck_assert_ptr_null(resume.session);
	client_close();
	tls_context_free(second);
	listener_close();
}
END_TEST

START_TEST(test_resume_by_cache)
{
	struct tls_server_options options = {
	    .min = versions[_i], .max = versions[_i], .no_tickets = true};
	struct tls_client_options plain = {0};
	struct tls_resume resume = {0};
	struct tls_peer peer = {.resume = &resume};
	struct tls_context *second, *without;
	struct tls_cache *cache;

	ck_assert_int_eq(tls_cache_new(64, &cache), 0);
	listener_open(&options, cache);
	ck_assert_int_eq(
	    tls_context_new_server(server, cache, NULL, &second), 0);
	ck_assert_int_eq(
	    tls_context_new_server(server, NULL, NULL, &without), 0);
	client_open(&plain);
	ck_assert(!resumes(context, &peer));
	ck_assert_ptr_nonnull(resume.session);
	ck_assert(resumes(second, &peer));
	ck_assert(resumes(context, &peer));
	ck_assert(!resumes(without, &peer));
	tls_resume_clear(&resume);
	client_close();
	tls_context_free(second);
	tls_context_free(without);
	listener_close();
	tls_cache_free(cache);
}
END_TEST

/* A session made without a client certificate must not open a listener that
 * wants one, nor one made before a revocation. */
START_TEST(test_resume_not_under_other_demands)
{
	struct tls_server_options options = {.verify = TLS_VERIFY_FULL,
	    .client_ca = made_path("ca.pem"),
	    .min = versions[_i],
	    .max = versions[_i]};
	struct tls_client_options with = {
	    .cert = made_path("revoked.pem"), .key = made_path("revoked.key")};
	struct tls_resume resume = {0};
	struct tls_peer peer = {.resume = &resume};

	listener_open(&options, NULL);
	client_open(&with);
	ck_assert(!resumes(context, &peer));
	ck_assert(resumes(context, &peer));
	listener_close();
	options.crl = made_path("ca.crl");
	listener_open(&options, NULL);
	ck_assert(!connect_to(context, &peer));
	ck_assert_int_eq(pair.server.cause, TLS_CAUSE_revoked);
	pair_close(&pair);
	tls_resume_clear(&resume);
	client_close();
	listener_close();
}
END_TEST

START_TEST(test_ticket_keys_as_bytes)
{
	struct tls_ticket_keys a, b;
	uint8_t bytes[sizeof(a)];

	ck_assert_int_eq(tls_ticket_keys_make(&a, 5), 0);
	ck_assert_int_eq(tls_ticket_keys_rotate(&a, &b, 9), 0);
	ck_assert_uint_eq(b.generation, a.generation + 1);
	ck_assert_int_eq(b.rotated_wall_ns, 9);
	ck_assert_mem_eq(&b.previous, &a.current, sizeof(a.current));
	ck_assert_mem_eq(&b.current, &a.next, sizeof(a.next));
	ck_assert_mem_ne(&b.next, &a.next, sizeof(a.next));
	memcpy(bytes, &b, sizeof(b));
	ck_assert(tls_ticket_keys_valid(bytes, sizeof(bytes)));
	ck_assert(!tls_ticket_keys_valid(bytes, sizeof(bytes) - 1));
	bytes[0] ^= 1;
	ck_assert(!tls_ticket_keys_valid(bytes, sizeof(bytes)));
	tls_ticket_keys_wipe(&b);
	ck_assert(!tls_ticket_keys_valid(&b, sizeof(b)));
}
END_TEST

/* -- making all that ---------------------------------------------------- */

static void make(const char *stem, struct made_options options)
{
	char cert[64], key[64];
	struct made made = made_certificate(&options);

	snprintf(cert, sizeof(cert), "%s.pem", stem);
	snprintf(key, sizeof(key), "%s.key", stem);
	made_write(&made, cert, key, NULL);
	if (options.serial == WILD) {
		made_write(&made, cert, NULL, &ca);
		made_write_ocsp(&made, &ca, MADE_DAY, "wild.ocsp");
	}
	if (options.serial == ONE_EC) {
		made_write_ocsp(&made, &ca, -MADE_DAY, "late.ocsp");
		one_ec = made;
		return;
	}
	made_free(&made);
}

static void make_broken(void)
{
	FILE *stream = made_open("locked.key");

	ck_assert(PEM_write_PKCS8PrivateKey(
	    stream, one_ec.key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL));
	fclose(stream);
	made_write_text("text", "no more than a text\n");
	made_write_text("broken.pem", "-----BEGIN CERTIFICATE-----\nMIIB!!!!\n"
				      "-----END CERTIFICATE-----\n");
}

static void setup(void)
{
	struct made_options options = {
	    .cn = "Test CA", .authority = true, .serial = CA};

	ck_assert_int_eq(tls_start(), 0);
	ck_assert_int_eq(tls_ticket_keys_make(&keys, 0), 0);
	made_begin();
	ca = made_certificate(&options);
	options.cn = "Other CA";
	other_ca = made_certificate(&options);
	made_write(&ca, "ca.pem", NULL, NULL);
	made_write_crl(&ca, REVOKED, "ca.crl");
	made_write_crl(&other_ca, 0, "other.crl");
	make("one", (struct made_options){.cn = "x",
			.san = "DNS:one.test",
			.issuer = &ca,
			.serial = ONE_EC});
	make("rsa", (struct made_options){.cn = "x",
			.san = "DNS:other,DNS:one.test",
			.rsa = true,
			.issuer = &ca,
			.serial = ONE_RSA});
	make("wild",
	    (struct made_options){
		.san = "DNS:*.Wild.test", .issuer = &ca, .serial = WILD});
	make("common",
	    (struct made_options){
		.cn = "exact.wild.test", .issuer = &ca, .serial = COMMON});
	make("client", (struct made_options){
			   .cn = "client", .issuer = &ca, .serial = CLIENT});
	make("revoked", (struct made_options){
			    .cn = "revoked", .issuer = &ca, .serial = REVOKED});
	make("stranger",
	    (struct made_options){
		.cn = "stranger", .issuer = &other_ca, .serial = STRANGER});
	make("expired", (struct made_options){.cn = "expired",
			    .issuer = &ca,
			    .from_s = -3 * MADE_DAY,
			    .to_s = -MADE_DAY,
			    .serial = EXPIRED});
	make("short", (struct made_options){.cn = "short",
			  .rsa = true,
			  .rsa_bits = 1024,
			  .issuer = &ca,
			  .serial = SHORT});
	make_broken();
}

static void teardown(void)
{
	made_free(&ca);
	made_free(&other_ca);
	made_free(&one_ec);
	made_end();
}

int main(void)
{
	TCase *tests = tcase_create("context");

	tcase_add_unchecked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_load_problems);
	tcase_add_test(tests, test_load_options);
	tcase_add_test(tests, test_load_warnings);
	tcase_add_loop_test(tests, test_certificate_by_name, 0, 2);
	tcase_add_loop_test(tests, test_strict_names, 0, 2);
	tcase_add_loop_test(tests, test_alpn, 0, 2);
	tcase_add_loop_test(tests, test_mutual, 0, 2);
	tcase_add_test(tests, test_expired_client);
	tcase_add_loop_test(tests, test_staple, 0, 2);
	tcase_add_loop_test(tests, test_resume_by_ticket, 0, 2);
	tcase_add_loop_test(tests, test_resume_by_cache, 0, 2);
	tcase_add_loop_test(tests, test_resume_not_under_other_demands, 0, 2);
	tcase_add_test(tests, test_ticket_keys_as_bytes);
	return io_check_main(tests);
}
