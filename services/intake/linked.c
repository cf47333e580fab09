/* Makes a new report of what the record has of the closed one. */
#include "linked.h"

#include <stdlib.h>
#include <string.h>

#include "db_result.h"
#include "store.h"

/* Which column becomes which text of the item. */
static const struct {
	int column;
	size_t at;
	bool always; /* the item's is never NULL */
} columns[] = {
	{ OPENER_SUBJECT, offsetof(struct item, subject_code), true },
	{ OPENER_LANGUAGE, offsetof(struct item, language), true },
	{ OPENER_NAME, offsetof(struct item, name), false },
	{ OPENER_PHONE, offsetof(struct item, phone), false },
	{ OPENER_EMAIL, offsetof(struct item, email), false },
	{ OPENER_ADDRESS, offsetof(struct item, address), false },
};

struct linked {
	char *texts[ARRAY_LEN(columns)];
};

void
linked_destroy(struct linked *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		free(l->texts[i]);
	free(l);
}

static bool
copy_texts(struct linked *l, const struct pg_result *rows, struct item *item)
{
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		const char *text = db_get_text_or_null(rows, 0, columns[i].column);
		if (text == NULL && !columns[i].always)
			continue;
		l->texts[i] = strdup(text == NULL ? "" : text);
		if (l->texts[i] == NULL)
			return false;
		const char *lent = l->texts[i];
		memcpy((char *)item + columns[i].at, &lent, sizeof(lent));
	}
	return true;
}

struct linked *
linked_begin(const struct pg_result *rows, struct item *item)
{
	struct linked *l = calloc(1, sizeof(*l));

	if (l == NULL || !copy_texts(l, rows, item)) {
		linked_destroy(l);
		return NULL;
	}
	item_set_neighbourhood(item, db_get_text(rows, 0, OPENER_NEIGHBOURHOOD));
	item_set_information_version(item, db_get_text_or_null(rows, 0, OPENER_INFORMATION));
	item->legal_basis = (int16_t)db_get_int(rows, 0, OPENER_BASIS);
	item->is_public = db_get_bool(rows, 0, OPENER_PUBLIC);
	item->has_position = !db_is_null(rows, 0, OPENER_LATITUDE)
			     && !db_is_null(rows, 0, OPENER_LONGITUDE);
	if (item->has_position) {
		item->latitude = db_get_float8(rows, 0, OPENER_LATITUDE);
		item->longitude = db_get_float8(rows, 0, OPENER_LONGITUDE);
	}
	item->opens = true;
	item->kind = "report";
	item->type = "ticket.opened";
	return l;
}
