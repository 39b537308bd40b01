/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trouble_tls.h"

#include "base/log.h"
#include "lb/worker.h"

#include <inttypes.h>
#include <string.h>

static bool is_trouble(unsigned cause)
{
	return cause != TLS_CAUSE_none && cause != TLS_CAUSE_truncated;
}

bool trouble_tls_due(struct trouble_tls_end *end,
    const uint64_t counts[TLS_N_CAUSES], int64_t now_ns, uint64_t *ret_new,
    unsigned *ret_cause, uint64_t *ret_most)
{
	uint64_t sum = 0, most = 0;
	unsigned found = TLS_CAUSE_none;

	for (unsigned i = 0; i < TLS_N_CAUSES; i++) {
		if (!is_trouble(i))
			continue;
		sum += counts[i];
		if (counts[i] - end->said[i] > most) {
			most = counts[i] - end->said[i];
			found = i;
		}
	}
	if (!trouble_due(&end->sum, sum, now_ns, ret_new))
		return false;
	memcpy(end->said, counts, sizeof end->said);
	*ret_cause = found;
	*ret_most = most;
	return true;
}

/* Scanners of ports end within a handshake, and clients that are too slow for
 * it have a line of their own. */
static bool is_trouble_of_clients(unsigned cause)
{
	return cause != TLS_CAUSE_handshake_ended &&
	       cause != TLS_CAUSE_handshake_slow;
}

static void look_at_end(struct trouble_tls_end *end,
    const uint64_t counts[TLS_N_CAUSES], struct mono now, const char *message)
{
	uint64_t more, most;
	unsigned cause;

	if (trouble_tls_due(end, counts, now.ns, &more, &cause, &most))
		log_event(LOG_WARN, message,
		    "count=%" PRIu64 " cause=%s cause_count=%" PRIu64
		    " hint=\"%s\"",
		    more, tls_cause_name(cause), most, tls_cause_text(cause));
}

void trouble_tls_look(struct trouble_tls *tls,
    const struct worker_metrics *metrics, uint32_t n_workers, struct mono now)
{
	uint64_t client[TLS_N_CAUSES] = {0}, server[TLS_N_CAUSES] = {0};

	for (uint32_t w = 0; w < n_workers; w++)
		for (unsigned i = 0; i < TLS_N_CAUSES; i++) {
			if (is_trouble_of_clients(i))
				client[i] += counter_read(
				    &metrics[w].tls_client_failures[i]);
			server[i] +=
			    counter_read(&metrics[w].tls_server_failures[i]);
		}
	look_at_end(&tls->client, client, now, "TLS with clients failed");
	look_at_end(&tls->server, server, now, "TLS with servers failed");
}
