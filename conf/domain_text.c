/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/domain_text.h"

#include <string.h>

static bool domain_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '/';
}

static const char *domain_labels_wrong(const char *text, size_t length)
{
	size_t label = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '.') {
			if (!label)
				return "a label is empty";
			label = 0;
		} else if (!domain_is_letter(text[i])) {
			return "only letters, digits and - _ / stand in labels";
		} else if (++label > DOMAIN_LABEL_MAX) {
			return "a label has more than 63 characters";
		}
	}
	if (!label)
		return "a label is empty";
	return length > DOMAIN_CHARACTERS_MAX
		   ? "it has more than 253 characters"
		   : NULL;
}

const char *domain_text_wrong(const char *text, size_t length)
{
	/* The root. */
	if (length == 1 && text[0] == '.')
		return NULL;
	if (length > 1 && text[length - 1] == '.')
		length--;
	return domain_labels_wrong(text, length);
}

const char *owner_text_wrong(const char *text, size_t length)
{
	if (length == 1 && text[0] == '@')
		return NULL;
	if (length && text[length - 1] == '.')
		return "it is relative to the zone and has no dot at the end";
	if (memchr(text, '*', length))
		return "a wildcard is no resource";
	return domain_labels_wrong(text, length);
}

void domain_text_plain(char *ret, const char *text, size_t length)
{
	if (length > 1 && text[length - 1] == '.')
		length--;
	for (size_t i = 0; i < length; i++)
		ret[i] = (char)(text[i] >= 'A' && text[i] <= 'Z'
				    ? text[i] - 'A' + 'a'
				    : text[i]);
	ret[length] = '\0';
}
