/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Values of which a key may have several, as convert.h does it for all: each
 * call adds one, the first replaces what was there.
 *
 * Thread:  any.
 * Limits:  CONF_LIST_MAX values of 255 characters.
 */
#include "conf/convert.h"

int convert_texts(const struct convert *c) BR_MUST_CHECK;
int convert_names(const struct convert *c) BR_MUST_CHECK;
int convert_protocols(const struct convert *c) BR_MUST_CHECK;
int convert_prefixes(const struct convert *c) BR_MUST_CHECK;

/* For other converters of lists. Room for one more behind n elements. */
void *convert_list_grow(
    const struct convert *c, void *at, uint32_t n, size_t bytes);
/* Says that there are too many; -EINVAL. */
int convert_list_full(const struct convert *c);
/* One word of at most 255 characters. */
bool convert_list_is_text(const struct convert *c);
