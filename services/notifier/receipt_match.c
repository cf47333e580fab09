/* Asks the record for the messages of receipts, and tells those that are early from strangers'. */
#include "receipt_match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

/* Longer than gateways come again. */
enum { STRANGERS_MAX = 256, REMEMBERED_MS = 3600 * 1000 };

struct stranger {
	const struct gateway_profile *profile; /* NULL: the place is free */
	char reference[JOB_REFERENCE_SIZE];
	int64_t begun_us; /* the last that was being sent when it first came */
	uint64_t since_ms;
};

struct strangers {
	struct stranger all[STRANGERS_MAX];
	size_t next; /* the place to be used next, of whoever has been here longest */
};

struct strangers *
strangers_create(void)
{
	return calloc(1, sizeof(struct strangers));
}

void
strangers_destroy(struct strangers *strangers)
{
	free(strangers);
}

/* It may be one of those begun until then. */
static int64_t
begun_before(struct strangers *s, const struct gateway_profile *profile, const char *reference,
    int64_t last_us, uint64_t now_ms)
{
	struct stranger *at = NULL;

	for (size_t i = 0; i < STRANGERS_MAX && at == NULL; i++)
		if (s->all[i].profile == profile && strcmp(s->all[i].reference, reference) == 0)
			at = &s->all[i];
	if (at != NULL && now_ms - at->since_ms < REMEMBERED_MS)
		return at->begun_us;
	if (at == NULL) {
		at = &s->all[s->next];
		s->next = (s->next + 1) % STRANGERS_MAX;
	}
	*at = (struct stranger){ .profile = profile, .begun_us = last_us, .since_ms = now_ms };
	snprintf(at->reference, sizeof(at->reference), "%s", reference);
	return last_us;
}

static bool
is_ours(const struct gateway_news *n, struct uuid *ret_id)
{
	return uuid_parse(n->id, strlen(n->id), ret_id);
}

/* The generic gateway may say its own id where ours would stand. */
static const char *
reference_of(const struct gateway_news *n)
{
	struct uuid ignored;

	return is_ours(n, &ignored) || n->report.reference[0] != '\0' ? n->report.reference : n->id;
}

bool
receipt_match_ask(const struct receipt_news *news, struct db_unit *unit)
{
	size_t wanted = 0;

	for (size_t i = 0; i < news->count; i++)
		wanted += !news->news[i].incoming;
	if (wanted == 0)
		return false;
	/* First: what is written down between the two is found by the second. */
	db_unit_add(unit, STORE_BEING_SENT);
	db_add_text(unit, news->profile->name);
	db_unit_add(unit, STORE_KNOWN);
	struct db_array *ids = db_add_array(unit, DB_UUID);
	struct db_array *references = db_add_array(unit, DB_TEXT);
	db_add_text(unit, news->profile->name);
	for (size_t i = 0; i < news->count; i++) {
		const struct gateway_news *n = &news->news[i];
		struct uuid id;
		if (n->incoming)
			continue;
		db_array_uuid(ids, is_ours(n, &id) ? &id : NULL);
		db_array_text(references, reference_of(n));
	}
	return true;
}

/* Only how a message ended: that it was accepted is what its sending says itself, and a gateway
 * that tells of it before it answers would be waiting for us, and we for it. */
static bool
is_end(const struct gateway_report *report)
{
	return report->status == GATEWAY_DELIVERED || report->status == GATEWAY_UNDELIVERED;
}

/* Only what moves something: "accepted" of what was sent is no news. */
static void
add(struct receipt_match *m, const struct pg_result *rows, int row,
    const struct gateway_report *report)
{
	struct known *k = &m->known[m->count];
	size_t place = 0;

	known_read(rows, row, 1, k);
	if (k->state == MESSAGE_SENDING)
		m->early = m->early || is_end(report);
	while (place < m->count && uuid_compare(&m->known[place].id, &k->id) != 0)
		place++;
	if (place == m->count && receipt_state(k->state, report->status) != 0)
		m->receipts[m->count++] = (struct receipt){ k, report };
}

void
receipt_match_read(const struct receipt_news *news, const struct db_reply *reply,
    struct strangers *strangers, uint64_t now_ms, struct receipt_match *ret_match)
{
	const struct pg_result *sent = reply->results[0], *rows = reply->results[1];
	bool sending = !db_is_null(sent, 0, BEING_SENT_FIRST);
	int64_t first_us = sending ? db_get_int(sent, 0, BEING_SENT_FIRST) : 0;
	int64_t last_us = sending ? db_get_int(sent, 0, BEING_SENT_LAST) : 0;
	int row = 0, place = 0;

	ret_match->count = 0;
	ret_match->early = false;
	for (size_t i = 0; i < news->count; i++) {
		const struct gateway_news *n = &news->news[i];
		struct uuid ignored;
		if (n->incoming)
			continue;
		place++;
		/* Rows come in the order asked; asked were the receipts among the news. */
		if (row < db_rows(rows) && db_get_int(rows, row, 0) == place)
			add(ret_match, rows, row++, &n->report);
		else if (sending && is_end(&n->report) && !is_ours(n, &ignored)
			 && reference_of(n)[0] != '\0'
			 && first_us <= begun_before(
				strangers, news->profile, reference_of(n), last_us, now_ms))
			ret_match->early = true;
	}
}
