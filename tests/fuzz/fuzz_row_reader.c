/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of CSV; an empty one begins another file. What a line is split into
 * must say the same when it is quoted and split again, and every row that was
 * taken must be whole.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/strbuf.h"
#include "learn/csv.h"
#include "learn/row_reader.h"

#define FIELDS_MAX 64

static void check_split(const uint8_t *bytes, size_t length)
{
	char *fields[FIELDS_MAX], *again[FIELDS_MAX];
	char *line = malloc(length + 1);
	uint32_t n, n_again;
	struct strbuf quoted;

	br_assert(line);
	memcpy(line, bytes, length);
	strbuf_init(&quoted);
	if (!csv_split(line, length, fields, FIELDS_MAX, &n)) {
		for (uint32_t i = 0; i < n; i++) {
			strbuf_adds(&quoted, i ? ",\"" : "\"");
			for (const char *c = fields[i]; *c; c++) {
				if (*c == '"')
					strbuf_addc(&quoted, '"');
				strbuf_addc(&quoted, *c);
			}
			strbuf_addc(&quoted, '"');
		}
		br_assert(!csv_split(
		    quoted.text, quoted.length, again, FIELDS_MAX, &n_again));
		br_assert(n == n_again);
		for (uint32_t i = 0; i < n; i++)
			br_assert(!strcmp(fields[i], again[i]));
	}
	strbuf_fini(&quoted);
	free(line);
}

/* False: the file ends here. */
static bool read_line(
    struct row_reader *reader, bool header, const uint8_t *bytes, size_t length)
{
	char *line = malloc(length + 1);
	uint32_t rows = reader->data.n_rows;
	int err;

	br_assert(line);
	memcpy(line, bytes, length);
	err = header ? row_reader_header(reader, line, length)
		     : row_reader_row(reader, line, length);
	free(line);
	br_assert(!err || *reader->error);
	br_assert(reader->data.n_rows == rows + (!err && !header));
	if (!err && !header) {
		br_assert(reader->data.labels[rows] < reader->n_classes);
		br_assert(reader->data.weights[rows] > 0);
		br_assert(*reader->class_names[reader->data.labels[rows]]);
	}
	return !(err && header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data, *end = data + size;
	struct row_reader reader;
	bool header = true;

	row_reader_init(&reader);
	while (at < end) {
		const uint8_t *line = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((line ? line : end) - at);

		check_split(at, length);
		if (!length)
			header = true;
		else if (read_line(&reader, header, at, length))
			header = false;
		else
			break;
		at += length + 1;
		if (!line)
			break;
	}
	row_reader_fini(&reader);
	return 0;
}
