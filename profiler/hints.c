/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/hints.h"

#include <ctype.h>
#include <string.h>

#include "base/assert.h"
#include "conf/protocol.h"
#include "io/http1_body.h"
#include "profiler/dpi.h"

static void hints_take_name(
    struct hints_name *ret, const char *name, size_t length)
{
	ret->length =
	    (uint32_t)(length < HINTS_NAME_MAX ? length : HINTS_NAME_MAX);
	for (uint32_t i = 0; i < ret->length; i++)
		ret->text[i] = (char)tolower((unsigned char)name[i]);
	ret->text[ret->length] = '\0';
}

static void hints_set_protocol(
    struct features_hints *hints, enum protocol protocol)
{
	if (protocol == PROTOCOL_UNKNOWN)
		return;
	hints->protocol = (uint8_t)protocol;
	hints->protocol_kind = (uint8_t)protocol_facts(protocol)->kind;
}

#define HINTS_METHOD_HEAD 2 /* up to it, requests have no body */

static uint8_t method_number(const char *method, uint32_t length)
{
	static const char *const methods[] = {"GET", "HEAD", "POST", "PUT"};

	for (uint8_t i = 0; i < BR_COUNT(methods); i++)
		if (strlen(methods[i]) == length &&
		    memcmp(methods[i], method, length) == 0)
			return (uint8_t)(i + 1);
	return 5;
}

/* The whole message, of which this head is the beginning; 0: not known. */
static uint64_t message_bytes(
    const struct http1_head *head, enum http1_asked asked)
{
	/* Nobody sends as much, and the sum shall not wrap. */
	if (http1_framing(head, asked) != HTTP1_BY_LENGTH ||
	    head->content_length > UINT64_MAX / 2)
		return 0;
	return head->bytes + head->content_length;
}

/* Most requests have no body. Of one that may, the whole head counts, which
 * can be longer than what dpi looks at. True: the head is not whole. */
static bool hints_of_body(
    struct features_hints *hints, const void *bytes, size_t length)
{
	enum http1_result result;
	struct http1_head head;

	if (hints->http_method <= HINTS_METHOD_HEAD)
		return false;
	http1_head_start(&head, false);
	result = http1_head_read(&head, bytes, length);
	if (result == HTTP1_DONE)
		hints->message_bytes[0] =
		    message_bytes(&head, HTTP1_ASKED_OTHER);
	return result == HTTP1_MORE;
}

static void hints_of_request(struct features_hints *hints,
    const struct http1_head *head, const char *bytes,
    struct hints_name *ret_name)
{
	const struct http1_span *host = &head->known[HTTP1_HOST];

	if (!head->line_read)
		return;
	hints->http_method =
	    method_number(bytes + head->method.at, head->method.length);
	hints->http_path =
	    path_class(bytes + head->target.at, head->target.length);
	hints->http_range = head->known[HTTP1_RANGE].length > 0;
	hints->http_upgrade = (head->shapes & HTTP1_UPGRADES) != 0;
	hints->http_asked = (uint8_t)http1_asked(head, bytes);
	hints_take_name(ret_name, bytes + host->at, host->length);
}

/* The highest bit of client_hello.versions is the newest. */
static uint8_t tls_version_number(uint8_t versions)
{
	if (versions & CLIENT_HELLO_TLS13)
		return 4;
	if (versions & CLIENT_HELLO_TLS12)
		return 3;
	return versions & (CLIENT_HELLO_TLS11 | CLIENT_HELLO_TLS10) ? 2 : 1;
}

static uint8_t alpn_number(const struct client_hello *hello)
{
	const uint8_t *name;
	uint16_t at = 0;
	uint8_t length;

	if (!client_hello_alpn_next(hello, &at, &name, &length))
		return 0;
	if (length == 8 && memcmp(name, "http/1.1", 8) == 0)
		return 1;
	return length == 2 && memcmp(name, "h2", 2) == 0 ? 2 : 3;
}

static void hints_of_hello(struct features_hints *hints,
    const struct client_hello *hello, struct hints_name *ret_name)
{
	hints->tls_version = tls_version_number(hello->versions);
	hints->tls_alpn = alpn_number(hello);
	hints->tls_sni = hello->name_length > 0;
	hints->tls_ech = hello->ech;
	hints_take_name(ret_name, hello->name, hello->name_length);
}

/* What was said of the first part may be wrong of the whole. */
static void hints_forget_request(struct features_hints *hints)
{
	hints->http_method = hints->http_path = 0;
	hints->http_range = hints->http_upgrade = false;
	hints->tls_version = hints->tls_alpn = 0;
	hints->tls_sni = hints->tls_ech = false;
	hints->http_asked = 0;
	hints->message_bytes[0] = 0;
}

static void hints_forget_answer(struct features_hints *hints)
{
	hints->http_status = hints->http_type = 0;
	hints->http_length_known = false;
	hints->http_length_kib = 0;
	hints->message_bytes[1] = 0;
}

/* No more than what has come will be waited for. */
static void hints_of_begun_hello(struct features_hints *hints,
    const void *bytes, size_t length, struct hints_name *ret_name)
{
	struct client_hello hello;

	if (!client_hello_begun(bytes, length, &hello))
		return;
	hints_of_hello(hints, &hello, ret_name);
	if (!hello.versions)
		hints->tls_version = 0;
}

bool hints_of_client(struct features_hints *hints, const void *bytes,
    size_t length, struct hints_name *ret_name)
{
	struct client_hello hello;
	struct dpi_verdict verdict;
	enum dpi_result result;
	struct dpi dpi;
	bool more;

	ret_name->length = 0;
	ret_name->text[0] = '\0';
	hints_forget_request(hints);
	dpi_start(&dpi);
	result = dpi_read(&dpi, bytes, length, NULL, 0, &hello, &verdict);
	more = result == DPI_MORE && verdict.client_need;
	hints_set_protocol(hints, verdict.protocol);
	if (verdict.protocol == PROTOCOL_HTTP ||
	    verdict.protocol == PROTOCOL_WEBSOCKET) {
		hints_of_request(hints, verdict.head, bytes, ret_name);
		more |= hints_of_body(hints, bytes, length);
	} else if (verdict.hello) {
		hints_of_hello(hints, verdict.hello, ret_name);
	} else if (verdict.protocol == PROTOCOL_TLS && more) {
		hints_of_begun_hello(hints, bytes, length, ret_name);
	}
	return more;
}

static bool hints_of_answer(
    struct features_hints *hints, const void *bytes, size_t length)
{
	const struct http1_span *type;
	enum http1_result result;
	struct http1_head head;

	http1_head_start(&head, true);
	result = http1_head_read(&head, bytes, length);
	if (result == HTTP1_MALFORMED || !head.line_read)
		return result == HTTP1_MORE;
	if (result == HTTP1_DONE)
		hints->message_bytes[1] =
		    message_bytes(&head, (enum http1_asked)hints->http_asked);
	hints->http_status = (uint8_t)(head.status / 100);
	type = &head.known[HTTP1_CONTENT_TYPE];
	hints->http_type =
	    type_class((const char *)bytes + type->at, type->length);
	if (!(head.shapes & HTTP1_HAS_LENGTH) ||
	    head.shapes & HTTP1_LENGTH_AND_CODING)
		return result == HTTP1_MORE;
	hints->http_length_known = true;
	hints->http_length_kib =
	    (uint32_t)(head.content_length >> 10 < UINT32_MAX
			   ? head.content_length >> 10
			   : UINT32_MAX);
	return result == HTTP1_MORE;
}

static bool hints_speak_http(const struct features_hints *hints)
{
	return hints->protocol == PROTOCOL_HTTP ||
	       hints->protocol == PROTOCOL_WEBSOCKET;
}

bool hints_of_server(
    struct features_hints *hints, const void *bytes, size_t length)
{
	struct client_hello hello;
	struct dpi_verdict verdict;
	enum dpi_result result;
	struct dpi dpi;

	hints_forget_answer(hints);
	if (hints_speak_http(hints))
		return hints_of_answer(hints, bytes, length);
	if (hints->protocol != PROTOCOL_UNKNOWN)
		return false;
	dpi_start(&dpi);
	result = dpi_read(&dpi, NULL, 0, bytes, length, &hello, &verdict);
	hints_set_protocol(hints, verdict.protocol);
	/* As the next call would take it. */
	if (hints_speak_http(hints))
		return hints_of_answer(hints, bytes, length);
	return result == DPI_MORE && verdict.server_need;
}

/* -- what is kept ------------------------------------------------------ */

void hints_kept_start(struct hints_kept *kept)
{
	kept->open[0] = kept->open[1] = false;
	kept->length[0] = kept->length[1] = 0;
}

bool hints_kept_add(
    struct hints_kept *kept, bool up, const void *bytes, size_t length)
{
	uint32_t *at = &kept->length[!up];
	uint32_t room = HINTS_KEPT_MAX - *at;
	uint32_t n = length < room ? (uint32_t)length : room;

	memcpy(kept->bytes[!up] + *at, bytes, n);
	*at += n;
	return *at < HINTS_KEPT_MAX;
}
