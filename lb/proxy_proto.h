/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The PROXY protocol, versions 1 and 2: reads the header that a trusted proxy
 * sends in front of a connection, and builds the one for a server.
 * Specification: "The PROXY protocol", HAProxy's doc/proxy-protocol.txt of
 * 2020/03/05; sections are cited as PP 2.2 and so on.
 *
 *     v1   PROXY TCP4 192.0.2.1 192.0.2.2 4711 443 CR LF
 *     v2   signature 12 | 2x | family | length 2 | addresses | TLVs
 *          |<------------- 16 ------------------>|<- length ----->|
 *
 * Reading judges as early as it can: the first byte that no header has at its
 * place ends it, and behind a whole header no byte is looked at. Each call
 * starts anew, which costs little: at most PROXY_V1_BYTES_MAX bytes are looked
 * at before version 1 is whole, and 16 of version 2.
 *
 * What becomes of TLVs: those named in struct proxy_header are read, CRC32C is
 * checked, NOOP and NETNS are ignored, unknown types are skipped. All of them
 * remain as `tlvs`, so that a caller who wants to pass some on can walk them
 * with proxy_tlv_next(); proxy_build_v2() writes only what it is given.
 *
 * Whether a peer may send a header at all is the caller's business (PP 2:
 * never guess whether one is there).
 *
 * Thread:  any (pure).
 * Memory:  slices point into the caller's bytes and live as long as those.
 * Errors:  reading: enum proxy_cause; building: see there.
 * Limits:  version 1: 107 bytes (PP 2.1); version 2: PROXY_V2_BYTES_MAX in
 *          all. The registered TLVs at their longest need about 1,500 bytes;
 *          the rest is room for those of cloud vendors.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

#define PROXY_V1_BYTES_MAX 107
#define PROXY_V2_BYTES_MAX 4096
#define PROXY_UNIQUE_ID_MAX 128

/* PP 2.2: registered types. */
enum proxy_tlv_type {
	PROXY_TLV_ALPN = 0x01,
	PROXY_TLV_AUTHORITY = 0x02,
	PROXY_TLV_CRC32C = 0x03,
	PROXY_TLV_NOOP = 0x04,
	PROXY_TLV_UNIQUE_ID = 0x05,
	PROXY_TLV_SSL = 0x20,
	PROXY_TLV_SSL_VERSION = 0x21,
	PROXY_TLV_SSL_CN = 0x22,
	PROXY_TLV_SSL_CIPHER = 0x23,
	PROXY_TLV_SSL_SIG_ALG = 0x24,
	PROXY_TLV_SSL_KEY_ALG = 0x25,
	PROXY_TLV_NETNS = 0x30,
};

/* PP 2.2.6: bits of proxy_ssl.client. */
#define PROXY_SSL_USED 0x01 /* the client came over TLS */
#define PROXY_SSL_CERT_CONN 0x02 /* with a certificate on this connection */
#define PROXY_SSL_CERT_SESS 0x04 /* or earlier in the session */

enum proxy_result { PROXY_MORE, PROXY_DONE, PROXY_MALFORMED };

/* Why a header is malformed: one row a counter. */
#define PROXY_CAUSE_LIST(X)                                                    \
	X(NONE, "none", "no failure")                                          \
	X(SIGNATURE, "missing", "the first bytes are no PROXY header")         \
	X(V1_LENGTH, "v1_length", "version 1: no line end in 107 bytes")       \
	X(V1_LINE, "v1_line", "version 1: malformed line")                     \
	X(V1_ADDRESS, "v1_address", "version 1: malformed address")            \
	X(V1_PORT, "v1_port", "version 1: malformed port")                     \
	X(V2_COMMAND, "v2_command", "version 2: unknown version or command")   \
	X(V2_FAMILY, "v2_family", "version 2: unknown family or transport")    \
	X(V2_LENGTH, "v2_length", "version 2: longer than 4096 bytes")         \
	X(V2_ADDRESS, "v2_address", "version 2: addresses cut off")            \
	X(V2_TLV, "v2_tlv", "version 2: malformed TLV")                        \
	X(V2_CRC32C, "v2_crc32c", "version 2: wrong checksum")

enum proxy_cause {
#define X(symbol, name, text) PROXY_CAUSE_##symbol,
	PROXY_CAUSE_LIST(X)
#undef X
	    PROXY_N_CAUSES
};

/* length 0: absent or empty; `at` is NULL only when absent. */
struct proxy_slice {
	const uint8_t *at;
	uint32_t length;
};

struct proxy_ssl {
	bool present;
	uint8_t client; /* PROXY_SSL_* */
	uint32_t verify; /* 0: a certificate was presented and verified */
	struct proxy_slice version, cn, cipher, sig_alg, key_alg;
};

struct proxy_header {
	uint32_t bytes; /* of the header; what follows is the client's */
	uint8_t version; /* 1 or 2 */
	/* LOCAL, UNKNOWN or a family that carries none (PP 2.1, 2.2): no
	 * addresses, so those of the connection itself hold. */
	bool local; /* LOCAL: made by the proxy itself; nothing else is set */
	bool datagram;
	struct addr source, destination; /* length 0: not said */
	struct proxy_slice tlvs; /* all, as they came */
	struct proxy_slice alpn, authority, unique_id;
	struct proxy_ssl ssl;
};

/* Reads from the start of `bytes`, all that have come. DONE fills *ret. MORE:
 * *ret_need is how many bytes in all are needed at least (> length), so that
 * a call before then is in vain. MALFORMED: *ret_cause. */
enum proxy_result proxy_parse(const uint8_t *bytes, size_t length,
    struct proxy_header *ret, uint32_t *ret_need,
    enum proxy_cause *ret_cause) BR_MUST_CHECK;
/* "v2_crc32c": for metrics; and the text of the row. */
const char *proxy_cause_name(unsigned cause);
const char *proxy_cause_text(unsigned cause);
/* The next of a list of TLVs, which is shortened; false at its end. */
bool proxy_tlv_next(
    struct proxy_slice *tlvs, uint8_t *ret_type, struct proxy_slice *ret_value);

/* What a header to build says. Slices with length 0 are left out. */
struct proxy_out {
	bool local; /* version 2: LOCAL and nothing else, for health checks */
	bool unix_addresses; /* say them, too; see proxy_build_v2() */
	struct addr source, destination;
	struct proxy_slice alpn, authority, unique_id;
	struct proxy_ssl ssl; /* sig_alg and key_alg too */
	bool crc32c;
};

/* Builds into ret and returns the length. Addresses of unlike families become
 * IPv6, IPv4 as IPv4-mapped; what version 1 cannot say (unix, none) becomes
 * "PROXY UNKNOWN". Returns -ENOBUFS when `room` is too small
 * (PROXY_V1_BYTES_MAX always does). */
int proxy_build_v1(
    uint8_t *ret, size_t room, const struct proxy_out *out) BR_MUST_CHECK;
/* As above. Where there are no IP addresses to say it is LOCAL with the TLVs,
 * as HAProxy does it: that is the form which every receiver must accept,
 * while HAProxy 2.6 refuses PROXY with UNSPEC and with AF_UNIX. The addresses
 * of unix sockets are said on request. -ENOBUFS as above and when it would
 * exceed PROXY_V2_BYTES_MAX; -EINVAL for a unique id that is too long. */
int proxy_build_v2(
    uint8_t *ret, size_t room, const struct proxy_out *out) BR_MUST_CHECK;
