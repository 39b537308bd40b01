/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/upgrade_job.h"

#include "base/assert.h"
#include "daemon/api.h"
#include "daemon/generations.h"
#include "daemon/handover.h"
#include "daemon/spawn.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How often it looks whether it is to stop. */
#define JOB_STEP_MS 50
/* From the end of its channel to the end of the process. */
#define JOB_EXIT_STEPS 100

static int __attribute__((format(printf, 3, 4)))
fail(struct upgrade_job *job, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(job->text, sizeof job->text, format, args);
	va_end(args);
	return err;
}

static void tell(struct upgrade_job *job, enum upgrade_phase phase)
{
	uint64_t one = 1;

	atomic_store(&job->phase, phase);
	(void)!write(job->event_fd, &one, sizeof one);
}

static void rest(void)
{
	struct timespec step = {.tv_nsec = 10 * NS_PER_MS};

	(void)nanosleep(&step, NULL);
}

/* -- the new process --------------------------------------------------- */

static int start_process(struct upgrade_job *job)
{
	int ends[2];
	int err = channel_pair(ends);

	if (err)
		return fail(job, err, "channel: %s", br_strerror(err));
	err = spawn_braidd(
	    job->binary, job->daemon->config_file, ends[1], &job->pid);
	close(ends[1]);
	if (err) {
		close(ends[0]);
		job->pid = 0;
		return fail(job, err, "cannot start %s: %s", job->binary,
		    br_strerror(err));
	}
	job->channel = ends[0];
	return 0;
}

/* How it ended, if it does within a second. */
static bool wait_for_end(struct upgrade_job *job, int *ret_status)
{
	for (int i = 0; i < JOB_EXIT_STEPS; i++) {
		if (waitpid(job->pid, ret_status, WNOHANG) == job->pid) {
			job->pid = 0;
			return true;
		}
		rest();
	}
	return false;
}

/* The channel has ended: by the end of the process, as a rule. */
static int explain_end(struct upgrade_job *job, const char *when)
{
	int status;

	if (!wait_for_end(job, &status))
		return fail(job, BR_E_CLOSED,
		    "%s closed its channel %s and goes on", job->binary, when);
	if (WIFSIGNALED(status))
		return fail(job, BR_E_CLOSED, "%s was ended by signal %d %s",
		    job->binary, WTERMSIG(status), when);
	return fail(job, BR_E_CLOSED, "%s ended with status %d %s", job->binary,
	    WEXITSTATUS(status), when);
}

static void end_process(struct upgrade_job *job)
{
	int status;

	if (job->pid) {
		(void)kill(job->pid, SIGKILL);
		(void)waitpid(job->pid, &status, 0);
		job->pid = 0;
	}
	if (job->channel >= 0)
		close(job->channel);
	job->channel = -1;
}

/* -- messages ---------------------------------------------------------- */

/* A descriptor that waits for room in the channel is tried again. */
static int send_patiently(
    struct upgrade_job *job, enum channel_type type, const int *fds, uint32_t n)
{
	uint64_t left = job->timeout_ms / 10 + 1;
	int err;

	while ((err = channel_send(job->channel, type, NULL, 0, fds, n)) ==
		   -EAGAIN &&
	       left-- && !atomic_load(&job->aborted))
		rest();
	return err;
}

/* A manifest in a file of its own. */
static int send_manifest(struct upgrade_job *job, enum channel_type type,
    const struct manifest *manifest)
{
	struct strbuf text;
	int fd, err;

	strbuf_init(&text);
	manifest_encode(manifest, &text);
	fd = channel_file_new("braid-manifest", text.text, text.length);
	explicit_bzero(text.text, text.length);
	strbuf_fini(&text);
	if (fd < 0)
		return fd;
	err = send_patiently(job, type, &fd, 1);
	close(fd);
	return err;
}

static int send_all(struct upgrade_job *job)
{
	struct handover handover;
	int err;

	handover_init(&handover, job->daemon, job->plan);
	job->n_sockets = handover.manifest.n_sockets;
	err = send_manifest(job, CHANNEL_HELLO, &handover.manifest);
	for (uint32_t at = 0; at < handover.n_fds && !err;
	     at += CHANNEL_FDS_MAX) {
		uint32_t n = handover.n_fds - at;

		err = send_patiently(job, CHANNEL_SOCKETS, handover.fds + at,
		    n < CHANNEL_FDS_MAX ? n : CHANNEL_FDS_MAX);
	}
	handover_fini(&handover);
	if (err == BR_E_CLOSED)
		return explain_end(job, "before it was ready");
	return err ? fail(job, err, "handing over: %s", br_strerror(err)) : 0;
}

static int await(
    struct upgrade_job *job, enum channel_type wanted, const char *when)
{
	struct mono deadline =
	    mono_add_ms(mono_now(), (int64_t)job->timeout_ms);
	int err;

	while ((err = channel_receive(
		    job->channel, JOB_STEP_MS, &job->message)) == -ETIMEDOUT) {
		if (atomic_load(&job->aborted))
			return fail(
			    job, -ECANCELED, "this process was told to end");
		if (mono_diff_ns(mono_now(), deadline) >= 0)
			return fail(job, -ETIMEDOUT,
			    "%s was not ready within %" PRIu64
			    " ms (upgrade.timeout)",
			    job->binary, job->timeout_ms);
	}
	if (err == BR_E_CLOSED)
		return explain_end(job, when);
	if (err == BR_E_VERSION)
		return fail(job, err,
		    "%s speaks another version of the hand-over; stop this "
		    "braidd and start that one",
		    job->binary);
	if (err)
		return fail(job, err, "%s: %s", job->binary, br_strerror(err));
	channel_drop(&job->message);
	if (job->message.type == CHANNEL_REFUSED)
		return fail(job, BR_E_CONFIG, "%s refuses: %.*s", job->binary,
		    (int)job->message.n_bytes,
		    (const char *)job->message.bytes);
	if (job->message.type != wanted)
		return fail(job, BR_E_PROTOCOL, "%s sent an unexpected message",
		    job->binary);
	return 0;
}

static int take_ready(struct upgrade_job *job)
{
	uint32_t n = (job->n_sockets + 7) / 8;

	if (job->message.n_bytes != 1 + n)
		return fail(job, BR_E_PROTOCOL,
		    "%s did not say which sockets it took", job->binary);
	job->taken_flags = job->message.bytes[0];
	memcpy(job->taken, job->message.bytes + 1, n);
	return 0;
}

/* Nobody answers /metrics while the last counters are written, so the page of
 * the new process cannot be behind one of ours. */
static int commit(struct upgrade_job *job)
{
	struct daemon *daemon = job->daemon;
	struct manifest state;
	int err;

	if ((job->taken_flags & UPGRADE_TOOK_API) && daemon->api) {
		api_pause(daemon->api);
		job->api_paused = true;
	}
	err = generations_publish(daemon);
	if (err)
		return fail(job, err, "counters: %s", br_strerror(err));
	manifest_init(&state);
	handover_state(&state, daemon, job->plan);
	err = send_manifest(job, CHANNEL_COMMIT, &state);
	manifest_fini(&state);
	if (err == BR_E_CLOSED)
		return explain_end(job, "before it served");
	return err ? fail(job, err, "handing over: %s", br_strerror(err)) : 0;
}

static int run(struct upgrade_job *job)
{
	int err = start_process(job);

	if (!err)
		err = send_all(job);
	if (!err)
		err = await(job, CHANNEL_READY, "before it was ready");
	if (!err)
		err = take_ready(job);
	if (err)
		return err;
	tell(job, UPGRADE_READY);
	while (sem_wait(&job->go))
		;
	err = commit(job);
	if (!err)
		err = await(job, CHANNEL_SERVING, "before it served");
	return err;
}

static void *job_thread(void *argument)
{
	struct upgrade_job *job = argument;

	(void)pthread_setname_np(pthread_self(), "braid-upgrade");
	job->err = run(job);
	if (job->err) {
		end_process(job);
		if (job->api_paused && api_resume(job->daemon->api))
			(void)snprintf(job->text + strlen(job->text),
			    sizeof job->text - strlen(job->text),
			    "; and /metrics could not be resumed");
	}
	tell(job, UPGRADE_DONE);
	return NULL;
}

/* -- control's side ---------------------------------------------------- */

struct upgrade_job *upgrade_job_start(struct daemon *daemon,
    const struct plan *plan, const char *binary, uint64_t timeout_ms,
    int event_fd)
{
	struct upgrade_job *job = calloc(1, sizeof *job);

	if (!job)
		br_out_of_memory("an upgrade", sizeof *job);
	job->daemon = daemon;
	job->plan = plan;
	job->binary = binary;
	job->timeout_ms = timeout_ms;
	job->event_fd = event_fd;
	job->channel = -1;
	(void)sem_init(&job->go, 0, 0);
	if (!pthread_create(&job->thread, NULL, job_thread, job))
		return job;
	(void)sem_destroy(&job->go);
	free(job);
	return NULL;
}

void upgrade_job_go(struct upgrade_job *job)
{
	(void)sem_post(&job->go);
}

void upgrade_job_abort(struct upgrade_job *job)
{
	atomic_store(&job->aborted, true);
}

bool upgrade_job_took(const struct upgrade_job *job, uint32_t socket)
{
	return job->taken[socket / 8] & 1u << (socket % 8);
}

void upgrade_job_join(struct upgrade_job *job)
{
	if (!job->joined)
		(void)pthread_join(job->thread, NULL);
	job->joined = true;
}

void upgrade_job_end(struct upgrade_job *job)
{
	upgrade_job_join(job);
	(void)sem_destroy(&job->go);
	free(job);
}
