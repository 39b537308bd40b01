/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/balance_key.h"

#include "base/hash.h"

#include <string.h>
#include <sys/socket.h>

#define KEY_SEED 0x636c69656e740001u

uint64_t balance_key(const struct flow_client *client, struct rng *rng)
{
	/* RFC 4291 section 2.5.5.2. */
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (client && client->family == AF_INET)
		return hash_bytes(client->ip, 4, KEY_SEED);
	if (!client || client->family != AF_INET6)
		return rng_u64(rng);
	if (!memcmp(client->ip, mapped, sizeof mapped))
		return hash_bytes(client->ip + sizeof mapped, 4, KEY_SEED);
	return hash_bytes(client->ip, 16, KEY_SEED);
}
