/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What is known of a flow's behaviour, as a vector of integers for a model.
 * A track is kept while bytes pass; features_fill() makes the vector of it
 * when a verdict is due.
 *
 *      reads ──> features_on_read() ──> struct features (208 bytes a flow)
 *      first bytes ──> struct features_hints                │
 *      earlier flows ──> struct features_history            v
 *      socket ──> struct features_socket ───> features_fill() ──> int32[]
 *
 * One row of FEATURE_LIST is one feature: its name is the column in recorded
 * files, and all names in order are what a model is checked against
 * (learn/feature_names.h). A new feature goes to the end.
 *
 * The first reads are what early classification lives on: sizes with their
 * direction as sign, and the gaps before them (Bernaille et al. 2006; five to
 * seven are said to be best). Of each way the first FEATURES_READS are kept,
 * in the order in which they came.
 *
 * Thread:  the flow's worker; no IO, no clock: times are handed in.
 * Memory:  the caller's; nothing is allocated.
 * Units:   in the rows. Gaps are kept in 16 bits and lose their lower part:
 *          11 bits of them are exact, which is a part in a thousand.
 * Limits:  a value that does not fit is the largest that does.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define FEATURES_READS 8u /* of each way */
#define FEATURES_SEQUENCE (2 * FEATURES_READS)
#define FEATURES_SMALL_BYTES 256u
#define FEATURES_LARGE_BYTES 8192u
/* A gap from here on is no processing: a timer, a person, or a far client. */
#define FEATURES_WAIT_US 10000u
/* And from here on no path of a network is that long. */
#define FEATURES_PAUSE_US 200000u

/* X(name, unit, help) */
#define FEATURE_LIST(X)                                                        \
	X(client_port, "class", "0 below 1024, 1 registered, 2 ephemeral")     \
	X(listener_port, "class", "of well-known services, see port_class")    \
	X(client_address, "class", "0 loopback or unix, 1 private, 2 public")  \
	X(server_first, "0/1", "the server spoke first")                       \
	X(protocol, "number", "of the first bytes, see dpi.h")                 \
	X(protocol_kind, "number", "web, shell, database ..., see dpi.h")      \
	X(first_up_bytes, "bytes", "first read from the client")               \
	X(first_down_bytes, "bytes", "first read from the server")             \
	X(first_wait_us, "us", "from connected to the first byte of either")   \
	X(answer_us, "us", "from the first byte to the other side's first")    \
	X(size_1, "bytes", "read 1: up positive, down negative")               \
	X(size_2, "bytes", "read 2")                                           \
	X(size_3, "bytes", "read 3")                                           \
	X(size_4, "bytes", "read 4")                                           \
	X(size_5, "bytes", "read 5")                                           \
	X(size_6, "bytes", "read 6")                                           \
	X(size_7, "bytes", "read 7")                                           \
	X(size_8, "bytes", "read 8")                                           \
	X(size_9, "bytes", "read 9")                                           \
	X(size_10, "bytes", "read 10")                                         \
	X(size_11, "bytes", "read 11")                                         \
	X(size_12, "bytes", "read 12")                                         \
	X(size_13, "bytes", "read 13")                                         \
	X(size_14, "bytes", "read 14")                                         \
	X(size_15, "bytes", "read 15")                                         \
	X(size_16, "bytes", "read 16")                                         \
	X(gap_2, "us", "before read 2")                                        \
	X(gap_3, "us", "before read 3")                                        \
	X(gap_4, "us", "before read 4")                                        \
	X(gap_5, "us", "before read 5")                                        \
	X(gap_6, "us", "before read 6")                                        \
	X(gap_7, "us", "before read 7")                                        \
	X(gap_8, "us", "before read 8")                                        \
	X(gap_9, "us", "before read 9")                                        \
	X(gap_10, "us", "before read 10")                                      \
	X(gap_11, "us", "before read 11")                                      \
	X(gap_12, "us", "before read 12")                                      \
	X(gap_13, "us", "before read 13")                                      \
	X(gap_14, "us", "before read 14")                                      \
	X(gap_15, "us", "before read 15")                                      \
	X(gap_16, "us", "before read 16")                                      \
	X(up_bytes, "bytes", "from the client so far")                         \
	X(down_bytes, "bytes", "from the server so far")                       \
	X(down_permille, "1/1000", "share of the server's bytes")              \
	X(up_reads, "reads", "from the client so far")                         \
	X(down_reads, "reads", "from the server so far")                       \
	X(up_mean_bytes, "bytes", "mean read from the client")                 \
	X(down_mean_bytes, "bytes", "mean read from the server")               \
	X(turns, "turns", "changes of direction")                              \
	X(turn_bytes, "bytes", "bytes per turn")                               \
	X(small_permille, "1/1000", "reads below 256 bytes")                   \
	X(large_permille, "1/1000", "reads of 8 KiB and more")                 \
	X(age_ms, "ms", "since connected")                                     \
	X(max_gap_ms, "ms", "longest time without a byte")                     \
	X(burst_permille, "1/1000", "the longest gap's share of the age")      \
	X(rate_kbps, "kbit/s", "bytes of both ways over the age")              \
	X(http_method, "number", "0, GET 1, HEAD 2, POST 3, PUT 4, other 5")   \
	X(http_path, "class", "of the path's extension, see path_class")       \
	X(http_range, "0/1", "a Range was asked for")                          \
	X(http_upgrade, "0/1", "an upgrade was asked for")                     \
	X(http_status, "class", "hundreds of the answer, 0 unknown")           \
	X(http_length_kib, "KiB", "Content-Length of the answer, -1 unknown")  \
	X(http_type, "class", "of the answer's type, see type_class")          \
	X(tls_version, "number", "highest offered: 0 none ... 4 is 1.3")       \
	X(tls_alpn, "number", "0 none, 1 http/1.1, 2 h2, 3 other")             \
	X(tls_sni, "0/1", "a name was sent")                                   \
	X(tls_ech, "0/1", "an encrypted ClientHello, or its pretence")         \
	X(rtt_us, "us", "TCP_INFO of the client's socket, 0 unknown")          \
	X(delivery_kbps, "kbit/s", "TCP_INFO of the client's socket")          \
	X(history_flows, "flows", "earlier ones of the same kind, decayed")    \
	X(history_kib, "KiB", "their mean size, -1 unknown")                   \
	X(history_kbps, "kbit/s", "their rate, -1 unknown or short")           \
	X(history_ms, "ms", "their mean duration, -1 unknown")                 \
	X(turn_now_bytes, "bytes", "of one side, since the other was heard")   \
	X(turn_now_ms, "ms", "since the other side was heard")                 \
	X(turn_max_bytes, "bytes", "the most that one side sent in a turn")    \
	X(waits_up, "gaps", "of 10 ms and more that the client ended")         \
	X(waits_down, "gaps", "of 10 ms and more that the server ended")       \
	X(pauses_up, "gaps", "of 200 ms and more that the client ended")       \
	X(pauses_down, "gaps", "of 200 ms and more that the server ended")     \
	X(wait_permille, "1/1000", "share of the age in gaps from 10 ms")      \
	X(wait_bytes, "bytes", "between two gaps of 10 ms and more")           \
	X(recent_kbps, "kbit/s", "of both ways since the last verdict")        \
	X(recent_turn_bytes, "bytes", "per turn since the last verdict")       \
	X(recent_small_permille, "1/1000",                                     \
	    "small reads since the last verdict")                              \
	X(recent_down_permille, "1/1000", "the server's bytes since then")

enum feature {
#define X(name, unit, help) FEATURE_##name,
	FEATURE_LIST(X)
#undef X
	    N_FEATURES
};

/* What the first bytes of either side say; zero: nothing. */
struct features_hints {
	uint8_t protocol, protocol_kind;
	uint8_t http_method, http_path, http_status, http_type;
	uint8_t tls_version, tls_alpn;
	bool http_range : 1, http_upgrade : 1, tls_sni : 1, tls_ech : 1;
	bool http_length_known : 1;
	uint32_t http_length_kib;
	/* How the answer is delimited depends on it: enum http1_asked. */
	uint8_t http_asked;
	/* The first message of each way (up, down), its head included, where
	 * the whole head has come and says it; 0: not known. */
	uint64_t message_bytes[2];
};

struct features_socket {
	uint32_t rtt_us;
	uint64_t delivery_bps; /* bytes a second */
};

struct features_history {
	uint32_t flows; /* 0: the others say nothing */
	uint64_t bytes;
	uint64_t rate_bps; /* bytes a second */
	uint32_t duration_ms;
	uint16_t large_permille; /* share of large ones; no feature */
};

/* Sums as they were at the last verdict. */
struct features_mark {
	int64_t at_ns;
	uint64_t bytes[2];
	uint32_t reads, turns, small;
};

/* One flow's track. */
struct features {
	int64_t began_ns, last_ns;
	int64_t turn_ns; /* the other side's last byte before this turn */
	uint64_t bytes[2]; /* up, down */
	uint32_t reads[2];
	uint32_t turns, small, large;
	uint32_t turn_bytes, turn_max_bytes; /* saturate, as all below */
	uint32_t max_gap_us, wait_ms;
	uint16_t waits[2], pauses[2]; /* ended by the client, by the server */
	struct features_mark mark;
	uint8_t n_sequence; /* of size[] and gap[] */
	uint8_t kept[2]; /* of each way */
	bool last_up : 1, server_first : 1;
	uint8_t client_port, listener_port, client_address;
	int16_t size[FEATURES_SEQUENCE];
	uint16_t gap[FEATURES_SEQUENCE]; /* [0] is first_wait */
};

/* At the moment the flow is connected. */
void features_start(struct features *features, struct mono now);
/* Where it comes from and goes to; ports in host order, 0 for unix. */
void features_set_ends(struct features *features, int family,
    const uint8_t ip[16], uint16_t client_port, uint16_t listener_port);
/* Bytes came from one side: constant time. */
void features_on_read(
    struct features *features, bool up, uint32_t bytes, struct mono now);
/* A verdict was made: what is recent begins anew. */
void features_mark(struct features *features, struct mono now);
/* The vector; hints, socket and history may be NULL: not known. */
void features_fill(const struct features *features,
    const struct features_hints *hints, const struct features_socket *socket,
    const struct features_history *history, struct mono now,
    int32_t ret[N_FEATURES]);
const char *feature_name(enum feature feature);
const char *feature_unit(enum feature feature);
const char *feature_help(enum feature feature);
/* All names in order, as learn/feature_names.h hashes them. */
uint64_t features_hash(void);

/* A port's service: 0 other, 1 web, 2 shell, 3 mail, 4 database, 5 queue,
 * 6 files, 7 media. */
uint8_t port_class(uint16_t port);
/* A path's last extension: 0 none, 1 page or script of a server, 2 style or
 * script, 3 image, 4 font, 5 media file, 6 media segment, 7 playlist,
 * 8 archive or package, 9 document, 10 other. A query is left out. */
uint8_t path_class(const char *path, uint32_t length);
/* A media type (RFC 6838): 0 unknown, 1 text/html, 2 other text or script,
 * 3 json or xml, 4 image, 5 audio or video, 6 font, 7 archive or octets,
 * 8 event stream, 9 other. Parameters are left out. */
uint8_t type_class(const char *type, uint32_t length);
