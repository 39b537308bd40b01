/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rfc4648.h"

#include "tests/unit/base/check_main.h"

#include <string.h>

/* Reads the text in parts of that many bytes. */
static const char *read_parts(enum rfc4648 kind, const char *text, size_t part,
    uint8_t *ret, size_t *ret_length)
{
	struct rfc4648_reader reader = rfc4648_reader_of(kind);
	struct cursor_out out = cursor_out_of(ret, 64);
	size_t length = strlen(text);
	const char *wrong = NULL;

	for (size_t i = 0; i < length && !wrong; i += part)
		wrong = rfc4648_read(&reader, text + i,
		    length - i < part ? length - i : part, &out);
	*ret_length = cursor_out_length(&out);
	return wrong ? wrong : rfc4648_read_end(&reader);
}

static void reads(enum rfc4648 kind, const char *text, const char *expected)
{
	for (size_t part = 1; part < 9; part++) {
		uint8_t bytes[64];
		size_t length;

		ck_assert_ptr_null(
		    read_parts(kind, text, part, bytes, &length));
		ck_assert_uint_eq(length, strlen(expected));
		ck_assert_mem_eq(bytes, expected, length);
	}
}

static void refuses(enum rfc4648 kind, const char *text, const char *why)
{
	for (size_t part = 1; part < 9; part++) {
		uint8_t bytes[64];
		size_t length;

		ck_assert_str_eq(
		    read_parts(kind, text, part, bytes, &length), why);
	}
}

/* RFC 4648 section 10. */
START_TEST(test_vectors)
{
	static const struct {
		const char *bytes, *base64, *base32hex, *hex;
	} vectors[] = {
	    {"", "", "", ""},
	    {"f", "Zg==", "CO", "66"},
	    {"fo", "Zm8=", "CPNG", "666F"},
	    {"foo", "Zm9v", "CPNMU", "666F6F"},
	    {"foob", "Zm9vYg==", "CPNMUOG", "666F6F62"},
	    {"fooba", "Zm9vYmE=", "CPNMUOJ1", "666F6F6261"},
	    {"foobar", "Zm9vYmFy", "CPNMUOJ1E8", "666F6F626172"},
	};

	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		const char *texts[] = {[RFC4648_HEX] = vectors[i].hex,
		    [RFC4648_BASE32HEX] = vectors[i].base32hex,
		    [RFC4648_BASE64] = vectors[i].base64};

		for (enum rfc4648 k = RFC4648_HEX; k <= RFC4648_BASE64; k++) {
			size_t n = strlen(vectors[i].bytes);
			char text[64];
			size_t length = rfc4648_write(
			    k, (const uint8_t *)vectors[i].bytes, n, text);

			ck_assert_uint_eq(length, rfc4648_text_length(k, n));
			ck_assert_uint_eq(length, strlen(texts[k]));
			ck_assert_mem_eq(text, texts[k], length);
			reads(k, texts[k], vectors[i].bytes);
		}
	}
	reads(RFC4648_HEX, "666f6F", "foo");
	reads(RFC4648_BASE32HEX, "cpnmu", "foo");
	reads(RFC4648_BASE64, "Pz8/Pj4+", "?\?\?>>>");
}
END_TEST

START_TEST(test_refused)
{
	refuses(RFC4648_HEX, "66f", "has an odd number of hexadecimal digits");
	refuses(RFC4648_HEX, "6g", "is not hexadecimal");
	refuses(RFC4648_HEX, "66=", "is not hexadecimal");
	refuses(RFC4648_BASE32HEX, "CW",
	    "is not base32 with the extended hex alphabet");
	/* A digit that no byte needs, and bits that belong to none. */
	refuses(RFC4648_BASE32HEX, "C", "ends in the middle of a byte");
	refuses(RFC4648_BASE32HEX, "CP", "ends in the middle of a byte");
	refuses(RFC4648_BASE32HEX, "CPN", "ends in the middle of a byte");
	refuses(RFC4648_BASE64, "Zh==", "ends in the middle of a byte");
	refuses(RFC4648_BASE64, "Z", "ends in the middle of a byte");
	refuses(RFC4648_BASE64, "Zg", "is not padded with = to groups of four");
	refuses(
	    RFC4648_BASE64, "Zg=", "is not padded with = to groups of four");
	refuses(
	    RFC4648_BASE64, "Zg===", "is not padded with = to groups of four");
	refuses(
	    RFC4648_BASE64, "Zm9v=", "is not padded with = to groups of four");
	refuses(RFC4648_BASE64, "Zg==Zg==", "goes on after its padding");
	refuses(RFC4648_BASE64, "Zm-v", "is not base64");
	refuses(RFC4648_BASE64, "Zm 9", "is not base64");
}
END_TEST

/* More than rfc4648_add() makes at once, of every length around. */
START_TEST(test_add)
{
	uint8_t bytes[700], back[700];
	struct strbuf text;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 37 + i / 256);
	for (size_t n = 295; n < sizeof bytes; n++)
		for (enum rfc4648 k = RFC4648_HEX; k <= RFC4648_BASE64; k++) {
			struct rfc4648_reader reader = rfc4648_reader_of(k);
			struct cursor_out out = cursor_out_of(back, n);

			strbuf_init(&text);
			rfc4648_add(&text, k, bytes, n);
			ck_assert_uint_eq(
			    text.length, rfc4648_text_length(k, n));
			ck_assert_ptr_null(rfc4648_read(
			    &reader, text.text, text.length, &out));
			ck_assert_ptr_null(rfc4648_read_end(&reader));
			ck_assert(!out.failed);
			ck_assert_uint_eq(cursor_out_length(&out), n);
			ck_assert_mem_eq(back, bytes, n);
			strbuf_fini(&text);
		}
}
END_TEST

/* What does not fit is the caller's to notice. */
START_TEST(test_room)
{
	struct rfc4648_reader reader = rfc4648_reader_of(RFC4648_HEX);
	uint8_t bytes[2];
	struct cursor_out out = cursor_out_of(bytes, sizeof bytes);

	ck_assert_ptr_null(rfc4648_read(&reader, "010203", 6, &out));
	ck_assert_ptr_null(rfc4648_read_end(&reader));
	ck_assert(out.failed);
	ck_assert_uint_eq(cursor_out_length(&out), 2);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("rfc4648");

	tcase_add_test(tcase, test_vectors);
	tcase_add_test(tcase, test_refused);
	tcase_add_test(tcase, test_add);
	tcase_add_test(tcase, test_room);
	return check_main(tcase);
}
