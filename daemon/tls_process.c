/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tls_process.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>

/* About 10 MB: clients without tickets are few. */
#define TLS_CACHED_SESSIONS 20000

const struct tls_ticket_keys *tls_process_keys(
    const struct tls_process *process)
{
	return __atomic_load_n(&process->keys, __ATOMIC_ACQUIRE);
}

static void publish(struct tls_process *process, struct tls_ticket_keys *keys)
{
	__atomic_store_n(&process->keys, keys, __ATOMIC_RELEASE);
}

static bool terminates_tls(const struct conf *conf)
{
	for (uint32_t i = 0; i < conf->n_listeners; i++)
		if (conf->listeners[i].tls.n_certificates)
			return true;
	return false;
}

int tls_process_prepare(struct tls_process *process, const struct conf *conf)
{
	int err = 0;

	if (!terminates_tls(conf))
		return 0;
	if (!process->cache)
		err = tls_cache_new(TLS_CACHED_SESSIONS, &process->cache);
	if (err || tls_process_keys(process))
		return err;
	err = tls_ticket_keys_make(&process->sets[0], wall_now().ns);
	if (!err)
		publish(process, &process->sets[0]);
	return err;
}

int tls_process_inherit(
    struct tls_process *process, const void *bytes, size_t length)
{
	if (!tls_ticket_keys_valid(bytes, length))
		return BR_E_PROTOCOL;
	memcpy(&process->sets[0], bytes, sizeof process->sets[0]);
	publish(process, &process->sets[0]);
	return 0;
}

bool tls_process_rotate(struct tls_process *process, int64_t now_wall_ns)
{
	const struct tls_ticket_keys *keys = tls_process_keys(process);
	struct tls_ticket_keys *next;
	int64_t age_ns;

	if (!keys)
		return false;
	age_ns = now_wall_ns - keys->rotated_wall_ns;
	if (age_ns >= 0 && age_ns < TLS_ROTATE_NS)
		return false;
	next = &process->sets[(keys - process->sets + 1) % TLS_KEY_SETS];
	/* Without randomness the present ones stay, to be tried again. */
	if (tls_ticket_keys_rotate(keys, next, now_wall_ns))
		return false;
	publish(process, next);
	return true;
}

void tls_process_end(struct tls_process *process)
{
	if (process->cache)
		tls_cache_free(process->cache);
	for (uint32_t i = 0; i < TLS_KEY_SETS; i++)
		tls_ticket_keys_wipe(&process->sets[i]);
	*process = (struct tls_process){0};
}
