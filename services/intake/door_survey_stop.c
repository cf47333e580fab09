/* The page behind the link that ends mails which ask whether one is satisfied.  Looking at it ends
 * nothing; what a mail program posts by itself does (RFC 8058), and can be taken back there.  While
 * the record is away it is kept on disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "door.h"
#include "html.h"
#include "log.h"
#include "store.h"
#include "survey_link.h"
#include "survey_stops.h"

enum { BODY_BYTES = 4096, RETRY_MS = 1000, RETRY_CAP_MS = 60000 };

/* One request, from the link to its answer. */
struct stopping {
	struct intake *in;
	struct http_request *req;
	bool says; /* or only looks */
	bool again; /* wants to be asked again */
	struct uuid message;
	char token[SURVEY_LINK_SIZE];
};

/* --- pages ------------------------------------------------------------------------------------ */

static void
begin_page(const struct stopping *s, struct html *h)
{
	enum catalogue_language language = html_language(s->req);
	char path[sizeof(SURVEY_STOP_PATH) + SURVEY_LINK_SIZE];

	(void)snprintf(path, sizeof(path), SURVEY_STOP_PATH "%s", s->token);
	html_begin(h, language,
	    language == CATALOGUE_EN ? "Satisfaction surveys" : "Memnuniyet anketleri", path);
}

static void
end(struct stopping *s, size_t outcome)
{
	stats_add_at(s->in->stats, INTAKE_STAT_SURVEY_STOPS, outcome, 1);
	free(s);
}

static void
complain(
    struct stopping *s, unsigned status, const char *turkish, const char *english, size_t outcome)
{
	struct html h;

	begin_page(s, &h);
	html_complaint(&h, html_say(&h, turkish, english));
	html_reply(&h, s->req, status);
	end(s, outcome);
}

/* Whoever comes again, as we say, is not slowed down for it. */
static void
reply_away(struct stopping *s)
{
	if (s->says)
		ratelimit_give_back(
		    s->in->stops_per_message, s->message.bytes, sizeof(s->message.bytes));
	complain(s, 503, "İsteğiniz şu anda kaydedilemiyor. Birazdan yeniden deneyin.",
	    "Your wish cannot be recorded at the moment. Try again shortly.", STOPPED_AWAY);
}

static void
reply_wrong(struct stopping *s)
{
	complain(s, 404,
	    "Bu bağlantı geçerli değil ya da ilgili kişisel veriler silinmiş. İletideki "
	    "bağlantının tamamını açtığınızdan emin olun.",
	    "This link is not valid, or the personal data in question was erased. Make sure that "
	    "you opened the whole link of the message.",
	    STOPPED_WRONG);
}

static void
reply_state(struct stopping *s, bool refused, size_t outcome)
{
	struct html h;

	begin_page(s, &h);
	html_element(&h, "p", NULL,
	    refused ? html_say(&h,
		"Bu iletinin gönderildiği adrese artık memnuniyet anketi "
		"gönderilmeyecektir.",
		"No more satisfaction surveys will be sent to the address that this "
		"message went to.")
		    : html_say(&h,
			"Bu iletinin gönderildiği adrese, başvurular sonuçlandıktan sonra "
			"memnuniyet anketi gönderilmektedir.",
			"Satisfaction surveys are sent to the address that this message went "
			"to, after requests have been dealt with."));
	html_element(&h, "p", NULL,
	    html_say(&h,
		"Başvurularınızın durumuna ilişkin bilgilendirme e-postaları bundan etkilenmez.",
		"E-mails on the state of your requests are not affected."));
	html_raw(&h, "<form method=\"post\" action=\"" SURVEY_STOP_PATH);
	html_text(&h, s->token);
	html_raw(&h, h.language == CATALOGUE_EN ? "?lang=en\">\n" : "?lang=tr\">\n");
	if (refused)
		html_hidden(&h, "again", "yes");
	else
		html_hidden(&h, "List-Unsubscribe", "One-Click");
	html_element(&h, "button", NULL,
	    refused ? html_say(&h, "Anketleri yeniden almak istiyorum", "Send surveys again")
		    : html_say(&h, "Artık anket almak istemiyorum", "Send no more surveys"));
	html_raw(&h, "</form>\n");
	html_reply(&h, s->req, 200);
	end(s, outcome);
}

/* --- while the record is away ----------------------------------------------------------------- */

/* Mail programs post once and do not come again, and who clicks has done what was asked of them: so
 * it is kept on disk, as a report would be.  Behind what waits already, also when the record is
 * back, for two messages may have gone to one address. */
static bool
has_to_be_kept(const struct intake *in)
{
	return in->stops != NULL && (in->writer_lost || survey_stops_count(in->stops) > 0);
}

static void
keep(struct stopping *s)
{
	const struct survey_wish wish = { s->message, s->again, clock_now_us() };

	if (s->in->stops == NULL || !survey_stops_keep(s->in->stops, &wish)) {
		reply_away(s);
		return;
	}
	stats_set(s->in->stats, INTAKE_STAT_SURVEY_STOPS_WAITING,
	    (int64_t)survey_stops_count(s->in->stops));
	reply_state(s, !s->again, STOPPED_KEPT);
}

struct bringing {
	struct intake *in;
	struct survey_wish wish;
};

static void
on_brought(void *arg, const struct db_reply *reply)
{
	struct bringing *b = arg;
	struct intake *in = b->in;
	struct stops_drain *drain = &in->stops_drain;
	const struct backoff backoff = { RETRY_MS, RETRY_CAP_MS, 0 };
	bool settled = reply->outcome == DB_COMMITTED && survey_stops_done(in->stops, &b->wish);

	if (reply->outcome == DB_FAILED)
		log_error("a refusal of surveys cannot be brought to the record sqlstate=%s",
		    reply->sqlstate);
	free(b);
	stats_set(
	    in->stats, INTAKE_STAT_SURVEY_STOPS_WAITING, (int64_t)survey_stops_count(in->stops));
	drain->under_way = false;
	drain->failures = settled ? 0 : drain->failures + 1;
	drain->next_ms =
	    settled ? 0 : clock_monotonic_ms() + backoff_delay_ms(&backoff, drain->failures - 1, 0);
	door_survey_stop_bring(in);
}

/* One at a time, the oldest first; said twice it is what it was. */
void
door_survey_stop_bring(struct intake *in)
{
	struct stops_drain *drain = &in->stops_drain;
	const struct survey_wish *first = in->stops == NULL ? NULL : survey_stops_first(in->stops);

	if (first == NULL || drain->under_way || in->writer_lost
	    || clock_monotonic_ms() < drain->next_ms)
		return;
	struct bringing *b = malloc(sizeof(*b));
	struct db_unit *unit = b == NULL ? NULL : db_unit_create(in->writer);
	db_unit_add(unit, STORE_SURVEY_REFUSE);
	db_add_uuid(unit, &first->message);
	db_add_bool(unit, !first->again);
	db_add_int8(unit, first->at_us);
	if (b != NULL)
		*b = (struct bringing){ in, *first };
	drain->under_way = unit != NULL && db_submit(in->writer, unit, on_brought, b);
	if (!drain->under_way) {
		db_unit_destroy(unit);
		free(b);
	}
}

/* --- requests --------------------------------------------------------------------------------- */

static void
on_state(void *arg, const struct db_reply *reply)
{
	struct stopping *s = arg;

	/* Whether it was committed or not: the same once more changes nothing. */
	if (s->says && (reply->outcome == DB_NOT_SENT || reply->outcome == DB_UNKNOWN)) {
		keep(s);
		return;
	}
	if (reply->outcome != DB_COMMITTED) {
		reply_away(s);
		return;
	}
	int64_t state = db_get_int(reply->results[0], 0, 0);
	bool stands = state == SURVEY_REFUSAL_STANDS;
	if (state == SURVEY_REFUSAL_OF_NOTHING)
		reply_wrong(s);
	else
		reply_state(s, stands,
		    !s->says ? STOPPED_SHOWN
		    : stands ? STOPPED_REFUSED
			     : STOPPED_AGAIN);
}

/* What was said last, and is not there yet, is what will be. */
static bool
shown_from_disk(struct stopping *s)
{
	const struct survey_wish *kept = s->says || s->in->stops == NULL
					     ? NULL
					     : survey_stops_find(s->in->stops, &s->message);

	if (kept != NULL)
		reply_state(s, !kept->again, STOPPED_SHOWN);
	return kept != NULL;
}

static void
ask(struct stopping *s)
{
	struct db *db = s->says ? s->in->writer : s->in->reader; /* each has its statements */

	if (s->says && has_to_be_kept(s->in)) {
		keep(s);
		return;
	}
	if (shown_from_disk(s))
		return;
	struct db_unit *unit = s->says && s->in->writer_lost ? NULL : db_unit_create(db);
	db_unit_add(unit, s->says ? STORE_SURVEY_REFUSE : STORE_SURVEY_REFUSAL);
	db_add_uuid(unit, &s->message);
	if (s->says) {
		db_add_bool(unit, !s->again);
		db_add_int8(unit, clock_now_us());
	}
	if (unit != NULL && db_submit(db, unit, on_state, s))
		return;
	db_unit_destroy(unit);
	if (s->says)
		keep(s);
	else
		reply_away(s);
}

static void
reply_limited(struct stopping *s, size_t outcome)
{
	complain(s, 429, "Çok sık denendi. Bir dakika sonra yeniden deneyin.",
	    "Tried too often. Try again in a minute.", outcome);
}

/* Who brings wrong links is slowed down as at the page that asks; who brings a right one is not,
 * for a mail service posts for many.  But each change is a commit beside those of new tickets, so
 * of each message there are but so many, wherever they come from. */
static void
visit(struct http_request *req, struct intake *in, bool says)
{
	const char *address = http_client_network(req), *token = http_path_param(req, "token");
	struct stopping *s = calloc(1, sizeof(*s));
	uint64_t wait_ms;

	if (s == NULL) {
		http_reply_retry(req, 503, "Out of memory.", 1);
		return;
	}
	s->in = in;
	s->req = req;
	s->says = says;
	if (!ratelimit_take(
		in->track_per_address, address, strlen(address), clock_monotonic_ms(), &wait_ms)) {
		reply_limited(s, STOPPED_LIMITED);
		return;
	}
	if (!in->mail_key.given
	    || !survey_stop_read(
		in->mail_key.bytes, sizeof(in->mail_key.bytes), token, &s->message)) {
		reply_wrong(s);
		return;
	}
	ratelimit_give_back(in->track_per_address, address, strlen(address));
	if (says
	    && !ratelimit_take(in->stops_per_message, s->message.bytes, sizeof(s->message.bytes),
		clock_monotonic_ms(), &wait_ms)) {
		reply_limited(s, STOPPED_LIMITED_MESSAGE);
		return;
	}
	memcpy(s->token, token, SURVEY_LINK_SIZE);
	const char *again = says ? http_form(req, "again", NULL) : NULL;
	s->again = again != NULL && strcmp(again, "yes") == 0;
	ask(s);
}

static void
get_stop(struct http_request *req, void *arg)
{
	visit(req, arg, false);
}

/* Whatever the body is in: a mail program may send its one field as a form or as parts. */
static void
post_stop(struct http_request *req, void *arg)
{
	visit(req, arg, true);
}

const struct http_route door_survey_stop_routes[] = {
	{ HTTP_GET, SURVEY_STOP_PATH "{token}", get_stop, 0 },
	{ HTTP_POST, SURVEY_STOP_PATH "{token}", post_stop, BODY_BYTES },
};
const size_t door_survey_stop_route_count = ARRAY_LEN(door_survey_stop_routes);
