/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What braid-fetch remembers between runs, in a file of lines:
 *
 *     winner 1795000600 0 https://www.example:443@192.0.2.0/24 198.51.100.1:443
 *     turn   1795086400 -2 https://www.example:443 pop1.example.
 *     kind   expires    number resource            subject
 *
 * Changing it is one step for all processes: a lock is held from reading the
 * file to putting the new one in its place. Lines that make no sense, and
 * those that have expired, are left out the next time it is written: a broken
 * file costs a race, never a fetch.
 *
 * Thread:  the caller's; processes lock each other out.
 * Memory:  the caller's; large, not for a stack.
 * Units:   seconds since 1970.
 * Errors:  -errno, of the folder or the file.
 * Limits:  FETCH_NOTES_MAX notes: those that expire first make room.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

#define FETCH_NOTES_MAX 512u
#define FETCH_NOTE_KEY_MAX 384u
#define FETCH_NOTE_SUBJECT_MAX 320u

enum fetch_note_kind { NOTE_WINNER, NOTE_TURN, NOTE_KINDS };

struct fetch_note {
	enum fetch_note_kind kind;
	int64_t expires_s, number;
	char key[FETCH_NOTE_KEY_MAX], subject[FETCH_NOTE_SUBJECT_MAX];
};

struct fetch_memory {
	uint32_t n;
	struct fetch_note notes[FETCH_NOTES_MAX];
};

/* Notes in a text of any bytes that hold at that time. */
void fetch_memory_read(struct fetch_memory *memory, const char *text,
    size_t length, int64_t now_s);
void fetch_memory_print(const struct fetch_memory *memory, struct strbuf *out);

/* subject NULL: any. NULL: nothing is remembered. */
struct fetch_note *fetch_memory_find(struct fetch_memory *memory,
    enum fetch_note_kind kind, const char *key, const char *subject);
/* In place of the note with that kind, key and subject (NULL: any). What is
 * too long, or has blanks, is not remembered. */
void fetch_memory_put(struct fetch_memory *memory, enum fetch_note_kind kind,
    const char *key, const char *replaces, const char *subject, int64_t number,
    int64_t expires_s);
void fetch_memory_drop(struct fetch_memory *memory, struct fetch_note *note);

/* Whether it has changed anything. */
typedef bool fetch_memory_change(void *context, struct fetch_memory *memory);

/* Reads the file in `folder` (made when it is not there, for its owner only),
 * lets `change` have it, and writes it if that says so. */
int fetch_memory_update(const char *folder, int64_t now_s,
    fetch_memory_change *change, void *context) BR_MUST_CHECK;
