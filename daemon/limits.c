/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/limits.h"

#include "conf/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t reserved(const struct limits_input *in)
{
	uint64_t beyond = in->sockets > LIMITS_SOCKETS_FREE
			      ? in->sockets - LIMITS_SOCKETS_FREE
			      : 0;

	return LIMITS_RESERVED_FDS + beyond;
}

/* Shards come after connections and pipes: where there is hardly anything
 * beyond the reserve there are no shards. A reload that brings the first pool
 * that shards finds nothing kept for it, and its shards take what is free. */
static void limits_shards(
    const struct limits_input *in, struct lb_limits *ret, bool *ret_clamped)
{
	uint64_t most = (in->descriptors - reserved(in)) / LIMITS_SHARDS_PART;

	*ret_clamped = in->shard_connections > most;
	if (!in->shard_connections && most > LIMITS_SHARDS_MAX)
		most = LIMITS_SHARDS_MAX;
	if (in->shard_connections && !*ret_clamped)
		most = in->shard_connections;
	ret->shard_connections = (uint32_t)most;
	ret->sharded_flows = in->sharded_flows;
	ret->shard_kernel_bytes =
	    in->tcp_pressure_bytes / 100 * in->shard_kernel_percent;
}

uint64_t limits_descriptors_min(const struct limits_input *in)
{
	return reserved(in) + 2 * LIMITS_CONNECTIONS_MIN;
}

/* Smaller pipes before fewer, down to what still beats a plain receive. A
 * quarter of the user's share is left to other processes of that user. */
static void limits_pipes(const struct limits_input *in, struct lb_limits *ret)
{
	uint64_t share, fds;

	ret->pipes = LIMITS_PIPES_MAX;
	ret->pipe_bytes = LIMITS_PIPE_BYTES;
	if (in->pipe_user_bytes != UINT64_MAX) {
		share = in->pipe_user_bytes / 4 * 3 / in->n_workers;
		while (ret->pipe_bytes > LIMITS_PIPE_BYTES_MIN &&
		       share / ret->pipe_bytes < LIMITS_PIPES_FULL)
			ret->pipe_bytes /= 2;
		if (share / ret->pipe_bytes < ret->pipes)
			ret->pipes = (uint32_t)(share / ret->pipe_bytes);
	}
	/* At most an eighth of the descriptors goes to pipes. */
	fds = (in->descriptors - reserved(in)) / 8;
	if (fds / 2 / in->n_workers < ret->pipes)
		ret->pipes = (uint32_t)(fds / 2 / in->n_workers);
}

/* How many connections the descriptors suffice for beside so many pipes and
 * shards. */
static uint64_t limits_room(
    const struct limits_input *in, uint32_t pipes, uint32_t shards)
{
	return (in->descriptors - reserved(in) -
		   2 * (uint64_t)pipes * in->n_workers - shards) /
	       2;
}

int limits_compute(const struct limits_input *in, struct lb_limits *ret,
    struct limits_clamped *ret_clamped)
{
	struct lb_limits limits = {
	    .n_workers = in->n_workers,
	    .parked_bytes = in->parked_bytes,
	    .buffers = LIMITS_BUFFERS,
	    .buffer_bytes = LIMITS_BUFFER_BYTES,
	};
	uint64_t room;
	uint32_t shards;

	if (in->descriptors < limits_descriptors_min(in))
		return -EMFILE;
	limits_pipes(in, &limits);
	limits_shards(in, &limits, &ret_clamped->shard_connections);
	shards = in->shards ? limits.shard_connections : 0;
	room = limits_room(in, limits.pipes, shards);
	/* Without a pipe bulk is relayed, without a shard it comes from one
	 * server; without a connection it does not come. */
	if (room < LIMITS_CONNECTIONS_MIN) {
		limits.pipes = 0;
		limits.shard_connections = 0;
		room = limits_room(in, 0, 0);
	}
	if (room > UINT32_MAX)
		room = UINT32_MAX;
	ret_clamped->connections = in->max_connections > room;
	if (in->max_connections && !ret_clamped->connections)
		limits.max_connections = in->max_connections;
	else if (!in->max_connections && room > LIMITS_CONNECTIONS_AUTO_MAX)
		limits.max_connections = LIMITS_CONNECTIONS_AUTO_MAX;
	else
		limits.max_connections = (uint32_t)room;
	*ret = limits;
	return 0;
}

uint64_t limits_raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = {limit.rlim_max, limit.rlim_max};

		if (!setrlimit(RLIMIT_NOFILE, &raised))
			limit = raised;
	}
	return limit.rlim_cur;
}

/* The n-th number of a file of the kernel, from 0; false: there is none. */
static bool limits_number(const char *path, unsigned n, uint64_t *ret)
{
	FILE *file = fopen(path, "re");
	uint64_t value = 0;
	bool found = file != NULL;

	for (unsigned i = 0; found && i <= n; i++)
		found = fscanf(file, "%" SCNu64, &value) == 1;
	if (file)
		(void)fclose(file);
	if (found)
		*ret = value;
	return found;
}

uint64_t limits_pipe_user_bytes(bool privileged)
{
	/* The kernel's default, when /proc is not there. */
	uint64_t pages = 16384;

	if (privileged)
		return UINT64_MAX;
	(void)limits_number("/proc/sys/fs/pipe-user-pages-soft", 0, &pages);
	return pages ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : UINT64_MAX;
}

/* The file is the first network namespace's own; in others, as in a container,
 * the same is worked out as the kernel does it (tcp_init_mem): a sixteenth of
 * the memory. */
uint64_t limits_tcp_pressure_bytes(void)
{
	uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES) / 16;

	(void)limits_number("/proc/sys/net/ipv4/tcp_mem", 1, &pages);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t limits_receive_bytes(void)
{
	uint64_t bytes = UINT64_MAX;

	(void)limits_number("/proc/sys/net/core/rmem_max", 0, &bytes);
	return bytes;
}

uint32_t limits_cpus(void)
{
	cpu_set_t set;
	int n = 1;

	if (!sched_getaffinity(0, sizeof set, &set))
		n = CPU_COUNT(&set);
	if (n < 1)
		n = 1;
	return n > CONF_WORKERS_MAX ? CONF_WORKERS_MAX : (uint32_t)n;
}
