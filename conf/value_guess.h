/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What was probably meant by a time, size or bandwidth in another notation, for
 * an error message: "1m30s", "1.5s", "5 minutes", "1d", "256MB", "0.5 GiB",
 * "10Gbps". Nothing is ever accepted in this form.
 *
 * Thread:  any.
 * Units:   ms, bytes, bits per second.
 */
#include <stdbool.h>
#include <stdint.h>

/* False when it cannot be told, or is no whole number of ms or bytes. */
bool value_guess_duration(const char *text, uint64_t *ret_ms);
/* Decimal units are read as binary ones: "MB" as "MiB". */
bool value_guess_size(const char *text, uint64_t *ret_bytes);
bool value_guess_bandwidth(const char *text, uint64_t *ret_bps);
