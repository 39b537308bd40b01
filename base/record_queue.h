/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A bounded ring of records of one size between two threads: composed and read
 * in place, so that a record is copied at most once. (base/mailbox.h carries
 * pointers; ck_ring's typed form would make one implementation a type.)
 *
 *      producer  room() ... fill ... put()
 *      consumer  peek() ... read ... drop()
 *
 * Wait-free on both sides.
 *
 * Thread:  room, put: one producer; count, peek, drop: one consumer.
 * Memory:  all of it from record_queue_new(); records start as zeros and hold
 *          what was there before afterwards.
 * Limits:  a power of two of records.
 */
#include <stddef.h>
#include <stdint.h>

struct record_queue;

/* NULL: no memory. */
struct record_queue *record_queue_new(uint32_t records, size_t record_bytes);
void record_queue_free(struct record_queue *queue);
/* Where the next record is composed; NULL when full. */
void *record_queue_room(struct record_queue *queue);
/* Gives away what was composed there. */
void record_queue_put(struct record_queue *queue);
/* Records that wait now; more may come meanwhile. */
uint32_t record_queue_count(const struct record_queue *queue);
/* The oldest, until record_queue_drop(); NULL: none. */
const void *record_queue_peek(const struct record_queue *queue);
void record_queue_drop(struct record_queue *queue);
