/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Types and classes of records: numbers, mnemonics, and for each type whose
 * data Braid reads and prints the kinds of its fields, in order. One row of
 * RR_TYPE_LIST is all there is to a type; what has no row is written as
 * TYPE<number> with its data as \# <length> <hex> (RFC 3597 section 5).
 *
 *      X(MX, 15, "hC")
 *                 ││
 *                 │└ a name that answers may compress
 *                 └─ 16 bits
 *
 * Thread:  any.
 * Memory:  static.
 * Errors:  false: no such mnemonic.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a field is on the wire and in text. Kinds from RR_FIELD_STRINGS on
 * stand last: they take what is left of the data, or are all of it (LOC).
 *
 * Names are of three kinds. Only those of the types of RFC 1035 may be
 * compressed (RFC 3597 section 4); and only those of the types that RFC 4034
 * section 6.2 lists, without NSEC (RFC 6840 section 5.1), are lower case in
 * the canonical form.
 */
enum rr_field {
	RR_FIELD_NAME_PACKED = 'C', /* compressible; lower case in canonical */
	RR_FIELD_NAME_LOWER = 'L', /* lower case in canonical */
	RR_FIELD_NAME = 'K', /* neither */
	RR_FIELD_U8 = 'b',
	RR_FIELD_U16 = 'h',
	RR_FIELD_U32 = 'l',
	RR_FIELD_PERIOD = 't', /* 32 bits of seconds, in text with units */
	RR_FIELD_DATE = 'd', /* 32 bits, YYYYMMDDHHmmSS (RFC 4034 3.2) */
	RR_FIELD_TYPE = 'T', /* 16 bits, a mnemonic */
	RR_FIELD_CERT_TYPE = 'e', /* 16 bits, RFC 4398 section 2.1 */
	RR_FIELD_ALGORITHM = 'g', /* 8 bits, a DNSSEC algorithm */
	RR_FIELD_IPV4 = '4',
	RR_FIELD_IPV6 = '6',
	RR_FIELD_EUI48 = '7', /* RFC 7043 section 3.2 */
	RR_FIELD_EUI64 = '8',
	RR_FIELD_STRING = 's', /* length byte, up to 255 bytes */
	RR_FIELD_TAG = 'a', /* the same, letters and digits (CAA) */
	RR_FIELD_SALT = 'x', /* length byte; hex or "-" (RFC 5155 3.3) */
	RR_FIELD_HASH = '3', /* length byte; base32hex */
	RR_FIELD_STRINGS = 'S', /* one or more of RR_FIELD_STRING */
	RR_FIELD_TEXT = 'X', /* one string without a length byte */
	RR_FIELD_QUOTED = 'Q', /* the same, in quotes always (URI) */
	RR_FIELD_HEX = 'H',
	RR_FIELD_BASE64 = 'B',
	RR_FIELD_TYPES = 'W', /* a bitmap of types (RFC 4034 4.1.2) */
	RR_FIELD_PARAMS = 'P', /* SvcParams (RFC 9460 section 2.1) */
	RR_FIELD_LOC = 'O', /* all 16 bytes of RFC 1876 */
};

/* X(mnemonic, number, fields): fields NULL means that there is no text form
 * but the generic one. */
#define RR_TYPE_LIST(X)                                                        \
	X(A, 1, "4")                                                           \
	X(AAAA, 28, "6")                                                       \
	X(NS, 2, "C")                                                          \
	X(CNAME, 5, "C")                                                       \
	X(SOA, 6, "CCltttt")                                                   \
	X(MX, 15, "hC")                                                        \
	X(TXT, 16, "S")                                                        \
	X(PTR, 12, "C")                                                        \
	X(SRV, 33, "hhhL")                                                     \
	X(CAA, 257, "baX")                                                     \
	X(SVCB, 64, "hKP")                                                     \
	X(HTTPS, 65, "hKP")                                                    \
	X(TLSA, 52, "bbbH")                                                    \
	X(SSHFP, 44, "bbH")                                                    \
	X(DS, 43, "hgbH")                                                      \
	X(RRSIG, 46, "TgblddhLB")                                              \
	X(NSEC, 47, "KW")                                                      \
	X(DNSKEY, 48, "hbgB")                                                  \
	X(NSEC3, 50, "bbhx3W")                                                 \
	X(NSEC3PARAM, 51, "bbhx")                                              \
	X(CDS, 59, "hgbH")                                                     \
	X(CDNSKEY, 60, "hbgB")                                                 \
	X(DNAME, 39, "L")                                                      \
	X(NAPTR, 35, "hhsssL")                                                 \
	X(HINFO, 13, "ss")                                                     \
	X(SPF, 99, "S")                                                        \
	X(LOC, 29, "O")                                                        \
	X(URI, 256, "hhQ")                                                     \
	X(CERT, 37, "ehgB")                                                    \
	X(OPENPGPKEY, 61, "B")                                                 \
	X(SMIMEA, 53, "bbbH")                                                  \
	X(ZONEMD, 63, "lbbH")                                                  \
	X(CSYNC, 62, "lhW")                                                    \
	X(DLV, 32769, "hgbH")                                                  \
	X(DHCID, 49, "B")                                                      \
	X(EUI48, 108, "7")                                                     \
	X(EUI64, 109, "8")                                                     \
	X(RP, 17, "LL")                                                        \
	X(AFSDB, 18, "hL")                                                     \
	X(X25, 19, "s")                                                        \
	X(RT, 21, "hL")                                                        \
	X(PX, 26, "hLL")                                                       \
	X(KX, 36, "hL")                                                        \
	X(MB, 7, "C")                                                          \
	X(MG, 8, "C")                                                          \
	X(MR, 9, "C")                                                          \
	X(MINFO, 14, "CC")                                                     \
	X(KEY, 25, "hbgB")                                                     \
	X(NINFO, 56, "S")                                                      \
	X(AVC, 258, "S")                                                       \
	/* Known by name only. */                                              \
	X(MD, 3, NULL)                                                         \
	X(MF, 4, NULL)                                                         \
	X(NULL, 10, NULL)                                                      \
	X(WKS, 11, NULL)                                                       \
	X(ISDN, 20, NULL)                                                      \
	X(SIG, 24, NULL)                                                       \
	X(APL, 42, NULL)                                                       \
	X(IPSECKEY, 45, NULL)                                                  \
	X(HIP, 55, NULL)                                                       \
	X(OPT, 41, NULL)                                                       \
	X(TKEY, 249, NULL)                                                     \
	X(TSIG, 250, NULL)                                                     \
	X(IXFR, 251, NULL)                                                     \
	X(AXFR, 252, NULL)                                                     \
	X(MAILB, 253, NULL)                                                    \
	X(MAILA, 254, NULL)                                                    \
	X(ANY, 255, NULL)

enum rr_type {
#define X(name, number, fields) RR_##name = number,
	RR_TYPE_LIST(X)
#undef X
};

enum rr_class {
	RR_CLASS_IN = 1,
	RR_CLASS_CH = 3,
	RR_CLASS_HS = 4,
	RR_CLASS_NONE = 254,
	RR_CLASS_ANY = 255,
};

/* Room for any of their texts, terminated, and for decimal_format(). */
#define RR_TEXT_MAX 32u

/* The kinds of the fields (enum rr_field), NULL: no text form of its own. */
const char *rr_type_fields(uint16_t type);
/* Whether a zone may hold records of the type: not 0, OPT or 128 to 255,
 * which belong to questions and messages (RFC 6895 section 3.1), nor MD and
 * MF, which MX replaced (RFC 973 section 2). */
bool rr_type_is_data(uint16_t type);
/* Mnemonic or TYPE<number>, in any case. */
bool rr_type_from_text(const char *text, size_t length, uint16_t *ret);
/* Returns the length; terminated. */
size_t rr_type_to_text(uint16_t type, char ret[RR_TEXT_MAX]);
bool rr_class_from_text(const char *text, size_t length, uint16_t *ret);
size_t rr_class_to_text(uint16_t rr_class, char ret[RR_TEXT_MAX]);
