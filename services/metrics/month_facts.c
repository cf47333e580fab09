/* A hash table of packed facts. */
#include "month_facts.h"

#include <stdlib.h>
#include <string.h>

void
month_facts_clear(struct month_facts *facts)
{
	for (size_t i = 0; i < facts->table_size; i++) {
		if (facts->table[i] == NULL)
			continue;
		free(facts->table[i]->bytes);
		free(facts->table[i]);
		facts->table[i] = NULL;
	}
	facts->count = 0;
}

void
month_facts_finish(struct month_facts *facts)
{
	month_facts_clear(facts);
	free(facts->table);
	*facts = (struct month_facts){ 0 };
}

/* FNV-1a */
static size_t
hash(const char *key)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *key != '\0'; key++)
		h = (h ^ (uint8_t)*key) * UINT64_C(1099511628211);
	return (size_t)(h ^ h >> 32);
}

static struct month_kept **
place_of(const struct month_facts *facts, const char *key)
{
	size_t mask = facts->table_size - 1, i = hash(key) & mask;

	while (facts->table[i] != NULL && strcmp(facts->table[i]->key, key) != 0)
		i = (i + 1) & mask;
	return &facts->table[i];
}

static bool
make_room(struct month_facts *facts)
{
	if (facts->count * 2 < facts->table_size)
		return true;
	struct month_facts larger = {
		.table_size = facts->table_size == 0 ? 1024 : facts->table_size * 2
	};
	larger.table = calloc(larger.table_size, sizeof(*larger.table));
	if (larger.table == NULL)
		return false;
	for (size_t i = 0; i < facts->table_size; i++)
		if (facts->table[i] != NULL)
			*place_of(&larger, facts->table[i]->key) = facts->table[i];
	free(facts->table);
	facts->table = larger.table;
	facts->table_size = larger.table_size;
	return true;
}

const struct month_kept *
month_facts_get(const struct month_facts *facts, const char *key)
{
	return facts->table_size == 0 ? NULL : *place_of(facts, key);
}

bool
month_facts_put(
    struct month_facts *facts, const char *key, uint8_t *bytes, size_t len, bool changed)
{
	if (!make_room(facts))
		return false;
	struct month_kept **place = place_of(facts, key);
	if (*place == NULL) {
		struct month_kept *kept = calloc(1, sizeof(*kept) + strlen(key) + 1);
		if (kept == NULL)
			return false;
		(void)strcpy(kept->key, key);
		*place = kept;
		facts->count++;
	}
	free((*place)->bytes);
	(*place)->bytes = bytes;
	(*place)->len = (uint32_t)len;
	(*place)->changed = changed;
	return true;
}
