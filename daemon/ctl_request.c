/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_request.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int __attribute__((format(printf, 2, 3)))
refuse(char ret_error[CTL_REQUEST_ERROR_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(ret_error, CTL_REQUEST_ERROR_MAX, format, args);
	va_end(args);
	return BR_E_SYNTAX;
}

/* A text that fits and may be printed again, in logs and on terminals.
 * jansson has checked that it is UTF-8 without a zero byte. */
static bool copy_text(const json_t *value, char *ret, size_t room)
{
	const char *text = json_string_value(value);
	size_t length = json_string_length(value);

	if (!text || length >= room || strlen(text) != length)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f ||
		    (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0))
			return false;
	}
	(void)snprintf(ret, room, "%s", text);
	return true;
}

static int read_arguments(const json_t *list, struct ctl_request *ret,
    char ret_error[CTL_REQUEST_ERROR_MAX])
{
	size_t n = json_array_size(list);

	if (!json_is_array(list))
		return refuse(
		    ret_error, "\"arguments\" must be a list of texts");
	if (n > CTL_ARGUMENTS_MAX)
		return refuse(ret_error, "%zu arguments, at most %d", n,
		    CTL_ARGUMENTS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (!copy_text(json_array_get(list, i), ret->arguments[i],
			sizeof(ret->arguments[i])))
			return refuse(ret_error,
			    "argument %zu must be a printable text of at most "
			    "%d bytes",
			    i + 1, CTL_ARGUMENT_MAX);
	}
	ret->n_arguments = (uint32_t)n;
	return 0;
}

static int read_object(json_t *object, struct ctl_request *ret,
    char ret_error[CTL_REQUEST_ERROR_MAX])
{
	const json_t *command = json_object_get(object, "command");
	const json_t *arguments = json_object_get(object, "arguments");
	size_t known = (command != NULL) + (size_t)(arguments != NULL);

	if (!json_is_object(object))
		return refuse(ret_error, "the request must be a JSON object");
	if (!command ||
	    !copy_text(command, ret->command, sizeof(ret->command)) ||
	    !ret->command[0])
		return refuse(
		    ret_error, "the request must have a text \"command\"");
	if (json_object_size(object) != known)
		return refuse(ret_error,
		    "the request may have \"command\" and \"arguments\" only");
	return arguments ? read_arguments(arguments, ret, ret_error) : 0;
}

int ctl_request_parse(const char *text, size_t length, struct ctl_request *ret,
    char ret_error[CTL_REQUEST_ERROR_MAX])
{
	struct ctl_request request = {.n_arguments = 0};
	json_error_t error;
	json_t *object =
	    json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	int err;

	if (!object)
		return refuse(ret_error, "the request is not JSON: %s at %d",
		    error.text, error.position);
	err = read_object(object, &request, ret_error);
	json_decref(object);
	if (!err)
		*ret = request;
	return err;
}
