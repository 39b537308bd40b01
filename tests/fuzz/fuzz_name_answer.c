/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message of the DNS: the first byte says what was asked. Whatever it is, the
 * result is whole: records of the right kind, texts that end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "fleet/name_answer.h"

static void check_record(const struct name_record *record, enum name_type type)
{
	size_t length = strnlen(record->target, sizeof record->target);

	br_assert(length <= NAME_HOST_MAX);
	br_assert((type == NAME_SRV) == (length > 0));
	if (type == NAME_SRV)
		br_assert(record->port && !record->addr.length);
	else
		br_assert(record->addr.length &&
			  record->addr.sa.sa_family ==
			      (type == NAME_A ? AF_INET : AF_INET6));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct name_answer answer;
	enum name_type type;
	uint8_t *bytes;

	if (!size)
		return 0;
	type = data[0] % NAME_TYPES;
	/* A block of its own, so that reading beyond it is seen. */
	bytes = malloc(size);
	br_assert(bytes);
	memcpy(bytes, data + 1, size - 1);
	name_answer_read(bytes, size - 1, type, &answer);
	free(bytes);
	br_assert(answer.result < NAME_RESULTS);
	br_assert((answer.result == NAME_ANSWER) == (answer.n > 0));
	br_assert(answer.n <= NAME_RECORDS_MAX);
	br_assert(answer.ttl_s <= 0x7fffffff);
	for (uint32_t i = 0; i < answer.n; i++)
		check_record(&answer.records[i], type);
	return 0;
}
