/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls.h"

#include "io/tls_internal.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <openssl/ssl.h>

static const struct {
	const char *name, *text;
} causes[] = {
#define X(name, text) {#name, text},
    TLS_CAUSE_LIST(X)
#undef X
};

const char *tls_cause_name(unsigned cause)
{
	return cause < TLS_N_CAUSES ? causes[cause].name : "unknown";
}

const char *tls_cause_text(unsigned cause)
{
	return cause < TLS_N_CAUSES ? causes[cause].text : "unknown";
}

int tls_start(void)
{
	if (OPENSSL_version_major() != OPENSSL_VERSION_MAJOR)
		return -ENOTSUP;
	/* The system's configuration of the library (its crypto policy) is
	 * loaded, as it is for every other program. */
	if (!OPENSSL_init_ssl(
		OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CONFIG, NULL))
		return -ENOMEM;
	return tls_session_start();
}

void tls_thread_end(void)
{
	OPENSSL_thread_stop();
}
