/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One question to a running braidd: connect, send a line, read the answer.
 *
 * Thread:  the only one.
 * Memory:  json_decref() the answer.
 * Errors:  an exit code with a sentence already said on stderr, or 0 and an
 *          answer, which may itself be an error of the daemon.
 * Limits:  CLIENT_ANSWER_MAX bytes; CLIENT_SILENCE_MS without a byte.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define CLIENT_ANSWER_MAX (256u << 20)
#define CLIENT_SILENCE_MS 60000

enum client_exit {
	CLIENT_OK = 0,
	CLIENT_FAILED = 1,
	CLIENT_USAGE = 64,
	CLIENT_UNAVAILABLE = 69,
	CLIENT_TEMPORARY = 75,
	CLIENT_PERMISSION = 77,
};

/* Who named the socket, for errors: "-s" (the default), "BRAID_CONTROL", "the
 * default". Static text. */
void client_socket_from(const char *source);
int client_ask(const char *path, const char *command, int n_arguments,
    char *const *arguments, json_t **ret) BR_MUST_CHECK;
/* The daemon's verdict on the command, and its data (borrowed). */
int client_exit_of(const json_t *answer);
const char *client_error_of(const json_t *answer); /* NULL: none */
const json_t *client_data_of(const json_t *answer);

/* Members of objects, with 0 and "" for what is not there. */
uint64_t client_uint(const json_t *object, const char *key);
double client_number(const json_t *object, const char *key);
const char *client_text(const json_t *object, const char *key);
bool client_bool(const json_t *object, const char *key);
