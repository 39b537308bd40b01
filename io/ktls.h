/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Kernel TLS (kTLS), sending only: a socket that was given the keys of a
 * session takes plaintext, by send(2) or splice(2), and makes the records
 * itself. Here is what the kernel is told, and whether it can.
 *
 *      OpenSSL ──keys──> struct ktls_keys ──ktls_info_make()──> setsockopt()
 *        │ n records        counts them      sequence n, nonce n     │
 *        └──────────────> socket <──────────── plaintext ────────────┘
 *
 * A nonce that is used twice gives AES-GCM's key away. OpenSSL has sent some
 * records with these keys (Finished, tickets, the first data); the kernel goes
 * on behind the last of them, and OpenSSL's later ones never leave.
 *
 * Thread:  building: any. Probe: boot. Switching: before any thread uses TLS.
 * Memory:  keys are wiped by those who hold them: ktls_info_wipe().
 * Errors:  ktls_probe() -ENOENT: the kernel has no TLS, or its module "tls" is
 *          not loaded; -EBADMSG: it makes records that cannot be read.
 * Limits:  AES-GCM and ChaCha20-Poly1305 in TLS 1.2 and 1.3.
 * Source:  linux/tls.h; RFC 5288 3 (nonces of TLS 1.2), RFC 8446 5.3.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The longest that the kernel takes here: AES-256-GCM, ChaCha20-Poly1305. */
#define KTLS_INFO_BYTES 56u

/* What setsockopt(TLS_TX) takes. */
struct ktls_info {
	uint32_t length; /* 0: none */
	uint8_t bytes[KTLS_INFO_BYTES];
};

/* The keys of what a session sends. */
struct ktls_keys {
	struct ktls_info first; /* as for the first record made with them */
	uint64_t records; /* that OpenSSL has made with them */
	bool replaced; /* OpenSSL has newer ones (a key update) */
	bool has_alert;
	uint8_t alert[2]; /* level, description: to be sent as a record */
};

/* Takes what OpenSSL offers: a struct tls_crypto_info and what its cipher
 * adds. Other ciphers leave none. */
void ktls_keys_set(struct ktls_keys *keys, const void *offered);
/* For the record behind those that were made. -ENOTSUP: no keys, or they are
 * not those in use. */
int ktls_info_make(
    const struct ktls_keys *keys, struct ktls_info *ret) BR_MUST_CHECK;
void ktls_info_wipe(struct ktls_info *info);

/* Tries it on a connection over loopback: what is sent in plain must arrive
 * as a record that OpenSSL can open. */
int ktls_probe(void);
/* In one sentence, of the probe's result. */
const char *ktls_explain(int probed);
/* Opens one record of the probe: TLS 1.3, AES-128-GCM. */
bool ktls_probe_opens(const struct ktls_info *info, const uint8_t *record,
    size_t length, const void *plain, size_t plain_length);

/* Whether contexts that are made from now on keep the keys of their sessions.
 * Off at first. */
void ktls_switch(bool on);
bool ktls_is_on(void);
