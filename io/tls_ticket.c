/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_ticket.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

static int tls_ticket_key_make(struct tls_ticket_key *ret)
{
	return RAND_bytes(ret->name, sizeof(ret->name)) == 1 &&
		       RAND_priv_bytes(
			   ret->cipher_key, sizeof(ret->cipher_key)) == 1 &&
		       RAND_priv_bytes(ret->mac_key, sizeof(ret->mac_key)) == 1
		   ? 0
		   : -EIO;
}

int tls_ticket_keys_make(struct tls_ticket_keys *ret, int64_t now_wall_ns)
{
	struct tls_ticket_keys keys = {.magic = TLS_TICKET_MAGIC,
	    .version = TLS_TICKET_VERSION,
	    .generation = 1,
	    .rotated_wall_ns = now_wall_ns};

	/* `previous` too, so that no key is ever all zeros. */
	if (tls_ticket_key_make(&keys.current) ||
	    tls_ticket_key_make(&keys.previous) ||
	    tls_ticket_key_make(&keys.next))
		return -EIO;
	*ret = keys;
	tls_ticket_keys_wipe(&keys);
	return 0;
}

int tls_ticket_keys_rotate(const struct tls_ticket_keys *from,
    struct tls_ticket_keys *ret, int64_t now_wall_ns)
{
	struct tls_ticket_keys keys = *from;
	int rc;

	keys.generation++;
	keys.rotated_wall_ns = now_wall_ns;
	keys.previous = from->current;
	keys.current = from->next;
	rc = tls_ticket_key_make(&keys.next);
	if (!rc)
		*ret = keys;
	tls_ticket_keys_wipe(&keys);
	return rc;
}

bool tls_ticket_keys_valid(const void *bytes, size_t length)
{
	static const struct tls_ticket_key zero;
	struct tls_ticket_keys keys;
	bool valid;

	if (length != sizeof(keys))
		return false;
	memcpy(&keys, bytes, sizeof(keys));
	valid = keys.magic == TLS_TICKET_MAGIC &&
		keys.version == TLS_TICKET_VERSION && keys.generation > 0 &&
		memcmp(&keys.current, &zero, sizeof(zero)) != 0 &&
		memcmp(&keys.previous, &zero, sizeof(zero)) != 0 &&
		memcmp(&keys.next, &zero, sizeof(zero)) != 0;
	tls_ticket_keys_wipe(&keys);
	return valid;
}

void tls_ticket_keys_wipe(struct tls_ticket_keys *keys)
{
	OPENSSL_cleanse(keys, sizeof(*keys));
}
