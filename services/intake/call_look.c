/* The routes of /call/, and what its pages ask of the record before they are written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "clock.h"
#include "door.h"
#include "istanbul.h"
#include "store.h"
#include "web_files.h"

enum { FOUND_MAX = 15, ADDRESS_MAX = 60 };

void
call_person_keep(struct call_person *p, const struct person *who)
{
	p->who = *who;
	(void)snprintf(p->csrf, sizeof(p->csrf), "%s", who->form_token);
	p->who.form_token = p->csrf;
	p->who.departments = NULL;
	p->who.department_count = 0;
}

const char *
call_field(const struct call_look *look, const char *name)
{
	const char *value = report_field(&look->form, name);

	return value == NULL ? "" : value;
}

const struct pg_result *
call_rows(const struct call_look *look, enum call_ask ask)
{
	if (look->reply == NULL || look->at[ask] < 0)
		return NULL;
	return look->reply->results[look->at[ask]];
}

struct call_look *
call_look_create(
    struct intake *in, struct http_request *req, const struct person *who, enum call_view view)
{
	struct call_look *look = calloc(1, sizeof(*look));

	if (look == NULL) {
		http_reply_error(req, 503, "Out of memory.");
		return NULL;
	}
	look->in = in;
	look->req = req;
	call_person_keep(&look->person, who);
	look->view = view;
	look->status = 200;
	return look;
}

static void
look_destroy(struct call_look *look)
{
	http_pairs_finish(&look->draft);
	free(look);
}

/* --- asking the record --------------------------------------------------------------------------
 */

static bool
ask(struct call_look *look, struct db_unit *unit, enum call_ask what, size_t statement)
{
	look->at[what] = (int)db_unit_statements(unit);
	db_unit_add(unit, statement);
	return true;
}

/* $1: the typed number's key or null, $2: the call or null. */
static void
add_caller(struct call_look *look, struct db_unit *unit)
{
	char key[PHONE_SIZE + 8];

	(void)snprintf(key, sizeof(key), "tel:%s", look->phone.number);
	db_add_text(unit, look->has_phone ? key : NULL);
	db_add_uuid(unit, look->has_call ? &look->call_key : NULL);
}

static void
add_calls(struct call_look *look, struct db_unit *unit, enum call_ask what, size_t statement)
{
	ask(look, unit, what, statement);
	db_add_text(unit, look->person.who.name);
	db_add_int8(unit, clock_now_us());
}

/* "'1964' & 'sokak' & '5'": whole words, which the index finds at once however many begin so.
 * Folded words hold no quote nor backslash. */
static void
street_query(const struct street *street, char out[SEARCH_QUERY_BYTES])
{
	size_t used = 0;

	for (const char *word = street->name; *word != '\0';) {
		size_t len = strcspn(word, " ");
		used += (size_t)snprintf(
		    out + used, SEARCH_QUERY_BYTES - used, "'%.*s' & ", (int)len, word);
		word += len;
		word += *word == ' ';
	}
	(void)snprintf(out + used, SEARCH_QUERY_BYTES - used, "'%s'", street->number);
}

/* What was told of this house: more than are shown, for the index knows words, not addresses. */
static void
ask_address(struct call_look *look, struct db_unit *unit)
{
	char query[SEARCH_QUERY_BYTES];

	street_query(&look->street, query);
	ask(look, unit, CALL_ASK_ADDRESS, STORE_CALL_SEARCH);
	db_add_text(unit, query);
	db_add_int8(unit, ADDRESS_MAX);
}

_Static_assert(SEARCH_QUERY_BYTES > 6 * (STREET_NAME_SIZE + STREET_NUMBER_SIZE), "it fits");

static void
fill(struct call_look *look, struct db_unit *unit)
{
	const char *subject = call_field(look, "service_code");

	for (size_t i = 0; i < CALL_ASKS; i++)
		look->at[i] = -1;
	if (look->view != CALL_VIEW_HINTS) {
		add_calls(look, unit, CALL_ASK_MINE, STORE_CALLS_MINE);
		add_calls(look, unit, CALL_ASK_WAITING, STORE_CALLS_WAITING);
	}
	if (look->view == CALL_VIEW_LIVE)
		return;
	if (subject[0] != '\0') {
		ask(look, unit, CALL_ASK_SIMILAR, STORE_CALL_SIMILAR);
		db_add_text(unit, subject);
	}
	if (look->view == CALL_VIEW_HINTS)
		return;
	if (look->has_call) {
		ask(look, unit, CALL_ASK_CALL, STORE_CALL);
		db_add_uuid(unit, &look->call_key);
	}
	if (look->has_call || look->has_phone) {
		ask(look, unit, CALL_ASK_CALLER, STORE_CALL_CALLER);
		add_caller(look, unit);
		ask(look, unit, CALL_ASK_PERSON, STORE_CALL_PERSON);
		add_caller(look, unit);
	}
	if (look->has_number) {
		ask(look, unit, CALL_ASK_NUMBER, STORE_CALL_NUMBER);
		db_add_int8(unit, look->number);
	}
	if (look->words[0] != '\0') {
		ask(look, unit, CALL_ASK_SEARCH, STORE_CALL_SEARCH);
		db_add_text(unit, look->words);
		db_add_int8(unit, FOUND_MAX);
	}
	if (look->has_street && look->street.number[0] != '\0')
		ask_address(look, unit);
	ask(look, unit, CALL_ASK_DRAFTS, STORE_CALL_DRAFTS);
	db_add_text(unit, look->person.who.name);
}

static void read_form(struct call_look *look);

/* True: the draft that was asked for was found, and the record is to be asked for what it holds. */
static bool
take_draft(struct call_look *look, const struct pg_result *drafts)
{
	bool wanted = look->draft_wanted[0] != '\0';

	for (int row = 0; wanted && row < db_rows(drafts); row++) {
		const char *fields = db_get_text(drafts, row, DRAFT_FIELDS);
		if (strcmp(db_get_text(drafts, row, DRAFT_FORM), look->draft_wanted) != 0
		    || http_pairs_parse(fields, strlen(fields), &look->draft) != HTTP_PAIRS_OK)
			continue;
		look->draft_wanted[0] = '\0';
		look->form = (struct report_form){ look->draft.at, look->draft.count };
		read_form(look);
		return true;
	}
	return false;
}

static void
on_rows(void *arg, const struct db_reply *reply)
{
	struct call_look *look = arg;

	if (reply->outcome == DB_COMMITTED) {
		look->reply = reply;
		if (look->at[CALL_ASK_DRAFTS] >= 0
		    && take_draft(look, call_rows(look, CALL_ASK_DRAFTS))) {
			look->reply = NULL;
			call_look_start(look);
			return;
		}
	} else if (reply->outcome == DB_FAILED && (look->words[0] != '\0' || look->has_street)) {
		/* The search took too long: the page goes without. */
		look->word = CALL_WORD_BROAD;
		look->words[0] = '\0';
		look->has_street = false;
		call_look_start(look);
		return;
	} else {
		look->away = true;
	}
	call_page_write(look);
	look_destroy(look);
}

void
call_look_start(struct call_look *look)
{
	struct intake *in = look->in;
	bool reached = in->lookup != NULL && db_state_now(in->lookup) == DB_READY
		       && registry_catalogue(in->registry) != NULL;
	struct db_unit *unit = reached ? db_unit_create(in->lookup) : NULL;

	if (unit != NULL)
		fill(look, unit);
	if (unit != NULL && db_submit(in->lookup, unit, on_rows, look))
		return;
	db_unit_destroy(unit);
	look->away = true;
	call_page_write(look);
	look_destroy(look);
}

/* --- what was typed ------------------------------------------------------------------------------
 */

/* A ticket's number, a telephone's, or words. */
static void
read_search(struct call_look *look, const char *typed)
{
	size_t len = strlen(typed);

	if (len == 0)
		return;
	look->searched = true;
	/* Ten digits in a row may be either. */
	bool printed = len > 2 && (typed[2] == '-' || typed[2] == ' ');
	enum number_result number = number_parse_typed(typed, &look->number);
	look->has_number = number == NUMBER_OK;
	if (number == NUMBER_WRONG_CHECK && printed)
		look->word = CALL_WORD_MISHEARD;
	if (printed && number != NUMBER_MALFORMED)
		return;
	if (phone_parse(typed, &look->phone) == PHONE_OK)
		look->has_phone = true;
	else if (!look->has_number)
		search_query(typed, look->words);
}

static void
make_token(struct call_look *look)
{
	form_token_make(look->in->secret, sizeof(look->in->secret), 0,
	    clock_now_us() + CALL_TOKEN_LIFE_H * 60 * US_PER_MIN, look->token);
}

static void
read_form(struct call_look *look)
{
	const char *call = call_field(look, "call"), *phone = call_field(look, "phone");
	const char *token = call_field(look, "token");
	struct intake *in = look->in;
	char form_id[FORM_ID_SIZE];
	int64_t nothing;

	look->has_call = uuid_parse(call, strlen(call), &look->call_key);
	look->has_street = street_of_address(call_field(look, "address_string"), &look->street);
	read_search(look, call_field(look, "q"));
	if (!look->has_phone && !look->has_number && phone[0] != '\0')
		look->has_phone = phone_parse(phone, &look->phone) == PHONE_OK;
	/* The same form goes on, so that its draft does. */
	if (strlen(token) == FORM_TOKEN_SIZE - 1
	    && form_token_read(
		in->secret, sizeof(in->secret), token, clock_now_us(), &nothing, form_id))
		memcpy(look->token, token, FORM_TOKEN_SIZE);
	else
		make_token(look);
}

static void
read_query(struct call_look *look)
{
	static const struct {
		const char *name;
		enum call_word word;
	} words[] = { { "ticket", CALL_WORD_TICKET }, { "joined", CALL_WORD_JOINED },
		{ "untold", CALL_WORD_UNTOLD }, { "ended", CALL_WORD_ENDED },
		{ "later", CALL_WORD_LATER } };
	const char *done = http_query(look->req, "done", NULL);
	const char *number = http_query(look->req, "no", NULL);
	const char *draft = http_query(look->req, "draft", NULL);
	int64_t ticket_id;

	for (size_t i = 0; done != NULL && i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].name, done) == 0)
			look->word = words[i].word;
	if (number != NULL && number_parse(number, &ticket_id) == NUMBER_OK)
		(void)!number_format(ticket_id, look->said_number);
	if (draft != NULL && strlen(draft) == FORM_ID_SIZE - 1)
		memcpy(look->draft_wanted, draft, FORM_ID_SIZE);
}

/* --- handlers ------------------------------------------------------------------------------------
 */

static void
get_page_known(void *arg, struct http_request *req, const struct person *who)
{
	struct call_look *look = call_look_create(arg, req, who, CALL_VIEW_PAGE);
	size_t count = http_query_count(req);

	if (look == NULL)
		return;
	if (count > 0)
		look->form = (struct report_form){ http_query_at(req, 0), count };
	read_query(look);
	read_form(look);
	call_look_start(look);
}

static void
get_page(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	people_ask_even_away(in->people, req, CALL_ROLES, get_page_known, in);
}

static void
get_live_known(void *arg, struct http_request *req, const struct person *who)
{
	struct call_look *look = call_look_create(arg, req, who, CALL_VIEW_LIVE);

	if (look != NULL)
		call_look_start(look);
}

static void
get_live(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	people_ask_even_away(in->people, req, CALL_ROLES, get_live_known, in);
}

static void
take_form(struct call_look *look)
{
	size_t count = http_form_count(look->req);

	if (count > 0)
		look->form = (struct report_form){ http_form_at(look->req, 0), count };
	read_form(look);
}

void
call_look_again(struct call_look *look)
{
	enum call_word word = look->word;

	take_form(look);
	look->word = word;
	if (word == CALL_WORD_OVER) /* the old one is spent */
		make_token(look);
	call_look_start(look);
}

static void
post_view(
    struct intake *in, struct http_request *req, const struct person *who, enum call_view view)
{
	struct call_look *look = call_look_create(in, req, who, view);
	char form_id[FORM_ID_SIZE];
	int64_t nothing;

	if (look == NULL)
		return;
	take_form(look);
	/* Whoever has no scripts has their draft kept whenever they look something up. */
	if (view == CALL_VIEW_PAGE
	    && form_token_read(
		in->secret, sizeof(in->secret), look->token, clock_now_us(), &nothing, form_id)
	    && report_field(&look->form, "description") != NULL)
		(void)call_draft_save(in, req, who->name, form_id, NULL, NULL);
	call_look_start(look);
}

static void
post_look_known(void *arg, struct http_request *req, const struct person *who)
{
	post_view(arg, req, who, CALL_VIEW_PAGE);
}

static void
post_look(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	people_ask_even_away(in->people, req, CALL_ROLES, post_look_known, in);
}

static void
post_hints_known(void *arg, struct http_request *req, const struct person *who)
{
	post_view(arg, req, who, CALL_VIEW_HINTS);
}

static void
post_hints(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	people_ask_even_away(in->people, req, CALL_ROLES, post_hints_known, in);
}

static void
get_script(struct http_request *req, void *arg)
{
	(void)arg;
	door_reply_file(req, "text/javascript; charset=utf-8", web_call_js, web_call_js_end);
}

static void
get_style(struct http_request *req, void *arg)
{
	(void)arg;
	door_reply_file(req, "text/css; charset=utf-8", web_call_css, web_call_css_end);
}

static void
get_bare(struct http_request *req, void *arg)
{
	static const struct http_field fields[] = { { "Location", "/call/" } };
	const struct http_response response = {
		.status = 301, .fields = fields, .field_count = ARRAY_LEN(fields)
	};

	(void)arg;
	http_reply(req, &response);
}

const struct http_route call_routes[] = {
	{ HTTP_GET, "/call", get_bare, 0 },
	{ HTTP_GET, "/call/", get_page, 0 },
	{ HTTP_GET, "/call/live", get_live, 0 },
	{ HTTP_POST, "/call/look", post_look, CALL_BODY_BYTES },
	{ HTTP_POST, "/call/hints", post_hints, CALL_BODY_BYTES },
	{ HTTP_POST, "/call/ticket", call_post_ticket, CALL_BODY_BYTES },
	{ HTTP_POST, "/call/join", call_post_join, CALL_BODY_BYTES },
	{ HTTP_POST, "/call/end", call_post_end, CALL_BODY_BYTES },
	{ HTTP_POST, "/call/draft", call_post_draft, CALL_BODY_BYTES },
	{ HTTP_GET, "/call/unassigned", unassigned_get, 0 },
	{ HTTP_POST, "/call/unassigned", unassigned_post, 4096 },
	{ HTTP_GET, "/call/call.js", get_script, 0 },
	{ HTTP_GET, "/call/call.css", get_style, 0 },
};
const size_t call_route_count = ARRAY_LEN(call_routes);
