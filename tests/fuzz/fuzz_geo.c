/* SPDX-License-Identifier: Apache-2.0 */
/* A geography database of any bytes: it is walked to an end, and what comes
 * out are prefixes that do not overlap the one before. */
#include "daemon/geo_file.h"

#include "base/assert.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static uint32_t on_choose(void *context, const struct geo_record *record)
{
	(void)context;
	return record->country[0] ? (uint32_t)record->country[0] : record->asn;
}

static int on_emit(void *context, const struct prefix *prefix, uint32_t chosen)
{
	struct prefix *before = context;

	br_assert(chosen != GEO_NONE);
	br_assert(!prefix_covers(before, prefix));
	br_assert(!prefix_covers(prefix, before));
	*before = *prefix;
	return 0;
}

/* libmaxminddb 1.7 loses some memory of metadata that it refuses. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb.so";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct prefix before = {.family = 0};
	struct geo_sink sink = {
	    .context = &before, .choose = on_choose, .emit = on_emit};
	struct geo_facts facts;
	char name[32], why[128];

	br_assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	if (geo_file_read(name, &sink, &facts, why, sizeof why))
		br_assert(why[0]);
	close(fd);
	return 0;
}
