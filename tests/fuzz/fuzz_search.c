/* What anybody types into the search, and what a contact said: both become words that PostgreSQL
 * takes, whatever they hold, and a date of a form is one or none. */
#include "search_words.h"

#include "fuzz.h"
#include "step_form.h"
#include "utf8.h"

/* 'word' or 'word':*, with & between them: nothing that was typed is an operator. */
static void
check_query(const char *query)
{
	bool first = true;

	HOLDS(utf8_valid(query, strlen(query)));
	while (*query != '\0') {
		if (!first) {
			HOLDS(strncmp(query, " & ", 3) == 0);
			query += 3;
		}
		HOLDS(*query == '\'');
		size_t len = strcspn(query + 1, "'\\ ");
		HOLDS(len > 0 && len <= SEARCH_WORD_BYTES && query[1 + len] == '\'');
		query += len + 2;
		if (strncmp(query, ":*", 2) == 0)
			query += 2;
		first = false;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const departments[] = { "fen", "park" };
	static char words[SEARCH_TEXT_BYTES];
	char query[SEARCH_QUERY_BYTES], within[SEARCH_QUERY_BYTES];
	struct input in = { data, size };
	char *name = take_text(&in), *phone = take_text(&in), *said = take_text(&in);
	const struct search_contact contact = { .ticket_id = 260012345,
		.department = "fen",
		.name = name,
		.phone = phone,
		.email = phone,
		.address = name,
		.description = said };

	search_words(&contact, words);
	HOLDS(memchr(words, 0, sizeof(words)) != NULL && utf8_valid(words, strlen(words)));
	for (const char *at = words; *at != '\0';) {
		size_t len = strcspn(at, " ");
		HOLDS(len > 0 && len <= SEARCH_WORD_BYTES);
		at += len + (at[len] == ' ');
	}
	search_query(said, query);
	check_query(query);
	if (query[0] != '\0' && search_query_within(query, departments, 2, within))
		HOLDS(within[strlen(within) - 1] == ')');
	HOLDS(step_form_until(name) >= -1);
	free(name);
	free(phone);
	free(said);
	return 0;
}
