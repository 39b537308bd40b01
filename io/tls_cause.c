/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_cause.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>

/* Reasons of libssl that say who or what was at fault. Others are malformed
 * when libssl found them, internal when another part did. */
static const struct {
	int reason;
	enum tls_cause cause;
} reasons[] = {
    {SSL_R_WRONG_VERSION_NUMBER, TLS_CAUSE_not_tls},
    {SSL_R_HTTP_REQUEST, TLS_CAUSE_not_tls},
    {SSL_R_HTTPS_PROXY_REQUEST, TLS_CAUSE_not_tls},
    {SSL_R_UNKNOWN_PROTOCOL, TLS_CAUSE_not_tls},
    {SSL_R_UNSUPPORTED_PROTOCOL, TLS_CAUSE_version},
    {SSL_R_VERSION_TOO_LOW, TLS_CAUSE_version},
    {SSL_R_VERSION_TOO_HIGH, TLS_CAUSE_version},
    {SSL_R_WRONG_SSL_VERSION, TLS_CAUSE_version},
    {SSL_R_INAPPROPRIATE_FALLBACK, TLS_CAUSE_version},
    {SSL_R_UNSUPPORTED_SSL_VERSION, TLS_CAUSE_version},
    {SSL_R_NO_SHARED_CIPHER, TLS_CAUSE_no_shared_cipher},
    {SSL_R_NO_SHARED_GROUPS, TLS_CAUSE_no_shared_cipher},
    {SSL_R_NO_SUITABLE_KEY_SHARE, TLS_CAUSE_no_shared_cipher},
    {SSL_R_NO_SUITABLE_GROUPS, TLS_CAUSE_no_shared_cipher},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, TLS_CAUSE_no_shared_cipher},
    {SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, TLS_CAUSE_no_shared_cipher},
    {SSL_R_DECRYPTION_FAILED, TLS_CAUSE_bad_record},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, TLS_CAUSE_bad_record},
    {SSL_R_BAD_RECORD_TYPE, TLS_CAUSE_bad_record},
    {SSL_R_DATA_LENGTH_TOO_LONG, TLS_CAUSE_bad_record},
    {SSL_R_ENCRYPTED_LENGTH_TOO_LONG, TLS_CAUSE_bad_record},
    {SSL_R_PACKET_LENGTH_TOO_LONG, TLS_CAUSE_bad_record},
    {SSL_R_DIGEST_CHECK_FAILED, TLS_CAUSE_bad_record},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, TLS_CAUSE_no_certificate},
    {SSL_R_CALLBACK_FAILED, TLS_CAUSE_internal},
    {SSL_R_CERT_CB_ERROR, TLS_CAUSE_internal},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, TLS_CAUSE_truncated},
    {ERR_R_MALLOC_FAILURE, TLS_CAUSE_memory},
    {ERR_R_INTERNAL_ERROR, TLS_CAUSE_internal},
};

static enum tls_cause cause_of_reason(int reason)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].reason == reason)
			return reasons[i].cause;
	return TLS_CAUSE_malformed;
}

static enum tls_cause cause_of_verify(long result)
{
	switch (result) {
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return TLS_CAUSE_unknown_ca;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TLS_CAUSE_expired;
	case X509_V_ERR_CERT_REVOKED:
		return TLS_CAUSE_revoked;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
		return TLS_CAUSE_crl;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return TLS_CAUSE_name_mismatch;
	case X509_V_ERR_OUT_OF_MEM:
		return TLS_CAUSE_memory;
	default:
		return TLS_CAUSE_certificate;
	}
}

/* RFC 8446 6.2 */
static enum tls_cause cause_of_alert(unsigned long alert)
{
	switch (alert) {
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_REVOKED:
	case SSL_AD_CERTIFICATE_EXPIRED:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNKNOWN_CA:
	case SSL_AD_ACCESS_DENIED:
	case SSL_AD_CERTIFICATE_REQUIRED:
	case SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE:
		return TLS_CAUSE_peer_certificate;
	default:
		return TLS_CAUSE_peer_alert;
	}
}

static void cause_from_error(struct tls_session *s, unsigned long error)
{
	int reason = ERR_GET_REASON(error);

	s->detail = error;
	if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
	    reason > SSL_AD_REASON_OFFSET) {
		s->detail = (unsigned long)(reason - SSL_AD_REASON_OFFSET);
		s->cause = (uint8_t)cause_of_alert(s->detail);
	} else if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
		   reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		s->detail = (unsigned long)SSL_get_verify_result(s->ssl);
		s->cause = (uint8_t)cause_of_verify((long)s->detail);
	} else if (ERR_GET_LIB(error) == ERR_LIB_SSL ||
		   reason == ERR_R_MALLOC_FAILURE) {
		s->cause = (uint8_t)cause_of_reason(reason);
	} else {
		s->cause = TLS_CAUSE_internal;
	}
}

void tls_cause_find(struct tls_session *s)
{
	unsigned long error, first = 0, chosen = 0;

	/* A callback may have known better. */
	if (s->cause != TLS_CAUSE_none) {
		ERR_clear_error();
		return;
	}
	/* Out of memory anywhere explains all the rest; otherwise libssl's
	 * first word counts more than what a lower part said before it. */
	while ((error = ERR_get_error())) {
		if (!first)
			first = error;
		if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE) {
			chosen = error;
			break;
		}
		if (!chosen && ERR_GET_LIB(error) == ERR_LIB_SSL)
			chosen = error;
	}
	ERR_clear_error();
	/* An allocation that fails early may leave no trace. */
	if (!first)
		s->cause = TLS_CAUSE_internal;
	else
		cause_from_error(s, chosen ? chosen : first);
}

static const char *cause_detail(const struct tls_session *s)
{
	switch (s->cause) {
	case TLS_CAUSE_unknown_ca:
	case TLS_CAUSE_expired:
	case TLS_CAUSE_revoked:
	case TLS_CAUSE_crl:
	case TLS_CAUSE_name_mismatch:
	case TLS_CAUSE_certificate:
		return X509_verify_cert_error_string((long)s->detail);
	case TLS_CAUSE_peer_alert:
	case TLS_CAUSE_peer_certificate:
		return SSL_alert_desc_string_long((int)s->detail);
	default:
		return s->detail ? ERR_reason_error_string(s->detail) : NULL;
	}
}

size_t tls_session_explain(
    const struct tls_session *session, char *ret, size_t room)
{
	const char *detail = cause_detail(session);
	int length =
	    snprintf(ret, room, "%s%s%s", tls_cause_text(session->cause),
		detail ? ": " : "", detail ? detail : "");

	if (length < 0)
		return 0;
	return (size_t)length < room ? (size_t)length : room - 1;
}
