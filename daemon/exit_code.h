/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How braidd and braidctl end, after sysexits(3).
 *
 * Thread:  any (constants).
 */
enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_FAILED = 1,
	EXIT_CODE_USAGE = 64,
	EXIT_CODE_UNAVAILABLE = 69,
	EXIT_CODE_PERMISSION = 77,
	EXIT_CODE_CONFIG = 78,
};
