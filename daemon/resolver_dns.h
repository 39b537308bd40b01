/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The resolver's way to the DNS: c-ares behind four calls. It asks one
 * question at a time per name_query and hands back what a message says.
 *
 * A host name with a dot is taken as complete; one without is tried with the
 * search list of /etc/resolv.conf, if that is in use. Then /etc/hosts is
 * looked at first as well.
 *
 * Thread:  the resolver's.
 * Memory:  the answer is valid during on_answer.
 * Errors:  none: what cannot be asked has failed, and on_answer says so.
 */
#include <poll.h>

#include "conf/conf.h"
#include "fleet/name_table.h"

/* A UDP and a TCP socket for each DNS server. */
#define RESOLVER_SOCKETS_MAX 64

/* answer NULL: given up unasked, because the settings have changed or the
 * process ends. */
typedef void resolver_on_answer(
    void *context, struct name_query *query, const struct name_answer *answer);

struct resolver_dns;

struct resolver_dns *resolver_dns_new(
    resolver_on_answer *on_answer, void *context);
/* Gives up what is being asked. */
void resolver_dns_free(struct resolver_dns *dns);
/* Other settings: what is being asked is given up. Returns whether something
 * has changed. */
bool resolver_dns_configure(
    struct resolver_dns *dns, const struct conf_global *conf);
/* The same when /etc/resolv.conf has changed. */
bool resolver_dns_refresh(struct resolver_dns *dns);
/* on_answer may be called before it returns. */
void resolver_dns_ask(struct resolver_dns *dns, struct name_query *query);
/* For poll(): fills in at most RESOLVER_SOCKETS_MAX and shortens the timeout;
 * then what poll() has found. */
nfds_t resolver_dns_prepare(struct resolver_dns *dns,
    struct pollfd ret[RESOLVER_SOCKETS_MAX], int64_t *timeout_ns);
void resolver_dns_process(
    struct resolver_dns *dns, const struct pollfd *polled, nfds_t n);
