/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The certificates, keys and authorities of one configuration: read and
 * checked once, by who may block. What did not change on disk since the
 * configuration before is shared with it, so a reload costs only the files
 * that are new.
 *
 *      conf ──files──> tls_store_load ──> struct tls_store (of a plan)
 *                          │                 │ tls_store_listener()
 *      errors at the line  │                 v
 *      of the key     <────┘        contexts, one a worker, of a listener
 *
 * Thread:  the clerk, or main at boot.
 * Memory:  a store holds references to its materials; it outlives the
 *          contexts made from it (the plan sees to that).
 * Errors:  BR_E_CONFIG, and every problem in `errors` as
 *          "FILE:line:column: key: path: reason".
 * Limits:  a file of more than TLS_STORE_FILE_MAX bytes is refused.
 */
#include "conf/conf.h"
#include "daemon/tls_process.h"
#include "io/tls_context.h"

#define TLS_STORE_FILE_MAX (16u << 20)

struct tls_store;

/* `before` may be NULL. On success also warnings may be in `errors`. */
int tls_store_load(const struct conf *conf, const struct tls_store *before,
    struct conf_errors *errors, struct tls_store **ret) BR_MUST_CHECK;
/* The first file of the configuration that this process is not allowed to read
 * now, or NULL: it may have been root when it loaded them. */
const char *tls_store_forbidden(const struct conf *conf);
/* The same material for a configuration with the same listeners and pools. */
struct tls_store *tls_store_copy(const struct tls_store *store);
void tls_store_free(struct tls_store *store);
/* Contexts [n_workers] for listener or pool i of the configuration, NULL when
 * it is plain. 0 or -ENOMEM. */
int tls_store_listener(const struct tls_store *store, uint32_t i,
    const struct tls_process *process, uint32_t n_workers,
    struct tls_context ***ret) BR_MUST_CHECK;
int tls_store_pool(const struct tls_store *store, uint32_t i,
    uint32_t n_workers, struct tls_context ***ret) BR_MUST_CHECK;
/* One more for control's checks of a pool that is not plain. */
int tls_store_pool_check(const struct tls_store *store, uint32_t i,
    struct tls_context **ret) BR_MUST_CHECK;
/* Whether listener i has the same material as listener j of `before`. */
bool tls_store_same_listener(const struct tls_store *store, uint32_t i,
    const struct tls_store *before, uint32_t j);
bool tls_store_same_pool(const struct tls_store *store, uint32_t i,
    const struct tls_store *before, uint32_t j);
/* When the first certificate of listener i ends, seconds since 1970; 0: it is
 * plain. */
int64_t tls_store_expiry_s(const struct tls_store *store, uint32_t i);
