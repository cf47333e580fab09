/* Finds the contacts of a person and reads what is held of them. */
#include "person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "phone.h"

#define OF_CONTACTS "contact_id = ANY ($1::uuid[])"
#define OF_TICKETS "ticket_id = ANY ($2::bigint[])"
/* Told to whoever opened a ticket, or to them as a caller who was joined to one. */
#define TOLD_THEM        \
	"(n." OF_TICKETS \
	" AND n.contact_id = '00000000-0000-0000-0000-000000000000' OR n." OF_CONTACTS ")"

/* $1: the contacts, $2: the tickets they opened; or, of calls, the calls and the phones.  Each
 * statement uses both.  In a summary, rows are counted unless they are it. */
enum { SUMMARY = 1, OF_CALLS = 2 };
static const struct section {
	const char *name;
	const char *sql;
	unsigned how;
} sections[] = {
	{ "citizens",
	    "SELECT citizen_id::text, contact_key, created_us FROM turunc.citizen WHERE "
	    "citizen_id IN (SELECT citizen_id FROM turunc.contact WHERE " OF_CONTACTS
	    ") AND $2::bigint[] IS NOT NULL",
	    0 },
	/* Addresses they gave beside, with contacts that were not asked for. */
	{ "also_known_as",
	    "SELECT k.key AS address, count(*) AS contacts FROM (SELECT DISTINCT k.key FROM "
	    "turunc.contact c CROSS JOIN LATERAL (VALUES (c.phone), (lower(c.email))) AS k(key) "
	    "WHERE c." OF_CONTACTS " AND k.key IS NOT NULL) k JOIN turunc.contact o ON "
	    "(o.phone = k.key OR lower(o.email) = k.key) AND o.contact_id <> ALL ($1::uuid[]) "
	    "WHERE $2::bigint[] IS NOT NULL GROUP BY k.key ORDER BY k.key",
	    SUMMARY },
	{ "contacts",
	    "SELECT contact_id::text, ticket_id, citizen_id::text, kind, "
	    "(ARRAY['call','web','open311','email','cimer','desk','bus','sms'])[channel] AS "
	    "channel, arrived_us, recorded_us, language, information_version, name, phone, email, "
	    "description, address, latitude, longitude, media_url, answers, account_id, device_id "
	    "FROM turunc.contact WHERE " OF_CONTACTS " AND $2::bigint[] IS NOT NULL ORDER BY "
	    "recorded_us, contact_id",
	    0 },
	{ "tickets",
	    "SELECT t.ticket_id, coalesce(s.subject_code, t.subject_code) AS subject, "
	    "coalesce(s.department, '') AS department, t.neighbourhood, t.arrived_us, "
	    "t.recorded_us, s.ended_us, (SELECT array_agg(a.alias_id)::text FROM "
	    "turunc.ticket_alias a WHERE a.ticket_id = t.ticket_id) AS aliases FROM turunc.ticket "
	    "t LEFT JOIN turunc.ticket_state s USING (ticket_id) WHERE t." OF_TICKETS
	    " AND $1::uuid[] IS NOT NULL ORDER BY t.ticket_id",
	    0 },
	{ "history",
	    "SELECT seq, committed_at_us, type, ticket_id, department, actor FROM "
	    "turunc.event_log WHERE " OF_TICKETS " AND $1::uuid[] IS NOT NULL ORDER BY seq",
	    0 },
	{ "texts",
	    "SELECT text_id::text, ticket_id, version, kind, actor, created_us, body FROM "
	    "turunc.ticket_text WHERE " OF_TICKETS
	    " AND $1::uuid[] IS NOT NULL ORDER BY ticket_id, version, text_id",
	    0 },
	{ "messages",
	    "SELECT notification_id::text, ticket_id, about_type AS about, channel, language, "
	    "recipient, subject, body, created_us, updated_us, last_error FROM "
	    "turunc.notification n WHERE " TOLD_THEM " ORDER BY created_us, notification_id",
	    0 },
	/* With their files' contents where the attachments' folder can be read. */
	{ "photos",
	    "SELECT owner_id::text, place, ticket_id, "
	    "(ARRAY['image/jpeg','image/png','image/webp','message/rfc822'])[type] AS type, bytes, "
	    "width, height, "
	    "created_us, encode(digest, 'hex') AS file FROM turunc.attachment WHERE (owner_id = "
	    "ANY ($1::uuid[]) OR " OF_TICKETS ") AND digest IS NOT NULL ORDER BY created_us, "
	    "owner_id, place",
	    0 },
	{ "attempts",
	    "SELECT a.notification_id::text, a.attempt, a.started_us, a.ended_us, a.outcome, "
	    "a.detail FROM turunc.notification n JOIN turunc.notification_attempt a USING "
	    "(notification_id) WHERE " TOLD_THEM " ORDER BY a.started_us, a.attempt",
	    0 },
	{ "published_bodies",
	    "SELECT item_id::text, client, source, type, content_type, received_us, "
	    "encode(body, 'base64') AS body_base64 FROM turunc.published_body WHERE item_id = ANY "
	    "($1::uuid[]) AND $2::bigint[] IS NOT NULL ORDER BY received_us, item_id",
	    0 },
	{ "inbound_ids",
	    "SELECT client, source, id, received_us FROM turunc.inbound_item WHERE item_id = ANY "
	    "($1::uuid[]) AND $2::bigint[] IS NOT NULL ORDER BY received_us, id",
	    0 },
	{ "calls",
	    "SELECT call_key::text, client, call_id, first_us, queue, agent, caller, offered_us, "
	    "answered_us, abandoned_us, ended_us, disposition, ticket_id FROM turunc.call WHERE "
	    "call_key = ANY ($1::uuid[]) AND $2::text[] IS NOT NULL ORDER BY first_us, call_key",
	    OF_CALLS },
	{ "call_bodies",
	    "SELECT b.item_id::text, b.client, b.source, b.type, b.received_us, "
	    "encode(b.body, 'base64') AS body_base64 FROM turunc.call c JOIN turunc.published_body "
	    "b "
	    "ON b.client = c.client AND b.call_id = c.call_id WHERE c.call_key = ANY ($1::uuid[]) "
	    "AND $2::text[] IS NOT NULL ORDER BY b.received_us, b.item_id",
	    OF_CALLS },
	{ "drafts",
	    "SELECT agent, saved_us, caller, fields FROM turunc.call_draft WHERE caller <> '' AND "
	    "caller = ANY ($2::text[]) AND $1::uuid[] IS NOT NULL ORDER BY saved_us",
	    OF_CALLS },
	/* What others said of them: their phone in any way of writing, their mailbox. */
	{ "mentioned_in",
	    "WITH own AS (SELECT DISTINCT right(phone, 10) AS digits, lower(email) AS mailbox "
	    "FROM turunc.contact WHERE " OF_CONTACTS "), said AS ("
	    "SELECT 'contact' AS what, c.contact_id::text AS id, c.ticket_id, "
	    "coalesce(c.description, '') || ' ' || coalesce(c.answers, '') AS words FROM "
	    "turunc.contact c WHERE c.contact_id <> ALL ($1::uuid[]) AND (c.description IS NOT "
	    "NULL OR c.answers IS NOT NULL) UNION ALL SELECT 'text', x.text_id::text, "
	    "x.ticket_id, x.body FROM turunc.ticket_text x WHERE x.ticket_id <> ALL "
	    "($2::bigint[]) UNION ALL SELECT 'published_body', b.item_id::text, NULL, "
	    "encode(b.body, 'escape') FROM turunc.published_body b WHERE b.item_id <> ALL "
	    "($1::uuid[]) AND b.call_id IS NULL) SELECT s.what, s.id, s.ticket_id FROM said s "
	    "WHERE EXISTS (SELECT "
	    "FROM own o WHERE (length(o.digits) = 10 AND position(o.digits IN "
	    "regexp_replace(s.words, '[^0-9]', '', 'g')) > 0) OR position(o.mailbox IN "
	    "lower(s.words)) > 0) ORDER BY s.what, s.id",
	    SUMMARY },
};

/* --- whom it speaks of --------------------------------------------------------------------------
 */

/* A ticket's number may be mistyped; an address is looked for as it is kept. */
static enum exit_code
read_given(const char *given, char kind[8], char value[400])
{
	struct phone phone;
	int64_t ticket_id;
	enum number_result number = number_parse_typed(given, &ticket_id);

	if (strchr(given, '@') != NULL) {
		snprintf(kind, 8, "mail");
		return snprintf(value, 400, "%s", given) < 400
			   ? MASA_OK
			   : masa_fail(MASA_USAGE, "that is too long for an e-mail address");
	}
	/* "26-0012345-4" would do as a phone number, too: written like a ticket it is one. */
	bool printed = strspn(given, "0123456789") == 2 && given[2] == '-';
	if (printed && number == NUMBER_OK) {
		snprintf(kind, 8, "ticket");
		snprintf(value, 400, "%lld", (long long)ticket_id);
		return MASA_OK;
	}
	if (printed && number == NUMBER_WRONG_CHECK)
		return masa_fail(
		    MASA_USAGE, "%s: the check digit is wrong; a digit was misread", given);
	if (phone_parse(given, &phone) == PHONE_OK) {
		snprintf(kind, 8, "phone");
		snprintf(value, 400, "%s", phone.number);
		return MASA_OK;
	}
	return masa_fail(MASA_USAGE,
	    "%s is no phone number, e-mail address or ticket number (26-0012345-4)", given);
}

/* Calls from the number asked for, and from those that the contacts gave. */
static enum exit_code
find_calls(struct masa *m, const char *given, const char *number, struct person *p)
{
	const char *values[] = { number, p->contacts };
	PGresult *result;
	enum exit_code code = masa_query(m,
	    "WITH number AS (SELECT $1::text AS n WHERE $1::text <> '' UNION SELECT c.phone FROM "
	    "turunc.contact c WHERE c.contact_id = ANY ($2::uuid[]) AND c.phone IS NOT NULL), "
	    "call AS (SELECT c.call_key FROM turunc.call c WHERE c.caller IN (SELECT n FROM "
	    "number)) SELECT (SELECT count(*) FROM call), (SELECT coalesce(array_agg(call_key "
	    "ORDER BY call_key), '{}')::text FROM call), (SELECT coalesce(array_agg(n ORDER BY "
	    "n), '{}')::text FROM number), (SELECT count(*) FROM turunc.call_draft d WHERE "
	    "d.caller IN (SELECT n FROM number))",
	    2, values, &result);

	if (code != MASA_OK)
		return code;
	p->call_count = atoi(PQgetvalue(result, 0, 0));
	p->calls = strdup(PQgetvalue(result, 0, 1));
	p->numbers = strdup(PQgetvalue(result, 0, 2));
	bool drafts = strcmp(PQgetvalue(result, 0, 3), "0") != 0;
	PQclear(result);
	if (p->calls == NULL || p->numbers == NULL)
		return masa_fail(MASA_FAILED, "out of memory");
	if (p->contact_count == 0 && p->call_count == 0 && !drafts)
		return masa_fail(MASA_NOT_FOUND, "nothing is held of %s", given);
	return MASA_OK;
}

/* Contacts not erased yet: how many, which, the tickets they opened, and how many of those live. */
static enum exit_code
find_contacts(struct masa *m, const char *kind, const char *value, PGresult **ret_result)
{
	const char *values[] = { kind, value };

	return masa_query(m,
	    /* On the page of one's own ticket, and by the link of an invitation, people give no
	     * address: what they said there is theirs all the same. */
	    "WITH named AS (SELECT c.contact_id FROM turunc.contact c WHERE $1::text = 'phone' "
	    "AND c.phone = $2::text UNION SELECT c.contact_id FROM turunc.contact c WHERE "
	    "$1::text = 'mail' AND lower(c.email) = lower($2::text) UNION "
	    "SELECT o.contact_id FROM turunc.ticket t JOIN turunc.contact c ON c.contact_id = "
	    "t.contact_id JOIN turunc.contact o ON o.contact_id = c.contact_id OR o.citizen_id = "
	    "c.citizen_id WHERE $1::text = 'ticket' AND t.ticket_id = coalesce((SELECT "
	    "a.ticket_id FROM turunc.ticket_alias a WHERE a.alias_id = (CASE WHEN $1::text = "
	    "'ticket' THEN $2::text END)::bigint), (CASE WHEN $1::text = 'ticket' THEN $2::text "
	    "END)::bigint)), "
	    "wanted AS (SELECT n.contact_id FROM named n UNION SELECT s.contact_id FROM named n "
	    "JOIN turunc.contact c USING (contact_id) JOIN turunc.ticket t ON t.ticket_id = "
	    "c.ticket_id AND t.contact_id = c.contact_id JOIN turunc.contact s ON s.ticket_id = "
	    "t.ticket_id WHERE s.kind IN ('follow_up', 'withdraw', 'not_solved', 'survey', "
	    "'machine') AND "
	    "s.citizen_id IS NULL AND s.phone IS NULL AND s.email IS NULL) "
	    "SELECT count(*), coalesce(array_agg(c.contact_id ORDER BY c.contact_id), '{}')::text, "
	    "coalesce(array_agg(t.ticket_id ORDER BY t.ticket_id) FILTER (WHERE t.ticket_id IS "
	    "NOT NULL), '{}')::text, count(t.ticket_id) FILTER (WHERE coalesce(s.status, 1) <= 6) "
	    "FROM wanted w JOIN turunc.contact c USING (contact_id) LEFT JOIN turunc.ticket t ON "
	    "t.ticket_id = c.ticket_id AND t.contact_id = c.contact_id LEFT JOIN "
	    "turunc.ticket_state s ON s.ticket_id = t.ticket_id WHERE c.salt <> ''",
	    2, values, ret_result);
}

enum exit_code
person_find(struct masa *m, const char *given, struct person *ret_person)
{
	char kind[8], value[400];
	PGresult *result;
	enum exit_code code = read_given(given, kind, value);

	if (code != MASA_OK)
		return code;
	code = find_contacts(m, kind, value, &result);
	if (code != MASA_OK)
		return code;
	*ret_person = (struct person){ 0 };
	ret_person->contact_count = atoi(PQgetvalue(result, 0, 0));
	ret_person->live_count = atoi(PQgetvalue(result, 0, 3));
	ret_person->contacts = strdup(PQgetvalue(result, 0, 1));
	ret_person->opened = strdup(PQgetvalue(result, 0, 2));
	PQclear(result);
	if (ret_person->contacts == NULL || ret_person->opened == NULL)
		code = masa_fail(MASA_FAILED, "out of memory");
	else
		code = find_calls(m, given, strcmp(kind, "phone") == 0 ? value : "", ret_person);
	if (code != MASA_OK)
		person_finish(ret_person);
	return code;
}

enum exit_code
person_contacts_left(struct masa *m, const char *given, int *ret_count)
{
	char kind[8], value[400];
	PGresult *result;
	enum exit_code code = read_given(given, kind, value);

	if (code == MASA_OK)
		code = find_contacts(m, kind, value, &result);
	if (code != MASA_OK)
		return code;
	*ret_count = atoi(PQgetvalue(result, 0, 0));
	PQclear(result);
	return MASA_OK;
}

void
person_finish(struct person *p)
{
	free(p->contacts);
	free(p->opened);
	free(p->calls);
	free(p->numbers);
	*p = (struct person){ 0 };
}

/* --- what is held -------------------------------------------------------------------------------
 */

static enum exit_code
read_section(
    struct masa *m, const struct person *p, const struct section *section, json_t **ret_rows)
{
	bool of_calls = (section->how & OF_CALLS) != 0;
	const char *values[] = { of_calls ? p->calls : p->contacts,
		of_calls ? p->numbers : p->opened };
	PGresult *result;
	enum exit_code code = masa_query(m, section->sql, 2, values, &result);

	if (code != MASA_OK)
		return code;
	*ret_rows = masa_rows(result);
	PQclear(result);
	return MASA_OK;
}

enum exit_code
person_export(struct masa *m, const struct person *p, json_t **ret_document)
{
	json_t *document = json_object(), *rows;

	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		enum exit_code code = read_section(m, p, &sections[i], &rows);
		if (code != MASA_OK) {
			json_decref(document);
			return code;
		}
		json_object_set_new(document, sections[i].name, rows);
	}
	*ret_document = document;
	return MASA_OK;
}

enum exit_code
person_summary(struct masa *m, const struct person *p, json_t **ret_summary)
{
	json_t *summary = json_object(), *rows;

	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		enum exit_code code = read_section(m, p, &sections[i], &rows);
		if (code != MASA_OK) {
			json_decref(summary);
			return code;
		}
		if (sections[i].how & SUMMARY) {
			json_object_set_new(summary, sections[i].name, rows);
		} else {
			json_object_set_new(summary, sections[i].name,
			    json_integer((json_int_t)json_array_size(rows)));
			json_decref(rows);
		}
	}
	*ret_summary = summary;
	return MASA_OK;
}

enum exit_code
person_is_named(struct masa *m, const struct person *p, const char *text, bool *ret_named)
{
	const char *values[] = { p->contacts, text };
	PGresult *result;
	enum exit_code code = masa_query(m,
	    "SELECT EXISTS (SELECT FROM turunc.contact c CROSS JOIN LATERAL "
	    "unnest(string_to_array(lower(c.name), ' ')) AS words(w) WHERE c." OF_CONTACTS
	    " AND length(words.w) > 2 AND words.w = ANY (regexp_split_to_array(lower($2::text), "
	    "'[^[:alnum:]]+'))) OR EXISTS (SELECT FROM turunc.contact c WHERE c." OF_CONTACTS
	    " AND (position(lower(c.email) IN lower($2::text)) > 0 OR (length(c.phone) >= 7 AND "
	    "position(right(c.phone, 10) IN regexp_replace($2::text, '[^0-9]', '', 'g')) > 0)))",
	    2, values, &result);

	if (code != MASA_OK)
		return code;
	*ret_named = PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return MASA_OK;
}
