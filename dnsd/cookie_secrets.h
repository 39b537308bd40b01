/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The secrets that server cookies are made with (dnsd/cookie.h): from a file
 * that all servers of an address share, or random, for a server alone.
 *
 *      # 2026-05          comments and empty lines are nothing
 *      e5e973e5a6b2a43f48e7dc849e37bfcf   the first makes new cookies
 *      dd3bdf9344b678b185a6f5cb60fca715   others are accepted still
 *
 * To rotate, write the new secret second on every server, then first, then
 * take out the old one after an hour (RFC 9018 section 5).
 *
 * Thread:  the clerk; what cookie_check() reads never changes.
 * Memory:  counted holders, a plain count: of one thread at a time. Secrets
 *          are wiped when the last has let go.
 * Errors:  what is wrong with the file, for the end of a sentence.
 * Limits:  COOKIE_SECRETS_MAX secrets, COOKIE_FILE_MAX bytes of file.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/siphash.h"

#define COOKIE_SECRETS_MAX 8u
#define COOKIE_FILE_MAX 4096u

struct cookie_secrets {
	uint32_t holders;
	uint32_t n; /* at least 1 */
	struct siphash_key keys[COOKIE_SECRETS_MAX];
};

/* One holder; NULL, and *ret_why, a static text. */
struct cookie_secrets *cookie_secrets_load(
    const char *path, const char **ret_why);
/* One secret that no other server knows. */
struct cookie_secrets *cookie_secrets_random(void);
struct cookie_secrets *cookie_secrets_ref(struct cookie_secrets *secrets);
/* NULL is ignored. */
void cookie_secrets_unref(struct cookie_secrets *secrets);
/* Whether they make and take the same cookies. */
bool cookie_secrets_equal(
    const struct cookie_secrets *a, const struct cookie_secrets *b);

/* The text of such a file into ret->n and ret->keys. What is wrong with it, or
 * NULL. */
const char *cookie_secrets_parse(
    const char *text, size_t length, struct cookie_secrets *ret) BR_MUST_CHECK;
