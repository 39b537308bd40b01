/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_load.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/tls_ocsp.h"

void tls_loader_problem(struct tls_loader *loader, bool warning,
    enum tls_subject subject, uint32_t index, const char *format, ...)
{
	struct tls_problem problem = {
	    .warning = warning, .subject = subject, .index = index};
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	problem.text = text;
	if (!warning)
		loader->failed = true;
	if (loader->on_problem)
		loader->on_problem(loader->owner, &problem);
	ERR_clear_error();
}

const char *tls_loader_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	return reason ? reason : "unknown reason";
}

/* -- files ------------------------------------------------------------- */

/* NULL: *ret_problem says why. Never waits for who writes to a pipe. */
static FILE *load_open(const char *file, const char **ret_problem)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "r");
	struct stat st;

	if (!stream) {
		*ret_problem = strerror(errno);
		if (fd >= 0)
			close(fd);
	} else if (!fstat(fd, &st) && !S_ISREG(st.st_mode)) {
		*ret_problem = "not a regular file";
		fclose(stream);
		stream = NULL;
	}
	return stream;
}

/* The whole file, for OPENSSL_clear_free(); NULL after a problem. */
static char *load_file(struct tls_loader *loader, enum tls_subject subject,
    uint32_t index, const char *file, size_t *ret_length)
{
	const char *problem = NULL;
	FILE *stream = load_open(file, &problem);
	size_t room = 0, length = 0;
	char *bytes = NULL;

	while (stream && room < TLS_FILE_BYTES_MAX) {
		size_t more = room ? room * 2 : 16384;
		char *larger = OPENSSL_clear_realloc(bytes, room, more);

		errno = ENOMEM;
		if (!larger)
			break;
		bytes = larger;
		room = more;
		length += fread(bytes + length, 1, room - length, stream);
		if (ferror(stream))
			break;
		if (length < room) {
			fclose(stream);
			*ret_length = length;
			return bytes;
		}
		errno = EFBIG;
	}
	tls_loader_problem(loader, false, subject, index, "%s: %s", file,
	    problem ? problem : strerror(errno));
	if (stream)
		fclose(stream);
	OPENSSL_clear_free(bytes, room);
	return NULL;
}

/* Whether reading PEM ended because there was nothing more of its kind. */
static bool load_at_end(void)
{
	unsigned long error = ERR_peek_last_error();

	return ERR_GET_LIB(error) == ERR_LIB_PEM &&
	       ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/* All certificates of `file`. NULL after a problem. */
static STACK_OF(X509) * load_chain(struct tls_loader *loader,
			    enum tls_subject subject, uint32_t index,
			    const char *file)
{
	STACK_OF(X509) *chain = NULL;
	size_t length = 0;
	char *bytes = load_file(loader, subject, index, file, &length);
	BIO *bio = bytes ? BIO_new_mem_buf(bytes, (int)length) : NULL;
	X509 *x509;

	if (bio)
		chain = sk_X509_new_null();
	while (chain && (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		/* Caches the extensions now: a worker that has to takes a
		 * lock. */
		X509_check_purpose(x509, -1, 0);
		if (!sk_X509_push(chain, x509)) {
			X509_free(x509);
			break;
		}
	}
	if (chain && !load_at_end()) {
		tls_loader_problem(loader, false, subject, index,
		    "%s: certificate %d cannot be read: %s", file,
		    sk_X509_num(chain) + 1, tls_loader_reason());
		sk_X509_pop_free(chain, X509_free);
		chain = NULL;
	} else if (chain && sk_X509_num(chain) == 0) {
		tls_loader_problem(loader, false, subject, index,
		    "%s: no certificate in PEM format", file);
		sk_X509_pop_free(chain, X509_free);
		chain = NULL;
	}
	BIO_free(bio);
	OPENSSL_clear_free(bytes, length);
	ERR_clear_error();
	return chain;
}

/* Called for encrypted keys only: we have nobody to ask. */
static int load_on_password(char *buffer, int room, int write, void *asked)
{
	(void)buffer;
	(void)room;
	(void)write;
	*(bool *)asked = true;
	return -1;
}

static EVP_PKEY *load_key(
    struct tls_loader *loader, uint32_t index, const char *file)
{
	size_t length = 0;
	char *bytes = load_file(loader, TLS_SUBJECT_KEY, index, file, &length);
	BIO *bio = bytes ? BIO_new_mem_buf(bytes, (int)length) : NULL;
	EVP_PKEY *key = NULL;
	/* Of all kinds of key; OpenSSL's own word is "unsupported". */
	static const char label[] = "PRIVATE KEY-----";
	bool asked = false;

	if (bio)
		key = PEM_read_bio_PrivateKey(
		    bio, NULL, load_on_password, &asked);
	if (bio && !key && asked)
		tls_loader_problem(loader, false, TLS_SUBJECT_KEY, index,
		    "%s: the private key is encrypted; decrypt it into a file "
		    "that only the daemon may read",
		    file);
	else if (bio && !key &&
		 !memmem(bytes, length, label, sizeof(label) - 1))
		tls_loader_problem(loader, false, TLS_SUBJECT_KEY, index,
		    "%s: no private key in PEM format", file);
	else if (bio && !key)
		tls_loader_problem(loader, false, TLS_SUBJECT_KEY, index,
		    "%s: the private key cannot be read: %s", file,
		    tls_loader_reason());
	BIO_free(bio);
	OPENSSL_clear_free(bytes, length);
	ERR_clear_error();
	return key;
}

/* -- certificates ------------------------------------------------------ */

static int64_t load_seconds(const ASN1_TIME *time)
{
	struct tm tm;

	return time && ASN1_TIME_to_tm(time, &tm) ? timegm(&tm) : INT64_MAX;
}

static void load_check_dates(struct tls_loader *loader, uint32_t index,
    const char *file, struct tls_certificate *certificate)
{
	int64_t now = time(NULL);

	certificate->not_after_s =
	    load_seconds(X509_get0_notAfter(certificate->leaf));
	if (certificate->not_after_s < now)
		tls_loader_problem(loader, true, TLS_SUBJECT_CERT, index,
		    "%s: the certificate has expired", file);
	else if (X509_cmp_current_time(X509_get0_notBefore(certificate->leaf)) >
		 0)
		tls_loader_problem(loader, true, TLS_SUBJECT_CERT, index,
		    "%s: the certificate is not valid yet", file);
}

static void load_staple(struct tls_loader *loader, uint32_t index,
    const char *file, struct tls_certificate *certificate)
{
	size_t length = 0;
	char *bytes = load_file(loader, TLS_SUBJECT_OCSP, index, file, &length);

	if (!bytes)
		return;
	if (tls_ocsp_check(loader, index, file, (unsigned char *)bytes,
		(long)length, certificate->leaf, certificate->chain,
		&certificate->ocsp_until_s)) {
		OPENSSL_free(bytes);
		return;
	}
	certificate->ocsp = (unsigned char *)bytes;
	certificate->ocsp_length = (int)length;
}

int tls_load_certificate(struct tls_loader *loader, uint32_t index,
    const struct tls_certificate_files *files, struct tls_certificate *ret)
{
	struct tls_certificate certificate = {0};
	const char *key_file = files->key ? files->key : files->cert;

	certificate.chain =
	    load_chain(loader, TLS_SUBJECT_CERT, index, files->cert);
	/* The key is looked at also when the certificate is bad: all that is
	 * wrong is said at once. */
	certificate.key = load_key(loader, index, key_file);
	if (!certificate.chain || !certificate.key)
		goto fail;
	certificate.leaf = sk_X509_shift(certificate.chain);
	certificate.kind = EVP_PKEY_get_base_id(certificate.key);
	if (!X509_check_private_key(certificate.leaf, certificate.key)) {
		tls_loader_problem(loader, false, TLS_SUBJECT_KEY, index,
		    "%s: the private key does not belong to the certificate "
		    "in %s",
		    key_file, files->cert);
		goto fail;
	}
	load_check_dates(loader, index, files->cert, &certificate);
	if (files->ocsp)
		load_staple(loader, index, files->ocsp, &certificate);
	*ret = certificate;
	return 0;
fail:
	tls_certificate_fini(&certificate);
	return BR_E_CONFIG;
}

void tls_certificate_fini(struct tls_certificate *certificate)
{
	X509_free(certificate->leaf);
	sk_X509_pop_free(certificate->chain, X509_free);
	EVP_PKEY_free(certificate->key);
	OPENSSL_free(certificate->ocsp);
	*certificate = (struct tls_certificate){0};
}

/* -- authorities ------------------------------------------------------- */

int tls_load_authorities(
    struct tls_loader *loader, const char *file, STACK_OF(X509) * *ret)
{
	STACK_OF(X509) *authorities =
	    load_chain(loader, TLS_SUBJECT_CA, 0, file);

	if (!authorities)
		return BR_E_CONFIG;
	*ret = authorities;
	return 0;
}

int tls_load_crls(
    struct tls_loader *loader, const char *file, STACK_OF(X509_CRL) * *ret)
{
	STACK_OF(X509_CRL) *crls = NULL;
	size_t length = 0;
	char *bytes = load_file(loader, TLS_SUBJECT_CRL, 0, file, &length);
	BIO *bio = bytes ? BIO_new_mem_buf(bytes, (int)length) : NULL;
	X509_CRL *crl;
	int rc = BR_E_CONFIG;

	if (bio)
		crls = sk_X509_CRL_new_null();
	while (crls && (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL))) {
		const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);

		if (next && X509_cmp_current_time(next) < 0)
			tls_loader_problem(loader, true, TLS_SUBJECT_CRL, 0,
			    "%s: a revocation list is out of date; no "
			    "certificate of its issuer will be accepted",
			    file);
		if (!sk_X509_CRL_push(crls, crl)) {
			X509_CRL_free(crl);
			break;
		}
	}
	if (crls && !load_at_end())
		tls_loader_problem(loader, false, TLS_SUBJECT_CRL, 0,
		    "%s: the revocation list cannot be read: %s", file,
		    tls_loader_reason());
	else if (crls && sk_X509_CRL_num(crls) == 0)
		tls_loader_problem(loader, false, TLS_SUBJECT_CRL, 0,
		    "%s: no revocation list in PEM format", file);
	else if (crls)
		rc = 0;
	if (rc)
		sk_X509_CRL_pop_free(crls, X509_CRL_free);
	else
		*ret = crls;
	BIO_free(bio);
	OPENSSL_clear_free(bytes, length);
	ERR_clear_error();
	return rc;
}

/*
 * A bundle, not OpenSSL's directory of hashed names: that would be searched
 * on a worker, in the middle of a handshake.
 */
const char *tls_load_system_file(void)
{
	const char *const places[] = {getenv("SSL_CERT_FILE"),
	    X509_get_default_cert_file(), "/etc/ssl/certs/ca-certificates.crt",
	    "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (places[i] && !access(places[i], R_OK))
			return places[i];
	return NULL;
}

X509_STORE *tls_load_store(
    STACK_OF(X509) * authorities, STACK_OF(X509_CRL) * crls)
{
	X509_STORE *store = X509_STORE_new();
	bool good = store != NULL;

	for (int i = 0; good && i < sk_X509_num(authorities); i++)
		good =
		    X509_STORE_add_cert(store, sk_X509_value(authorities, i));
	for (int i = 0; good && crls && i < sk_X509_CRL_num(crls); i++)
		good = X509_STORE_add_crl(store, sk_X509_CRL_value(crls, i));
	if (good && crls)
		good = X509_STORE_set_flags(
		    store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	if (good)
		return store;
	X509_STORE_free(store);
	return NULL;
}

int tls_load_alpn(struct tls_loader *loader, const char *const *names,
    uint32_t n, uint8_t ret[TLS_ALPN_MAX])
{
	size_t used = 0;

	for (uint32_t i = 0; i < n; i++) {
		size_t length = strlen(names[i]);

		if (length == 0 || used + 1 + length > TLS_ALPN_MAX) {
			tls_loader_problem(loader, false, TLS_SUBJECT_ALPN, i,
			    length ? "the ALPN names are longer than %u bytes"
				   : "an ALPN name must not be empty",
			    TLS_ALPN_MAX);
			return -1;
		}
		ret[used++] = (uint8_t)length;
		memcpy(ret + used, names[i], length);
		used += length;
	}
	return (int)used;
}

int tls_load_versions(struct tls_loader *loader, enum tls_version min,
    enum tls_version max, int *ret_min, int *ret_max)
{
	*ret_min = min == TLS_VERSION_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
	*ret_max = max == TLS_VERSION_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
	if (*ret_min <= *ret_max)
		return 0;
	tls_loader_problem(loader, false, TLS_SUBJECT_VERSION, 0,
	    "the least TLS version is greater than the greatest");
	return BR_E_CONFIG;
}

const char *tls_load_string(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}
