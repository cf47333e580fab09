/* Packs catalogue and rights into one message of a state file, and takes them from one. */
#include "registry_cache.h"

#include <stdlib.h>
#include <string.h>

#include "failpoint.h"
#include "state_file.h"
#include "turunc/v1/state.pb-c.h"

static char no_text[] = "";

/* --- writing: everything is lent to the message -------------------------------------------------
 */

/* Protobuf-c's lists are not const, but packing only reads them. */
static char **
lend_list(const struct acl_list *list)
{
	union {
		const char *const *in;
		char **out;
	} as = { .in = list->items };
	return as.out;
}

static void
lend_grant(const struct acl_client *client, Turunc__V1__Grant *to)
{
	turunc__v1__grant__init(to);
	to->name = client->name;
	to->public_key = client->public_key == NULL ? no_text : client->public_key;
	if (client->has_api_key)
		to->api_key_digest = (ProtobufCBinaryData){ .len = DIGEST_BYTES,
			.data = (uint8_t *)(uintptr_t)client->api_key.bytes };
	to->verbs = client->verbs;
	to->sources = lend_list(&client->sources);
	to->n_sources = client->sources.count;
	to->types = lend_list(&client->types);
	to->n_types = client->types.count;
	to->departments = lend_list(&client->departments);
	to->n_departments = client->departments.count;
	to->personal = (int32_t)client->personal;
	to->max_events = client->max_events;
	to->expires_us = client->expires_us;
	to->revoked = client->revoked;
}

static void
lend_file(const struct bundle_file *file, Turunc__V1__ConfigFile *to)
{
	turunc__v1__config_file__init(to);
	to->name = file->name;
	to->content = (ProtobufCBinaryData){ .len = file->size, .data = (uint8_t *)file->data };
}

static bool
pack_and_write(const char *path, const Turunc__V1__RegistryCache *cache)
{
	uint8_t *bytes = malloc(turunc__v1__registry_cache__get_packed_size(cache) + 1);

	if (bytes == NULL)
		return false;
	size_t len = turunc__v1__registry_cache__pack(cache, bytes);
	bool written = !failpoint(FAILPOINT_INTAKE_REGISTRY, FAILPOINT_BEFORE)
		       && state_file_write(path, bytes, len) == STATE_FILE_OK
		       && !failpoint(FAILPOINT_INTAKE_REGISTRY, FAILPOINT_AFTER);
	free(bytes);
	return written;
}

bool
registry_cache_write(const char *path, const struct registry_head *head, const struct acl *acl,
    const struct bundle *files)
{
	Turunc__V1__RegistryCache cache = TURUNC__V1__REGISTRY_CACHE__INIT;
	size_t grants = acl_count(acl);
	char log_id[UUID_TEXT_SIZE];
	uint8_t hash[DIGEST_BYTES];
	Turunc__V1__Grant *grant = calloc(grants + 1, sizeof(*grant));
	Turunc__V1__Grant **grant_list = calloc(grants + 1, sizeof(Turunc__V1__Grant *));
	Turunc__V1__ConfigFile *file = calloc(files->count + 1, sizeof(*file));
	Turunc__V1__ConfigFile **file_list = calloc(
	    files->count + 1, sizeof(Turunc__V1__ConfigFile *));
	bool written = false;

	if (grant != NULL && grant_list != NULL && file != NULL && file_list != NULL) {
		memcpy(log_id, head->log_id, sizeof(log_id));
		memcpy(hash, head->hash, sizeof(hash));
		cache.log_id = log_id;
		cache.seq = head->seq;
		cache.hash.data = hash;
		cache.hash.len = head->has_hash ? sizeof(hash) : 0;
		for (size_t i = 0; i < grants; i++) {
			lend_grant(acl_at(acl, i), &grant[i]);
			grant_list[i] = &grant[i];
		}
		for (size_t i = 0; i < files->count; i++) {
			lend_file(&files->files[i], &file[i]);
			file_list[i] = &file[i];
		}
		cache.grants = grant_list;
		cache.n_grants = grants;
		cache.files = file_list;
		cache.n_files = files->count;
		written = pack_and_write(path, &cache);
	}
	free(grant);
	free(grant_list);
	free(file);
	free(file_list);
	return written;
}

/* --- reading ------------------------------------------------------------------------------------
 */

static struct acl_list
borrow_list(char **items, size_t count)
{
	return (struct acl_list){ (const char *const *)items, count };
}

static void
borrow_grant(const Turunc__V1__Grant *from, struct acl_row *to, struct digest *api_key)
{
	bool has_key = from->api_key_digest.len == DIGEST_BYTES;

	if (has_key)
		memcpy(api_key->bytes, from->api_key_digest.data, DIGEST_BYTES);
	*to = (struct acl_row){
		.name = from->name,
		.public_key = from->public_key[0] == '\0' ? NULL : from->public_key,
		.api_key = has_key ? api_key : NULL,
		.verbs = from->verbs & ACL_VERBS_ALL,
		.sources = borrow_list(from->sources, from->n_sources),
		.types = borrow_list(from->types, from->n_types),
		.departments = borrow_list(from->departments, from->n_departments),
		.personal = from->personal >= 0 && from->personal <= ACL_PERSONAL_FULL
				? (enum acl_personal)from->personal
				: ACL_PERSONAL_NONE,
		.max_events = from->max_events,
		.expires_us = from->expires_us,
		.revoked = from->revoked,
	};
}

static bool
take_grants(const Turunc__V1__RegistryCache *cache, struct acl *acl)
{
	struct acl_row *rows = calloc(cache->n_grants + 1, sizeof(*rows));
	struct digest *keys = calloc(cache->n_grants + 1, sizeof(*keys));
	struct acl_complaint complaint;
	bool taken = rows != NULL && keys != NULL;

	for (size_t i = 0; taken && i < cache->n_grants; i++)
		borrow_grant(cache->grants[i], &rows[i], &keys[i]);
	taken = taken && acl_replace(acl, rows, cache->n_grants, &complaint);
	free(rows);
	free(keys);
	return taken;
}

static bool
take_head(const Turunc__V1__RegistryCache *cache, struct registry_head *ret_head)
{
	struct registry_head head = { .seq = cache->seq };

	if (!uuid_parse(cache->log_id, strlen(cache->log_id), &head.log_uuid))
		return false;
	uuid_format(&head.log_uuid, head.log_id);
	head.has_hash = cache->hash.len == DIGEST_BYTES;
	if (head.has_hash)
		memcpy(head.hash, cache->hash.data, DIGEST_BYTES);
	*ret_head = head;
	return true;
}

bool
registry_cache_read(
    const char *path, struct registry_head *head, struct acl *acl, struct bundle *files)
{
	uint8_t *data;
	size_t len;
	const char *why;
	struct registry_head found;

	if (state_file_read(path, &data, &len) != STATE_FILE_OK)
		return false;
	Turunc__V1__RegistryCache *cache = turunc__v1__registry_cache__unpack(NULL, len, data);
	free(data);
	bool whole = cache != NULL && take_head(cache, &found);
	for (size_t i = 0; whole && i < cache->n_files; i++)
		whole = bundle_add(files, cache->files[i]->name, cache->files[i]->content.data,
		    cache->files[i]->content.len, &why);
	whole = whole && take_grants(cache, acl);
	if (whole)
		*head = found;
	if (cache != NULL)
		turunc__v1__registry_cache__free_unpacked(cache, NULL);
	return whole;
}
