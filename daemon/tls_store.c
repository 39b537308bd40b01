/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tls_store.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* From when on every load warns of a certificate that ends. */
#define TLS_EXPIRY_WARNING_S (14 * 24 * 3600)

/* What one listener or pool has loaded. */
struct material {
	uint32_t references;
	uint64_t digest; /* of the files' bytes and all options */
	struct tls_server *server; /* of a listener */
	struct tls_client *client; /* of a pool */
};

/* By name: where the configuration before had the same. */
struct named {
	const char *name;
	struct material *material; /* NULL: plain */
};

struct tls_store {
	struct arena *arena;
	uint32_t n_listeners, n_pools;
	struct named *listeners, *pools;
};

static void material_unref(struct material *material)
{
	if (!material || --material->references)
		return;
	if (material->server)
		tls_server_free(material->server);
	if (material->client)
		tls_client_free(material->client);
	free(material);
}

/* -- digests ----------------------------------------------------------- */

static void digest_bytes(uint64_t *digest, const void *bytes, size_t length)
{
	*digest = hash_bytes(bytes, length, *digest + length + 1);
}

static void digest_text(uint64_t *digest, const char *text)
{
	digest_bytes(digest, text ? text : "", text ? strlen(text) + 1 : 0);
}

static void digest_texts(uint64_t *digest, const struct conf_texts *texts)
{
	digest_bytes(digest, &texts->n, sizeof texts->n);
	for (uint32_t i = 0; i < texts->n; i++)
		digest_text(digest, texts->at[i]);
}

/* Name and content. What cannot be read is told by the load that follows. */
static void digest_file(uint64_t *digest, const char *path)
{
	char block[16384];
	struct stat st;
	ssize_t n;
	int fd;

	digest_text(digest, path);
	if (!path)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	/* Devices may have no end. */
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		while ((n = read(fd, block, sizeof block)) > 0)
			digest_bytes(digest, block, (size_t)n);
	close(fd);
}

static uint64_t digest_listener(const struct conf_listener_tls *tls)
{
	uint64_t digest = 1;

	for (uint32_t i = 0; i < tls->n_certificates; i++) {
		digest_file(&digest, tls->certificates[i].cert);
		digest_file(&digest, tls->certificates[i].key);
		digest_file(&digest, tls->certificates[i].ocsp);
	}
	digest_file(&digest, tls->client_ca);
	digest_file(&digest, tls->client_crl);
	digest_bytes(&digest, &tls->client_verify, sizeof tls->client_verify);
	digest_bytes(&digest, &tls->min, sizeof tls->min);
	digest_bytes(&digest, &tls->strict_sni, sizeof tls->strict_sni);
	digest_texts(&digest, &tls->alpn);
	return digest;
}

static uint64_t digest_pool(const struct conf_pool_tls *tls)
{
	uint64_t digest = 2;

	digest_file(&digest, tls->ca);
	digest_file(&digest, tls->crl);
	digest_file(&digest, tls->cert);
	digest_file(&digest, tls->key);
	digest_bytes(&digest, &tls->verify, sizeof tls->verify);
	digest_texts(&digest, &tls->alpn);
	return digest;
}

/* -- loading ----------------------------------------------------------- */

/* Where problems of one load are said. */
struct complaint {
	const struct conf *conf;
	struct conf_errors *errors;
	const char *kind, *name; /* "listeners", "web" */
	struct conf_pos pos; /* of the whole */
	const struct conf_listener_tls *listener; /* or */
	const struct conf_pool_tls *pool;
};

static struct conf_pos pos_of_certificate(
    const struct conf_certificate *certificate, enum tls_subject subject)
{
	struct conf_pos pos = certificate->cert_pos;

	if (subject == TLS_SUBJECT_KEY)
		pos = certificate->key_pos;
	else if (subject == TLS_SUBJECT_OCSP)
		pos = certificate->ocsp_pos;
	return pos.line ? pos : certificate->pos;
}

static struct conf_pos pos_of(
    const struct complaint *c, const struct tls_problem *problem)
{
	struct conf_pos pos = {0, 0};
	bool crl = problem->subject == TLS_SUBJECT_CRL;

	if (c->listener) {
		switch (problem->subject) {
		case TLS_SUBJECT_CERT:
		case TLS_SUBJECT_KEY:
		case TLS_SUBJECT_OCSP:
			pos = pos_of_certificate(
			    &c->listener->certificates[problem->index],
			    problem->subject);
			break;
		case TLS_SUBJECT_CA:
		case TLS_SUBJECT_CRL:
			pos = crl ? c->listener->client_crl_pos
				  : c->listener->client_ca_pos;
			break;
		default:
			break;
		}
		return pos.line ? pos : c->pos;
	}
	switch (problem->subject) {
	case TLS_SUBJECT_CERT:
		pos = c->pool->cert_pos;
		break;
	case TLS_SUBJECT_KEY:
		pos = c->pool->key_pos;
		break;
	case TLS_SUBJECT_CA:
	case TLS_SUBJECT_CRL:
		pos = crl ? c->pool->crl_pos : c->pool->ca_pos;
		break;
	default:
		break;
	}
	return pos.line ? pos : c->pos;
}

/* Below tls, with its dot; "" where no key of its own is at fault. */
static const char *key_of(
    const struct complaint *c, const struct tls_problem *problem)
{
	switch (problem->subject) {
	case TLS_SUBJECT_CERT:
		return ".cert";
	case TLS_SUBJECT_KEY:
		return ".key";
	case TLS_SUBJECT_OCSP:
		return ".ocsp";
	case TLS_SUBJECT_CA:
		return c->listener ? ".client_ca" : ".ca";
	case TLS_SUBJECT_CRL:
		return c->listener ? ".client_crl" : ".crl";
	default:
		return "";
	}
}

static void complain(void *owner, const struct tls_problem *problem)
{
	const struct complaint *c = owner;
	bool one = c->listener && problem->subject <= TLS_SUBJECT_OCSP;

	conf_errors_add(c->errors, c->conf->file, pos_of(c, problem),
	    problem->warning, "%s.%s.tls%s%s%s: %s", c->kind, c->name,
	    one ? ".certificates." : "",
	    one ? c->listener->certificates[problem->index].name : "",
	    key_of(c, problem), problem->text);
}

static enum tls_version version_of(enum conf_tls_version version)
{
	return version == CONF_TLS_1_3 ? TLS_VERSION_1_3 : TLS_VERSION_1_2;
}

static enum tls_verify verify_of(enum conf_tls_verify verify)
{
	switch (verify) {
	case CONF_TLS_OFF:
	case CONF_TLS_VERIFY_NONE:
		return TLS_VERIFY_NONE;
	case CONF_TLS_VERIFY_OPTIONAL:
		return TLS_VERIFY_OPTIONAL;
	case CONF_TLS_VERIFY_FULL:
		break;
	}
	return TLS_VERIFY_FULL;
}

static int load_server(struct tls_store *store, struct complaint *c,
    const struct conf_listener_tls *tls, struct tls_server **ret)
{
	struct tls_certificate_files *files =
	    arena_alloc(store->arena, tls->n_certificates * sizeof *files + 1);

	for (uint32_t i = 0; i < tls->n_certificates; i++)
		files[i] = (struct tls_certificate_files){
		    .cert = tls->certificates[i].cert,
		    .key = tls->certificates[i].key,
		    .ocsp = tls->certificates[i].ocsp,
		};
	return tls_server_load(
	    &(struct tls_server_options){
		.certificates = files,
		.n_certificates = tls->n_certificates,
		.strict_names = tls->strict_sni,
		.verify = tls->client_ca ? verify_of(tls->client_verify)
					 : TLS_VERIFY_NONE,
		.client_ca = tls->client_ca,
		.crl = tls->client_crl,
		.alpn = tls->alpn.at,
		.n_alpn = tls->alpn.n,
		.min = version_of(tls->min),
	    },
	    complain, c, ret);
}

static int load_client(struct complaint *c, const struct conf_pool_tls *tls,
    struct tls_client **ret)
{
	return tls_client_load(
	    &(struct tls_client_options){
		.verify = verify_of(tls->verify),
		.ca = tls->ca,
		.crl = tls->crl,
		.cert = tls->cert,
		.key = tls->key,
		.alpn = tls->alpn.at,
		.n_alpn = tls->alpn.n,
	    },
	    complain, c, ret);
}

/* -- the store --------------------------------------------------------- */

static struct material *find_same(const struct named *before, uint32_t n,
    struct strmap *names, const char *name, uint64_t digest)
{
	const struct named *old = n ? strmap_get(names, name) : NULL;

	(void)before;
	if (!old || !old->material || old->material->digest != digest)
		return NULL;
	old->material->references++;
	return old->material;
}

static struct strmap *index_names(
    struct arena *arena, const struct named *named, uint32_t n)
{
	struct strmap *names = strmap_new(arena);

	for (uint32_t i = 0; i < n; i++)
		strmap_put(names, named[i].name, (void *)&named[i]);
	return names;
}

static struct material *material_new(uint64_t digest)
{
	struct material *material = calloc(1, sizeof *material);

	if (!material)
		br_out_of_memory("TLS certificates", sizeof *material);
	material->references = 1;
	material->digest = digest;
	return material;
}

/* Also of what was loaded before, so that every reload says it. */
static void warn_of_expiry(
    const struct complaint *c, const struct material *material)
{
	int64_t left_s = tls_server_first_expiry_s(material->server) -
			 wall_now().ns / NS_PER_S;

	/* What has ended already the load says with its file. */
	if (left_s < 0 && material->references == 1)
		return;
	if (left_s < 0)
		conf_errors_add(c->errors, c->conf->file, c->pos, true,
		    "%s.%s.tls: a certificate has expired", c->kind, c->name);
	else if (left_s < TLS_EXPIRY_WARNING_S)
		conf_errors_add(c->errors, c->conf->file, c->pos, true,
		    "%s.%s.tls: a certificate expires in %" PRId64 " h",
		    c->kind, c->name, left_s / 3600);
}

static bool load_listeners(struct tls_store *store, const struct conf *conf,
    const struct tls_store *before, struct conf_errors *errors)
{
	uint32_t n_before = before ? before->n_listeners : 0;
	struct strmap *names = index_names(
	    store->arena, before ? before->listeners : NULL, n_before);
	bool good = true;

	for (uint32_t i = 0; i < conf->n_listeners; i++) {
		const struct conf_listener *l = &conf->listeners[i];
		struct named *named = &store->listeners[i];
		struct complaint c = {.conf = conf,
		    .errors = errors,
		    .kind = "listeners",
		    .name = l->name,
		    .pos = l->pos,
		    .listener = &l->tls};
		uint64_t digest;

		named->name = arena_strdup(store->arena, l->name);
		if (!l->tls.n_certificates)
			continue;
		digest = digest_listener(&l->tls);
		named->material = find_same(before ? before->listeners : NULL,
		    n_before, names, l->name, digest);
		if (!named->material) {
			named->material = material_new(digest);
			if (load_server(
				store, &c, &l->tls, &named->material->server))
				good = false;
		}
		if (named->material->server)
			warn_of_expiry(&c, named->material);
	}
	return good;
}

static bool load_pools(struct tls_store *store, const struct conf *conf,
    const struct tls_store *before, struct conf_errors *errors)
{
	uint32_t n_before = before ? before->n_pools : 0;
	struct strmap *names =
	    index_names(store->arena, before ? before->pools : NULL, n_before);
	bool good = true;

	for (uint32_t i = 0; i < conf->n_pools; i++) {
		const struct conf_pool *p = &conf->pools[i];
		struct named *named = &store->pools[i];
		struct complaint c = {.conf = conf,
		    .errors = errors,
		    .kind = "pools",
		    .name = p->name,
		    .pos = p->pos,
		    .pool = &p->tls};
		uint64_t digest;

		named->name = arena_strdup(store->arena, p->name);
		if (p->tls.verify == CONF_TLS_OFF)
			continue;
		digest = digest_pool(&p->tls);
		named->material = find_same(before ? before->pools : NULL,
		    n_before, names, p->name, digest);
		if (named->material)
			continue;
		named->material = material_new(digest);
		if (load_client(&c, &p->tls, &named->material->client))
			good = false;
	}
	return good;
}

int tls_store_load(const struct conf *conf, const struct tls_store *before,
    struct conf_errors *errors, struct tls_store **ret)
{
	struct arena *arena = arena_new();
	struct tls_store *store = arena_alloc(arena, sizeof *store);
	bool listeners, pools;

	store->arena = arena;
	store->n_listeners = conf->n_listeners;
	store->n_pools = conf->n_pools;
	store->listeners = arena_alloc(
	    arena, conf->n_listeners * sizeof *store->listeners + 1);
	store->pools =
	    arena_alloc(arena, conf->n_pools * sizeof *store->pools + 1);
	listeners = load_listeners(store, conf, before, errors);
	pools = load_pools(store, conf, before, errors);
	if (listeners && pools) {
		*ret = store;
		return 0;
	}
	tls_store_free(store);
	return BR_E_CONFIG;
}

static struct named *copy_named(
    struct arena *arena, const struct named *from, uint32_t n)
{
	struct named *to = arena_alloc(arena, n * sizeof *to + 1);

	for (uint32_t i = 0; i < n; i++) {
		to[i] = from[i];
		to[i].name = arena_strdup(arena, from[i].name);
		if (to[i].material)
			to[i].material->references++;
	}
	return to;
}

struct tls_store *tls_store_copy(const struct tls_store *store)
{
	struct arena *arena = arena_new();
	struct tls_store *copy = arena_alloc(arena, sizeof *copy);

	*copy = *store;
	copy->arena = arena;
	copy->listeners =
	    copy_named(arena, store->listeners, store->n_listeners);
	copy->pools = copy_named(arena, store->pools, store->n_pools);
	return copy;
}

void tls_store_free(struct tls_store *store)
{
	if (!store)
		return;
	for (uint32_t i = 0; i < store->n_listeners; i++)
		material_unref(store->listeners[i].material);
	for (uint32_t i = 0; i < store->n_pools; i++)
		material_unref(store->pools[i].material);
	arena_free(store->arena);
}

/* -- contexts ---------------------------------------------------------- */

static int contexts_new(const struct material *material,
    const struct tls_process *process, uint32_t n_workers,
    struct tls_context ***ret)
{
	struct tls_context **contexts;

	*ret = NULL;
	if (!material)
		return 0;
	contexts = calloc(n_workers, sizeof(struct tls_context *));
	if (!contexts)
		return -ENOMEM;
	for (uint32_t i = 0; i < n_workers; i++) {
		int err = material->server
			      ? tls_context_new_server(material->server,
				    process->cache, tls_process_keys(process),
				    &contexts[i])
			      : tls_context_new_client(
				    material->client, &contexts[i]);

		if (!err)
			continue;
		while (i--)
			tls_context_free(contexts[i]);
		free(contexts);
		return err;
	}
	*ret = contexts;
	return 0;
}

int tls_store_listener(const struct tls_store *store, uint32_t i,
    const struct tls_process *process, uint32_t n_workers,
    struct tls_context ***ret)
{
	return contexts_new(
	    store->listeners[i].material, process, n_workers, ret);
}

int tls_store_pool(const struct tls_store *store, uint32_t i,
    uint32_t n_workers, struct tls_context ***ret)
{
	return contexts_new(store->pools[i].material, NULL, n_workers, ret);
}

int tls_store_pool_check(
    const struct tls_store *store, uint32_t i, struct tls_context **ret)
{
	return tls_context_new_client(store->pools[i].material->client, ret);
}

bool tls_store_same_listener(const struct tls_store *store, uint32_t i,
    const struct tls_store *before, uint32_t j)
{
	return store->listeners[i].material == before->listeners[j].material;
}

bool tls_store_same_pool(const struct tls_store *store, uint32_t i,
    const struct tls_store *before, uint32_t j)
{
	return store->pools[i].material == before->pools[j].material;
}

int64_t tls_store_expiry_s(const struct tls_store *store, uint32_t i)
{
	const struct material *material = store->listeners[i].material;

	return material ? tls_server_first_expiry_s(material->server) : 0;
}

/* -- who may read ------------------------------------------------------ */

static const char *first_forbidden(const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (paths[i] && access(paths[i], R_OK) && errno == EACCES)
			return paths[i];
	return NULL;
}

static const char *forbidden_to_listener(const struct conf_listener_tls *tls)
{
	const char *own[] = {tls->client_ca, tls->client_crl};
	const char *found = first_forbidden(own, BR_COUNT(own));

	for (uint32_t i = 0; i < tls->n_certificates && !found; i++) {
		const struct conf_certificate *c = &tls->certificates[i];
		const char *paths[] = {c->cert, c->key, c->ocsp};

		found = first_forbidden(paths, BR_COUNT(paths));
	}
	return found;
}

const char *tls_store_forbidden(const struct conf *conf)
{
	const char *found = NULL;

	for (uint32_t i = 0; i < conf->n_listeners && !found; i++)
		found = forbidden_to_listener(&conf->listeners[i].tls);
	for (uint32_t i = 0; i < conf->n_pools && !found; i++) {
		const struct conf_pool_tls *tls = &conf->pools[i].tls;
		const char *paths[] = {tls->ca, tls->crl, tls->cert, tls->key};

		found = first_forbidden(paths, BR_COUNT(paths));
	}
	return found;
}
