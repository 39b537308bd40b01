/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/resolver_dns.h"

#include "base/assert.h"
#include "base/strbuf.h"
#include "fleet/name_answer.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define RESOLV_CONF "/etc/resolv.conf"
/* Of what is found in /etc/hosts: how soon an edit is noticed. */
#define HOSTS_TTL_S 5
/* As DNS Flag Day 2020 has it: fits without fragments everywhere. */
#define EDNS_BYTES 1232

struct asking {
	struct resolver_dns *dns;
	struct name_query *query;
};

struct resolver_dns {
	resolver_on_answer *on_answer;
	void *context;
	ares_channel channel; /* NULL: not open */
	struct conf_resolvers resolvers;
	uint64_t timeout_ms;
	uint32_t retries;
	struct timespec resolv_conf; /* its time, when it was read */
	ino_t resolv_conf_inode;
	uint32_t n_sockets;
	struct pollfd sockets[RESOLVER_SOCKETS_MAX];
	struct name_answer answer;
};

/* -- the channel ------------------------------------------------------- */

static void on_socket(
    void *context, ares_socket_t fd, int readable, int writable)
{
	struct resolver_dns *dns = context;
	uint32_t at = 0;

	while (at < dns->n_sockets && dns->sockets[at].fd != fd)
		at++;
	if (!readable && !writable) {
		if (at < dns->n_sockets)
			dns->sockets[at] = dns->sockets[--dns->n_sockets];
		return;
	}
	if (at == RESOLVER_SOCKETS_MAX)
		return; /* its questions end by their timeouts */
	if (at == dns->n_sockets)
		dns->n_sockets++;
	dns->sockets[at] = (struct pollfd){.fd = fd,
	    .events =
		(short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0))};
}

static bool uses_system(const struct resolver_dns *dns)
{
	return dns->resolvers.n == 0;
}

static bool set_servers(struct resolver_dns *dns)
{
	struct strbuf list;
	char text[ADDR_TEXT_MAX];
	int err;

	if (uses_system(dns))
		return true;
	strbuf_init(&list);
	for (uint32_t i = 0; i < dns->resolvers.n; i++) {
		addr_format(&dns->resolvers.at[i], text);
		strbuf_addf(&list, "%s%s", i ? "," : "", text);
	}
	err = ares_set_servers_ports_csv(dns->channel, strbuf_text(&list));
	strbuf_fini(&list);
	return !err;
}

static bool resolv_conf_changed(struct resolver_dns *dns)
{
	struct stat st = {.st_ino = 0};
	bool same;

	(void)!stat(RESOLV_CONF, &st);
	same = st.st_ino == dns->resolv_conf_inode &&
	       st.st_mtim.tv_sec == dns->resolv_conf.tv_sec &&
	       st.st_mtim.tv_nsec == dns->resolv_conf.tv_nsec;
	dns->resolv_conf_inode = st.st_ino;
	dns->resolv_conf = st.st_mtim;
	return !same;
}

static void close_channel(struct resolver_dns *dns)
{
	ares_channel channel = dns->channel;

	if (!channel)
		return;
	dns->channel = NULL;
	ares_destroy(channel);
	dns->n_sockets = 0;
}

/* Opened with the first question, so that who has no names reads no files. */
static bool open_channel(struct resolver_dns *dns)
{
	struct ares_options options = {
	    .flags = ARES_FLAG_EDNS,
	    .timeout = (int)dns->timeout_ms,
	    .tries = (int)dns->retries + 1,
	    .ednspsz = EDNS_BYTES,
	    .sock_state_cb = on_socket,
	    .sock_state_cb_data = dns,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
		   ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB;

	if (dns->channel)
		return true;
	if (uses_system(dns))
		(void)resolv_conf_changed(dns);
	else
		mask |= ARES_OPT_DOMAINS; /* none */
	if (ares_init_options(&dns->channel, &options, mask)) {
		dns->channel = NULL;
		return false;
	}
	if (set_servers(dns))
		return true;
	close_channel(dns);
	return false;
}

struct resolver_dns *resolver_dns_new(
    resolver_on_answer *on_answer, void *context)
{
	struct resolver_dns *dns = calloc(1, sizeof *dns);

	if (!dns)
		br_out_of_memory("the resolver", sizeof *dns);
	dns->on_answer = on_answer;
	dns->context = context;
	dns->timeout_ms = 1000;
	return dns;
}

void resolver_dns_free(struct resolver_dns *dns)
{
	close_channel(dns);
	free(dns);
}

static bool same_resolvers(
    const struct conf_resolvers *a, const struct conf_resolvers *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!addr_equal(&a->at[i], &b->at[i]))
			return false;
	return true;
}

bool resolver_dns_configure(
    struct resolver_dns *dns, const struct conf_global *conf)
{
	if (same_resolvers(&dns->resolvers, &conf->resolvers) &&
	    dns->timeout_ms == conf->resolve_timeout_ms &&
	    dns->retries == conf->resolve_retries)
		return false;
	dns->resolvers = conf->resolvers;
	dns->timeout_ms = conf->resolve_timeout_ms;
	dns->retries = conf->resolve_retries;
	close_channel(dns);
	return true;
}

bool resolver_dns_refresh(struct resolver_dns *dns)
{
	if (!dns->channel || !uses_system(dns) || !resolv_conf_changed(dns))
		return false;
	close_channel(dns);
	return true;
}

/* -- answers ----------------------------------------------------------- */

static enum name_result result_of(int status)
{
	switch (status) {
	case ARES_ENODATA:
		return NAME_NODATA;
	case ARES_ENOTFOUND:
		return NAME_NXDOMAIN;
	case ARES_ETIMEOUT:
		return NAME_TIMEOUT;
	case ARES_ESERVFAIL:
		return NAME_SERVFAIL;
	case ARES_EREFUSED:
		return NAME_REFUSED;
	case ARES_ECONNREFUSED:
		return NAME_UNANSWERED;
	case ARES_EBADRESP:
	case ARES_EFORMERR:
		return NAME_MALFORMED;
	default:
		return NAME_FAILED;
	}
}

/* An answer of the DNS is read by us; without one c-ares says why. */
static void on_message(
    void *context, int status, int timeouts, unsigned char *bytes, int length)
{
	struct asking asking = *(struct asking *)context;
	struct name_answer *answer = &asking.dns->answer;

	(void)timeouts;
	free(context);
	if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) {
		asking.dns->on_answer(asking.dns->context, asking.query, NULL);
		return;
	}
	if (bytes && length > 0 &&
	    (status == ARES_SUCCESS || status == ARES_ENODATA ||
		status == ARES_ENOTFOUND)) {
		name_answer_read(
		    bytes, (size_t)length, asking.query->type, answer);
	} else {
		answer->result = result_of(status);
		answer->ttl_s = 0;
		answer->n = 0;
	}
	asking.dns->on_answer(asking.dns->context, asking.query, answer);
}

/* -- /etc/hosts -------------------------------------------------------- */

static void take_host(struct name_answer *answer, const struct hostent *host)
{
	for (char **at = host->h_addr_list; *at && answer->n < NAME_RECORDS_MAX;
	     at++) {
		struct name_record *record = &answer->records[answer->n++];
		struct addr *addr = &record->addr;

		memset(record, 0, sizeof *record);
		if (host->h_addrtype == AF_INET) {
			addr->in.sin_family = AF_INET;
			addr->length = sizeof addr->in;
			memcpy(&addr->in.sin_addr, *at, 4);
		} else {
			addr->in6.sin6_family = AF_INET6;
			addr->length = sizeof addr->in6;
			memcpy(&addr->in6.sin6_addr, *at, 16);
		}
	}
}

static bool in_hosts(
    struct resolver_dns *dns, const char *name, int family, bool take)
{
	struct hostent *host;

	if (ares_gethostbyname_file(dns->channel, name, family, &host))
		return false;
	if (take)
		take_host(&dns->answer, host);
	ares_free_hostent(host);
	return true;
}

/* Whether the file answers: also that there is no address of this family,
 * when it has one of the other. */
static bool ask_hosts(struct resolver_dns *dns, struct name_query *query)
{
	int family = query->type == NAME_A ? AF_INET : AF_INET6;
	int other = query->type == NAME_A ? AF_INET6 : AF_INET;
	struct name_answer *answer = &dns->answer;

	if (!uses_system(dns) || query->type == NAME_SRV)
		return false;
	answer->n = 0;
	answer->ttl_s = HOSTS_TTL_S;
	if (in_hosts(dns, query->host, family, true))
		answer->result = NAME_ANSWER;
	else if (in_hosts(dns, query->host, other, false))
		answer->result = NAME_NODATA;
	else
		return false;
	dns->on_answer(dns->context, query, answer);
	return true;
}

void resolver_dns_ask(struct resolver_dns *dns, struct name_query *query)
{
	static const int types[NAME_TYPES] = {ns_t_a, ns_t_aaaa, ns_t_srv};
	int type = types[query->type];
	struct asking *asking;

	if (!open_channel(dns)) {
		dns->answer.result = NAME_FAILED;
		dns->answer.ttl_s = dns->answer.n = 0;
		dns->on_answer(dns->context, query, &dns->answer);
		return;
	}
	if (ask_hosts(dns, query))
		return;
	asking = malloc(sizeof *asking);
	if (!asking)
		br_out_of_memory("a question", sizeof *asking);
	*asking = (struct asking){.dns = dns, .query = query};
	if (uses_system(dns) && !strchr(query->host, '.'))
		ares_search(dns->channel, query->host, ns_c_in, type,
		    on_message, asking);
	else
		ares_query(dns->channel, query->host, ns_c_in, type, on_message,
		    asking);
}

/* -- waiting ----------------------------------------------------------- */

nfds_t resolver_dns_prepare(struct resolver_dns *dns,
    struct pollfd ret[RESOLVER_SOCKETS_MAX], int64_t *timeout_ns)
{
	struct timeval next, *timeout = NULL;
	int64_t ns;

	memcpy(ret, dns->sockets, dns->n_sockets * sizeof *ret);
	if (dns->channel)
		timeout = ares_timeout(dns->channel, NULL, &next);
	if (timeout) {
		ns = timeout->tv_sec * NS_PER_S + timeout->tv_usec * NS_PER_US;
		if (ns < *timeout_ns)
			*timeout_ns = ns;
	}
	return dns->n_sockets;
}

void resolver_dns_process(
    struct resolver_dns *dns, const struct pollfd *polled, nfds_t n)
{
	bool any = false;

	for (nfds_t i = 0; i < n && dns->channel; i++) {
		short events = polled[i].revents;
		bool failed = events & (POLLERR | POLLHUP | POLLNVAL);

		if (!events)
			continue;
		any = true;
		ares_process_fd(dns->channel,
		    failed || (events & POLLIN) ? polled[i].fd
						: ARES_SOCKET_BAD,
		    events & POLLOUT ? polled[i].fd : ARES_SOCKET_BAD);
	}
	/* Timeouts are looked at by each call. */
	if (!any && dns->channel)
		ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}
