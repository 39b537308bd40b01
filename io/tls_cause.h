/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * From OpenSSL's error queue to a cause that operators count.
 *
 * Thread:  the session's worker.
 */
#include "io/tls_session.h"

/* Sets cause and detail of a failed session from OpenSSL's error queue, and
 * empties that. */
void tls_cause_find(struct tls_session *session);
