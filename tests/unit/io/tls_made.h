/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Certificates for tests, made on the spot: keys, authorities, leaves,
 * revocation lists and OCSP responses, written as files into a directory of
 * their own.
 *
 * Thread:  one.
 * Memory:  the caller's; made_end() removes the directory.
 * Errors:  br_assert: a test that has no certificates has no sense.
 */
#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

#define MADE_DAY (24 * 3600)

static char made_dir[64];

#define MADE_FILES_MAX 64u

/* The path of a file in the directory; it stays valid. */
static inline const char *made_path(const char *name)
{
	static char paths[MADE_FILES_MAX][400];
	char path[400];
	unsigned i = 0;

	snprintf(path, sizeof(path), "%s/%s", made_dir, name);
	while (i < MADE_FILES_MAX && paths[i][0] && strcmp(paths[i], path))
		i++;
	br_assert(i < MADE_FILES_MAX);
	memcpy(paths[i], path, sizeof(path));
	return paths[i];
}

static inline void made_begin(void)
{
	snprintf(made_dir, sizeof(made_dir), "/tmp/braid-tls-XXXXXX");
	br_assert(mkdtemp(made_dir));
}

static inline void made_end(void)
{
	DIR *dir = opendir(made_dir);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlink(made_path(entry->d_name));
	if (dir)
		closedir(dir);
	rmdir(made_dir);
}

struct made {
	X509 *x509;
	EVP_PKEY *key;
};

static inline void made_free(struct made *made)
{
	X509_free(made->x509);
	EVP_PKEY_free(made->key);
	*made = (struct made){0};
}

struct made_options {
	const char *cn; /* NULL: an empty subject */
	const char *san; /* "DNS:a,DNS:*.b", or NULL */
	const struct made *issuer; /* NULL: self-signed */
	bool rsa, authority;
	unsigned rsa_bits; /* 0: 2048 */
	long from_s, to_s; /* from now; 0, 0: a day before to 30 after */
	long serial;
};

static inline void made_extension(
    X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	br_assert(extension);
	br_assert(X509_add_ext(x509, extension, -1));
	X509_EXTENSION_free(extension);
}

static inline struct made made_certificate(const struct made_options *options)
{
	struct made made = {.x509 = X509_new()};
	X509 *issuer = options->issuer ? options->issuer->x509 : made.x509;
	X509_NAME *name = X509_get_subject_name(made.x509);
	long to = options->to_s ? options->to_s : 30 * MADE_DAY;
	long from = options->from_s ? options->from_s : -MADE_DAY;

	made.key =
	    options->rsa
		? EVP_RSA_gen(options->rsa_bits ? options->rsa_bits : 2048)
		: EVP_EC_gen("P-256");
	br_assert(made.key);
	X509_set_version(made.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made.x509), options->serial);
	X509_gmtime_adj(X509_getm_notBefore(made.x509), from);
	X509_gmtime_adj(X509_getm_notAfter(made.x509), to);
	if (options->cn) {
		X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
		    (const unsigned char *)"Test", -1, -1, 0);
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		    (const unsigned char *)options->cn, -1, -1, 0);
	}
	X509_set_issuer_name(made.x509, X509_get_subject_name(issuer));
	X509_set_pubkey(made.x509, made.key);
	made_extension(made.x509, issuer, NID_basic_constraints,
	    options->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
	made_extension(made.x509, issuer, NID_subject_key_identifier, "hash");
	if (options->san)
		made_extension(
		    made.x509, issuer, NID_subject_alt_name, options->san);
	br_assert(X509_sign(made.x509,
	    options->issuer ? options->issuer->key : made.key, EVP_sha256()));
	return made;
}

static inline FILE *made_open(const char *file)
{
	FILE *stream = fopen(made_path(file), "we");

	br_assert(stream);
	return stream;
}

/* Certificate and key, each if its file is not NULL; `issuer` follows in the
 * certificate's file if given. */
static inline void made_write(const struct made *made, const char *cert,
    const char *key, const struct made *issuer)
{
	FILE *stream;

	if (cert) {
		stream = made_open(cert);
		br_assert(PEM_write_X509(stream, made->x509));
		if (issuer)
			br_assert(PEM_write_X509(stream, issuer->x509));
		fclose(stream);
	}
	if (key) {
		stream = made_open(key);
		br_assert(PEM_write_PrivateKey(
		    stream, made->key, NULL, NULL, 0, NULL, NULL));
		fclose(stream);
	}
}

static inline void made_write_text(const char *file, const char *text)
{
	FILE *stream = made_open(file);

	br_assert(fputs(text, stream) >= 0);
	fclose(stream);
}

/* A list of the authority that names one serial number (0: none). */
static inline void made_write_crl(
    const struct made *authority, long serial, const char *file)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, -60);
	ASN1_TIME *later = X509_gmtime_adj(NULL, MADE_DAY);
	FILE *stream = made_open(file);

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(authority->x509));
	X509_CRL_set1_lastUpdate(crl, now);
	X509_CRL_set1_nextUpdate(crl, later);
	if (serial) {
		X509_REVOKED *revoked = X509_REVOKED_new();
		ASN1_INTEGER *number = ASN1_INTEGER_new();

		ASN1_INTEGER_set(number, serial);
		X509_REVOKED_set_serialNumber(revoked, number);
		X509_REVOKED_set_revocationDate(revoked, now);
		X509_CRL_add0_revoked(crl, revoked);
		ASN1_INTEGER_free(number);
	}
	X509_CRL_sort(crl);
	br_assert(X509_CRL_sign(crl, authority->key, EVP_sha256()));
	br_assert(PEM_write_X509_CRL(stream, crl));
	fclose(stream);
	ASN1_TIME_free(now);
	ASN1_TIME_free(later);
	X509_CRL_free(crl);
}

static inline void made_write_ocsp(const struct made *leaf,
    const struct made *authority, long until_s, const char *file)
{
	OCSP_CERTID *id =
	    OCSP_cert_to_id(EVP_sha1(), leaf->x509, authority->x509);
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	ASN1_TIME *from = X509_gmtime_adj(NULL, -2 * MADE_DAY);
	ASN1_TIME *until = X509_gmtime_adj(NULL, until_s);
	FILE *stream = made_open(file);
	OCSP_RESPONSE *response;
	unsigned char *der = NULL;
	int length;

	br_assert(OCSP_basic_add1_status(
	    basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, from, until));
	br_assert(OCSP_basic_sign(
	    basic, authority->x509, authority->key, EVP_sha256(), NULL, 0));
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	length = i2d_OCSP_RESPONSE(response, &der);
	br_assert(length > 0);
	br_assert(fwrite(der, 1, (size_t)length, stream) == (size_t)length);
	fclose(stream);
	OPENSSL_free(der);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
}
