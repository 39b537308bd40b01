/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/secret_files.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Room for the names in it, each of CONF_NAME_MAX or a zone's. */
#define KEY_TEXT_MAX 512

/* Whether every user may pass through all folders to that real path. */
static bool is_reachable(char *path)
{
	struct stat st;

	for (char *slash; (slash = strrchr(path, '/')) != NULL;) {
		*slash = '\0';
		if (*path && !stat(path, &st) && !(st.st_mode & S_IXOTH))
			return false;
	}
	return true;
}

/* A group may read it: that is how a service shares keys with who renews
 * them. */
static bool is_open_to_all(const char *path, unsigned *ret_mode)
{
	char real[PATH_MAX];
	struct stat st;

	if (!path || stat(path, &st) || !S_ISREG(st.st_mode))
		return false;
	*ret_mode = (unsigned)st.st_mode & 07777u;
	return st.st_mode & (S_IROTH | S_IWOTH) &&
	       (!realpath(path, real) || is_reachable(real));
}

static void __attribute__((format(printf, 5, 6)))
look(const struct conf *conf, struct conf_errors *errors, struct conf_pos pos,
    const char *path, const char *key_format, ...)
{
	char key[KEY_TEXT_MAX];
	unsigned mode;
	va_list args;

	if (!is_open_to_all(path, &mode))
		return;
	va_start(args, key_format);
	(void)vsnprintf(key, sizeof key, key_format, args);
	va_end(args);
	conf_errors_add(errors, conf->file, pos, true,
	    "%s: %s is a secret that every user of this machine may %s (mode "
	    "%04o): chmod o= it",
	    key, path, mode & S_IROTH ? "read" : "write", mode);
}

/* A certificate without a key of its own has it in its file. */
static void look_at_certificate(const struct conf *conf,
    struct conf_errors *errors, const char *listener,
    const struct conf_certificate *c)
{
	struct conf_pos pos = c->key ? c->key_pos : c->cert_pos;

	look(conf, errors, pos.line ? pos : c->pos, c->key ? c->key : c->cert,
	    "listeners.%s.tls.certificates.%s.%s", listener, c->name,
	    c->key ? "key" : "cert");
}

static void look_at_tls(const struct conf *conf, struct conf_errors *errors)
{
	for (uint32_t i = 0; i < conf->n_listeners; i++) {
		const struct conf_listener *l = &conf->listeners[i];

		for (uint32_t k = 0; k < l->tls.n_certificates; k++)
			look_at_certificate(
			    conf, errors, l->name, &l->tls.certificates[k]);
	}
	for (uint32_t i = 0; i < conf->n_pools; i++) {
		const struct conf_pool *p = &conf->pools[i];

		if (p->tls.cert)
			look(conf, errors,
			    p->tls.key ? p->tls.key_pos : p->tls.cert_pos,
			    p->tls.key ? p->tls.key : p->tls.cert,
			    "pools.%s.tls.%s", p->name,
			    p->tls.key ? "key" : "cert");
	}
}

static void look_at_dns(const struct conf *conf, struct conf_errors *errors)
{
	const struct conf_dns *dns = &conf->dns;

	look(conf, errors, dns->cookie_secret_pos, dns->cookie_secret,
	    "dns.cookies.secret");
	for (uint32_t i = 0; i < dns->n_zones; i++) {
		const struct conf_zone *zone = &dns->zones[i];

		look(conf, errors, zone->key_pos, zone->key,
		    "dns.zones.%s.dnssec.key", zone->name);
		look(conf, errors, zone->tsig_key_file_pos, zone->tsig_key_file,
		    "dns.zones.%s.transfer.tsig.file", zone->name);
	}
}

void secret_files_check(const struct conf *conf, struct conf_errors *errors)
{
	look_at_tls(conf, errors);
	look_at_dns(conf, errors);
}
