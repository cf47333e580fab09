/* Writes messages: who is told, in which words, as rows of one statement. */
#include "telling.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "letters.h"
#include "notifier_stats.h"
#include "store.h"
#include "survey_link.h"

struct telling {
	const struct registry *registry;
	struct stats *stats;
	struct uuid_source *ids;
	const struct reply_address_key *key; /* of links to surveys */
	size_t told; /* news of the last batch */
	uint64_t untold[2]; /* of it: nobody to tell, no words */
	struct message message; /* the one being written; large */
};

struct telling *
telling_create(const struct registry *registry, struct stats *stats, struct uuid_source *ids,
    const struct reply_address_key *key)
{
	struct telling *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->registry = registry;
	t->stats = stats;
	t->ids = ids;
	t->key = key;
	return t;
}

void
telling_destroy(struct telling *t)
{
	free(t);
}

void
telling_count(struct telling *t, int64_t queued)
{
	stats_add(t->stats, NOTIFIER_STAT_RECORDS, t->told);
	stats_add(t->stats, NOTIFIER_STAT_QUEUED, (uint64_t)queued);
	stats_add_at(
	    t->stats, NOTIFIER_STAT_UNTOLD, UNTOLD_NO_ADDRESS, t->untold[UNTOLD_NO_ADDRESS]);
	stats_add_at(
	    t->stats, NOTIFIER_STAT_UNTOLD, UNTOLD_NO_TEMPLATE, t->untold[UNTOLD_NO_TEMPLATE]);
}

/* --- asking ----------------------------------------------------------------------------------- */

void
telling_ask(struct db_unit *unit, const struct news *news, size_t count)
{
	db_unit_add(unit, STORE_PEOPLE);
	struct db_array *all = db_add_array(unit, DB_INT8);
	struct db_array *ended = db_add_array(unit, DB_INT8);
	db_add_int8(unit, clock_now_us());
	db_unit_add(unit, STORE_TEXTS);
	struct db_array *texts = db_add_array(unit, DB_UUID);
	for (size_t i = 0; i < count; i++) {
		bool again = news[i].faulty;
		for (size_t j = 0; j < i && !again; j++)
			again = !news[j].faulty && news[j].ticket_id == news[i].ticket_id;
		if (!again)
			db_array_int8(all, news[i].ticket_id);
		if (!news[i].faulty && news_ends(&news[i]))
			db_array_int8(ended, news[i].ticket_id);
		if (!news[i].faulty && !uuid_is_nil(&news[i].text_id))
			db_array_uuid(texts, &news[i].text_id);
	}
}

bool
telling_knows(const struct news *news, const struct pg_result *people)
{
	for (int row = 0; row < db_rows(people); row++)
		if (db_get_int(people, row, PEOPLE_ABOUT) == news->ticket_id
		    && db_get_int(people, row, PEOPLE_TICKET) == news->ticket_id)
			return true;
	return false;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* One person's copy of one piece of news, as a row of STORE_QUEUE. */
struct columns {
	struct db_array *ids, *tickets, *seqs, *types, *channels, *languages, *recipients,
	    *subjects, *bodies, *errors, *contacts;
};

static struct person
person_of(const struct pg_result *people, int row)
{
	static const char nothing[] = "";
	const char *name = db_get_text_or_null(people, row, PEOPLE_NAME);
	const char *phone = db_get_text_or_null(people, row, PEOPLE_PHONE);
	const char *email = db_get_text_or_null(people, row, PEOPLE_EMAIL);
	const char *subject = db_get_text_or_null(people, row, PEOPLE_SUBJECT);

	return (struct person){
		.ticket_id = db_get_int(people, row, PEOPLE_TICKET),
		.name = name != NULL ? name : nothing,
		.phone = phone != NULL ? phone : nothing,
		.email = email != NULL ? email : nothing,
		.language = db_get_text(people, row, PEOPLE_LANGUAGE),
		.subject_code = subject != NULL ? subject : nothing,
		.recorded_us = db_get_int(people, row, PEOPLE_RECORDED_US),
		.joined = !db_is_null(people, row, PEOPLE_CONTACT),
		.unproven = db_get_bool(people, row, PEOPLE_UNPROVEN),
	};
}

/* False: there is nobody to tell, or no words. */
static bool
queue_one(struct telling *t, const struct columns *c, const struct news *news,
    struct person *person, const struct uuid *contact, const char *answer)
{
	struct message *m = &t->message;
	char stop_token[SURVEY_LINK_SIZE] = "";
	struct uuid id;

	uuid_next(t->ids, clock_now_us(), &id);
	if (!uuid_is_nil(&news->survey_id))
		survey_stop_make(t->key->bytes, sizeof(t->key->bytes), &id, stop_token);
	person->stop_token = stop_token;
	enum compose_result result = compose(
	    registry_catalogue(t->registry), news, person, answer, m);
	person->stop_token = NULL;
	if (result == COMPOSE_NOBODY || result == COMPOSE_NO_TEMPLATE) {
		t->untold[result == COMPOSE_NOBODY ? UNTOLD_NO_ADDRESS : UNTOLD_NO_TEMPLATE]++;
		return false;
	}
	bool worded = result == COMPOSED;
	db_array_uuid(c->ids, &id);
	db_array_int8(c->tickets, person->ticket_id);
	db_array_int8(c->seqs, (int64_t)news->seq);
	db_array_text(c->types, news->type);
	db_array_text(c->channels, m->channel);
	db_array_text(c->languages, m->language);
	db_array_text(c->recipients, m->recipient);
	db_array_text(c->subjects, worded ? m->subject : NULL);
	db_array_text(c->bodies, worded ? m->body : NULL);
	db_array_text(c->errors, worded ? "" : "the text could not be made of its template");
	db_array_uuid(c->contacts, contact);
	return true;
}

/* Only the first routing of a ticket is told; those of earlier batches the statement finds. */
static bool
is_first_routing(const struct news *all, size_t at)
{
	const struct news *news = &all[at];

	if (strcmp(news->type, "ticket.routed") != 0)
		return true;
	for (size_t i = 0; i < at; i++)
		if (!all[i].faulty && all[i].ticket_id == news->ticket_id
		    && all[i].type == news->type)
			return false;
	return true;
}

static const char *
answer_of(const struct pg_result *texts, const struct uuid *text_id)
{
	for (int row = 0; row < db_rows(texts); row++) {
		struct uuid found = db_get_uuid(texts, row, 0);
		if (uuid_compare(&found, text_id) == 0)
			return db_get_text(texts, row, 1);
	}
	return "";
}

static bool
queue_news(struct telling *t, const struct columns *c, const struct news *news,
    const struct pg_result *people, const struct pg_result *texts)
{
	const char *answer = uuid_is_nil(&news->text_id) ? "" : answer_of(texts, &news->text_id);
	bool queued = false;

	char token[SURVEY_LINK_SIZE] = "";
	if (!uuid_is_nil(&news->survey_id))
		survey_link_make(t->key->bytes, sizeof(t->key->bytes), &news->survey_id, token);
	for (int row = 0; row < db_rows(people); row++) {
		struct person person = person_of(people, row);
		struct uuid contact;
		bool own = person.ticket_id == news->ticket_id && !person.joined;
		if (db_get_int(people, row, PEOPLE_ABOUT) != news->ticket_id
		    || (!own && !news_ends(news)))
			continue;
		person.survey_token = token;
		if (person.joined)
			contact = db_get_uuid(people, row, PEOPLE_CONTACT);
		queued = queue_one(t, c, news, &person, person.joined ? &contact : NULL, answer)
			 || queued;
	}
	return queued;
}

size_t
telling_write(struct telling *t, struct db_unit *unit, const struct news *news, size_t count,
    const struct pg_result *people, const struct pg_result *texts, struct letters *letters,
    int64_t now_us)
{
	struct columns c;
	size_t i;

	db_unit_add(unit, STORE_QUEUE);
	c.ids = db_add_array(unit, DB_UUID);
	c.tickets = db_add_array(unit, DB_INT8);
	c.seqs = db_add_array(unit, DB_INT8);
	c.types = db_add_array(unit, DB_TEXT);
	c.channels = db_add_array(unit, DB_TEXT);
	c.languages = db_add_array(unit, DB_TEXT);
	c.recipients = db_add_array(unit, DB_TEXT);
	c.subjects = db_add_array(unit, DB_TEXT);
	c.bodies = db_add_array(unit, DB_TEXT);
	c.errors = db_add_array(unit, DB_TEXT);
	c.contacts = db_add_array(unit, DB_UUID);
	db_add_int8(unit, now_us);
	memset(t->untold, 0, sizeof(t->untold));
	for (i = 0; i < count; i++) {
		if (news[i].faulty || !telling_knows(&news[i], people)) {
			if (letters == NULL
			    || !letters_add(letters, news[i].seq,
				news[i].faulty ? news[i].fault : LETTER_NO_TICKET, news[i].detail))
				break;
		} else if (is_first_routing(news, i) && queue_news(t, &c, &news[i], people, texts)
			   && letters != NULL) {
			letters_acted(letters);
		}
	}
	t->told = i;
	return i;
}
