/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/talk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "probe/http_status.h"
#include "probe/quote.h"

/* Where the status line must end, interim answers before it included. */
#define HTTP_BYTES_MAX 4096

static enum talk_next talk_end(struct talk *talk, int error, const char *cause,
    ...) __attribute__((format(printf, 3, 4)));

static enum talk_next talk_end(
    struct talk *talk, int error, const char *cause, ...)
{
	va_list arguments;

	talk->error = error;
	va_start(arguments, cause);
	vsnprintf(talk->cause, sizeof(talk->cause), cause, arguments);
	va_end(arguments);
	return TALK_ENDED;
}

/* -- http -------------------------------------------------------------- */

static bool status_is_wanted(const struct talk *talk, int status)
{
	for (uint32_t i = 0; i < talk->n_status; i++) {
		if (status >= talk->status_low[i] &&
		    status <= talk->status_high[i])
			return true;
	}
	return false;
}

/* "200-299,301": what is expected, as far as it fits. */
static void status_add_wanted(const struct talk *talk, char *ret, size_t room)
{
	size_t n = 0;

	ret[0] = '\0';
	for (uint32_t i = 0; i < talk->n_status && n < room; i++) {
		uint16_t low = talk->status_low[i];
		uint16_t high = talk->status_high[i];
		int added = low == high ? snprintf(ret + n, room - n, "%s%u",
					      i ? "," : "", low)
					: snprintf(ret + n, room - n, "%s%u-%u",
					      i ? "," : "", low, high);

		n += added > 0 ? (size_t)added : 0;
	}
}

static enum talk_next http_judge(struct talk *talk)
{
	int status = http_status_parse(talk->bytes, talk->n_bytes);
	char quoted[QUOTE_TEXT_MAX], wanted[64];

	if (status == HTTP_STATUS_PARTIAL) {
		if (talk->n_bytes < HTTP_BYTES_MAX)
			return TALK_RECEIVE;
		return talk_end(talk, BR_E_PROTOCOL,
		    "not HTTP: no status line within %d bytes", HTTP_BYTES_MAX);
	}
	if (status < 0)
		return talk_end(talk, BR_E_PROTOCOL, "not HTTP: %s",
		    quote_bytes(talk->bytes, talk->n_bytes, quoted));
	if (status_is_wanted(talk, status))
		return talk_end(talk, 0, "status %d", status);
	status_add_wanted(talk, wanted, sizeof(wanted));
	return talk_end(
	    talk, BR_E_STATUS, "status %d, expected %s", status, wanted);
}

static int http_init(struct talk *talk, const struct conf_health *health,
    const struct addr *to, const char *name)
{
	char address[CONF_HOST_MAX + ADDR_TEXT_MAX];
	const char *host = health->host;
	int length;

	if (!host && addr_is_unix(to)) {
		host = "localhost";
	} else if (!host && name) {
		(void)snprintf(
		    address, sizeof(address), "%s:%u", name, addr_port(to));
		host = address;
	} else if (!host) {
		addr_format(to, address);
		host = address;
	}
	length = snprintf(talk->texts, sizeof(talk->texts),
	    "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: braid-check\r\n"
	    "Connection: close\r\nAccept: */*\r\n\r\n",
	    health->path ? health->path : "/", host);
	if (length < 0 || (size_t)length >= sizeof(talk->texts))
		return -EMSGSIZE;
	talk->texts_used = (uint32_t)length;
	br_assert(health->n_status <= CONF_STATUS_RANGES_MAX);
	talk->n_status = health->n_status;
	for (uint32_t i = 0; i < health->n_status; i++) {
		talk->status_low[i] = health->status[i].low;
		talk->status_high[i] = health->status[i].high;
	}
	return 0;
}

/* -- scripts ----------------------------------------------------------- */

static int script_add(
    struct talk *talk, const struct conf_bytes *bytes, bool expect)
{
	struct talk_step *step = &talk->steps[talk->n_steps];

	if (!bytes->n)
		return 0;
	if (talk->n_steps == CONF_SCRIPT_STEPS_MAX ||
	    bytes->n > sizeof(talk->texts) - talk->texts_used)
		return -EMSGSIZE;
	memcpy(talk->texts + talk->texts_used, bytes->at, bytes->n);
	*step = (struct talk_step){.at = (uint16_t)talk->texts_used,
	    .n = (uint16_t)bytes->n,
	    .expect = expect};
	talk->texts_used += bytes->n;
	talk->n_steps++;
	return 0;
}

static int script_init(struct talk *talk, const struct conf_health *health)
{
	for (uint32_t i = 0; i < health->n_steps; i++) {
		int err = script_add(talk, &health->steps[i].send, false);

		if (!err)
			err = script_add(talk, &health->steps[i].expect, true);
		if (err)
			return err;
	}
	return 0;
}

static bool script_found(struct talk *talk, const struct talk_step *step)
{
	/* What may have begun in bytes that were searched before. */
	uint32_t from =
	    talk->searched >= step->n ? talk->searched - step->n + 1 : 0;

	talk->searched = talk->n_bytes;
	return memmem(talk->bytes + from, talk->n_bytes - from,
		   talk->texts + step->at, step->n) != NULL;
}

/* `step 2: expected "+PONG", received "-LOADING"`, and why no more comes. */
static enum talk_next script_fail(
    struct talk *talk, int error, const char *because)
{
	const struct talk_step *step = &talk->steps[talk->step];
	char expected[QUOTE_TEXT_MAX], received[QUOTE_TEXT_MAX];

	return talk_end(talk, error, "step %u: expected %s, received %s%s",
	    talk->step + 1,
	    quote_bytes(talk->texts + step->at, step->n, expected),
	    talk->n_bytes ? quote_bytes(talk->bytes, talk->n_bytes, received)
			  : "nothing",
	    because);
}

/* As many steps as can be taken now; each round takes one. */
static enum talk_next script_go(struct talk *talk)
{
	for (; talk->step < talk->n_steps; talk->step++) {
		const struct talk_step *step = &talk->steps[talk->step];

		if (!step->expect) {
			talk->out = talk->texts + step->at;
			talk->out_bytes = step->n;
			return TALK_SEND;
		}
		if (script_found(talk, step)) {
			talk->searched = 0;
			continue;
		}
		if (talk->n_bytes < TALK_BYTES_MAX)
			return TALK_RECEIVE;
		return script_fail(
		    talk, BR_E_PROTOCOL, " and 16 KiB without it");
	}
	return talk_end(talk, 0, "all %u steps as expected", talk->n_steps);
}

/* -- agents ------------------------------------------------------------ */

static enum talk_next agent_judge(struct talk *talk, bool ended)
{
	char quoted[QUOTE_TEXT_MAX];
	int rc =
	    agent_text_parse(talk->bytes, talk->n_bytes, ended, &talk->report);

	if (rc > 0)
		return talk_end(talk, 0, "answered");
	if (rc == 0 && !ended)
		return TALK_RECEIVE;
	return talk_end(talk, BR_E_PROTOCOL, "not a line of words: %s",
	    quote_bytes(talk->bytes, talk->n_bytes, quoted));
}

/* -- the parts together ------------------------------------------------ */

static void talk_clear(struct talk *talk, enum talk_kind kind)
{
	talk->kind = kind;
	talk->out = NULL;
	talk->out_bytes = 0;
	talk->error = 0;
	talk->cause[0] = '\0';
	talk->n_status = 0;
	talk->step = talk->n_steps = talk->searched = 0;
	talk->texts_used = talk->n_bytes = 0;
}

int talk_init_check(struct talk *talk, const struct conf_health *health,
    const struct addr *to, const char *name)
{
	switch (health->type) {
	case CONF_HEALTH_HTTP:
		talk_clear(talk, TALK_HTTP);
		return http_init(talk, health, to, name);
	case CONF_HEALTH_SEND_EXPECT:
		talk_clear(talk, TALK_SCRIPT);
		return script_init(talk, health);
	case CONF_HEALTH_NONE:
	case CONF_HEALTH_TCP:
	case CONF_HEALTH_TLS:
		break;
	}
	talk_clear(talk, TALK_NOTHING);
	return 0;
}

void talk_init_agent(struct talk *talk, const struct conf_agent *agent)
{
	talk_clear(talk, TALK_AGENT);
	br_assert(agent->send.n <= sizeof(talk->texts));
	if (agent->send.n)
		memcpy(talk->texts, agent->send.at, agent->send.n);
	talk->texts_used = agent->send.n;
}

enum talk_next talk_begin(struct talk *talk)
{
	switch (talk->kind) {
	case TALK_NOTHING:
		return talk_end(talk, 0, "connected");
	case TALK_SCRIPT:
		return script_go(talk);
	case TALK_AGENT:
	case TALK_HTTP:
		break;
	}
	talk->out = talk->texts;
	talk->out_bytes = talk->texts_used;
	return talk->out_bytes ? TALK_SEND : TALK_RECEIVE;
}

enum talk_next talk_on_sent(struct talk *talk)
{
	/* What came before was no answer to this. */
	talk->n_bytes = talk->searched = 0;
	if (talk->kind != TALK_SCRIPT)
		return TALK_RECEIVE;
	talk->step++;
	return script_go(talk);
}

char *talk_room(struct talk *talk, uint32_t *ret_room)
{
	br_assert(talk->n_bytes < TALK_BYTES_MAX);
	*ret_room = TALK_BYTES_MAX - talk->n_bytes;
	return talk->bytes + talk->n_bytes;
}

enum talk_next talk_on_received(struct talk *talk, uint32_t n)
{
	br_assert(n <= TALK_BYTES_MAX - talk->n_bytes);
	talk->n_bytes += n;
	switch (talk->kind) {
	case TALK_HTTP:
		return http_judge(talk);
	case TALK_SCRIPT:
		return script_go(talk);
	case TALK_AGENT:
		return agent_judge(talk, false);
	case TALK_NOTHING:
		break;
	}
	return TALK_ENDED;
}

enum talk_next talk_on_end(struct talk *talk)
{
	switch (talk->kind) {
	case TALK_HTTP:
		return talk_end(talk, BR_E_CLOSED, "%s",
		    talk->n_bytes ? "closed within the status line"
				  : "closed without an answer");
	case TALK_SCRIPT:
		return script_fail(talk, BR_E_CLOSED, " and the end");
	case TALK_AGENT:
		if (talk->n_bytes)
			return agent_judge(talk, true);
		return talk_end(talk, BR_E_CLOSED, "closed without an answer");
	case TALK_NOTHING:
		break;
	}
	return TALK_ENDED;
}

void talk_explain_wait(
    const struct talk *talk, bool sending, char *ret, size_t room)
{
	char expected[QUOTE_TEXT_MAX], received[QUOTE_TEXT_MAX];
	const struct talk_step *step = &talk->steps[talk->step];

	if (talk->kind == TALK_SCRIPT && sending)
		(void)snprintf(ret, room, "sending step %u", talk->step + 1);
	else if (talk->kind == TALK_SCRIPT)
		(void)snprintf(ret, room,
		    "waiting for %s (step %u), received %s",
		    quote_bytes(talk->texts + step->at, step->n, expected),
		    talk->step + 1,
		    talk->n_bytes
			? quote_bytes(talk->bytes, talk->n_bytes, received)
			: "nothing");
	else
		(void)snprintf(ret, room, "%s",
		    sending                    ? "sending the request"
		    : talk->kind == TALK_AGENT ? "waiting for the agent's line"
					       : "waiting for the status line");
}
