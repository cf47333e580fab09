/* The memory of a catalogue: chunks that are freed together, and arrays while they grow. */
#include <stdlib.h>
#include <string.h>

#include "catalogue_parse.h"

enum { CHUNK_BYTES = 64 * 1024, ALIGNMENT = 16 };

struct memory_chunk {
	struct memory_chunk *next;
	size_t used, size;
	_Alignas(ALIGNMENT) char bytes[];
};

void *
parse_take(struct parse *p, size_t size)
{
	struct catalogue_private *hidden = p->cat->hidden;
	struct memory_chunk *chunk = hidden->chunks;
	size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

	if (chunk == NULL || chunk->size - chunk->used < rounded) {
		size_t chunk_size = rounded > CHUNK_BYTES ? rounded : CHUNK_BYTES;
		chunk = calloc(1, sizeof(*chunk) + chunk_size);
		if (chunk == NULL) {
			p->out_of_memory = true;
			return NULL;
		}
		chunk->size = chunk_size;
		chunk->next = hidden->chunks;
		hidden->chunks = chunk;
	}
	void *taken = chunk->bytes + chunk->used;
	chunk->used += rounded;
	return taken;
}

const char *
parse_keep(struct parse *p, const char *text, size_t len)
{
	if (len == 0)
		return "";
	char *copy = parse_take(p, len + 1);
	if (copy == NULL)
		return "";
	memcpy(copy, text, len);
	return copy;
}

void
memory_release(struct catalogue_private *hidden)
{
	while (hidden->chunks != NULL) {
		struct memory_chunk *next = hidden->chunks->next;
		free(hidden->chunks);
		hidden->chunks = next;
	}
}

void
list_init(struct list *l, size_t item_size)
{
	*l = (struct list){ .item_size = item_size };
}

void *
list_at(const struct list *l, size_t i)
{
	return l->items + i * l->item_size;
}

void *
list_add(struct parse *p, struct list *l, const char *file, int line)
{
	if (l->count == LIST_MAX) {
		parse_error(p, file, line, "more than %d entries", LIST_MAX);
		return NULL;
	}
	if (l->count == l->capacity) {
		size_t capacity = l->capacity > 0 ? 2 * l->capacity : 16;
		char *items = realloc(l->items, capacity * l->item_size);
		if (items == NULL) {
			p->out_of_memory = true;
			return NULL;
		}
		l->items = items;
		l->capacity = capacity;
	}
	void *item = list_at(l, l->count++);
	memset(item, 0, l->item_size);
	return item;
}

const void *
list_settle(
    struct parse *p, struct list *l, size_t *ret_count, int (*compare)(const void *, const void *))
{
	void *kept = NULL;

	*ret_count = 0;
	if (l->count > 0) {
		qsort(l->items, l->count, l->item_size, compare);
		kept = parse_take(p, l->count * l->item_size);
	}
	if (kept != NULL) {
		memcpy(kept, l->items, l->count * l->item_size);
		*ret_count = l->count;
	}
	free(l->items);
	list_init(l, l->item_size);
	return kept;
}

static const char *
code_of(const void *item)
{
	const char *code;

	memcpy(&code, item, sizeof(code));
	return code;
}

int
compare_codes(const void *a, const void *b)
{
	return strcmp(code_of(a), code_of(b));
}

const void *
find_code(const void *items, size_t count, size_t item_size, const char *code)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const void *item = (const char *)items + mid * item_size;
		int order = strcmp(code_of(item), code);
		if (order == 0)
			return item;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

bool
list_has_code(const struct list *l, const char *code)
{
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(code_of(list_at(l, i)), code) == 0)
			return true;
	}
	return false;
}
