/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Error codes. A function that can fail returns 0 or a negative code: either
 * -errno, as the `res` of an io_uring completion, or one of Braid's own codes
 * below -1000. br_strerror() knows both kinds.
 *
 * Thread:  any.
 * Memory:  the texts are static, except for unknown errno values, whose text
 *          is valid until the same thread asks again.
 */

#define BR_ERROR_LIST(X)                                                       \
	X(BR_E_SYNTAX, -1000, "syntax error")                                  \
	X(BR_E_CONFIG, -1001, "configuration refused")                         \
	X(BR_E_LIMIT, -1002, "limit reached")                                  \
	X(BR_E_NO_SERVER, -1003, "no usable server in the pool")               \
	X(BR_E_QUEUE_FULL, -1004, "the pool's queue is full")                  \
	X(BR_E_VERSION, -1005, "not in this version")                          \
	X(BR_E_CLOSED, -1006, "closed by the other side")                      \
	X(BR_E_STATUS, -1007, "unexpected status")                             \
	X(BR_E_LATE, -1008, "result discarded: this process was late")         \
	X(BR_E_PROTOCOL, -1009, "unexpected bytes")                            \
	X(BR_E_KILLED, -1010, "killed by an operator")                         \
	X(BR_E_DRAINED, -1011, "killed at the end of the drain")               \
	X(BR_E_EARLY_END, -1012, "ended before it had sent what is needed")    \
	X(BR_E_UNTRUSTED, -1013, "not in proxy_from")                          \
	X(BR_E_PROXY_HEADER, -1014, "malformed PROXY header")                  \
	X(BR_E_CLIENT_HELLO, -1015, "malformed TLS ClientHello")               \
	X(BR_E_TLS, -1016, "TLS failed")                                       \
	X(BR_E_TLS_TRUNCATED, -1017, "ended without TLS close_notify")         \
	X(BR_E_DENIED, -1018, "refused by allow or deny of the listener")      \
	X(BR_E_SOURCE_FULL, -1019,                                             \
	    "the source has per_source.connections already")                   \
	X(BR_E_SOURCE_FAST, -1020,                                             \
	    "the source connects faster than per_source.rate")                 \
	X(BR_E_CLIENT_ADDRESS, -1025,                                          \
	    "no server can be connected from the client's address")            \
	X(BR_E_TLS_ENDED, -1026,                                               \
	    "the connection ended within the TLS handshake")                   \
	X(BR_E_TLS_SLOW, -1027, "no whole TLS handshake in the time for it")   \
	X(BR_E_MODEL, -1028, "not a model for this version")                   \
	X(BR_E_DIGEST, -1029, "what servers sent does not match Repr-Digest")

enum br_error {
#define X(name, value, text) name = value,
	BR_ERROR_LIST(X)
#undef X
};

#define BR_MUST_CHECK __attribute__((warn_unused_result))

/* The text of a negative code; "success" for 0. Never NULL. */
const char *br_strerror(int code);
