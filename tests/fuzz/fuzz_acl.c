/* Rights as they stand in the record: a row that is not fit is left out, and patterns match as they
 * say. */
#include "acl.h"
#include "fuzz.h"
#include "keys.h"

enum { ROWS = 3, LISTS = 3, ITEMS = 3 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct acl *acl = acl_create();
	struct acl_row rows[ROWS];
	struct acl_complaint complaint = { 0 };
	struct digest digests[ROWS];
	char *texts[ROWS][2 + LISTS * ITEMS];
	unsigned shape = take_byte(&in);

	memset(rows, 0, sizeof(rows));
	for (size_t r = 0; r < ROWS; r++) {
		for (size_t t = 0; t < ARRAY_LEN(texts[r]); t++)
			texts[r][t] = take_text(&in);
		const char *const *items = (const char *const *)texts[r] + 2;
		acl_api_key_digest(texts[r][1], strlen(texts[r][1]), &digests[r]);
		rows[r] = (struct acl_row){ .name = texts[r][0],
			.public_key = shape & 1 ? texts[r][1] : NULL,
			.api_key = shape & 2 ? &digests[r] : NULL,
			.verbs = shape & ACL_VERBS_ALL,
			.sources = { items, ITEMS },
			.types = { items + ITEMS, ITEMS },
			.departments = { items + 2 * ITEMS, ITEMS } };
	}
	if (acl_replace(acl, rows, ROWS, &complaint)) {
		HOLDS(acl_count(acl) + complaint.skipped == ROWS);
		HOLDS(complaint.skipped == 0 || complaint.reason != NULL);
		for (size_t r = 0; r < ROWS; r++) {
			const struct acl_client *client = acl_find_name(acl, rows[r].name);
			if (client == NULL)
				continue;
			HOLDS(strlen(client->name) <= ACL_NAME_BYTES);
			(void)acl_allows_source(client, texts[0][2]);
			(void)acl_allows_type(client, texts[0][3]);
			HOLDS(!acl_allows_all_departments(client)
			      || acl_allows_department(client, texts[0][4]));
		}
		(void)acl_find_key(acl, texts[0][1]);
		(void)acl_find_api_key(acl, texts[0][1], strlen(texts[0][1]));
	}
	(void)acl_verb_parse(texts[0][0]);
	for (size_t r = 0; r < ROWS; r++)
		for (size_t t = 0; t < ARRAY_LEN(texts[r]); t++)
			free(texts[r][t]);
	acl_destroy(acl);
	return 0;
}
