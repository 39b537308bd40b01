/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/dnskey.h"

#include "tests/unit/base/check_main.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The key of RFC 6605 section 6.1, in PEM. */
static const char rfc_key[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIBlOkp0PzrvsQuUbpriFCLiWbXl09s9Dv6JNbN/BLepkoAoGCCqGSM49\n"
    "AwEHoUQDQgAEGojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF6\n"
    "4cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==\n"
    "-----END EC PRIVATE KEY-----\n";
static const uint8_t example_net[] = "\7Example\3net";

static char folder[] = "/tmp/test_dnskey.XXXXXX";
static char path[sizeof folder + 16];

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void refused(int rc, const char *why)
{
	const char *wrong = NULL;
	struct dnskey *key = NULL;

	ck_assert_int_eq(dnskey_load(path, &key, &wrong), rc);
	ck_assert_str_eq(wrong, why);
	ck_assert_ptr_null(key);
}

static struct dnskey *loaded(void)
{
	const char *wrong = NULL;
	struct dnskey *key = NULL;
	int rc = dnskey_load(path, &key, &wrong);

	ck_assert_msg(!rc, "%s", wrong);
	return key;
}

START_TEST(test_key_of_rfc_6605)
{
	static const uint8_t ds[DNSKEY_DS_BYTES] = {0xd9, 0x60, 13, 2, 0xb4,
	    0xc8, 0xc1, 0xfe, 0x2e, 0x74, 0x77, 0x12, 0x7b, 0x27, 0x11, 0x56,
	    0x56, 0xad, 0x62, 0x56, 0xf4, 0x24, 0x62, 0x5b, 0xf5, 0xc1, 0xe2,
	    0x77, 0x0c, 0xe6, 0xd6, 0xe3, 0x7d, 0xf6, 0x1d, 0x17};
	uint8_t made[DNSKEY_DS_BYTES];
	struct dnskey *key;

	write_file(rfc_key);
	key = loaded();
	ck_assert_uint_eq(dnskey_tag(key), 55648);
	ck_assert_mem_eq(dnskey_rdata(key), "\1\1\3\15\x1a\x88\xc8\x86", 8);
	ck_assert_mem_eq(dnskey_rdata(key) + 64, "\x2d\xcf\x0d\x00", 4);
	dnskey_ds(key, example_net, made);
	ck_assert_mem_eq(made, ds, sizeof ds);
	dnskey_free(key);
	dnskey_free(NULL);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(test_bad_files)
{
	refused(-ENOENT, "cannot be read");
	write_file("");
	refused(BR_E_CONFIG, "holds no private key in PEM without a password");
	write_file("-----BEGIN EC PRIVATE KEY-----\nMHcC\n"
		   "-----END EC PRIVATE KEY-----\n");
	refused(BR_E_CONFIG, "holds no private key in PEM without a password");
	/* Asks for a password: nobody is there to give one. */
	write_file("-----BEGIN EC PRIVATE KEY-----\n"
		   "Proc-Type: 4,ENCRYPTED\n"
		   "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n"
		   "MHcCAQEEIBlOkp0PzrvsQuUbpriFCLiWbXl09s9Dv6JNbN/BLepk\n"
		   "-----END EC PRIVATE KEY-----\n");
	refused(BR_E_CONFIG, "holds no private key in PEM without a password");
	/* Ed25519, of RFC 8410 section 10.3. */
	write_file(
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9E"
	    "dVhC\n-----END PRIVATE KEY-----\n");
	refused(BR_E_CONFIG, "holds a key that is not on the curve P-256");
	ck_assert_int_eq(truncate(path, DNSKEY_FILE_BYTES_MAX), 0);
	refused(-EFBIG, "is too large for a key");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	refused(-EINVAL, "is not a regular file");
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(test_generate_and_save)
{
	struct dnskey *made, *again;
	struct stat status;

	ck_assert_int_eq(dnskey_generate(&made), 0);
	ck_assert_int_eq(dnskey_save(made, path), 0);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0600);
	again = loaded();
	ck_assert_mem_eq(
	    dnskey_rdata(made), dnskey_rdata(again), DNSKEY_RDATA_BYTES);
	ck_assert_uint_eq(dnskey_tag(made), dnskey_tag(again));
	dnskey_free(again);
	/* A key is never written over. */
	ck_assert_int_eq(dnskey_generate(&again), 0);
	ck_assert_mem_ne(
	    dnskey_rdata(made), dnskey_rdata(again), DNSKEY_RDATA_BYTES);
	ck_assert_int_eq(dnskey_save(again, path), -EEXIST);
	dnskey_free(again);
	again = loaded();
	ck_assert_uint_eq(dnskey_tag(made), dnskey_tag(again));
	dnskey_free(again);
	dnskey_free(made);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

/* Many, so that some have numbers with leading zeros, which DER leaves out. */
START_TEST(test_signatures)
{
	struct dnskey_signer *signer;
	struct dnskey *key;
	uint8_t first[DNSKEY_SIGNATURE_BYTES], next[DNSKEY_SIGNATURE_BYTES];
	uint32_t short_ones = 0;

	write_file(rfc_key);
	key = loaded();
	signer = dnskey_signer_new(key);
	dnskey_sign(signer, (const uint8_t *)"abc", 3, first);
	for (int i = 0; i < 2000; i++) {
		dnskey_sign(signer, (const uint8_t *)"abc", 3, next);
		/* With randomness: none is like the one before. */
		ck_assert_mem_ne(first, next, sizeof first);
		short_ones += !next[0] || !next[32];
		memcpy(first, next, sizeof first);
	}
	ck_assert_uint_gt(short_ones, 0);
	dnskey_signer_free(signer);
	dnskey_free(key);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("dnskey");
	int rc;

	if (!mkdtemp(folder))
		return EXIT_FAILURE;
	(void)snprintf(path, sizeof path, "%s/key.pem", folder);
	tcase_add_test(tcase, test_key_of_rfc_6605);
	tcase_add_test(tcase, test_bad_files);
	tcase_add_test(tcase, test_generate_and_save);
	tcase_add_test(tcase, test_signatures);
	rc = check_main(tcase);
	(void)unlink(path);
	(void)rmdir(folder);
	return rc;
}
