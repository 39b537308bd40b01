/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/cookie_secrets.h"

#include "base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool secret_of(const char *text, size_t length, struct siphash_key *ret)
{
	uint8_t bytes[SIPHASH_KEY_BYTES];

	if (length != 2 * sizeof bytes)
		return false;
	for (size_t i = 0; i < sizeof bytes; i++) {
		int high = digit_of(text[2 * i]);
		int low = digit_of(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret = siphash_key_of(bytes);
	return true;
}

/* A line without its comment and the blanks around it. */
static size_t trim(const char **line, size_t length)
{
	const char *text = *line, *comment = memchr(text, '#', length);

	if (comment)
		length = (size_t)(comment - text);
	while (length && is_blank(text[length - 1]))
		length--;
	for (; length && is_blank(*text); text++)
		length--;
	*line = text;
	return length;
}

/* What is wrong with it, or NULL. */
static const char *parse_line(
    const char *line, size_t length, struct cookie_secrets *secrets)
{
	length = trim(&line, length);
	if (!length)
		return NULL;
	if (secrets->n == COOKIE_SECRETS_MAX)
		return "has more than 8 secrets";
	if (!secret_of(line, length, &secrets->keys[secrets->n]))
		return "has a line that is not 32 hexadecimal digits";
	secrets->n++;
	return NULL;
}

const char *cookie_secrets_parse(
    const char *text, size_t length, struct cookie_secrets *ret)
{
	const char *end = text + length;

	ret->n = 0;
	while (text < end) {
		const char *next = memchr(text, '\n', (size_t)(end - text));
		const char *wrong;

		if (!next)
			next = end;
		wrong = parse_line(text, (size_t)(next - text), ret);
		if (wrong)
			return wrong;
		text = next + 1;
	}
	return ret->n ? NULL : "has no secret";
}

static int read_file(const char *path, char *text, size_t room, size_t *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), code = 0;
	size_t length = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, text + length, room - length);
		if (n < 0)
			code = -errno;
		else
			length += (size_t)n;
	} while (n > 0 && length < room);
	(void)close(fd);
	*ret = length;
	return code;
}

static struct cookie_secrets *secrets_new(void)
{
	struct cookie_secrets *secrets = calloc(1, sizeof *secrets);

	if (!secrets)
		br_out_of_memory("secrets of cookies", sizeof *secrets);
	secrets->holders = 1;
	return secrets;
}

struct cookie_secrets *cookie_secrets_load(
    const char *path, const char **ret_why)
{
	struct cookie_secrets *secrets = secrets_new();
	char text[COOKIE_FILE_MAX + 1];
	size_t length = 0;
	int code = read_file(path, text, sizeof text, &length);

	if (code)
		*ret_why = br_strerror(code);
	else if (length > COOKIE_FILE_MAX)
		*ret_why = "has more than 4096 bytes";
	else
		*ret_why = cookie_secrets_parse(text, length, secrets);
	explicit_bzero(text, sizeof text);
	if (!*ret_why)
		return secrets;
	cookie_secrets_unref(secrets);
	return NULL;
}

struct cookie_secrets *cookie_secrets_random(void)
{
	struct cookie_secrets *secrets = secrets_new();
	uint8_t bytes[SIPHASH_KEY_BYTES];

	/* So few bytes never come in parts (getrandom(2)). */
	br_assert(getrandom(bytes, sizeof bytes, 0) == sizeof bytes);
	secrets->keys[secrets->n++] = siphash_key_of(bytes);
	return secrets;
}

struct cookie_secrets *cookie_secrets_ref(struct cookie_secrets *secrets)
{
	secrets->holders++;
	return secrets;
}

void cookie_secrets_unref(struct cookie_secrets *secrets)
{
	if (!secrets || --secrets->holders)
		return;
	explicit_bzero(secrets, sizeof *secrets);
	free(secrets);
}

bool cookie_secrets_equal(
    const struct cookie_secrets *a, const struct cookie_secrets *b)
{
	return a->n == b->n &&
	       !memcmp(a->keys, b->keys, a->n * sizeof *a->keys);
}
