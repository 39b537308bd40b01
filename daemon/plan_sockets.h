/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The listening sockets of one address, as plans share them: one a worker
 * (SO_REUSEPORT), or one for all when it is a unix socket. After an upgrade to
 * fewer workers there are more sockets than workers, because closing one would
 * reset what is on its way into its queue: socket i is worker i % workers'.
 * With more workers than before, those that are missing are copies of the ones
 * that were handed over until this process is sure to start.
 *
 * Thread:  the clerk, or main at boot and at the end.
 * Memory:  counted by the plans that have the address. A socket is closed by
 *          its acceptor when the worker stops that; those that never started
 *          are closed here, and a unix socket's file is removed if it is
 *          still ours.
 * Errors:  -errno, and in struct plan_error the line for the operator.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/error.h"
#include "io/sock.h"

struct acceptor;

struct plan_error {
	char text[512]; /* what failed and what to do, one line */
	int code;
};

struct plan_sockets {
	struct addr addr;
	uint32_t references; /* plans */
	uint32_t n_fds; /* at least one a worker */
	uint32_t n_passed; /* the first ones, of the generation before */
	int *fds; /* [n_fds] */
	struct acceptor **acceptors; /* [n_fds] */
	struct sock_listen_options options; /* in force */
	/* unix: the file that is ours to remove, unless it is borrowed from
	 * an older generation, which goes on if this one does not serve. */
	dev_t device;
	ino_t inode;
	bool borrowed;
};

/* Whether somebody else listens there already, which SO_REUSEPORT hides when
 * it is another process of our own user. */
int plan_sockets_probe(const struct addr *addr, bool transparent) BR_MUST_CHECK;
int plan_sockets_open(const struct addr *addr,
    const struct sock_listen_options *options, uint32_t n_workers,
    struct plan_sockets **ret) BR_MUST_CHECK;
/* Before any acceptor starts: sockets of our own in place of copies, which stay
 * where they cannot be had. They get connections from here on. */
void plan_sockets_open_beside(struct plan_sockets *sockets);
/* All acceptors are done: a unix socket need not wait for the flows that came
 * through it, and its path may be used again. */
void plan_sockets_close(struct plan_sockets *sockets);
/* Drops one reference and frees with the last. */
void plan_sockets_unref(struct plan_sockets *sockets);
/* Gives existing sockets other options; what fails stays as it was. */
void plan_sockets_adjust(
    struct plan_sockets *sockets, const struct sock_listen_options *options);
/* "listener web: 0.0.0.0:80: address already in use: ...", with "listener "
 * for `kind`, "web" for `name`. */
void plan_sockets_explain(struct plan_error *ret, const char *kind,
    const char *name, const struct addr *addr, int error);
