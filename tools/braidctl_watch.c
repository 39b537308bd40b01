/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braidctl_watch.h"

#include <stdio.h>
#include <string.h>

#include "tools/braidctl_client.h"
#include "tools/braidctl_print.h"
#include "tools/braidctl_screen.h"

#define PERIOD_MS 250

/* What fits on the screen; the rest would scroll it. */
static void cut_rows(struct strbuf *text, uint32_t rows)
{
	const char *at = strbuf_text(text);
	struct strbuf kept;

	for (uint32_t i = 0; i < rows && *at; i++)
		at += strcspn(at, "\n") + (strchr(at, '\n') != NULL);
	if (!*at)
		return;
	strbuf_init(&kept);
	strbuf_add(&kept, strbuf_text(text), (size_t)(at - strbuf_text(text)));
	strbuf_clear(text);
	strbuf_adds(text, strbuf_text(&kept));
	strbuf_fini(&kept);
}

static bool show(struct strbuf *text, bool screen)
{
	uint32_t columns, rows;

	if (!screen) {
		printf("%s\n", strbuf_text(text));
		return fflush(stdout) == 0;
	}
	screen_size(&columns, &rows);
	cut_rows(text, rows);
	screen_show(text);
	return true;
}

/* One answer. */
static int look(
    const struct watch_options *options, bool screen, int argc, char **argv)
{
	struct strbuf text;
	const char *error;
	json_t *answer;
	int code =
	    client_ask(options->socket, options->command, argc, argv, &answer);

	if (code)
		return code;
	error = client_error_of(answer);
	strbuf_init(&text);
	if (error)
		fprintf(stderr, "braidctl: %s\n", error);
	else
		print_answer(options->command, client_data_of(answer),
		    options->colour, &text);
	code = client_exit_of(answer);
	if (!error && !show(&text, screen))
		code = CLIENT_FAILED;
	strbuf_fini(&text);
	json_decref(answer);
	return code;
}

int watch_run(const struct watch_options *options, int argc, char **argv)
{
	bool screen;
	int code;

	screen_signals();
	screen = screen_enter();
	do
		code = look(options, screen, argc, argv);
	while (!code && screen_wait(PERIOD_MS, screen) != SCREEN_QUIT);
	screen_leave();
	return code;
}
