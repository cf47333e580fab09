/* Holds the table of clients and answers what each may do. */
#include "acl.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "acl_rows.h"

struct acl {
	struct acl_client *clients;
	size_t count;
	const struct acl_client **by_name, **by_key; /* sorted; by_key only those with one */
	size_t keys;
	uint64_t generation;
};

static const struct {
	const char *word;
	unsigned verb;
} verbs[] = {
	{ "publish", ACL_PUBLISH },
	{ "subscribe", ACL_SUBSCRIBE },
	{ "snapshot", ACL_SNAPSHOT },
	{ "command", ACL_COMMAND },
	{ "internal", ACL_INTERNAL },
	{ "board", ACL_BOARD },
};

static const char *const personal_names[] = {
	[ACL_PERSONAL_NONE] = "none",
	[ACL_PERSONAL_MASKED] = "masked",
	[ACL_PERSONAL_FULL] = "full",
};

unsigned
acl_verb_parse(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(word, verbs[i].word) == 0)
			return verbs[i].verb;
	return 0;
}

bool
acl_personal_parse(const char *word, enum acl_personal *ret_personal)
{
	for (size_t i = 0; i < ARRAY_LEN(personal_names); i++) {
		if (strcmp(word, personal_names[i]) != 0)
			continue;
		*ret_personal = (enum acl_personal)i;
		return true;
	}
	return false;
}

const char *
acl_personal_name(enum acl_personal personal)
{
	return personal_names[personal];
}

/* --- the table -------------------------------------------------------------------------------- */

static void
list_finish(struct acl_list *list)
{
	/* Made here as one block: the pointers, then the texts. */
	free((void *)(uintptr_t)list->items);
}

static void
client_finish(struct acl_client *client)
{
	free(client->name);
	free(client->public_key);
	list_finish(&client->sources);
	list_finish(&client->types);
	list_finish(&client->departments);
}

static void
table_finish(struct acl *acl)
{
	for (size_t i = 0; i < acl->count; i++)
		client_finish(&acl->clients[i]);
	free(acl->clients);
	free(acl->by_name);
	free(acl->by_key);
}

static bool
list_copy(const struct acl_list *from, struct acl_list *ret_list)
{
	size_t bytes = from->count * sizeof(char *);

	*ret_list = (struct acl_list){ 0 };
	if (from->count == 0)
		return true;
	for (size_t i = 0; i < from->count; i++)
		bytes += strlen(from->items[i]) + 1;
	char **items = malloc(bytes);
	if (items == NULL)
		return false;
	char *text = (char *)(items + from->count);
	for (size_t i = 0; i < from->count; i++) {
		items[i] = text;
		text = stpcpy(text, from->items[i]) + 1;
	}
	ret_list->items = (const char *const *)items;
	ret_list->count = from->count;
	return true;
}

static bool
client_copy(const struct acl_row *row, struct acl_client *client)
{
	client->name = strdup(row->name);
	client->public_key = row->public_key == NULL ? NULL : strdup(row->public_key);
	client->has_api_key = row->api_key != NULL;
	if (row->api_key != NULL)
		client->api_key = *row->api_key;
	client->verbs = row->verbs;
	client->personal = row->personal;
	client->expires_us = row->expires_us;
	client->revoked = row->revoked;
	client->max_events = row->max_events;
	return client->name != NULL && (row->public_key == NULL || client->public_key != NULL)
	       && list_copy(&row->sources, &client->sources)
	       && list_copy(&row->types, &client->types)
	       && list_copy(&row->departments, &client->departments);
}

static int
compare_names(const void *a, const void *b)
{
	const struct acl_client *const *client_a = a, *const *client_b = b;

	return strcmp((*client_a)->name, (*client_b)->name);
}

static int
compare_keys(const void *a, const void *b)
{
	const struct acl_client *const *client_a = a, *const *client_b = b;

	return strcmp((*client_a)->public_key, (*client_b)->public_key);
}

static bool
table_build(struct acl *table, const struct acl_row *const *kept, size_t count)
{
	/* One more than needed: an empty table is not a failed allocation. */
	table->clients = calloc(count + 1, sizeof(*table->clients));
	table->by_name = calloc(count + 1, sizeof(*table->by_name));
	table->by_key = calloc(count + 1, sizeof(*table->by_key));
	if (table->clients == NULL || table->by_name == NULL || table->by_key == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct acl_client *client = &table->clients[i];
		table->count++;
		if (!client_copy(kept[i], client))
			return false;
		table->by_name[i] = client;
		if (client->public_key != NULL)
			table->by_key[table->keys++] = client;
	}
	qsort(table->by_name, count, sizeof(*table->by_name), compare_names);
	qsort(table->by_key, table->keys, sizeof(*table->by_key), compare_keys);
	return true;
}

struct acl *
acl_create(void)
{
	struct acl *acl = calloc(1, sizeof(*acl));

	if (acl != NULL)
		acl->generation = 1;
	return acl;
}

void
acl_destroy(struct acl *acl)
{
	if (acl == NULL)
		return;
	table_finish(acl);
	free(acl);
}

bool
acl_replace(
    struct acl *acl, const struct acl_row *rows, size_t count, struct acl_complaint *ret_complaint)
{
	struct acl_complaint complaint = { 0 };
	struct acl table = { .generation = acl->generation + 1 };

	if (count > ACL_CLIENTS_MAX) {
		*ret_complaint = (struct acl_complaint){ count, ACL_CLIENTS_MAX,
			"too many clients" };
		return false;
	}
	const struct acl_row **kept = calloc(count + 1, sizeof(const struct acl_row *));
	size_t fit = kept == NULL ? 0 : acl_rows_keep_fit(rows, count, kept, &complaint);
	bool built = kept != NULL && table_build(&table, kept, fit);
	free(kept);
	if (!built) {
		table_finish(&table);
		*ret_complaint = (struct acl_complaint){ count, 0, "out of memory" };
		return false;
	}
	table_finish(acl);
	*acl = table;
	*ret_complaint = complaint;
	return true;
}

uint64_t
acl_generation(const struct acl *acl)
{
	return acl->generation;
}

size_t
acl_count(const struct acl *acl)
{
	return acl->count;
}

const struct acl_client *
acl_at(const struct acl *acl, size_t index)
{
	return &acl->clients[index];
}

/* --- looking up ---------------------------------------------------------------------------------
 */

static const struct acl_client *
find(const struct acl_client **table, size_t count, const char *text, size_t key_offset)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *base = (const char *)table[middle];
		int c = strcmp(text, *(char *const *)(const void *)(base + key_offset));
		if (c == 0)
			return table[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct acl_client *
acl_find_key(const struct acl *acl, const char *public_key)
{
	return find(acl->by_key, acl->keys, public_key, offsetof(struct acl_client, public_key));
}

const struct acl_client *
acl_find_name(const struct acl *acl, const char *name)
{
	return find(acl->by_name, acl->count, name, offsetof(struct acl_client, name));
}

void
acl_api_key_digest(const char *key, size_t len, struct digest *ret_digest)
{
	crypto_generichash(
	    ret_digest->bytes, DIGEST_BYTES, (const unsigned char *)key, len, NULL, 0);
}

/* Looks at every client, so that the time taken says nothing about the digests. */
const struct acl_client *
acl_find_api_key(const struct acl *acl, const char *key, size_t len)
{
	const struct acl_client *found = NULL;
	struct digest digest;

	acl_api_key_digest(key, len, &digest);
	for (size_t i = 0; i < acl->count; i++) {
		const struct acl_client *client = &acl->clients[i];
		if (client->has_api_key && digest_equal(&client->api_key, &digest))
			found = client;
	}
	return found;
}

/* --- rights -------------------------------------------------------------------------------------
 */

bool
acl_in_force(const struct acl_client *client, int64_t now_us)
{
	return !client->revoked && (client->expires_us == 0 || now_us < client->expires_us);
}

bool
acl_pattern_matches(const char *pattern, const char *text)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, text, len - 1) == 0;
	return strcmp(pattern, text) == 0;
}

static bool
list_matches(const struct acl_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (acl_pattern_matches(list->items[i], text))
			return true;
	return false;
}

bool
acl_allows_verb(const struct acl_client *client, enum acl_verb verb)
{
	return (client->verbs & (unsigned)verb) != 0;
}

bool
acl_allows_source(const struct acl_client *client, const char *source)
{
	return list_matches(&client->sources, source);
}

/* A wanted pattern "a.*" is covered by "a.*", "a*" and "*": they match it read as a text, and no
 * pattern without a star does. */
bool
acl_allows_type(const struct acl_client *client, const char *type)
{
	return list_matches(&client->types, type);
}

bool
acl_allows_department(const struct acl_client *client, const char *department)
{
	return list_matches(&client->departments, department);
}

bool
acl_allows_all_departments(const struct acl_client *client)
{
	return list_matches(&client->departments, "*");
}
