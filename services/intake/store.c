/* The SQL of intake. */
#include "store.h"

#include <stdio.h>
#include <string.h>

const struct db_statement store_write_statements[STORE_WRITE_STATEMENTS] = {
	[STORE_ACCEPT] = { "accept",
	    "SELECT place, ticket_id, same FROM turunc.accept_items("
	    "$1::bigint, $2::text[], $3::text[], $4::text[], $5::bytea[], $6::uuid[], "
	    "$7::bigint[], "
	    "$8::text[], $9::smallint[], $10::bigint[], $11::text[], $12::text[], $13::uuid[], "
	    "$14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], "
	    "$20::double precision[], $21::double precision[], $22::text[], $23::text[], "
	    "$24::text[], "
	    "$25::text[], $26::bytea[], $27::boolean[], $28::text[], $29::text[], $30::smallint[], "
	    "$31::boolean[], $32::text[], $33::bytea[], $34::text[], $35::text[], $36::bytea[], "
	    "$37::text[], $38::text[])",
	    38 },
	[STORE_LOOK_UP] = { "look_up",
	    "SELECT u.id FROM unnest($1::uuid[]) AS u(id) "
	    "WHERE EXISTS (SELECT FROM turunc.contact c WHERE c.contact_id = u.id) "
	    "OR EXISTS (SELECT FROM turunc.published_body b WHERE b.item_id = u.id)",
	    1 },
	[STORE_LEASE] = { "lease",
	    "SELECT turunc.lease_numbers($1::integer, $2::integer, $3::bigint)", 3 },
	[STORE_ALIAS] = { "alias",
	    "INSERT INTO turunc.ticket_alias (alias_id, ticket_id) "
	    "SELECT a.given, a.first FROM unnest($1::bigint[], $2::bigint[]) AS a(given, first) "
	    "ORDER BY a.given ON CONFLICT (alias_id) DO NOTHING",
	    2 },
	[STORE_DRAFT] = { "draft",
	    "SELECT turunc.save_draft($1::text, $2::text, $3::bigint, $4::text, $5::text)", 5 },
	[STORE_SURVEY_REFUSE] = { "survey_refuse",
	    "SELECT turunc.refuse_surveys($1::uuid, $2::boolean, $3::bigint)", 3 },
	[STORE_DISMISS] = { "dismiss",
	    "SELECT turunc.dismiss_contact($1::uuid, $2::text, $3::text, $4::bigint)", 4 },
	[STORE_FILE_FORGET] = { "file_forget",
	    "DELETE FROM turunc.erased_file e WHERE e.digest = ANY ($1::bytea[])", 1 },
	[STORE_CIMER] = { "cimer",
	    "INSERT INTO turunc.cimer_application (ticket_id, reference, kind, unit, received_us) "
	    "SELECT a.ticket_id, a.reference, a.kind, a.unit, $5::bigint "
	    "FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY "
	    "AS a(ticket_id, reference, kind, unit, place) ORDER BY a.reference, a.place "
	    "ON CONFLICT (reference) DO NOTHING",
	    5 },
	/* Exactly those that the acceptance finds to be repeats. */
	[STORE_CIMER_KNOWN] = { "cimer_known",
	    "SELECT a.place, i.ticket_id FROM unnest($3::text[]) WITH ORDINALITY AS a(id, place) "
	    "CROSS JOIN LATERAL (SELECT ticket_id FROM turunc.inbound_item i WHERE i.client = "
	    "$1::text AND "
	    "i.source = $2::text AND i.id = a.id AND i.ticket_id > 0 LIMIT 1) i",
	    3 },
	/* Few reports about one message say more than many; delays never hide that it failed. */
	[STORE_BOUNCE] = { "bounce",
	    "INSERT INTO turunc.bounce (bounce_id, identity, notification_id, permanent, status, "
	    "at_us) SELECT $1::uuid, $2::bytea, $3::uuid, $4::boolean, $5::text, $6::bigint "
	    "WHERE (SELECT count(*) FROM turunc.bounce b WHERE b.notification_id = $3::uuid "
	    "AND b.permanent = $4::boolean) < 5 "
	    "ON CONFLICT (identity) DO NOTHING",
	    6 },
	[STORE_MACHINE_EXPIRE] = { "machine_expire",
	    "SELECT turunc.expire_machine_mail($1::bigint, $2::bigint, $3::integer)", 3 },
};

/*
 * What Open311 shows of a ticket.  $1: codes of public subjects; $2: departments whose tickets the
 * reader sees, $3: all of them, $4: codes of subjects whose tickets are seen whole.  A ticket
 * nobody has routed yet has no state row.
 */
#define REQUEST_SELECT                                                                          \
	"SELECT t.ticket_id, coalesce(s.status, 1::smallint), coalesce(s.reason_code, ''), "    \
	"coalesce(s.subject_code, t.subject_code), coalesce(s.department, ''), "                \
	"t.recorded_us, coalesce(s.updated_us, t.recorded_us), s.legal_due_us, "                \
	"s.service_due_us, t.neighbourhood, CASE WHEN v.placed THEN c.latitude END, CASE WHEN " \
	"v.placed THEN c.longitude END, v.whole, "                                              \
	"CASE WHEN v.whole THEN c.description END, CASE WHEN v.whole THEN c.address END, "      \
	"CASE WHEN v.whole THEN c.media_url END, "                                              \
	"CASE WHEN v.whole THEN (SELECT x.body FROM turunc.ticket_text x "                      \
	"WHERE x.ticket_id = t.ticket_id AND x.kind IN ('answer', 'closing') "                  \
	"ORDER BY x.version DESC LIMIT 1) END "
#define REQUEST_FROM                                                                   \
	"LEFT JOIN turunc.ticket_state s ON s.ticket_id = t.ticket_id "                \
	"LEFT JOIN turunc.contact c ON c.contact_id = t.contact_id "                   \
	"CROSS JOIN LATERAL (SELECT $3::boolean OR (coalesce(s.department, '') <> '' " \
	"AND s.department = ANY ($2::text[])) AS covered, "                            \
	"coalesce(s.subject_code, t.subject_code) = ANY ($4::text[]) AS harmless) r "  \
	"CROSS JOIN LATERAL (SELECT r.covered, r.covered AND r.harmless AS whole, "    \
	"r.harmless OR NOT r.covered AS placed) v "
#define REQUEST_VISIBLE                                                               \
	"(v.covered OR (t.public AND coalesce(s.subject_code, t.subject_code) = ANY " \
	"($1::text[])))"

/* $1, or the ticket that it is another name of. */
#define TRACKED_TICKET                                                                             \
	"coalesce((SELECT a.ticket_id FROM turunc.ticket_alias a WHERE a.alias_id = $1::bigint), " \
	"$1::bigint)"

/* --- of the call-taker's page */
#define CALL_COLUMNS                                                                       \
	"SELECT c.call_key, c.client, c.call_id, c.queue, c.agent, c.caller, c.first_us, " \
	"c.answered_us, c.ended_us, c.disposition FROM turunc.call c "
/* The person behind a contact key, or behind the number of a call. */
#define CALLER_CONTACTS                                                                         \
	"turunc.citizen p JOIN turunc.contact c ON c.citizen_id = p.citizen_id "                \
	"WHERE p.contact_key = coalesce($1::text, (SELECT 'tel:' || k.caller FROM turunc.call " \
	"k WHERE k.call_key = $2::uuid)) "
#define TICKET_COLUMNS                                                                   \
	"SELECT t.ticket_id, coalesce(s.status, 1::smallint), coalesce(s.subject_code, " \
	"t.subject_code), coalesce(s.department, ''), t.neighbourhood, t.arrived_us, "   \
	"s.ended_us, c.latitude, c.longitude, c.address, left(c.description, 300), "     \
	"s.primary_id "
#define TICKET_JOINS                                                    \
	"LEFT JOIN turunc.ticket_state s ON s.ticket_id = t.ticket_id " \
	"LEFT JOIN turunc.contact c ON c.contact_id = t.contact_id "

#define LOOSE_CONTACTS                                                               \
	"SELECT c.contact_id, c.kind, c.channel, c.arrived_us, c.recorded_us, "      \
	"c.language, c.name, c.phone, c.email, c.description, c.ticket_id, "         \
	"c.dismissed_us, c.dismissed_by, c.dismissed_as, "                           \
	"(SELECT f.digest FROM turunc.attachment f WHERE f.owner_id = c.contact_id " \
	"AND f.type = 4 LIMIT 1) FROM turunc.contact c "

const struct db_statement store_read_statements[STORE_READ_STATEMENTS] = {
	REGISTRY_SQL(STORE_REGISTRY),
	[STORE_REQUESTS_BY_ID] = { "requests_by_id",
	    REQUEST_SELECT
	    "FROM unnest($5::bigint[]) WITH ORDINALITY AS w(asked, place) "
	    "LEFT JOIN turunc.ticket_alias a ON a.alias_id = w.asked "
	    "JOIN turunc.ticket t ON t.ticket_id = coalesce(a.ticket_id, w.asked) " REQUEST_FROM
	    "WHERE " REQUEST_VISIBLE " ORDER BY w.place",
	    5 },
	/* $5..$6 recorded, $7 subjects (empty: all), $8 live, $9 ended, $10..$11 updated */
	[STORE_REQUESTS] = { "requests",
	    REQUEST_SELECT
	    "FROM turunc.ticket t " REQUEST_FROM "WHERE " REQUEST_VISIBLE
	    " AND t.recorded_us BETWEEN $5::bigint AND $6::bigint"
	    " AND (cardinality($7::text[]) = 0"
	    " OR coalesce(s.subject_code, t.subject_code) = ANY ($7::text[]))"
	    " AND CASE WHEN coalesce(s.status, 1) <= 6 THEN $8::boolean ELSE $9::boolean END"
	    " AND coalesce(s.updated_us, t.recorded_us) BETWEEN $10::bigint AND $11::bigint"
	    " ORDER BY t.recorded_us DESC, t.ticket_id DESC LIMIT $12::bigint OFFSET $13::bigint",
	    13 },
	/* The page is the opener's: by the phone of the contact that opened the ticket, and by no
	 * other, whatever else was said about it from where.  What is said on the page itself names
	 * no phone. */
	[STORE_TRACK] = { "track",
	    "SELECT t.ticket_id, coalesce(s.status, 1::smallint), "
	    "coalesce(s.subject_code, t.subject_code), coalesce(s.department, ''), "
	    "coalesce(s.reason_code, ''), t.arrived_us, s.legal_due_us, s.service_due_us, "
	    "s.ended_us, (SELECT coalesce(array_agg(c.phone), '{}') FROM turunc.contact c "
	    "WHERE c.contact_id = t.contact_id AND c.phone IS NOT NULL), "
	    "coalesce((SELECT e.type FROM turunc.event_log e WHERE e.ticket_id = t.ticket_id "
	    "AND e.type IN ('ticket.resolved', 'ticket.rejected', 'ticket.forwarded', "
	    "'ticket.joined', 'ticket.withdrawn') ORDER BY e.seq DESC LIMIT 1), '') "
	    "FROM turunc.ticket t LEFT JOIN turunc.ticket_state s ON s.ticket_id = t.ticket_id "
	    "WHERE t.ticket_id = " TRACKED_TICKET,
	    1 },
	[STORE_TRACK_EVENTS] = { "track_events",
	    "SELECT e.committed_at_us, e.type, coalesce(e.department, '') "
	    "FROM turunc.event_log e WHERE e.ticket_id = " TRACKED_TICKET
	    " ORDER BY e.seq LIMIT 500",
	    1 },
	[STORE_TRACK_TEXTS] = { "track_texts",
	    "SELECT x.created_us, x.body FROM turunc.ticket_text x "
	    "WHERE x.ticket_id = " TRACKED_TICKET " AND x.kind IN ('answer', 'closing') "
	    "ORDER BY x.version LIMIT 100",
	    1 },
	/* Talked and not disposed of, however long ago; or ringing just now. */
	[STORE_CALLS_MINE] = { "calls_mine",
	    CALL_COLUMNS "WHERE c.agent = $1::text AND c.disposition = '' AND c.abandoned_us IS "
			 "NULL AND (c.answered_us IS NOT NULL OR (c.ended_us IS NULL AND "
			 "c.first_us > $2::bigint - 180000000)) ORDER BY c.first_us DESC LIMIT 20",
	    2 },
	[STORE_CALLS_WAITING] = { "calls_waiting",
	    CALL_COLUMNS "WHERE c.disposition = '' AND c.abandoned_us IS NULL AND c.answered_us IS "
			 "NULL AND c.ended_us IS NULL AND c.agent <> $1::text AND c.first_us > "
			 "$2::bigint - 180000000 ORDER BY c.first_us LIMIT 20",
	    2 },
	[STORE_CALL] = { "call", CALL_COLUMNS "WHERE c.call_key = $1::uuid", 1 },
	[STORE_CALL_CALLER] = { "call_caller",
	    "SELECT c.name, c.address, coalesce(t.neighbourhood, ''), c.email FROM (SELECT c.* "
	    "FROM " CALLER_CONTACTS
	    "AND c.salt <> '' ORDER BY c.recorded_us DESC LIMIT 20) c LEFT JOIN turunc.ticket t "
	    "ON t.ticket_id = c.ticket_id AND t.contact_id = c.contact_id ORDER BY (c.name IS "
	    "NULL), c.recorded_us DESC LIMIT 1",
	    2 },
	[STORE_CALL_PERSON] = { "call_person",
	    TICKET_COLUMNS "FROM (SELECT DISTINCT c.ticket_id FROM " CALLER_CONTACTS
			   "AND c.ticket_id IS NOT NULL ORDER BY c.ticket_id DESC LIMIT 15) w JOIN "
			   "turunc.ticket t "
			   "ON t.ticket_id = w.ticket_id " TICKET_JOINS "ORDER BY t.ticket_id DESC",
	    2 },
	[STORE_CALL_NUMBER] = { "call_number",
	    TICKET_COLUMNS "FROM turunc.ticket t " TICKET_JOINS
			   "WHERE t.ticket_id = " TRACKED_TICKET,
	    1 },
	[STORE_CALL_TARGET] = { "call_target",
	    "SELECT coalesce(s.primary_id, t.ticket_id), CASE WHEN s.primary_id IS NULL THEN "
	    "s.ended_us ELSE p.ended_us END FROM turunc.ticket t "
	    "LEFT JOIN turunc.ticket_state s ON s.ticket_id = t.ticket_id "
	    "LEFT JOIN turunc.ticket_state p ON p.ticket_id = s.primary_id "
	    "WHERE t.ticket_id = " TRACKED_TICKET,
	    1 },
	/* A word that many have is found among the newest; the index would fetch all of them. */
	[STORE_CALL_SEARCH] = { "call_search",
	    "WITH newest AS (SELECT DISTINCT w.ticket_id FROM (SELECT ticket_id, words FROM "
	    "turunc.contact_search ORDER BY ticket_id DESC LIMIT 3000) w WHERE w.words @@ "
	    "$1::text::tsquery ORDER BY w.ticket_id DESC LIMIT $2::bigint), older AS (SELECT "
	    "DISTINCT w.ticket_id FROM turunc.contact_search w WHERE (SELECT count(*) FROM "
	    "newest) < $2::bigint AND w.words @@ $1::text::tsquery ORDER BY w.ticket_id DESC "
	    "LIMIT $2::bigint), found AS (SELECT ticket_id FROM newest UNION SELECT ticket_id "
	    "FROM older) " TICKET_COLUMNS
	    "FROM found w JOIN turunc.ticket t ON t.ticket_id = w.ticket_id " TICKET_JOINS
	    "ORDER BY t.ticket_id DESC LIMIT $2::bigint",
	    2 },
	[STORE_CALL_SIMILAR] = { "call_similar",
	    TICKET_COLUMNS "FROM turunc.ticket_state s JOIN turunc.ticket t ON t.ticket_id = "
			   "s.ticket_id LEFT JOIN turunc.contact c ON c.contact_id = t.contact_id "
			   "WHERE s.subject_code = $1::text AND s.status < 12 AND s.status NOT IN "
			   "(10, 11) ORDER BY s.ticket_id DESC LIMIT 1000",
	    1 },
	[STORE_CALL_DRAFTS] = { "call_drafts",
	    "SELECT d.form_id, d.saved_us, d.caller, d.fields FROM turunc.call_draft d WHERE "
	    "d.agent = $1::text AND d.fields <> '' ORDER BY d.saved_us DESC LIMIT 8",
	    1 },
	/* The opener's: those that opened the ticket and those of this page, to which only the
	 * opener comes (channel 2: web); and what the department shows of its work. */
	[STORE_TRACK_PHOTOS] = { "track_photos",
	    "SELECT f.created_us, f.digest, f.width, f.height, f.origin = 3 "
	    "FROM turunc.attachment f JOIN turunc.ticket t ON t.ticket_id = f.ticket_id "
	    "LEFT JOIN turunc.contact c ON f.origin = 1 AND c.contact_id = f.owner_id "
	    "WHERE f.ticket_id = " TRACKED_TICKET " AND f.digest IS NOT NULL AND f.type <> 4 "
	    "AND (f.origin = 3 OR c.contact_id = t.contact_id OR (c.channel = 2 "
	    "AND c.phone IS NULL AND c.kind IN ('follow_up', 'withdraw', 'not_solved'))) "
	    "ORDER BY f.created_us, f.owner_id, f.place LIMIT 60",
	    1 },
	[STORE_TRACK_MESSAGES] = { "track_messages",
	    "SELECT n.created_us, n.about_type, n.channel, n.state FROM turunc.notification n "
	    "WHERE n.ticket_id = " TRACKED_TICKET
	    " AND n.contact_id = '00000000-0000-0000-0000-000000000000' AND n.state <> 7 ORDER BY "
	    "n.created_us, n.notification_id LIMIT 100",
	    1 },
	[STORE_TRACK_LINKS] = { "track_links",
	    "SELECT l.earlier_id, false FROM turunc.ticket_link l "
	    "WHERE l.ticket_id = " TRACKED_TICKET " UNION ALL "
	    "SELECT l.ticket_id, true FROM turunc.ticket_link l "
	    "WHERE l.earlier_id = " TRACKED_TICKET " ORDER BY 1 LIMIT 20",
	    1 },
	[STORE_SURVEY_REFUSAL] = { "survey_refusal", "SELECT turunc.survey_refusal_of($1::uuid)",
	    1 },
	[STORE_SURVEY] = { "survey",
	    "SELECT s.ticket_id, coalesce(s.expires_us, 0), c.salt = '', a.survey_id IS NOT NULL, "
	    "a.score, a.solved, coalesce(a.solved = false OR a.denied_us IS NOT NULL, false) "
	    "FROM turunc.survey s JOIN turunc.ticket t ON t.ticket_id = s.ticket_id "
	    "JOIN turunc.contact c ON c.contact_id = t.contact_id "
	    "LEFT JOIN turunc.survey_answer a ON a.survey_id = s.survey_id "
	    "WHERE s.survey_id = $1::uuid",
	    1 },
	/* Whoever was asked by SMS at this phone: what is not answered first, the last first. */
	[STORE_SURVEY_SMS] = { "survey_sms",
	    "SELECT s.survey_id, s.ticket_id, coalesce(x.status, 1::smallint), "
	    "a.survey_id IS NOT NULL, coalesce(a.solved = false OR a.denied_us IS NOT NULL, false) "
	    "FROM turunc.citizen p JOIN turunc.contact c ON c.citizen_id = p.citizen_id "
	    "JOIN turunc.ticket t ON t.ticket_id = c.ticket_id AND t.contact_id = c.contact_id "
	    "JOIN turunc.survey s ON s.ticket_id = t.ticket_id "
	    "LEFT JOIN turunc.ticket_state x ON x.ticket_id = t.ticket_id "
	    "LEFT JOIN turunc.survey_answer a ON a.survey_id = s.survey_id "
	    "WHERE p.contact_key = 'tel:' || $1::text AND s.invited_us <= $2::bigint "
	    "AND s.expires_us > $2::bigint AND EXISTS (SELECT FROM turunc.notification n "
	    "WHERE n.about_seq IN (s.invited_seq, s.reminded_seq) AND n.ticket_id = s.ticket_id "
	    "AND n.channel = 'sms' AND n.state IN (2, 3, 4, 6)) "
	    "ORDER BY a.survey_id IS NOT NULL, s.invited_us DESC LIMIT 1",
	    2 },
	[STORE_TRACK_OPENER] = { "track_opener",
	    "SELECT coalesce(s.subject_code, t.subject_code), t.neighbourhood, t.legal_basis, "
	    "t.public, c.language, c.information_version, c.name, c.phone, c.email, c.address, "
	    "c.latitude, c.longitude FROM turunc.ticket t "
	    "JOIN turunc.contact c ON c.contact_id = t.contact_id "
	    "LEFT JOIN turunc.ticket_state s ON s.ticket_id = t.ticket_id "
	    "WHERE t.ticket_id = " TRACKED_TICKET,
	    1 },
	[STORE_FILES_ERASED] = { "files_erased",
	    "SELECT e.digest FROM turunc.erased_file e WHERE e.digest > $1 ORDER BY e.digest LIMIT "
	    "256",
	    1 },
	[STORE_FILES_KNOWN] = { "files_known",
	    "SELECT f.digest FROM turunc.attachment f WHERE f.digest = ANY ($1::bytea[])", 1 },
	[STORE_UNASSIGNED] = { "unassigned",
	    LOOSE_CONTACTS "WHERE c.ticket_id IS NULL AND c.kind IN ('machine', 'sms') "
			   "AND c.salt <> '' AND c.dismissed_us IS NULL AND "
			   "(c.recorded_us, c.contact_id) < ($1::bigint, $2::uuid) ORDER BY "
			   "c.recorded_us DESC, c.contact_id DESC "
			   "LIMIT $3::integer",
	    3 },
	[STORE_DISMISSED] = { "dismissed",
	    LOOSE_CONTACTS
	    "WHERE c.ticket_id IS NULL AND c.dismissed_us IS NOT NULL AND c.salt <> '' "
	    "AND (c.recorded_us, c.contact_id) < ($1::bigint, $2::uuid) ORDER BY "
	    "c.recorded_us DESC, c.contact_id DESC LIMIT $3::integer",
	    3 },
	[STORE_UNASSIGNED_ONE] = { "unassigned_one",
	    LOOSE_CONTACTS "WHERE c.contact_id = $1::uuid AND c.kind IN ('machine', 'sms') "
			   "AND c.salt <> ''",
	    1 },
	[STORE_MAIL_TARGET] = { "mail_target",
	    "SELECT ticket_id, status, linked FROM turunc.mail_target($1::bigint, $2::uuid[], "
	    "$3::text)",
	    3 },
};

/* One column of an item, added to its array. */
typedef void column_fn(struct db_array *array, const struct item *item);

static void
add_contact_key(struct db_array *array, const struct item *item)
{
	db_array_text(array, item->contact_key[0] == '\0' ? NULL : item->contact_key);
}

static void
add_neighbourhood(struct db_array *array, const struct item *item)
{
	db_array_text(array, item->neighbourhood);
}

static void
add_information_version(struct db_array *array, const struct item *item)
{
	db_array_text(
	    array, item->information_version[0] == '\0' ? NULL : item->information_version);
}

static void
add_actor(struct db_array *array, const struct item *item)
{
	db_array_text(array, item->actor);
}

static void
add_digest(struct db_array *array, const struct item *item)
{
	if (item->id == NULL)
		db_array_null(array);
	else
		db_array_bytea(array, item->identity.bytes, DIGEST_BYTES);
}

static void
add_item_id(struct db_array *array, const struct item *item)
{
	db_array_uuid(array, &item->item_id);
}

static void
add_ticket_id(struct db_array *array, const struct item *item)
{
	if (item->ticket_id == 0)
		db_array_null(array);
	else
		db_array_int8(array, item->ticket_id);
}

static void
add_channel(struct db_array *array, const struct item *item)
{
	db_array_int2(array, item->channel);
}

static void
add_arrived(struct db_array *array, const struct item *item)
{
	db_array_int8(array, item->arrived_us);
}

static void
add_citizen(struct db_array *array, const struct item *item)
{
	db_array_uuid(array, item->contact_key[0] == '\0' ? NULL : &item->citizen_id);
}

static void
add_latitude(struct db_array *array, const struct item *item)
{
	if (item->has_position)
		db_array_float8(array, item->latitude);
	else
		db_array_null(array);
}

static void
add_longitude(struct db_array *array, const struct item *item)
{
	if (item->has_position)
		db_array_float8(array, item->longitude);
	else
		db_array_null(array);
}

static void
add_salt(struct db_array *array, const struct item *item)
{
	db_array_bytea(array, item->salt, sizeof(item->salt));
}

static void
add_opens(struct db_array *array, const struct item *item)
{
	db_array_bool(array, item->opens);
}

static void
add_basis(struct db_array *array, const struct item *item)
{
	db_array_int2(array, item->legal_basis);
}

static void
add_public(struct db_array *array, const struct item *item)
{
	db_array_bool(array, item->is_public);
}

static void
add_body(struct db_array *array, const struct item *item)
{
	if (item->content_type == NULL)
		db_array_null(array);
	else
		db_array_bytea(array, item->body_len == 0 ? "" : item->body, item->body_len);
}

static void
add_event(struct db_array *array, const struct item *item)
{
	db_array_bytea(array, item->event, item->event_len);
}

/* The parameters $2 to $36 of accept_items, in order. */
static const struct {
	enum db_type type;
	column_fn *add; /* NULL: the text that the item's member at text_at points to */
	size_t text_at;
} columns[] = {
	{ DB_TEXT, NULL, offsetof(struct item, client) },
	{ DB_TEXT, NULL, offsetof(struct item, source) },
	{ DB_TEXT, NULL, offsetof(struct item, id) },
	{ DB_BYTEA, add_digest, 0 },
	{ DB_UUID, add_item_id, 0 },
	{ DB_INT8, add_ticket_id, 0 },
	{ DB_TEXT, NULL, offsetof(struct item, kind) },
	{ DB_INT2, add_channel, 0 },
	{ DB_INT8, add_arrived, 0 },
	{ DB_TEXT, NULL, offsetof(struct item, language) },
	{ DB_TEXT, add_information_version, 0 },
	{ DB_UUID, add_citizen, 0 },
	{ DB_TEXT, add_contact_key, 0 },
	{ DB_TEXT, NULL, offsetof(struct item, name) },
	{ DB_TEXT, NULL, offsetof(struct item, phone) },
	{ DB_TEXT, NULL, offsetof(struct item, email) },
	{ DB_TEXT, NULL, offsetof(struct item, description) },
	{ DB_TEXT, NULL, offsetof(struct item, address) },
	{ DB_FLOAT8, add_latitude, 0 },
	{ DB_FLOAT8, add_longitude, 0 },
	{ DB_TEXT, NULL, offsetof(struct item, media_url) },
	{ DB_TEXT, NULL, offsetof(struct item, answers) },
	{ DB_TEXT, NULL, offsetof(struct item, account_id) },
	{ DB_TEXT, NULL, offsetof(struct item, device_id) },
	{ DB_BYTEA, add_salt, 0 },
	{ DB_BOOL, add_opens, 0 },
	{ DB_TEXT, NULL, offsetof(struct item, subject_code) },
	{ DB_TEXT, add_neighbourhood, 0 },
	{ DB_INT2, add_basis, 0 },
	{ DB_BOOL, add_public, 0 },
	{ DB_TEXT, NULL, offsetof(struct item, content_type) },
	{ DB_BYTEA, add_body, 0 },
	{ DB_TEXT, NULL, offsetof(struct item, type) },
	{ DB_TEXT, add_actor, 0 },
	{ DB_BYTEA, add_event, 0 },
};

static void
add_column(struct db_array *array, size_t column, const struct item *item)
{
	if (columns[column].add != NULL) {
		columns[column].add(array, item);
		return;
	}
	const char *text;
	memcpy(&text, (const char *)item + columns[column].text_at, sizeof(text));
	db_array_text(array, text);
}

/* Parameter $37: seven texts for each item that tells of a call. */
static void
add_calls(struct db_array *array, struct item *const *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct item *item = items[i];
		char place[24];
		if (!item->tells_call)
			continue;
		(void)snprintf(place, sizeof(place), "%zu", i + 1);
		const char *const texts[] = { place, item->call_client, item->call_id,
			item->call_queue, item->call_agent, item->call_caller,
			item->call_disposition };
		for (size_t t = 0; t < ARRAY_LEN(texts); t++)
			db_array_text(array, texts[t] == NULL ? "" : texts[t]);
	}
}

/* Parameter $38: three texts for each item with photos or an earlier ticket. */
static void
add_besides(struct db_array *array, struct item *const *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct item *item = items[i];
		char number[24];
		if (item->photos == NULL && item->earlier_id == 0)
			continue;
		(void)snprintf(number, sizeof(number), "%zu", i + 1);
		db_array_text(array, number);
		db_array_text(array, item->photos == NULL ? "[]" : item->photos);
		(void)snprintf(number, sizeof(number), "%lld", (long long)item->earlier_id);
		db_array_text(array, number);
	}
}

void
store_add_accept(struct db_unit *unit, int64_t at_us, struct item *const *items, size_t count)
{
	db_unit_add(unit, STORE_ACCEPT);
	db_add_int8(unit, at_us);
	for (size_t c = 0; c < ARRAY_LEN(columns); c++) {
		struct db_array *array = db_add_array(unit, columns[c].type);
		for (size_t i = 0; i < count; i++)
			add_column(array, c, items[i]);
	}
	add_calls(db_add_array(unit, DB_TEXT), items, count);
	add_besides(db_add_array(unit, DB_TEXT), items, count);
}
