/* The page on which people change their own password. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "people_internal.h"

enum { PASSWORD_CHANGED, PASSWORD_REFUSED };

static void
count(struct people *p, size_t outcome)
{
	stats_add_at(p->stats, PEOPLE_STAT_PASSWORDS, outcome, 1);
}

static void
show(void *arg, struct http_request *req, const struct person *who)
{
	people_reply_password(arg, req, 200, PEOPLE_NOTHING, who);
}

void
people_get_password(struct http_request *req, void *arg)
{
	people_ask(arg, req, PEOPLE_ANY, show, arg);
}

/* --- changing it -------------------------------------------------------------------------------
 */

/* The attempt with the person it is of, who was lent only for the call. */
struct changing {
	struct people_attempt attempt; /* first: how it is given back */
	struct person who;
	char form_token[PEOPLE_TOKEN_SIZE];
};

static void
refuse(struct people *p, struct http_request *req, unsigned status, enum people_word word,
    const struct person *who)
{
	count(p, PASSWORD_REFUSED);
	people_reply_password(p, req, status, word, who);
}

static void
on_attempt(struct people_attempt *a, enum people_verdict verdict)
{
	struct changing *c = (struct changing *)a;

	switch (verdict) {
	case ATTEMPT_MATCHED:
		count(a->people, PASSWORD_CHANGED);
		people_forget_all(a->people);
		people_reply_password(a->people, a->req, 200, PEOPLE_CHANGED, &c->who);
		break;
	case ATTEMPT_WRONG:
		refuse(a->people, a->req, 422, PEOPLE_OLD_WRONG, &c->who);
		break;
	case ATTEMPT_LOCKED:
		count(a->people, PASSWORD_REFUSED);
		people_reply_sign_in(a->people, a->req, 429, PEOPLE_NOTHING, a->name, NULL,
		    a->wait_us > 0 ? a->wait_us : 1);
		break;
	case ATTEMPT_BUSY:
		refuse(a->people, a->req, 503, PEOPLE_BUSY, &c->who);
		break;
	case ATTEMPT_AWAY:
		refuse(a->people, a->req, 503, PEOPLE_AWAY, &c->who);
		break;
	}
}

static struct changing *
begin(struct people *p, struct http_request *req, const struct person *who)
{
	uint8_t token[PEOPLE_TOKEN_BYTES];
	struct changing *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->attempt.people = p;
	c->attempt.req = req;
	c->attempt.done = on_attempt;
	c->who = *who;
	c->who.departments = NULL;
	c->who.department_count = 0;
	(void)snprintf(c->form_token, sizeof(c->form_token), "%s", who->form_token);
	c->who.form_token = c->form_token;
	memcpy(c->attempt.name, who->name, sizeof(c->attempt.name));
	bool has_session = people_session_of(p, req, token, &c->attempt.session);
	sodium_memzero(token, sizeof(token));
	if (!has_session) {
		free(c);
		return NULL;
	}
	return c;
}

static void
change(void *arg, struct http_request *req, const struct person *who)
{
	struct people *p = arg;
	const char *old = http_form(req, "old", NULL), *new = http_form(req, "new", NULL),
		   *again = http_form(req, "again", NULL);

	if (old == NULL || new == NULL || again == NULL || strlen(old) > PASSWORD_MAX) {
		refuse(p, req, 422, PEOPLE_OLD_WRONG, who);
		return;
	}
	enum password_fault fault = password_judge(who->name, new);
	if (strcmp(new, again) != 0) {
		refuse(p, req, 422, PEOPLE_UNLIKE, who);
	} else if (fault != PASSWORD_FINE) {
		refuse(p, req, 422, (enum people_word)(PEOPLE_FAULTY + fault), who);
	} else if (strcmp(old, new) == 0) {
		refuse(p, req, 422, PEOPLE_SAME, who);
	} else {
		struct changing *c = begin(p, req, who);
		if (c == NULL) {
			refuse(p, req, 503, PEOPLE_AWAY, who);
			return;
		}
		(void)snprintf(c->attempt.password, sizeof(c->attempt.password), "%s", old);
		(void)snprintf(c->attempt.new_password, sizeof(c->attempt.new_password), "%s", new);
		people_attempt_run(&c->attempt);
	}
}

void
people_post_password(struct http_request *req, void *arg)
{
	people_ask(arg, req, PEOPLE_ANY, change, arg);
}
