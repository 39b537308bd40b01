/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/tsig.h"

#include "base/assert.h"
#include "base/cursor.h"
#include "base/rfc4648.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TYPE_TSIG 250u
#define CLASS_ANY 255u
#define FILE_BYTES_MAX 4096u
/* RFC 8945 section 5.2.2.1: the least that a MAC may be cut to. */
#define MAC_BYTES_MIN 16u

static const uint8_t hmac_sha256[] = "\13hmac-sha256";

struct tsig_key {
	uint8_t name[DNAME_MAX]; /* in lower case */
	uint8_t secret[TSIG_SECRET_MAX];
	size_t length;
};

/* -- keys -------------------------------------------------------------- */

int tsig_key_of(const char *name, const uint8_t *secret, size_t length,
    struct tsig_key **ret, const char **ret_wrong)
{
	struct tsig_key *key;
	uint8_t wire[DNAME_MAX];

	if (dname_from_text(name, strlen(name), NULL, wire, ret_wrong))
		return BR_E_CONFIG;
	*ret_wrong = "has less than 16 bytes of secret";
	if (length < TSIG_SECRET_MIN)
		return BR_E_CONFIG;
	*ret_wrong = "has more than 512 bytes of secret";
	if (length > TSIG_SECRET_MAX)
		return BR_E_CONFIG;
	key = calloc(1, sizeof *key);
	if (!key)
		br_out_of_memory("a key", sizeof *key);
	(void)dname_lower(key->name, wire);
	memcpy(key->secret, secret, length);
	key->length = length;
	*ret = key;
	return 0;
}

struct tsig_key *tsig_key_copy(const struct tsig_key *key)
{
	struct tsig_key *copy;

	if (!key)
		return NULL;
	copy = malloc(sizeof *copy);
	if (!copy)
		br_out_of_memory("a key", sizeof *copy);
	*copy = *key;
	return copy;
}

void tsig_key_free(struct tsig_key *key)
{
	if (!key)
		return;
	OPENSSL_cleanse(key, sizeof *key);
	free(key);
}

bool tsig_key_equal(const struct tsig_key *a, const struct tsig_key *b)
{
	if (!a || !b)
		return a == b;
	return dname_equal(a->name, b->name) && a->length == b->length &&
	       !CRYPTO_memcmp(a->secret, b->secret, a->length);
}

static int read_file(
    const char *path, char text[FILE_BYTES_MAX], size_t *ret_length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	ssize_t n = -1;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0)
		n = -1;
	else if (!S_ISREG(status.st_mode))
		errno = EINVAL;
	else
		n = read(fd, text, FILE_BYTES_MAX);
	(void)close(fd);
	if (n < 0)
		return -errno;
	*ret_length = (size_t)n;
	return 0;
}

static size_t drop_blanks(char *text, size_t length)
{
	size_t kept = 0;

	for (size_t i = 0; i < length; i++)
		if (!strchr(" \t\r\n", text[i]) || !text[i])
			text[kept++] = text[i];
	return kept;
}

static int parse(const char *name, const char *text, size_t length,
    struct tsig_key **ret, const char **ret_wrong)
{
	struct rfc4648_reader reader = rfc4648_reader_of(RFC4648_BASE64);
	uint8_t secret[TSIG_SECRET_MAX + 1];
	struct cursor_out out = cursor_out_of(secret, sizeof secret);
	const char *wrong = rfc4648_read(&reader, text, length, &out);
	int rc;

	if (!wrong && !out.failed)
		wrong = rfc4648_read_end(&reader);
	*ret_wrong = "does not hold a secret in base64";
	if (wrong)
		return BR_E_CONFIG;
	rc = tsig_key_of(name, secret, cursor_out_length(&out), ret, ret_wrong);
	OPENSSL_cleanse(secret, sizeof secret);
	return rc;
}

int tsig_key_load(const char *name, const char *path, struct tsig_key **ret,
    const char **ret_wrong)
{
	char text[FILE_BYTES_MAX];
	size_t length = 0;
	int rc = read_file(path, text, &length);

	*ret_wrong = "cannot be read";
	if (rc)
		return rc;
	*ret_wrong = "is too large for a secret";
	if (length == FILE_BYTES_MAX)
		return BR_E_CONFIG;
	length = drop_blanks(text, length);
	rc = parse(name, text, length, ret, ret_wrong);
	OPENSSL_cleanse(text, sizeof text);
	return rc;
}

/* -- the MAC ----------------------------------------------------------- */

struct mac {
	EVP_MAC *kind;
	EVP_MAC_CTX *context;
};

static void mac_add(struct mac *mac, const void *bytes, size_t length)
{
	br_assert(EVP_MAC_update(mac->context, bytes, length));
}

static void mac_add_16(struct mac *mac, uint16_t value)
{
	uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

	mac_add(mac, bytes, sizeof bytes);
}

static void mac_add_time(struct mac *mac, uint64_t time_s)
{
	mac_add_16(mac, (uint16_t)(time_s >> 32));
	mac_add_16(mac, (uint16_t)(time_s >> 16));
	mac_add_16(mac, (uint16_t)time_s);
}

static void mac_begin(struct mac *mac, const struct tsig_key *key)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end()};

	mac->kind = EVP_MAC_fetch(NULL, "HMAC", NULL);
	br_assert(mac->kind);
	mac->context = EVP_MAC_CTX_new(mac->kind);
	if (!mac->context)
		br_out_of_memory("a MAC", 0);
	br_assert(EVP_MAC_init(mac->context, key->secret, key->length, params));
}

static void mac_end(struct mac *mac, uint8_t ret[TSIG_MAC_BYTES])
{
	size_t length = 0;

	br_assert(EVP_MAC_final(mac->context, ret, &length, TSIG_MAC_BYTES));
	br_assert(length == TSIG_MAC_BYTES);
	EVP_MAC_CTX_free(mac->context);
	EVP_MAC_free(mac->kind);
}

/* What is signed of the record itself. */
struct variables {
	uint64_t time_s;
	uint16_t fudge;
	uint16_t error;
	const uint8_t *other;
	uint16_t other_length;
};

/* RFC 8945 section 4.3.3. */
static void mac_add_variables(struct mac *mac, const struct tsig_key *key,
    const struct variables *variables)
{
	mac_add(mac, key->name, dname_size(key->name));
	mac_add_16(mac, CLASS_ANY);
	mac_add(mac, "\0\0\0\0", 4); /* TTL */
	mac_add(mac, hmac_sha256, sizeof hmac_sha256);
	mac_add_time(mac, variables->time_s);
	mac_add_16(mac, variables->fudge);
	mac_add_16(mac, variables->error);
	mac_add_16(mac, variables->other_length);
	if (variables->other_length)
		mac_add(mac, variables->other, variables->other_length);
}

/* -- the query --------------------------------------------------------- */

struct record {
	uint64_t time_s;
	uint16_t fudge;
	struct cursor mac;
	uint16_t original_id;
	uint16_t error;
	struct cursor other;
};

/* Names in it are not compressed (RFC 8945 section 4.2). */
static bool take_name(struct cursor *c, uint8_t ret[DNAME_MAX])
{
	size_t size = dname_measure(c->at, cursor_left(c));
	uint8_t name[DNAME_MAX];

	if (!size || !cursor_copy(c, name, size))
		return false;
	(void)dname_lower(ret, name);
	return true;
}

static bool take_time(struct cursor *c, uint64_t *ret)
{
	uint16_t high;
	uint32_t low;

	if (!cursor_be16(c, &high) || !cursor_be32(c, &low))
		return false;
	*ret = (uint64_t)high << 32 | low;
	return true;
}

/* Section 4.2. It is the last record, class ANY, TTL 0. */
static bool read_record(const struct wire_query *query,
    struct tsig_session *session, struct record *ret)
{
	struct cursor c = cursor_of(
	    query->bytes + query->tsig_at, query->length - query->tsig_at);
	uint16_t type, class, length, mac_size, other_length;
	uint32_t ttl;

	if (!take_name(&c, session->name) || !cursor_be16(&c, &type) ||
	    !cursor_be16(&c, &class) || !cursor_be32(&c, &ttl) ||
	    !cursor_be16(&c, &length))
		return false;
	if (type != TYPE_TSIG || class != CLASS_ANY || ttl ||
	    length != cursor_left(&c))
		return false;
	return take_name(&c, session->algorithm) &&
	       take_time(&c, &ret->time_s) && cursor_be16(&c, &ret->fudge) &&
	       cursor_be16(&c, &mac_size) &&
	       cursor_take(&c, mac_size, &ret->mac) &&
	       cursor_be16(&c, &ret->original_id) &&
	       cursor_be16(&c, &ret->error) && cursor_be16(&c, &other_length) &&
	       cursor_take(&c, other_length, &ret->other) && !cursor_left(&c);
}

/* The message as it was before the record was added to it: its own ID, one
 * additional record less (section 4.3.2). */
static void mac_of_query(const struct tsig_key *key,
    const struct wire_query *query, const struct record *record,
    uint8_t ret[TSIG_MAC_BYTES])
{
	const struct variables variables = {.time_s = record->time_s,
	    .fudge = record->fudge,
	    .error = record->error,
	    .other = record->other.at,
	    .other_length = (uint16_t)cursor_left(&record->other)};
	struct mac mac;

	mac_begin(&mac, key);
	mac_add_16(&mac, record->original_id);
	mac_add(&mac, query->bytes + 2, 8);
	mac_add_16(&mac, (uint16_t)(query->counts[WIRE_ADDITIONAL] - 1));
	mac_add(&mac, query->bytes + WIRE_HEADER_BYTES,
	    (size_t)query->tsig_at - WIRE_HEADER_BYTES);
	mac_add_variables(&mac, key, &variables);
	mac_end(&mac, ret);
}

/* In the order of section 5.2: key, MAC, time; a MAC that was cut to a length
 * that is allowed is told from one that is wrong. */
static enum tsig_error check(struct tsig_session *session,
    const struct wire_query *query, const struct record *record,
    struct wall now)
{
	const struct tsig_key *key = session->key;
	size_t length = cursor_left(&record->mac);
	int64_t now_s = now.ns / NS_PER_S;

	if (!key || !dname_equal(session->name, key->name) ||
	    !dname_equal(session->algorithm, hmac_sha256))
		return TSIG_BADKEY;
	if (length < MAC_BYTES_MIN || length > TSIG_MAC_BYTES)
		return TSIG_FORMERR;
	mac_of_query(key, query, record, session->mac);
	if (CRYPTO_memcmp(session->mac, record->mac.at, length) != 0)
		return TSIG_BADSIG;
	if (length < TSIG_MAC_BYTES)
		return TSIG_BADTRUNC;
	session->signs = session->has_prior = true;
	if ((int64_t)record->time_s > now_s + record->fudge ||
	    (int64_t)record->time_s < now_s - record->fudge)
		return TSIG_BADTIME;
	return TSIG_NONE;
}

enum tsig_error tsig_verify(struct tsig_session *session,
    const struct tsig_key *key, const struct wire_query *query, struct wall now)
{
	struct record record = {0};

	*session = (struct tsig_session){.key = key};
	if (query->tsig_at && read_record(query, session, &record)) {
		session->time_s = record.time_s;
		session->error = check(session, query, &record, now);
	} else {
		session->error = TSIG_FORMERR;
	}
	return session->error;
}

void tsig_start(struct tsig_session *session, const struct tsig_key *key)
{
	*session = (struct tsig_session){.key = key, .signs = true};
	(void)dname_copy(session->name, key->name);
	(void)dname_copy(session->algorithm, hmac_sha256);
}

/* -- answers ----------------------------------------------------------- */

static uint16_t be16_at(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The MAC before it, the message, and the record's variables; of the later
 * messages of an answer only the time (sections 5.3 and 5.3.1). */
static void mac_of_answer(struct tsig_session *session, const uint8_t *message,
    size_t length, const struct variables *variables)
{
	struct mac mac;

	mac_begin(&mac, session->key);
	if (session->has_prior) {
		mac_add_16(&mac, TSIG_MAC_BYTES);
		mac_add(&mac, session->mac, TSIG_MAC_BYTES);
	}
	mac_add(&mac, message, length);
	if (session->is_later) {
		mac_add_time(&mac, variables->time_s);
		mac_add_16(&mac, variables->fudge);
	} else {
		mac_add_variables(&mac, session->key, variables);
	}
	mac_end(&mac, session->mac);
	session->is_later = session->has_prior = true;
}

static void put_time(struct cursor_out *out, uint64_t time_s)
{
	(void)cursor_put_be16(out, (uint16_t)(time_s >> 32));
	(void)cursor_put_be32(out, (uint32_t)time_s);
}

static void put_record(struct cursor_out *out,
    const struct tsig_session *session, const struct variables *variables,
    uint16_t id, bool is_signed)
{
	size_t algorithm = dname_size(session->algorithm);
	uint16_t mac = is_signed ? TSIG_MAC_BYTES : 0;

	(void)cursor_put(out, session->name, dname_size(session->name));
	(void)cursor_put_be16(out, TYPE_TSIG);
	(void)cursor_put_be16(out, CLASS_ANY);
	(void)cursor_put_be32(out, 0);
	(void)cursor_put_be16(
	    out, (uint16_t)(algorithm + 16 + mac + variables->other_length));
	(void)cursor_put(out, session->algorithm, algorithm);
	put_time(out, variables->time_s);
	(void)cursor_put_be16(out, variables->fudge);
	(void)cursor_put_be16(out, mac);
	if (mac)
		(void)cursor_put(out, session->mac, mac);
	(void)cursor_put_be16(out, id);
	(void)cursor_put_be16(out, variables->error);
	(void)cursor_put_be16(out, variables->other_length);
	if (variables->other_length)
		(void)cursor_put(
		    out, variables->other, variables->other_length);
}

size_t tsig_sign(struct tsig_session *session, uint8_t *message, size_t length,
    struct wall now)
{
	struct cursor_out out =
	    cursor_out_of(message + length, TSIG_RECORD_MAX);
	uint64_t now_s = (uint64_t)(now.ns / NS_PER_S);
	uint8_t other[6];
	struct cursor_out server_time = cursor_out_of(other, sizeof other);
	struct variables variables = {.time_s = now_s,
	    .fudge = TSIG_FUDGE_S,
	    .error = (uint16_t)session->error};
	bool is_signed = session->signs;
	uint16_t count = be16_at(message + 10);

	/* Section 5.2.3: then the time is the query's, and ours stands in
	 * Other Data. */
	if (session->error == TSIG_BADTIME) {
		put_time(&server_time, now_s);
		variables.time_s = session->time_s;
		variables.other = other;
		variables.other_length = sizeof other;
	}
	if (is_signed)
		mac_of_answer(session, message, length, &variables);
	put_record(&out, session, &variables, be16_at(message), is_signed);
	br_assert(!out.failed);
	message[10] = (uint8_t)((count + 1) >> 8);
	message[11] = (uint8_t)(count + 1);
	return length + cursor_out_length(&out);
}
