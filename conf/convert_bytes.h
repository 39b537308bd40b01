/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Values that are bytes, as convert.h does it for all.
 *
 * Thread:  any.
 * Limits:  the row's max bytes, at least one.
 */
#include "conf/convert.h"

int convert_escaped(const struct convert *c) BR_MUST_CHECK;
int convert_hex(const struct convert *c) BR_MUST_CHECK;
