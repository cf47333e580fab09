/* Signing in and out. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "people_internal.h"

enum { COOKIE_BYTES = 200 };

static void
set_cookie(const struct people *p, const char *token, char out[COOKIE_BYTES])
{
	(void)snprintf(out, COOKIE_BYTES, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s",
	    people_cookie_name(p), token, p->settings.secure ? "; Secure" : "",
	    token[0] == '\0' ? "; Max-Age=0" : "");
}

/* Where the form asked to go, if one may be sent there. */
static const char *
next_of(const struct people *p, const char *next)
{
	return next != NULL && people_next_valid(next, p->prefix) ? next : NULL;
}

static void
count(struct people *p, size_t outcome)
{
	stats_add_at(p->stats, PEOPLE_STAT_SIGN_INS, outcome, 1);
}

/* --- the page --------------------------------------------------------------------------------- */

struct visit {
	struct people *people;
	struct http_request *req;
};

/* Why they see the page, where another page of ours has sent them. */
static enum people_word
reason(const struct http_request *req)
{
	if (http_query(req, "left", NULL) != NULL)
		return PEOPLE_SIGNED_OUT;
	return http_query(req, "over", NULL) != NULL ? PEOPLE_EXPIRED : PEOPLE_NOTHING;
}

/* Whoever is signed in already goes on. */
static void
on_visit(void *arg, const struct db_reply *reply)
{
	struct visit *v = arg;
	struct people *p = v->people;
	const char *next = next_of(p, http_query(v->req, "next", NULL));

	p->pending--;
	if (reply->outcome != DB_COMMITTED)
		people_reply_sign_in(p, v->req, 503, PEOPLE_AWAY, "", next, 0);
	else if (db_rows(reply->results[0]) == 1)
		people_redirect(v->req, next == NULL ? p->prefix : next, NULL);
	else
		people_reply_sign_in(p, v->req, 200, reason(v->req), "", next, 0);
	free(v);
}

void
people_get_sign_in(struct http_request *req, void *arg)
{
	struct people *p = arg;
	const char *next = next_of(p, http_query(req, "next", NULL));
	uint8_t token[PEOPLE_TOKEN_BYTES];
	struct digest session;
	bool has_session = people_session_of(p, req, token, &session);

	sodium_memzero(token, sizeof(token));
	if (!has_session) {
		people_reply_sign_in(p, req, 200, reason(req), "", next, 0);
		return;
	}
	struct visit *v = malloc(sizeof(*v));
	struct db_unit *unit = v == NULL || p->db == NULL ? NULL : db_unit_create(p->db);
	db_unit_add(unit, PEOPLE_LOOK);
	db_add_bytea(unit, session.bytes, DIGEST_BYTES);
	db_add_int8(unit, clock_real_us());
	db_add_int8(unit, p->settings.idle_ms * 1000);
	if (v != NULL)
		*v = (struct visit){ p, req };
	if (unit != NULL && db_submit(p->db, unit, on_visit, v)) {
		p->pending++;
		return;
	}
	db_unit_destroy(unit);
	free(v);
	people_reply_sign_in(p, req, 503, PEOPLE_AWAY, "", next, 0);
}

/* --- the form --------------------------------------------------------------------------------- */

static void
on_attempt(struct people_attempt *a, enum people_verdict verdict)
{
	struct people *p = a->people;
	const char *next = a->next[0] == '\0' ? NULL : a->next;
	char cookie[COOKIE_BYTES];

	switch (verdict) {
	case ATTEMPT_MATCHED:
		count(p, SIGN_IN_DONE);
		if (a->has_former)
			people_forget(p, &a->former);
		set_cookie(p, a->token, cookie);
		people_redirect(a->req, next == NULL ? p->prefix : next, cookie);
		sodium_memzero(cookie, sizeof(cookie));
		break;
	case ATTEMPT_WRONG:
		count(p, SIGN_IN_WRONG);
		if (a->locks[0] != '\0')
			log_warn("sign-in locked after too many wrong passwords, for a time of=%s",
			    log_quoted(a->locks));
		people_reply_sign_in(p, a->req, 401, PEOPLE_WRONG, a->name, next, 0);
		break;
	case ATTEMPT_LOCKED:
		count(p, SIGN_IN_LOCKED);
		people_reply_sign_in(
		    p, a->req, 429, PEOPLE_NOTHING, a->name, next, a->wait_us > 0 ? a->wait_us : 1);
		break;
	case ATTEMPT_BUSY:
		count(p, SIGN_IN_BUSY);
		people_reply_sign_in(p, a->req, 503, PEOPLE_BUSY, a->name, next, 0);
		break;
	case ATTEMPT_AWAY:
		count(p, SIGN_IN_AWAY);
		people_reply_sign_in(p, a->req, 503, PEOPLE_AWAY, a->name, next, 0);
		break;
	}
}

/* Phones begin with a capital and end with a space.  What cannot be a name is nobody's, and is
 * treated as any other that is nobody's. */
static void
take_name(const char *typed, char ret_name[PEOPLE_NAME_BYTES + 1])
{
	size_t len;

	typed += strspn(typed, " ");
	for (len = 0; typed[len] != '\0' && len < PEOPLE_NAME_BYTES + 1U; len++)
		;
	while (len > 0 && typed[len - 1] == ' ')
		len--;
	if (len > PEOPLE_NAME_BYTES)
		len = 0;
	for (size_t i = 0; i < len; i++)
		ret_name[i] = (char)(typed[i] >= 'A' && typed[i] <= 'Z' ? typed[i] - 'A' + 'a'
									: typed[i]);
	ret_name[len] = '\0';
	if (!people_name_valid(ret_name))
		ret_name[0] = '\0';
}

void
people_post_sign_in(struct http_request *req, void *arg)
{
	struct people *p = arg;
	const char *name = http_form(req, "name", NULL),
		   *password = http_form(req, "password", NULL);
	const char *next = next_of(p, http_form(req, "next", NULL));
	uint8_t token[PEOPLE_TOKEN_BYTES];

	if (!people_is_ours(p, req)) {
		count(p, SIGN_IN_FOREIGN);
		people_reply_sign_in(p, req, 403, PEOPLE_FOREIGN, "", next, 0);
		return;
	}
	/* Longer than any password can be: nothing to look at, nothing to count. */
	if (name == NULL || password == NULL || password[0] == '\0'
	    || strlen(password) > PASSWORD_MAX) {
		count(p, SIGN_IN_WRONG);
		people_reply_sign_in(p, req, 401, PEOPLE_WRONG, "", next, 0);
		return;
	}
	struct people_attempt *a = calloc(1, sizeof(*a));
	if (a == NULL) {
		count(p, SIGN_IN_AWAY);
		people_reply_sign_in(p, req, 503, PEOPLE_AWAY, "", next, 0);
		return;
	}
	a->people = p;
	a->req = req;
	a->done = on_attempt;
	take_name(name, a->name);
	(void)snprintf(a->password, sizeof(a->password), "%s", password);
	(void)snprintf(a->next, sizeof(a->next), "%s", next == NULL ? "" : next);
	a->has_former = people_session_of(p, req, token, &a->former);
	/* Whatever the browser came with, it leaves with a session of its own. */
	people_token_make(token, a->token);
	people_token_digest(token, &a->session);
	sodium_memzero(token, sizeof(token));
	people_attempt_run(a);
}

/* --- out -------------------------------------------------------------------------------------- */

static void
on_ended(void *arg, const struct db_reply *reply)
{
	struct visit *v = arg;
	struct people *p = v->people;
	char cookie[COOKIE_BYTES], to[PEOPLE_PATH_SIZE];

	p->pending--;
	if (reply->outcome == DB_COMMITTED) {
		stats_incr(p->stats, PEOPLE_STAT_SIGN_OUTS);
		set_cookie(p, "", cookie);
		(void)snprintf(to, sizeof(to), "%ssign-in?left=1", p->prefix);
		people_redirect(v->req, to, cookie);
	} else {
		/* The session may still be there, so the browser keeps what ends it. */
		people_reply_word(p, v->req, 503, PEOPLE_AWAY, NULL);
	}
	free(v);
}

static void
sign_out(void *arg, struct http_request *req, const struct person *who)
{
	struct people *p = arg;
	uint8_t token[PEOPLE_TOKEN_BYTES];
	char address[PEOPLE_ADDRESS_SIZE];
	struct digest session;
	struct visit *v = malloc(sizeof(*v));
	bool has_session = people_session_of(p, req, token, &session);
	struct db_unit *unit = v == NULL || p->db == NULL || !has_session ? NULL
									  : db_unit_create(p->db);

	(void)who;
	sodium_memzero(token, sizeof(token));
	people_address(http_client_address(req), address);
	db_unit_add(unit, PEOPLE_END);
	db_add_bytea(unit, session.bytes, DIGEST_BYTES);
	db_add_int8(unit, clock_real_us());
	db_add_text(unit, address);
	if (v != NULL)
		*v = (struct visit){ p, req };
	people_forget(p, &session);
	if (unit != NULL && db_submit(p->db, unit, on_ended, v)) {
		p->pending++;
		return;
	}
	db_unit_destroy(unit);
	free(v);
	people_reply_word(p, req, 503, PEOPLE_AWAY, NULL);
}

void
people_post_sign_out(struct http_request *req, void *arg)
{
	people_ask(arg, req, PEOPLE_ANY, sign_out, arg);
}
