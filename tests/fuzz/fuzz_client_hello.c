/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same bytes in one piece, byte by byte, and only when the reader can get
 * on: the results must not differ. What the first part of one says holds for
 * the whole.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "profiler/client_hello.h"

#define BYTES_MAX (CLIENT_HELLO_BYTES_MAX + 64)
/* Byte by byte the copies make it quadratic. */
#define SINGLE_BYTES_MAX 2048

static void check_hello(const struct client_hello *hello, size_t length)
{
	const uint8_t *name;
	uint16_t at = 0;
	uint8_t n;

	br_assert(hello->bytes <= length);
	br_assert(hello->bytes <= CLIENT_HELLO_BYTES_MAX);
	br_assert(strlen(hello->name) == hello->name_length);
	br_assert(!hello->name_odd || !hello->name_length);
	for (const char *p = hello->name; *p; p++)
		br_assert(*p > ' ' && *p < 0x7f && !(*p >= 'A' && *p <= 'Z'));
	while (client_hello_alpn_next(hello, &at, &name, &n))
		br_assert(n && name + n <= hello->alpn + hello->alpn_length);
	br_assert(at == hello->alpn_length);
}

/* The longest first part that says something: what it does. */
static void look_at_begun(const uint8_t *bytes, size_t length,
    const struct client_hello_reader *reader, struct client_hello *begun)
{
	struct client_hello hello;

	br_assert(!reader->cause);
	if (!client_hello_begun(bytes, length, &hello))
		return;
	br_assert(!begun->name_length || !strcmp(begun->name, hello.name));
	check_hello(&hello, length);
	*begun = hello;
}

static void check_begun(
    const struct client_hello *begun, const struct client_hello *whole)
{
	br_assert(!begun->name_length || !strcmp(begun->name, whole->name));
	br_assert(!begun->versions || begun->versions == whole->versions);
	br_assert(!begun->alpn_length ||
		  !memcmp(begun->alpn, whole->alpn, sizeof begun->alpn));
	br_assert(begun->ech <= whole->ech);
}

static enum client_hello_result read_in_steps(const uint8_t *data, size_t size,
    size_t step, bool patient, struct client_hello *ret)
{
	enum client_hello_result result = CLIENT_HELLO_MORE;
	struct client_hello begun = {0};
	struct client_hello_reader reader;
	size_t length = 0;

	client_hello_start(&reader);
	while (result == CLIENT_HELLO_MORE && length < size) {
		uint8_t *bytes;

		length = length + step < size ? length + step : size;
		if (patient && length < reader.need)
			continue;
		/* A block of its own, so that reading beyond it is seen. */
		bytes = malloc(length);
		br_assert(bytes);
		memcpy(bytes, data, length);
		result = client_hello_read(&reader, bytes, length, ret);
		if (result == CLIENT_HELLO_MORE)
			look_at_begun(bytes, length, &reader, &begun);
		free(bytes);
		br_assert(result != CLIENT_HELLO_MORE ||
			  (reader.need > length &&
			      reader.need <= CLIENT_HELLO_BYTES_MAX));
		br_assert(*client_hello_cause_text(
		    (enum client_hello_cause)reader.cause));
	}
	if (result == CLIENT_HELLO_DONE) {
		check_hello(ret, size);
		check_begun(&begun, ret);
	}
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client_hello whole = {0}, single = {0}, patient = {0};
	enum client_hello_result result, slow;

	if (size > BYTES_MAX)
		return 0;
	result = read_in_steps(data, size, size, false, &whole);
	slow = read_in_steps(data, size, 1, true, &patient);
	/* The patient one may wait where the other has refused already. */
	br_assert(slow == result ||
		  (slow == CLIENT_HELLO_MORE && result != CLIENT_HELLO_DONE));
	br_assert(!memcmp(&whole, &patient, sizeof(whole)));
	if (size > SINGLE_BYTES_MAX)
		return 0;
	br_assert(read_in_steps(data, size, 1, false, &single) == result);
	br_assert(!memcmp(&whole, &single, sizeof(whole)));
	return 0;
}
