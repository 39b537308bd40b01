/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/boot.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/source_table.h"
#include "daemon/boot_state.h"
#include "daemon/dns_counts.h"
#include "daemon/dns_store.h"
#include "daemon/dns_views.h"
#include "daemon/load.h"
#include "daemon/profiling_open.h"
#include "daemon/resolver.h"
#include "dnsd/rrl.h"
#include "dnsd/zone.h"
#include "fleet/name_expand.h"
#include "io/ktls.h"
#include "io/ring_off.h"
#include "io/tls_memory.h"
#include "daemon/generations.h"
#include "daemon/inherit.h"
#include "lb/flow_profile.h"
#include "profiler/record.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

int boot_fail(int code, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	(void)fprintf(stderr, "braidd: %s\n", text);
	inherit_refuse(text);
	return code;
}

void boot_warn(struct boot *boot, const char *format, ...)
{
	va_list args;

	if (boot->n_warnings == BOOT_WARNINGS_MAX)
		return;
	va_start(args, format);
	(void)vsnprintf(boot->warnings[boot->n_warnings++],
	    sizeof boot->warnings[0], format, args);
	va_end(args);
}

/* -- configuration ----------------------------------------------------- */

static void print_errors(const struct conf_errors *errors)
{
	for (uint32_t i = 0; i < errors->n_errors; i++) {
		const char *text = errors->errors[i].text;

		(void)fprintf(stderr, "%s\n", text);
		if (errors->n_errors > errors->n_warnings &&
		    !strstr(text, ": warning: "))
			inherit_refuse(text);
	}
}

/* As a plan wants it: nothing is known about names yet. */
static struct conf *without_names(struct conf *conf)
{
	struct name_view *nothing = name_view_new();
	struct conf *derived = name_expand(conf, nothing);

	name_view_unref(nothing);
	conf_free(conf);
	return derived;
}

/* Errors and warnings are printed; 0 or an exit code. */
static int load(
    const char *file, struct conf **ret, struct load_files *ret_files)
{
	struct conf_errors errors;
	struct conf *conf;
	int err;

	conf_errors_init(&errors);
	err = load_config(file, NULL, &errors, &conf, ret_files);
	print_errors(&errors);
	conf_errors_fini(&errors);
	if (!err) {
		*ret = without_names(conf);
		return EXIT_CODE_OK;
	}
	return err == -EACCES || err == -EPERM ? EXIT_CODE_PERMISSION
					       : EXIT_CODE_CONFIG;
}

static bool count_record(void *context, const struct dns_record *record)
{
	(void)record;
	++*(uint64_t *)context;
	return true;
}

/* Of zones, as they would be served. */
static void say_dns(const struct conf *conf, const struct dns_store *store)
{
	const struct conf_dns *dns = &conf->dns;
	uint32_t resources = 0;
	uint64_t records = 0;

	for (uint32_t i = 0; i < dns->n_zones; i++) {
		resources += dns->zones[i].n_resources;
		(void)zone_walk(
		    dns_store_zone(store, i), count_record, &records);
	}
	printf("dns: %u zone%s, %" PRIu64 " record%s, %u resource%s, "
	       "%u POP%s\n",
	    dns->n_zones, dns->n_zones == 1 ? "" : "s", records,
	    records == 1 ? "" : "s", resources, resources == 1 ? "" : "s",
	    conf->n_pops, conf->n_pops == 1 ? "" : "s");
	if (!conf->n_listeners)
		printf("note: no listeners: it answers DNS and nothing "
		       "else\n");
}

static void say_names(const struct conf *conf)
{
	struct name_want *wants;
	uint32_t n = name_wants_of(conf, &wants);

	free(wants);
	if (n)
		printf("note: %u server%s a name; names are resolved by the "
		       "running braidd, not here\n",
		    n, n == 1 ? " has" : "s have");
}

int boot_check(const char *file)
{
	uint32_t servers = 0;
	struct load_files files;
	struct conf *conf;
	int code = load(file, &conf, &files);

	if (code)
		return code;
	for (uint32_t i = 0; i < conf->n_pools; i++)
		servers += conf->pools[i].n_servers;
	printf("%s: ok, %u listener%s, %u pool%s, %u server%s\n", file,
	    conf->n_listeners, conf->n_listeners == 1 ? "" : "s", conf->n_pools,
	    conf->n_pools == 1 ? "" : "s", servers, servers == 1 ? "" : "s");
	if (files.dns)
		say_dns(conf, files.dns);
	load_files_free(&files);
	say_names(conf);
	conf_free(conf);
	return EXIT_CODE_OK;
}

/* -- limits ------------------------------------------------------------ */

static uint32_t count_sockets(const struct conf *conf, uint32_t n_workers)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < conf->n_listeners; i++)
		for (uint32_t j = 0; j < conf->listeners[i].n_binds; j++)
			n += addr_is_unix(&conf->listeners[i].binds[j].addr)
				 ? 1
				 : n_workers;
	/* UDP and TCP each. */
	return n + 2 * conf->dns.n_binds * n_workers;
}

static bool shards_somewhere(const struct conf *conf)
{
	for (uint32_t i = 0; i < conf->n_pools; i++)
		if (conf->pools[i].shard.range != CONF_SHARD_OFF)
			return true;
	return false;
}

/* Pieces that are smaller than they might be cost requests, and servers far
 * away their rate. */
static void warn_receive_bytes(struct boot *boot)
{
	uint64_t most = limits_receive_bytes();

	for (uint32_t i = 0; i < boot->conf->n_pools; i++) {
		const struct conf_pool *pool = &boot->conf->pools[i];

		if (pool->shard.range == CONF_SHARD_OFF ||
		    pool->shard.piece <= most)
			continue;
		boot_warn(boot,
		    "net.core.rmem_max is %" PRIu64
		    ": pieces of pools.%s.shard wait in receive buffers and "
		    "will be about as small, instead of %" PRIu64,
		    most, pool->name, pool->shard.piece);
		return;
	}
}

static int set_limits(struct boot *boot)
{
	const struct conf *conf = boot->conf;
	uint32_t n_workers =
	    conf->global.workers ? conf->global.workers : limits_cpus();
	struct limits_input in = {
	    .descriptors = limits_raise_descriptors(),
	    .n_workers = n_workers,
	    .sockets = count_sockets(conf, n_workers),
	    .max_connections = conf->global.max_connections,
	    .parked_bytes = conf->limits.parked_total_bytes,
	    .pipe_user_bytes = limits_pipe_user_bytes(
		boot->privileges.root && !boot->privileges.drop),
	    .shards = shards_somewhere(conf),
	    .sharded_flows = conf->limits.sharded_flows,
	    .shard_connections = conf->limits.shard_connections,
	    .shard_kernel_percent = conf->limits.shard_kernel_percent,
	    .tcp_pressure_bytes = limits_tcp_pressure_bytes(),
	};
	struct limits_clamped clamped;

	if (limits_compute(&in, &boot->limits, &clamped))
		return boot_fail(EXIT_CODE_UNAVAILABLE,
		    "too few file descriptors: RLIMIT_NOFILE is %" PRIu64
		    ", at least %" PRIu64 " are needed; raise it with "
		    "`ulimit -n` or LimitNOFILE= in the systemd unit",
		    in.descriptors, limits_descriptors_min(&in));
	if (clamped.shard_connections)
		boot_warn(boot,
		    "limits.shard_connections %u is clamped to %u: "
		    "RLIMIT_NOFILE is %" PRIu64,
		    in.shard_connections, boot->limits.shard_connections,
		    in.descriptors);
	if (clamped.connections)
		boot_warn(boot,
		    "global.max_connections %u is clamped to %u: RLIMIT_NOFILE "
		    "is %" PRIu64 ", and a connection takes two descriptors",
		    in.max_connections, boot->limits.max_connections,
		    in.descriptors);
	if (!boot->limits.pipes)
		boot_warn(boot, "no pipes for splice: too few file "
				"descriptors or pipe-user-pages-soft; bulk "
				"transfers are relayed");
	warn_receive_bytes(boot);
	boot->daemon.n_workers = n_workers;
	return EXIT_CODE_OK;
}

/* A ring as the workers will have it, before anything is open. */
static int try_ring(struct boot *boot)
{
	static struct ring_metrics metrics;
	struct ring_options options = {
	    .buffers = boot->limits.buffers,
	    .buffer_bytes = boot->limits.buffer_bytes,
	};
	struct ring ring;
	int err = ring_init(&ring, &options, &metrics);

	if (err)
		return boot_fail(EXIT_CODE_UNAVAILABLE,
		    "io_uring is not available (%s): %s", br_strerror(err),
		    ring_explain(err));
	ring_fini(&ring);
	for (uint32_t i = 0; i < RING_OFF_N; i++)
		if (ring_off_environment() & (1u << i))
			boot_warn(
			    boot, "BRAID_IO_OFF: %s is off", ring_off_name(i));
	return EXIT_CODE_OK;
}

/* By root perhaps, for whom the kernel may load its module. */
static int try_ktls(struct boot *boot)
{
	int rc;

	boot->daemon.ktls = "off";
	if (boot->conf->global.ktls == CONF_KTLS_OFF)
		return EXIT_CODE_OK;
	rc = ktls_probe();
	ktls_switch(rc == 0);
	boot->daemon.ktls = rc ? "unavailable" : "on";
	if (rc)
		boot_warn(
		    boot, "global.ktls has no effect: %s", ktls_explain(rc));
	return EXIT_CODE_OK;
}

/* -- what the threads share -------------------------------------------- */

static void *aligned_zero(size_t n, size_t bytes)
{
	size_t room = (n * bytes + 63) & ~(size_t)63;
	void *memory = aligned_alloc(64, room);

	if (!memory)
		br_out_of_memory("the daemon", room);
	memset(memory, 0, room);
	return memory;
}

/* Where a client lands in the table of sources must not be foreseen. */
static uint64_t make_secret(void)
{
	struct rng rng;

	rng_seed_random(&rng);
	return rng_u64(&rng);
}

static int make_shared(struct boot *boot)
{
	struct daemon *daemon = &boot->daemon;
	uint32_t n = daemon->n_workers;

	daemon->control = &boot->control;
	daemon->member_control = n;
	daemon->member_clerk = n + 1;
	daemon->member_resolver = n + 2;
	daemon->started_at = wall_now();
	daemon->started_mono = mono_now();
	daemon->pid = getpid();
	daemon->inherit = boot->inherit;
	atomic_store(&daemon->alone, !boot->inherit);
	daemon->generations = &boot->generations;
	generations_init(daemon->generations, (uint32_t)daemon->pid);
	if (boot->inherit)
		daemon->generations->self.number =
		    boot->inherit->manifest.process.number + 1;
	daemon->workers = aligned_zero(n, sizeof *daemon->workers);
	boot->loops = aligned_zero(n, sizeof *boot->loops);
	daemon->shared.limits = boot->limits;
	daemon->shared.metrics =
	    aligned_zero(n, sizeof *daemon->shared.metrics);
	daemon->flow_logs = aligned_zero(n, sizeof(struct record_queue *));
	daemon->row_queues = aligned_zero(n, sizeof(struct record_queue *));
	for (uint32_t i = 0; i < n; i++) {
		daemon->flow_logs[i] = flow_log_new(FLOW_LOG_RECORDS);
		daemon->row_queues[i] = record_queue_new(
		    RECORD_QUEUE_ROWS, sizeof(struct record_row));
		if (!daemon->flow_logs[i] || !daemon->row_queues[i])
			br_out_of_memory("access logs", FLOW_LOG_RECORDS);
	}
	daemon->shared.sources = source_table_new(
	    boot->limits.max_connections, SOURCE_IPV6_BITS, make_secret());
	daemon->dns_counts = aligned_zero(n, sizeof *daemon->dns_counts);
	daemon->dns_rrl = rrl_new(RRL_WORDS_DEFAULT, make_secret());
	if (!daemon->shared.sources || !daemon->dns_rrl)
		return boot_fail(EXIT_CODE_UNAVAILABLE,
		    "the tables of client sources: %s", br_strerror(-ENOMEM));
	atomic_store(&daemon->shared.log_access, boot->conf->global.log_access);
	daemon->board = board_new(n);
	if (boot->inherit && boot->inherit->manifest.n_tls &&
	    tls_process_inherit(&daemon->tls, boot->inherit->manifest.tls,
		boot->inherit->manifest.n_tls))
		boot_warn(boot, "ticket keys of the old process are of another "
				"kind: clients begin anew");
	tls_memory_set_cap(boot->conf->limits.tls_memory_bytes);
	if (tls_process_prepare(&daemon->tls, boot->conf))
		return boot_fail(EXIT_CODE_UNAVAILABLE,
		    "TLS session cache and ticket keys: %s",
		    br_strerror(-ENOMEM));
	/* Handed-over connections need room between two workers; with many
	 * workers there are many pairs, each with less to carry. */
	daemon->office = post_office_new(n + 3, n > 16 ? 64 : 256);
	daemon->shared.office = daemon->office;
	if (!daemon->office)
		return boot_fail(EXIT_CODE_UNAVAILABLE, "mailboxes: %s",
		    br_strerror(-errno));
	return EXIT_CODE_OK;
}

static void free_superseded(struct boot *boot)
{
	struct list *list = &boot->control.superseded;
	struct list_node *node;

	/* NULL: control was never started. */
	while (list->head.next && (node = list_pop_front(list)) != NULL)
		plan_free(br_container_of(node, struct plan, retired),
		    boot->daemon.board);
}

/* One that the end of the process has overtaken. */
static void free_reload(struct boot *boot)
{
	const struct reload *reload = &boot->control.reload;

	if (!reload->job)
		return;
	if (reload->state == RELOAD_LOADING && reload->job->plan)
		plan_free(reload->job->plan, boot->daemon.board);
	if (reload->state == RELOAD_LOADING && reload->job->published)
		dns_published_free(reload->job->published);
	load_job_free(reload->job);
}

static void free_dns(struct boot *boot)
{
	struct daemon *daemon = &boot->daemon;

	dns_refresh_end(&boot->control);
	if (daemon->dns) {
		dns_published_free(snapshot_publish(daemon->dns, NULL));
		snapshot_free(daemon->dns);
	}
	rrl_free(daemon->dns_rrl);
	free(daemon->dns_counts);
	dns_shares_end();
}

static void free_shared(struct boot *boot)
{
	struct daemon *daemon = &boot->daemon;

	resolver_stop(boot->resolver);
	free_reload(boot);
	free_dns(boot);
	if (daemon->generations)
		generations_fini(daemon->generations);
	if (daemon->plan)
		snapshot_free(daemon->plan);
	if (boot->plan)
		plan_free(boot->plan, daemon->board);
	free_superseded(boot);
	load_files_free(&boot->files);
	if (boot->conf)
		conf_free(boot->conf);
	tls_process_end(&daemon->tls);
	if (daemon->board)
		board_free(daemon->board);
	for (uint32_t i = 0; daemon->flow_logs && i < daemon->n_workers; i++)
		record_queue_free(daemon->flow_logs[i]);
	for (uint32_t i = 0; daemon->row_queues && i < daemon->n_workers; i++)
		record_queue_free(daemon->row_queues[i]);
	post_office_free(daemon->office);
	source_table_free(daemon->shared.sources);
	free(daemon->flow_logs);
	free(daemon->row_queues);
	free(daemon->shared.metrics);
	free(daemon->workers);
	free(boot->loops);
}

/* Taken from a descriptor by control. All threads inherit the mask. */
static int block_signals(struct boot *boot)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	/* A file may not grow beyond RLIMIT_FSIZE: that is an error of its
	 * writer, and no end of the process. */
	(void)signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* Blocking: it is read through the ring, which then waits for it. */
	boot->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	return boot->signal_fd < 0 ? boot_fail(EXIT_CODE_UNAVAILABLE,
					 "signalfd: %s", br_strerror(-errno))
				   : EXIT_CODE_OK;
}

static int choose_user(struct boot *boot)
{
	int code = privileges_choose(&boot->conf->global, &boot->privileges);
	char key[PRIVILEGES_KEY_MAX];

	if (code)
		return boot_fail(code, "%s", boot->privileges.text);
	if (privileges_lack_transparent(boot->conf, key, sizeof key))
		return boot_fail(EXIT_CODE_PERMISSION,
		    "%s needs CAP_NET_RAW: start braidd as root, or give the "
		    "capability to its unit (AmbientCapabilities=, see "
		    "docs/transparent.md)",
		    key);
	boot->privileges.transparent =
	    privileges_transparent_key(boot->conf, key, sizeof key);
	return code;
}

/* Better known now than when the first reload fails. */
static void warn_of_forbidden(struct boot *boot)
{
	const char *config = boot->daemon.config_file;
	const struct conf *conf = boot->plan->conf;
	const char *files[] = {access(config, R_OK) ? config : NULL,
	    tls_store_forbidden(conf), profiling_forbidden(conf),
	    dns_store_forbidden(conf)};

	/* Each: who mends one must not find the next at the next start. */
	for (size_t i = 0; i < BR_COUNT(files); i++)
		if (files[i])
			boot_warn(boot,
			    "user %s cannot read %s: a reload or an upgrade "
			    "will be refused",
			    boot->privileges.user, files[i]);
	if (profiling_cannot_record(conf))
		boot_warn(boot,
		    "user %s cannot write in the folder of %s: no flow is "
		    "recorded",
		    boot->privileges.user, conf->profiler.record);
}

static int drop_privileges(struct boot *boot)
{
	int code = privileges_drop(&boot->privileges);

	if (code)
		return boot_fail(code, "%s", boot->privileges.text);
	if (boot->privileges.warning[0])
		boot_warn(boot, "%s", boot->privileges.warning);
	if (boot->privileges.drop)
		warn_of_forbidden(boot);
	return code;
}

static int run_steps(struct boot *boot)
{
	static int (*const steps[])(struct boot *) = {
	    choose_user,
	    set_limits,
	    try_ring,
	    try_ktls,
	    block_signals,
	    make_shared,
	    boot_open,
	    drop_privileges,
	    boot_names,
	    boot_threads,
	};
	int code = EXIT_CODE_OK;

	for (size_t i = 0; i < BR_COUNT(steps) && !code; i++)
		code = steps[i](boot);
	return code;
}

/* The path by which this program was started, symbolic links and all: an
 * upgrade starts what is there then. */
static const char *find_binary(char ret[PATH_MAX])
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	char folder[PATH_MAX];
	int n = -1;

	if (name && name[0] == '/')
		n = snprintf(ret, PATH_MAX, "%s", name);
	else if (name && getcwd(folder, sizeof folder))
		n = snprintf(ret, PATH_MAX, "%s/%s", folder, name);
	return n > 0 && n < PATH_MAX ? ret : "/proc/self/exe";
}

int boot_run(const char *file)
{
	static char binary[PATH_MAX];
	/* What threads had made that were not to start ends with the process:
	 * all of it is still reached from here. */
	static struct boot *boot;
	int code;

	boot = aligned_zero(1, sizeof *boot);
	boot->signal_fd = boot->control_fd = boot->api_fd = -1;
	boot->daemon.control_fd = boot->daemon.api_fd = -1;
	boot->agent_fd = boot->daemon.agent_fd = -1;
	boot->daemon.config_file = file;
	boot->daemon.binary = find_binary(binary);
	if (inherit_open(&boot->inherit)) {
		free(boot);
		return EXIT_CODE_UNAVAILABLE;
	}
	code = load(file, &boot->conf, &boot->files);
	if (!code) {
		log_configure(boot->conf->global.log_format,
		    boot->conf->global.log_level);
		code = run_steps(boot);
	}
	boot_close(boot);
	inherit_close(boot->inherit);
	free_shared(boot);
	if (!code)
		free(boot);
	return code;
}
