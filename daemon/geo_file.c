/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/geo_file.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/hash.h"

#define CACHE_SLOTS 65536u
#define IPV4_BITS 32u
#define IPV6_BITS 128u
/* Where IPv4 is in a tree for IPv6. */
#define IPV4_DEPTH 96u
#define COPY_BYTES (16u << 20)
/* What is below has several answers. */
#define MIXED (GEO_NONE - 1)

/* Many networks have the same record; that of an offset is remembered. */
struct slot {
	uint32_t offset_plus_1; /* 0: empty */
	uint32_t chosen;
};

struct walk {
	MMDB_s db;
	const struct geo_sink *sink;
	char *why;
	size_t room;
	uint32_t visits; /* of nodes */
	uint32_t ipv4_node; /* UINT32_MAX: none */
	struct geo_facts facts;
	int err;
	struct prefix at;
	struct slot cache[CACHE_SLOTS];
};

static int refuse(char *ret_why, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse(char *ret_why, size_t room, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(ret_why, room, format, args);
	va_end(args);
	return BR_E_CONFIG;
}

/* -- records ------------------------------------------------------------ */

/* A text or number at that path; false where there is none of that type. */
static bool find(MMDB_entry_s *entry, const char *const *path, uint32_t type,
    MMDB_entry_data_s *ret)
{
	return MMDB_aget_value(entry, ret, path) == MMDB_SUCCESS &&
	       ret->has_data && ret->type == type;
}

/* Two capital letters. */
static bool find_code(MMDB_entry_s *entry, const char *const *path, char ret[3])
{
	MMDB_entry_data_s data;

	if (!find(entry, path, MMDB_DATA_TYPE_UTF8_STRING, &data) ||
	    data.data_size != 2)
		return false;
	for (int i = 0; i < 2; i++)
		if (data.utf8_string[i] < 'A' || data.utf8_string[i] > 'Z')
			return false;
	memcpy(ret, data.utf8_string, 2);
	ret[2] = '\0';
	return true;
}

static void find_any_code(
    MMDB_entry_s *entry, const char *const paths[][3], size_t n, char ret[3])
{
	for (size_t i = 0; i < n; i++)
		if (find_code(entry, paths[i], ret))
			return;
}

/* "AS3320" or "3320". */
static uint32_t asn_of_text(const MMDB_entry_data_s *data)
{
	uint64_t asn = 0;
	uint32_t i =
	    data->data_size > 2 && !strncmp(data->utf8_string, "AS", 2) ? 2 : 0;

	if (data->data_size - i < 1 || data->data_size - i > 10)
		return 0;
	for (; i < data->data_size; i++) {
		if (data->utf8_string[i] < '0' || data->utf8_string[i] > '9')
			return 0;
		asn = asn * 10 + (uint64_t)(data->utf8_string[i] - '0');
	}
	return asn <= UINT32_MAX ? (uint32_t)asn : 0;
}

static uint32_t find_asn(MMDB_entry_s *entry)
{
	static const char *const number[] = {"autonomous_system_number", NULL};
	static const char *const text[] = {"asn", NULL};
	MMDB_entry_data_s data;

	if (find(entry, number, MMDB_DATA_TYPE_UINT32, &data) ||
	    find(entry, text, MMDB_DATA_TYPE_UINT32, &data))
		return data.uint32;
	if (find(entry, text, MMDB_DATA_TYPE_UTF8_STRING, &data))
		return asn_of_text(&data);
	return 0;
}

/* As MaxMind has it, and flat as some others do. */
static struct geo_record read_record(MMDB_entry_s *entry)
{
	static const char *const continents[][3] = {
	    {"continent", "code"}, {"continent_code"}, {"continent"}};
	static const char *const countries[][3] = {{"country", "iso_code"},
	    {"country_code"}, {"country"}, {"registered_country", "iso_code"}};
	struct geo_record record = {.asn = find_asn(entry)};

	find_any_code(entry, continents,
	    sizeof continents / sizeof continents[0], record.continent);
	find_any_code(entry, countries, sizeof countries / sizeof countries[0],
	    record.country);
	return record;
}

static uint32_t choose(struct walk *walk, MMDB_entry_s *entry)
{
	struct slot *slot =
	    &walk->cache[hash_u64(entry->offset, 0) % CACHE_SLOTS];
	struct geo_record record;

	if (slot->offset_plus_1 == entry->offset + 1)
		return slot->chosen;
	record = read_record(entry);
	walk->facts.places |= record.country[0] || record.continent[0];
	walk->facts.networks |= record.asn != 0;
	*slot = (struct slot){
	    .offset_plus_1 = entry->offset + 1,
	    .chosen = walk->sink->choose(walk->sink->context, &record),
	};
	return slot->chosen;
}

/* -- the tree ----------------------------------------------------------- */

static uint32_t corrupt(struct walk *walk, const char *what)
{
	if (!walk->err)
		walk->err = refuse(
		    walk->why, walk->room, "the file is damaged: %s", what);
	return GEO_NONE;
}

static void set_bit(struct prefix *at, uint32_t depth, bool bit)
{
	uint8_t mask = (uint8_t)(0x80u >> (depth % 8));

	if (bit)
		at->bytes[depth / 8] |= mask;
	else
		at->bytes[depth / 8] &= (uint8_t)~mask;
}

static void emit(struct walk *walk, uint32_t depth, uint32_t chosen)
{
	struct prefix prefix = walk->at;

	if (chosen == GEO_NONE || chosen == MIXED || walk->err)
		return;
	prefix.bits = (uint8_t)depth;
	walk->err = walk->sink->emit(walk->sink->context, &prefix, chosen);
}

static uint32_t walk_node(struct walk *walk, uint32_t node, uint32_t depth);

/* What a branch of a node leads to; walk->at is its path of `depth` bits. */
static uint32_t walk_branch(struct walk *walk, uint8_t type, uint64_t value,
    MMDB_entry_s *entry, uint32_t depth)
{
	switch (type) {
	case MMDB_RECORD_TYPE_EMPTY:
		return GEO_NONE;
	case MMDB_RECORD_TYPE_DATA:
		return choose(walk, entry);
	case MMDB_RECORD_TYPE_SEARCH_NODE:
		/* All of IPv4, there or once more; it is walked as itself. */
		if (walk->at.family == AF_INET6 && value == walk->ipv4_node)
			return GEO_NONE;
		return walk_node(walk, (uint32_t)value, depth);
	default:
		return corrupt(walk, "a node leads nowhere");
	}
}

/* Emits what is below, unless all of it is alike: then that is returned. The
 * depth bounds the recursion, and the number of nodes the time: in a tree none
 * is met twice. */
static uint32_t walk_node(struct walk *walk, uint32_t node, uint32_t depth)
{
	uint32_t bits = walk->at.family == AF_INET ? IPV4_BITS : IPV6_BITS;
	MMDB_search_node_s both;
	uint32_t left, right;

	if (walk->err)
		return GEO_NONE;
	if (depth == bits || walk->visits++ == walk->db.metadata.node_count)
		return corrupt(walk, "its tree has a loop");
	if (MMDB_read_node(&walk->db, node, &both) != MMDB_SUCCESS)
		return corrupt(walk, "a node cannot be read");
	left = walk_branch(walk, both.left_record_type, both.left_record,
	    &both.left_record_entry, depth + 1);
	set_bit(&walk->at, depth, true);
	right = walk_branch(walk, both.right_record_type, both.right_record,
	    &both.right_record_entry, depth + 1);
	set_bit(&walk->at, depth, false);
	if (left == right)
		return left;
	emit(walk, depth + 1, left);
	set_bit(&walk->at, depth, true);
	emit(walk, depth + 1, right);
	set_bit(&walk->at, depth, false);
	return MIXED;
}

/* The branch for IPv4: 96 zeros deep, or as far as the tree goes there. */
static uint32_t find_ipv4(struct walk *walk, MMDB_search_node_s *ret)
{
	uint32_t depth = 0, node = 0;

	walk->ipv4_node = UINT32_MAX;
	for (; depth < IPV4_DEPTH; depth++) {
		if (MMDB_read_node(&walk->db, node, ret) != MMDB_SUCCESS)
			return corrupt(walk, "a node cannot be read");
		if (ret->left_record_type != MMDB_RECORD_TYPE_SEARCH_NODE)
			return depth + 1;
		node = (uint32_t)ret->left_record;
	}
	walk->ipv4_node = node;
	return IPV4_DEPTH;
}

/* One family, from its first node. */
static void walk_family(struct walk *walk, int family, uint32_t node)
{
	walk->at = (struct prefix){.family = (uint8_t)family};
	emit(walk, 0, walk_node(walk, node, 0));
}

static void walk_both(struct walk *walk)
{
	MMDB_search_node_s last;

	if (walk->db.metadata.ip_version == 4) {
		walk->ipv4_node = UINT32_MAX;
		walk_family(walk, AF_INET, 0);
		return;
	}
	if (find_ipv4(walk, &last) == GEO_NONE)
		return;
	if (walk->ipv4_node != UINT32_MAX) {
		walk_family(walk, AF_INET, walk->ipv4_node);
	} else if (last.left_record_type == MMDB_RECORD_TYPE_DATA) {
		walk->at = (struct prefix){.family = AF_INET};
		emit(walk, 0, choose(walk, &last.left_record_entry));
	}
	walk_family(walk, AF_INET6, 0);
}

/* -- the file ----------------------------------------------------------- */

static int copy_bytes(int from, int to, uint64_t size)
{
	while (size) {
		size_t part = size < COPY_BYTES ? (size_t)size : COPY_BYTES;
		ssize_t n = sendfile(to, from, NULL, part);

		if (n < 0)
			return -errno;
		if (!n)
			return -EAGAIN; /* it became shorter */
		size -= (uint64_t)n;
	}
	return 0;
}

static int copy_file(int from, char *ret_why, size_t room, int *ret_fd)
{
	struct stat st;
	int err, to;

	if (fstat(from, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return refuse(ret_why, room, "it is no file");
	if ((uint64_t)st.st_size > GEO_FILE_BYTES_MAX)
		return refuse(ret_why, room, "it is larger than 1 GiB");
	to = memfd_create("braid-geo", MFD_CLOEXEC);
	if (to < 0)
		return -errno;
	err = copy_bytes(from, to, (uint64_t)st.st_size);
	if (err)
		close(to);
	else
		*ret_fd = to;
	return err;
}

/* 0, or -errno of what could not be read. */
static int open_copy(const char *path, char *ret_why, size_t room, int *ret_fd)
{
	/* A FIFO must not be waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int err;

	if (fd < 0)
		return -errno;
	err = copy_file(fd, ret_why, room, ret_fd);
	close(fd);
	return err;
}

static int open_database(struct walk *walk, int fd)
{
	char name[32];
	int status;

	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	status = MMDB_open(name, MMDB_MODE_MMAP, &walk->db);
	if (status == MMDB_SUCCESS)
		return 0;
	return refuse(walk->why, walk->room, "it is no MaxMind database: %s",
	    MMDB_strerror(status));
}

static int read_database(struct walk *walk, int fd)
{
	int err = open_database(walk, fd);

	if (err)
		return err;
	walk_both(walk);
	(void)snprintf(walk->facts.type, sizeof walk->facts.type, "%s",
	    walk->db.metadata.database_type);
	MMDB_close(&walk->db);
	return walk->err;
}

int geo_file_read(const char *path, const struct geo_sink *sink,
    struct geo_facts *ret, char *ret_why, size_t room)
{
	struct walk *walk;
	int fd = -1, err; /* not all compilers see that 0 means a descriptor */

	ret_why[0] = '\0';
	err = open_copy(path, ret_why, room, &fd);
	if (!err) {
		walk = calloc(1, sizeof *walk);
		if (!walk)
			br_out_of_memory("a geography database", sizeof *walk);
		walk->sink = sink;
		walk->why = ret_why;
		walk->room = room;
		err = read_database(walk, fd);
		if (!err)
			*ret = walk->facts;
		free(walk);
		close(fd);
	}
	if (err && !ret_why[0])
		(void)refuse(ret_why, room, "%s", br_strerror(err));
	return err;
}
