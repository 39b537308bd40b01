/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Intrusive doubly linked list. A node that is in no list points at itself,
 * so removing twice is harmless.
 *
 * Thread:  one at a time.
 * Memory:  the nodes are part of the caller's objects.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"

struct list_node {
	struct list_node *next, *prev;
};

/* A list is a node that is never an element. */
struct list {
	struct list_node head;
};

static inline void list_node_init(struct list_node *node)
{
	node->next = node->prev = node;
}

static inline void list_init(struct list *list)
{
	list_node_init(&list->head);
}

static inline bool list_empty(const struct list *list)
{
	return list->head.next == &list->head;
}

static inline bool list_linked(const struct list_node *node)
{
	return node->next != node;
}

static inline void list_insert_before(
    struct list_node *at, struct list_node *node)
{
	node->prev = at->prev;
	node->next = at;
	at->prev->next = node;
	at->prev = node;
}

static inline void list_push_back(struct list *list, struct list_node *node)
{
	list_insert_before(&list->head, node);
}

static inline void list_push_front(struct list *list, struct list_node *node)
{
	list_insert_before(list->head.next, node);
}

static inline void list_remove(struct list_node *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_node_init(node);
}

static inline struct list_node *list_first(const struct list *list)
{
	return list_empty(list) ? NULL : list->head.next;
}

static inline struct list_node *list_pop_front(struct list *list)
{
	struct list_node *node = list_first(list);

	if (node)
		list_remove(node);
	return node;
}

/* Moves all of `from` to the end of `to`; `from` is empty afterwards. */
static inline void list_splice_back(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->head.next->prev = to->head.prev;
	from->head.prev->next = &to->head;
	to->head.prev->next = from->head.next;
	to->head.prev = from->head.prev;
	list_init(from);
}

#define LIST_FOREACH(node, list)                                               \
	for (struct list_node *node = (list)->head.next;                       \
	     node != &(list)->head; node = node->next)

/* The current node may be removed within the loop. */
#define LIST_FOREACH_SAFE(node, following, list)                               \
	for (struct list_node *node = (list)->head.next,                       \
			      *following = node->next;                         \
	     node != &(list)->head; node = following, following = node->next)
