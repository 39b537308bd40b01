/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/strbuf.h"
#include "conf/report.h"
#include "conf/rules.h"
#include "conf/fill.h"
#include "conf/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CONF_READ_BYTES 65536

void conf_errors_init(struct conf_errors *errors)
{
	*errors = (struct conf_errors){.arena = arena_new()};
}

void conf_errors_fini(struct conf_errors *errors)
{
	if (errors->arena)
		arena_free(errors->arena);
	*errors = (struct conf_errors){0};
}

void conf_errors_add(struct conf_errors *errors, const char *file,
    struct conf_pos pos, bool warning, const char *format, ...)
{
	struct conf_error *grown;
	char text[REPORT_TEXT_MAX];
	va_list args;

	if (warning)
		errors->n_warnings++;
	if (errors->n_errors++ >= CONF_ERRORS_SHOWN_MAX)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	grown = arena_alloc(
	    errors->arena, errors->n_errors * sizeof *errors->errors);
	if (errors->n_errors > 1)
		memcpy(grown, errors->errors,
		    (errors->n_errors - 1) * sizeof *grown);
	grown[errors->n_errors - 1] = (struct conf_error){
	    .pos = pos,
	    .text = arena_printf(errors->arena, "%s:%u:%u: %s%s", file,
		pos.line, pos.column, warning ? "warning: " : "", text),
	};
	errors->errors = grown;
}

void conf_free(struct conf *conf)
{
	struct conf *origin;

	if (!conf || --conf->references)
		return;
	origin = conf->origin;
	arena_free(conf->arena);
	conf_free(origin);
}

static struct conf *conf_new(const char *file, const char *text, size_t length)
{
	struct arena *arena = arena_new();
	struct conf *conf = arena_alloc(arena, sizeof(*conf));

	conf->arena = arena;
	conf->references = 1;
	conf->file = arena_strdup(arena, file);
	conf->digest = hash_bytes(text, length, 0);
	return conf;
}

struct conf *conf_derive(struct conf *origin)
{
	struct arena *arena = arena_new();
	struct conf *conf = arena_alloc(arena, sizeof(*conf));
	size_t bytes = origin->n_pools * sizeof(*conf->pools);

	*conf = *origin;
	conf->arena = arena;
	conf->origin = origin;
	conf->references = 1;
	origin->references++;
	conf->pools = arena_alloc(arena, bytes + 1);
	if (bytes)
		memcpy(conf->pools, origin->pools, bytes);
	return conf;
}

static int conf_unreadable(const char *file, int rc, struct conf_errors *errors)
{
	struct conf_error *error = arena_alloc(errors->arena, sizeof(*error));

	error->text = arena_printf(
	    errors->arena, "%s: cannot be read: %s", file, br_strerror(rc));
	errors->errors = error;
	errors->n_errors = 1;
	errors->n_warnings = 0;
	return rc;
}

int conf_parse(const char *file, const char *text, size_t length,
    struct conf **ret_conf, struct conf_errors *errors)
{
	struct yaml_stream *stream = yaml_stream_open(text, length);
	struct conf *conf;
	struct draft draft = {.stream = stream};
	int rc = 0;

	if (!stream)
		return conf_unreadable(file, -ENOMEM, errors);
	conf = conf_new(file, text, length);
	draft_init(&draft, conf, arena_new());
	report_init(&draft.report, file, draft.scratch, errors);
	if (fill_draft(&draft))
		rules_apply(&draft);
	report_finish(&draft.report);
	if (draft.report.n_errors) {
		conf_free(conf);
		rc = BR_E_CONFIG;
	} else {
		*ret_conf = conf;
	}
	arena_free(draft.scratch);
	yaml_stream_close(stream);
	return rc;
}

/* Reads all of a descriptor, which may also be a pipe. */
static int conf_read(int fd, struct strbuf *ret)
{
	char bytes[CONF_READ_BYTES];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (ret->length + (size_t)n > CONF_FILE_BYTES_MAX)
			return -EFBIG;
		strbuf_add(ret, bytes, (size_t)n);
	}
	return 0;
}

int conf_load(
    const char *file, struct conf **ret_conf, struct conf_errors *errors)
{
	struct strbuf text;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return conf_unreadable(file, -errno, errors);
	strbuf_init(&text);
	rc = conf_read(fd, &text);
	close(fd);
	if (rc < 0)
		rc = conf_unreadable(file, rc, errors);
	else
		rc = conf_parse(
		    file, strbuf_text(&text), text.length, ret_conf, errors);
	strbuf_fini(&text);
	return rc;
}
