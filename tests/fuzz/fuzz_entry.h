/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The prototype of libFuzzer's entry, which has no header of its own. The
 * build includes it before each target.
 *
 * Thread:  the fuzzer's.
 */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
