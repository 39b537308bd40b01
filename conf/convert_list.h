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
