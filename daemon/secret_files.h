/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Files of secrets that a configuration names: private keys of TLS and of
 * signed zones, keys of transfers, secrets of cookies. Every user of the
 * machine may read one that has the wrong mode, which nobody notices.
 *
 * Thread:  the clerk, or main at boot: it looks at files.
 * Errors:  none: each is a warning in `errors`, at the line of its key. What
 *          cannot be looked at is for the load to tell.
 */
#include "conf/conf.h"

void secret_files_check(const struct conf *conf, struct conf_errors *errors);
