/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_names.h"

#include <openssl/x509v3.h>
#include <string.h>

/* Lower case, without the dot at the end; 0 when it is no name. */
static size_t names_fold(
    char ret[TLS_NAME_MAX + 1], const char *name, size_t length)
{
	if (length && name[length - 1] == '.')
		length--;
	if (length == 0 || length > TLS_NAME_MAX || memchr(name, 0, length))
		return 0;
	for (size_t i = 0; i < length; i++) {
		char c = name[i];

		ret[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	}
	ret[length] = '\0';
	return length;
}

void tls_names_join(
    struct tls_names *names, const struct tls_certificate *certificate)
{
	for (uint32_t i = 0; i < names->n; i++)
		if (names->certificates[i]->kind == certificate->kind)
			return;
	if (names->n < TLS_KINDS_MAX)
		names->certificates[names->n++] = certificate;
}

static struct tls_names *names_add_one(struct arena *arena, struct strmap *map,
    const char *name, int length, const struct tls_certificate *certificate)
{
	char folded[TLS_NAME_MAX + 1];
	size_t n = length < 0 ? 0 : names_fold(folded, name, (size_t)length);
	struct tls_names *names;

	if (!n)
		return NULL;
	names = strmap_get(map, folded);
	if (!names) {
		names = arena_alloc(arena, sizeof(*names));
		strmap_put(map, arena_strndup(arena, folded, n), names);
	}
	tls_names_join(names, certificate);
	return names;
}

/* RFC 6125 6.4.4: the common name counts only without DNS names. */
static struct tls_names *names_add_common(struct arena *arena,
    struct strmap *map, const struct tls_certificate *certificate)
{
	const X509_NAME *subject = X509_get_subject_name(certificate->leaf);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	struct tls_names *names;
	unsigned char *text = NULL;
	int length;

	if (at < 0)
		return NULL;
	length = ASN1_STRING_to_UTF8(
	    &text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	names =
	    names_add_one(arena, map, (const char *)text, length, certificate);
	if (length >= 0)
		OPENSSL_free(text);
	return names;
}

struct tls_names *tls_names_add(struct arena *arena, struct strmap *map,
    const struct tls_certificate *certificate)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(
	    certificate->leaf, NID_subject_alt_name, NULL, NULL);
	struct tls_names *first = NULL;

	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *one = sk_GENERAL_NAME_value(all, i);
		struct tls_names *names;

		if (one->type != GEN_DNS)
			continue;
		names = names_add_one(arena, map,
		    (const char *)ASN1_STRING_get0_data(one->d.dNSName),
		    ASN1_STRING_length(one->d.dNSName), certificate);
		if (!first)
			first = names;
	}
	GENERAL_NAMES_free(all);
	return first ? first : names_add_common(arena, map, certificate);
}

const struct tls_names *tls_names_find(
    const struct strmap *map, const char *name)
{
	char folded[TLS_NAME_MAX + 1];
	const struct tls_names *names;
	char *dot;

	/* A name that begins with "*" is nobody's: it would find wildcards
	 * literally. */
	if (name[0] == '*' || !names_fold(folded, name, strlen(name)))
		return NULL;
	names = strmap_get(map, folded);
	if (names)
		return names;
	dot = strchr(folded, '.');
	if (!dot || dot == folded)
		return NULL;
	/* There is a byte before the dot for the star. */
	dot[-1] = '*';
	return strmap_get(map, dot - 1);
}
