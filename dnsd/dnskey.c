/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/dnskey.h"

#include "base/assert.h"
#include "dnsd/dname.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CURVE "prime256v1"
#define NUMBER_BYTES 32
/* Two numbers in DER, each with a sign byte and a header. */
#define DER_BYTES_MAX 80
#define FLAGS 257u /* ZONE and SEP */
#define PROTOCOL 3u
#define DIGEST_SHA256 2u

struct dnskey {
	EVP_PKEY *pair;
	uint8_t rdata[DNSKEY_RDATA_BYTES];
	uint16_t tag;
};

struct dnskey_signer {
	EVP_PKEY_CTX *context;
};

/* -- the key ----------------------------------------------------------- */

/* RFC 4034 appendix B. */
static uint16_t tag_of(const uint8_t rdata[DNSKEY_RDATA_BYTES])
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < DNSKEY_RDATA_BYTES; i++)
		sum += i & 1 ? rdata[i] : (uint32_t)rdata[i] << 8;
	sum += sum >> 16 & 0xffff;
	return (uint16_t)sum;
}

static bool write_number(
    const EVP_PKEY *pair, const char *which, uint8_t ret[NUMBER_BYTES])
{
	BIGNUM *number = NULL;
	bool ok = EVP_PKEY_get_bn_param(pair, which, &number) &&
		  BN_bn2binpad(number, ret, NUMBER_BYTES) == NUMBER_BYTES;

	BN_free(number);
	return ok;
}

/* RFC 6605 section 4: x, then y, without the byte before them. */
static bool write_rdata(const EVP_PKEY *pair, uint8_t ret[DNSKEY_RDATA_BYTES])
{
	ret[0] = FLAGS >> 8;
	ret[1] = FLAGS & 0xff;
	ret[2] = PROTOCOL;
	ret[3] = DNSKEY_ALGORITHM;
	return write_number(pair, OSSL_PKEY_PARAM_EC_PUB_X, ret + 4) &&
	       write_number(
		   pair, OSSL_PKEY_PARAM_EC_PUB_Y, ret + 4 + NUMBER_BYTES);
}

/* Takes the pair over when it fits. */
static int key_of(EVP_PKEY *pair, struct dnskey **ret)
{
	struct dnskey *key = calloc(1, sizeof *key);

	if (!key)
		br_out_of_memory("a key", sizeof *key);
	if (!write_rdata(pair, key->rdata)) {
		free(key);
		return BR_E_CONFIG;
	}
	key->pair = pair;
	key->tag = tag_of(key->rdata);
	*ret = key;
	return 0;
}

void dnskey_free(struct dnskey *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pair);
	free(key);
}

/* -- files ------------------------------------------------------------- */

/* OpenSSL must never ask a terminal. */
static int no_password(char *text, int room, int is_write, void *context)
{
	(void)text;
	(void)room;
	(void)is_write;
	(void)context;
	return -1;
}

/* The whole file. A FIFO would keep the clerk waiting, hence no FILE. */
static int read_file(
    const char *path, char text[DNSKEY_FILE_BYTES_MAX], size_t *ret_length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
	struct stat status;
	size_t length = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0)
		rc = -errno;
	else if (!S_ISREG(status.st_mode))
		rc = -EINVAL;
	while (!rc && length < DNSKEY_FILE_BYTES_MAX) {
		n = read(fd, text + length, DNSKEY_FILE_BYTES_MAX - length);
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	if (!rc && n < 0)
		rc = -errno;
	if (!rc && length == DNSKEY_FILE_BYTES_MAX)
		rc = -EFBIG;
	(void)close(fd);
	*ret_length = length;
	return rc;
}

static const char *wrong_pair(const EVP_PKEY *pair)
{
	char group[32] = "";
	size_t length = 0;

	if (!pair)
		return "holds no private key in PEM without a password";
	if (!EVP_PKEY_is_a(pair, "EC") ||
	    !EVP_PKEY_get_group_name(pair, group, sizeof group, &length) ||
	    strcmp(group, CURVE) != 0)
		return "holds a key that is not on the curve P-256";
	return NULL;
}

static int parse(const char *text, size_t length, struct dnskey **ret,
    const char **ret_wrong)
{
	BIO *bio = BIO_new_mem_buf(text, (int)length);
	EVP_PKEY *pair = NULL;

	if (!bio)
		br_out_of_memory("a key", length);
	pair = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	ERR_clear_error();
	*ret_wrong = wrong_pair(pair);
	if (!*ret_wrong && key_of(pair, ret))
		*ret_wrong = "holds a key without a public half";
	if (!*ret_wrong)
		return 0;
	EVP_PKEY_free(pair);
	return BR_E_CONFIG;
}

int dnskey_load(const char *path, struct dnskey **ret, const char **ret_wrong)
{
	char *text = malloc(DNSKEY_FILE_BYTES_MAX);
	size_t length = 0;
	int rc;

	if (!text)
		br_out_of_memory("a key file", DNSKEY_FILE_BYTES_MAX);
	rc = read_file(path, text, &length);
	if (rc)
		*ret_wrong = rc == -EINVAL  ? "is not a regular file"
			     : rc == -EFBIG ? "is too large for a key"
					    : "cannot be read";
	else
		rc = parse(text, length, ret, ret_wrong);
	OPENSSL_cleanse(text, DNSKEY_FILE_BYTES_MAX);
	free(text);
	return rc;
}

int dnskey_generate(struct dnskey **ret)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	int rc;

	if (!pair)
		return -ENOTSUP;
	rc = key_of(pair, ret);
	if (rc)
		EVP_PKEY_free(pair);
	return rc;
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int dnskey_save(const struct dnskey *key, const char *path)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long length;
	int fd, rc;

	if (!bio || !PEM_write_bio_PrivateKey(
			bio, key->pair, NULL, NULL, 0, NULL, NULL))
		br_out_of_memory("a key", 0);
	length = BIO_get_mem_data(bio, &text);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	rc = fd < 0 ? -errno : write_all(fd, text, (size_t)length);
	if (fd >= 0)
		(void)close(fd);
	/* Half a key would be in the way of the next try. */
	if (rc && fd >= 0)
		(void)unlink(path);
	OPENSSL_cleanse(text, (size_t)length);
	BIO_free(bio);
	return rc;
}

/* -- what is published ------------------------------------------------- */

const uint8_t *dnskey_rdata(const struct dnskey *key)
{
	return key->rdata;
}

uint16_t dnskey_tag(const struct dnskey *key)
{
	return key->tag;
}

/* RFC 4034 section 5.1.4: the digest is over the owner in canonical form and
 * the DNSKEY's rdata. */
void dnskey_ds(const struct dnskey *key, const uint8_t *owner,
    uint8_t ret[DNSKEY_DS_BYTES])
{
	uint8_t bytes[DNAME_MAX + DNSKEY_RDATA_BYTES];
	size_t size = dname_lower(bytes, owner);

	memcpy(bytes + size, key->rdata, DNSKEY_RDATA_BYTES);
	ret[0] = (uint8_t)(key->tag >> 8);
	ret[1] = (uint8_t)key->tag;
	ret[2] = DNSKEY_ALGORITHM;
	ret[3] = DIGEST_SHA256;
	br_assert(EVP_Digest(bytes, size + DNSKEY_RDATA_BYTES, ret + 4, NULL,
	    EVP_sha256(), NULL));
}

/* -- signing ----------------------------------------------------------- */

struct dnskey_signer *dnskey_signer_new(const struct dnskey *key)
{
	struct dnskey_signer *signer = calloc(1, sizeof *signer);

	if (!signer)
		br_out_of_memory("a signer", sizeof *signer);
	signer->context = EVP_PKEY_CTX_new(key->pair, NULL);
	if (!signer->context || EVP_PKEY_sign_init(signer->context) <= 0)
		br_out_of_memory("a signer", 0);
	return signer;
}

void dnskey_signer_free(struct dnskey_signer *signer)
{
	if (!signer)
		return;
	EVP_PKEY_CTX_free(signer->context);
	free(signer);
}

/* RFC 6605 section 4: both numbers with leading zeros, no DER. */
static void write_signature(
    const uint8_t *der, size_t length, uint8_t ret[DNSKEY_SIGNATURE_BYTES])
{
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)length);

	br_assert(signature);
	br_assert(BN_bn2binpad(ECDSA_SIG_get0_r(signature), ret,
		      NUMBER_BYTES) == NUMBER_BYTES);
	br_assert(BN_bn2binpad(ECDSA_SIG_get0_s(signature), ret + NUMBER_BYTES,
		      NUMBER_BYTES) == NUMBER_BYTES);
	ECDSA_SIG_free(signature);
}

void dnskey_sign(struct dnskey_signer *signer, const uint8_t *bytes,
    size_t length, uint8_t ret[DNSKEY_SIGNATURE_BYTES])
{
	uint8_t digest[32], der[DER_BYTES_MAX];
	size_t der_length = sizeof der;

	br_assert(EVP_Digest(bytes, length, digest, NULL, EVP_sha256(), NULL));
	br_assert(EVP_PKEY_sign(signer->context, der, &der_length, digest,
		      sizeof digest) > 0);
	write_signature(der, der_length, ret);
}
