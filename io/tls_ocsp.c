/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_ocsp.h"

#include <openssl/ocsp.h>
#include <time.h>

/* The answer about `leaf`. Its issuer is compared when the chain has it; the
 * serial number alone is what remains otherwise. */
static OCSP_SINGLERESP *ocsp_find(
    OCSP_BASICRESP *basic, X509 *leaf, STACK_OF(X509) * chain)
{
	X509 *issuer = sk_X509_num(chain) ? sk_X509_value(chain, 0) : NULL;

	for (int i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		/* OCSP_id_get0_info() takes no const. */
		OCSP_CERTID *id =
		    (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single);
		ASN1_OBJECT *digest = NULL;
		ASN1_INTEGER *serial = NULL;
		OCSP_CERTID *ours;
		bool same;

		if (!OCSP_id_get0_info(NULL, &digest, NULL, &serial, id) ||
		    ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf)) != 0)
			continue;
		if (!issuer)
			return single;
		ours =
		    OCSP_cert_to_id(EVP_get_digestbyobj(digest), leaf, issuer);
		same = ours && !OCSP_id_cmp(ours, id);
		OCSP_CERTID_free(ours);
		if (same)
			return single;
	}
	return NULL;
}

static void ocsp_check_single(struct tls_loader *loader, uint32_t index,
    const char *file, OCSP_SINGLERESP *single, int64_t *ret_until_s)
{
	ASN1_GENERALIZEDTIME *this_update = NULL, *next_update = NULL;
	int status = OCSP_single_get0_status(
	    single, NULL, NULL, &this_update, &next_update);
	struct tm tm;

	*ret_until_s = INT64_MAX;
	if (next_update && ASN1_TIME_to_tm(next_update, &tm))
		*ret_until_s = timegm(&tm);
	if (status != V_OCSP_CERTSTATUS_GOOD)
		tls_loader_problem(loader, true, TLS_SUBJECT_OCSP, index,
		    "%s: says that the certificate is %s", file,
		    OCSP_cert_status_str(status));
	if (*ret_until_s < time(NULL))
		tls_loader_problem(loader, true, TLS_SUBJECT_OCSP, index,
		    "%s: the OCSP response is out of date and is not sent",
		    file);
}

int tls_ocsp_check(struct tls_loader *loader, uint32_t index, const char *file,
    const unsigned char *bytes, long length, X509 *leaf, STACK_OF(X509) * chain,
    int64_t *ret_until_s)
{
	const unsigned char *at = bytes;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, length);
	OCSP_BASICRESP *basic = NULL;
	OCSP_SINGLERESP *single = NULL;
	const char *problem = NULL;

	if (!response || at != bytes + length)
		problem = "is not an OCSP response in DER format";
	else if (OCSP_response_status(response) !=
		 OCSP_RESPONSE_STATUS_SUCCESSFUL)
		problem = "is an OCSP response that reports a failure";
	else if (!(basic = OCSP_response_get1_basic(response)))
		problem = "is not a basic OCSP response";
	else if (!(single = ocsp_find(basic, leaf, chain)))
		problem = "is the OCSP response of another certificate";
	if (problem)
		tls_loader_problem(loader, false, TLS_SUBJECT_OCSP, index,
		    "%s: %s", file, problem);
	else
		ocsp_check_single(loader, index, file, single, ret_until_s);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return problem ? BR_E_CONFIG : 0;
}
