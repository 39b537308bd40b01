/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The last steps of taking over, in the new process: its workers accept
 * already, its commands and /metrics still wait for the old one.
 *
 *   workers ──ARMED──> all ──READY──> old process
 *                                        │ COMMIT (or its death)
 *   api, control socket, generations <───┘ ──SERVING──> old process
 *
 * Thread:  control. Nothing happens in a process that has inherited nothing.
 */
#include <stdbool.h>

struct control;

/* From the start of a process that has inherited until it takes over. */
bool heir_waits(const struct control *control);

/* A worker's first accepts are in the kernel. */
void heir_on_armed(struct control *control);
/* The channel to the old process has something. */
void heir_on_channel(struct control *control);
