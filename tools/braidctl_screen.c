/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braidctl_screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"

#define COLUMNS_DEFAULT 100
#define ROWS_DEFAULT 40

static volatile sig_atomic_t quit, resized;
static struct termios before;
static bool entered;

static void on_quit(int number)
{
	(void)number;
	quit = 1;
}

static void on_resize(int number)
{
	(void)number;
	resized = 1;
}

static bool screen_possible(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term &&
	       strcmp(term, "dumb") != 0;
}

void screen_signals(void)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction action = {.sa_handler = on_quit};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		(void)sigaction(ends[i], &action, NULL);
	action.sa_handler = on_resize;
	(void)sigaction(SIGWINCH, &action, NULL);
}

static void put(const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(STDOUT_FILENO, text, length);

		if (n < 0 && errno == EINTR && !quit)
			continue;
		if (n <= 0) {
			quit = 1; /* the terminal is gone */
			return;
		}
		text += n;
		length -= (size_t)n;
	}
}

static void puts_all(const char *text)
{
	put(text, strlen(text));
}

/* Suspending would leave the alternate screen behind, so its key is off. */
bool screen_enter(void)
{
	struct termios raw;

	if (!screen_possible() || tcgetattr(STDIN_FILENO, &before))
		return false;
	(void)setvbuf(stderr, NULL, _IOFBF, BUFSIZ);
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VSUSP] = _POSIX_VDISABLE;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	/* Alternate screen, no cursor, no wrapping of long lines. */
	puts_all("\033[?1049h\033[?25l\033[?7l");
	entered = true;
	return true;
}

void screen_leave(void)
{
	if (!entered)
		return;
	entered = false;
	quit = 0; /* so that an interrupted write is tried again */
	puts_all("\033[?7h\033[?25h\033[?1049l");
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
	(void)fflush(stderr);
}

void screen_size(uint32_t *ret_columns, uint32_t *ret_rows)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col ||
	    !size.ws_row) {
		*ret_columns = COLUMNS_DEFAULT;
		*ret_rows = ROWS_DEFAULT;
		return;
	}
	*ret_columns = size.ws_col;
	*ret_rows = size.ws_row;
}

/* Home, each line cleared behind its end, the rest cleared: no flicker. */
void screen_show(const struct strbuf *text)
{
	const char *at = strbuf_text(text);
	struct strbuf out;

	strbuf_init(&out);
	strbuf_adds(&out, "\033[H");
	while (*at) {
		size_t n = strcspn(at, "\n");

		strbuf_add(&out, at, n);
		strbuf_adds(&out, "\033[K");
		at += n;
		if (*at == '\n') {
			at++;
			/* A newline after the last row would scroll. */
			if (*at)
				strbuf_adds(&out, "\r\n");
		}
	}
	strbuf_adds(&out, "\033[J");
	put(out.text, out.length);
	strbuf_fini(&out);
}

static bool is_quit_key(void)
{
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

	if (n <= 0)
		return n == 0 || (errno != EINTR && errno != EAGAIN);
	return memchr(keys, 'q', (size_t)n) || memchr(keys, 'Q', (size_t)n);
}

enum screen_event screen_wait(int ms, bool keys)
{
	struct mono end = mono_add_ms(mono_now(), ms);

	for (;;) {
		struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
		int64_t left = mono_diff_ns(end, mono_now()) / NS_PER_MS;
		int count;

		if (quit)
			return SCREEN_QUIT;
		if (resized) {
			resized = 0;
			return SCREEN_RESIZED;
		}
		if (left <= 0)
			return SCREEN_TICK;
		count = poll(&in, keys ? 1 : 0, (int)left);
		if (count > 0 && is_quit_key())
			return SCREEN_QUIT;
	}
}
