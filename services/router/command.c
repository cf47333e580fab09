/* One command: reading it, deciding it, answering it. */
#include "command.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "trace.h"

/* --- reading ---------------------------------------------------------------------------------- */

static void
add_text(struct digest_keyed *d, const char *text)
{
	digest_keyed_add_part(d, text, strlen(text));
}

static void
add_number(struct digest_keyed *d, uint64_t number)
{
	uint8_t bytes[sizeof(number)];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> (8 * i));
	digest_keyed_add_part(d, bytes, sizeof(bytes));
}

/* All that was asked but the id; a traceparent may differ from one sending to the next. */
static void
digest_content(const Turunc__V1__Command *asked, const struct command_photos *photos,
    const uint8_t *secret, size_t secret_len, struct digest *ret_digest)
{
	struct digest_keyed d;

	digest_keyed_init(&d, secret, secret_len);
	add_text(&d, asked->ticket);
	add_number(&d, asked->expected_version);
	add_text(&d, asked->verb);
	add_text(&d, asked->reason_code);
	add_text(&d, asked->text);
	add_text(&d, asked->department);
	add_number(&d, (uint64_t)asked->until_us);
	add_text(&d, asked->institution);
	add_text(&d, asked->reference);
	add_text(&d, asked->primary);
	add_text(&d, asked->subject_code);
	add_number(&d, asked->priority);
	add_text(&d, asked->actor);
	for (size_t i = 0; i < photos->count; i++)
		add_text(&d, photos->content[i]);
	digest_keyed_finish(&d, ret_digest);
}

static int64_t
parse_number(const char *text)
{
	int64_t ticket_id;
	return number_parse(text, &ticket_id) == NUMBER_OK ? ticket_id : 0;
}

/* asked has to outlive the command. */
static struct command *
make(const Turunc__V1__Command *asked, const struct command_photos *photos, const uint8_t *secret,
    size_t secret_len, const char **ret_why)
{
	struct uuid id;

	*ret_why = "";
	if (!uuid_parse(asked->id, strlen(asked->id), &id) || uuid_is_nil(&id)) {
		*ret_why = "id: not a UUID";
		return NULL;
	}
	struct command *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->asked = asked;
	c->id = id;
	c->ticket_id = parse_number(asked->ticket);
	c->primary_id = parse_number(asked->primary);
	if (!status_verb_parse(asked->verb, &c->verb))
		c->verb = STATUS_VERBS;
	c->arrived_us = clock_monotonic_us();
	if (photos != NULL)
		c->photos = *photos;
	digest_content(asked, &c->photos, secret, secret_len, &c->digest);
	return c;
}

struct command *
command_create(struct bus_session *session, const Turunc__V1__ClientFrame *frame,
    const uint8_t *secret, size_t secret_len, const char **ret_why)
{
	struct command *c = make(frame->command, NULL, secret, secret_len, ret_why);

	if (c == NULL)
		return NULL;
	c->session = session;
	c->request = frame->request;
	c->frame = bus_take_frame(session);
	(void)snprintf(c->client, sizeof(c->client), "%s", bus_session_client(session));
	return c;
}

/* The generated code copies by way of its bytes. */
static Turunc__V1__Command *
copy(const Turunc__V1__Command *asked)
{
	size_t len = turunc__v1__command__get_packed_size(asked);
	uint8_t *bytes = malloc(len + 1);

	if (bytes == NULL)
		return NULL;
	(void)turunc__v1__command__pack(asked, bytes);
	Turunc__V1__Command *own = turunc__v1__command__unpack(NULL, len, bytes);
	free(bytes);
	return own;
}

struct command *
command_create_for(const struct asker *who, const Turunc__V1__Command *asked,
    const struct command_photos *photos, command_answered_fn *answered, void *arg,
    const uint8_t *secret, size_t secret_len, const char **ret_why)
{
	Turunc__V1__Command *own = copy(asked);
	struct command *c = NULL;

	*ret_why = "";
	if (own != NULL)
		c = make(own, photos, secret, secret_len, ret_why);
	if (c == NULL) {
		turunc__v1__command__free_unpacked(own, NULL);
		return NULL;
	}
	c->own = own;
	c->answered = answered;
	c->answered_arg = arg;
	asker_actor(who, c->client);
	if (!asker_copy(&c->asker, who)) {
		command_destroy(c);
		return NULL;
	}
	return c;
}

void
command_destroy(struct command *c)
{
	if (c == NULL)
		return;
	frame_destroy(c->frame);
	turunc__v1__command__free_unpacked(c->own, NULL);
	asker_finish(&c->asker);
	free(c);
}

/* --- deciding --------------------------------------------------------------------------------- */

static void
answer_with(struct command *c, const struct ticket *t, int refusal, const char *text)
{
	struct changes_answer *a = &c->answer;

	*a = (struct changes_answer){ .id = c->id, .digest = c->digest, .refusal = refusal };
	memcpy(a->client, c->client, sizeof(a->client));
	(void)snprintf(a->text, sizeof(a->text), "%s", text);
	if (t != NULL) {
		a->ticket_id = t->ticket_id;
		a->version = t->version;
		a->status = (int)t->status;
	}
	c->decided = true;
}

/* What the client may act as towards this ticket; 0: nothing. */
static unsigned
actors_of(const struct acl_client *rights, const struct ticket *t)
{
	if (acl_allows_all_departments(rights))
		return ACTOR_OPERATOR | ACTOR_DEPARTMENT;
	if (t->department[0] != '\0' && acl_allows_department(rights, t->department))
		return ACTOR_DEPARTMENT;
	return 0;
}

/* "user:NAME" with a login for a name: an e-mail address would be personal data in the log. */
static bool
is_user(const char *actor)
{
	enum { USER_BYTES = 64 };
	static const char prefix[] = "user:";
	size_t len = strlen(actor), from = sizeof(prefix) - 1;

	return len > from && len <= from + USER_BYTES && memcmp(actor, prefix, from) == 0
	       && strspn(actor + from, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len - from;
}

static struct step
step_of(const struct command *c, const struct step_world *world, unsigned actors, const char *actor,
    const char *id_text)
{
	const Turunc__V1__Command *asked = c->asked;
	struct step step = step_none(c->verb, actors, actor);

	step.department = asked->department;
	step.reason = asked->reason_code;
	step.text = asked->text;
	step.until_us = asked->until_us;
	step.institution = asked->institution;
	step.reference = asked->reference;
	step.names_primary = asked->primary[0] != '\0';
	if (c->primary_id != 0)
		step.primary = changes_ticket(world->changes, c->primary_id);
	if (c->verb == VERB_ROUTE || c->verb == VERB_AMEND) {
		step.subject = asked->subject_code;
		step.priority = asked->priority;
	}
	step.photos = c->photos.stored;
	step.photo_count = c->photos.count;
	step.command_id = id_text;
	if (trace_valid(asked->traceparent))
		step.traceparent = asked->traceparent;
	return step;
}

static int
refusal_of(enum step_result result)
{
	switch (result) {
	case STEP_TAKEN:
		return TURUNC__V1__REFUSAL_CODE__REFUSAL_UNSPECIFIED;
	case STEP_NOT_NOW:
		return TURUNC__V1__REFUSAL_CODE__REFUSAL_NOT_ALLOWED_NOW;
	case STEP_NOT_YOU:
		return TURUNC__V1__REFUSAL_CODE__REFUSAL_FORBIDDEN;
	case STEP_BAD_FIELD:
		return TURUNC__V1__REFUSAL_CODE__REFUSAL_BAD_FIELD;
	}
	assert(false);
	return TURUNC__V1__REFUSAL_CODE__REFUSAL_UNSPECIFIED;
}

static void
take(struct command *c, const struct step_world *world, struct ticket *t, unsigned actors)
{
	char actor[CHANGES_ACTOR_BYTES], id_text[UUID_TEXT_SIZE], why[CHANGES_WHY_BYTES] = "";
	const char *user = c->asked->actor;

	if (c->asker.name[0] != '\0')
		(void)snprintf(actor, sizeof(actor), "%s", c->client);
	else
		(void)snprintf(actor, sizeof(actor), "client:%s%s%s", c->client,
		    user[0] == '\0' ? "" : "/", user);
	uuid_format(&c->id, id_text);
	const struct step step = step_of(c, world, actors, actor, id_text);
	enum step_result result = step_take(world, t, &step, why);
	answer_with(c, t, refusal_of(result), why);
}

void
command_decide(struct command *c, const struct acl *acl, const struct step_world *world)
{
	bool person = c->asker.name[0] != '\0';
	const struct acl_client *rights = person ? NULL : acl_find_name(acl, c->client);
	struct ticket *t = c->ticket_id == 0 ? NULL : changes_ticket(world->changes, c->ticket_id);

	if (!person
	    && (rights == NULL || !acl_in_force(rights, world->now_us)
		|| !acl_allows_verb(rights, ACL_COMMAND))) {
		answer_with(c, NULL, TURUNC__V1__REFUSAL_CODE__REFUSAL_FORBIDDEN,
		    "the key's rights do not cover commands");
		return;
	}
	if (t == NULL) {
		answer_with(c, NULL, TURUNC__V1__REFUSAL_CODE__REFUSAL_NO_SUCH_TICKET,
		    "there is no ticket of that number");
		return;
	}
	unsigned actors = person ? asker_actors(&c->asker, t->department) : actors_of(rights, t);
	/* A system is not told how another department's ticket stands. */
	if (actors == 0)
		answer_with(c, person ? t : NULL, TURUNC__V1__REFUSAL_CODE__REFUSAL_FORBIDDEN,
		    person ? "these roles do not cover the ticket's department"
			   : "the key's rights do not cover the ticket's department");
	else if (c->verb == STATUS_VERBS)
		answer_with(
		    c, t, TURUNC__V1__REFUSAL_CODE__REFUSAL_BAD_FIELD, "verb: there is no such");
	else if (c->asked->actor[0] != '\0' && !is_user(c->asked->actor))
		answer_with(c, t, TURUNC__V1__REFUSAL_CODE__REFUSAL_BAD_FIELD,
		    "actor: user: and a login of a-z, 0-9, . _ -");
	else if (c->asked->expected_version != (uint32_t)t->version)
		answer_with(c, t, TURUNC__V1__REFUSAL_CODE__REFUSAL_STALE_VERSION,
		    "the ticket has another version");
	else
		take(c, world, t, actors);
}

void
command_repeat(struct command *c, const struct digest *first_digest, int refusal, const char *text,
    int32_t version, int status)
{
	if (digest_equal(&c->digest, first_digest)) {
		answer_with(c, NULL, refusal, text);
		c->answer.version = version;
		c->answer.status = status;
	} else {
		answer_with(c, NULL, TURUNC__V1__REFUSAL_CODE__REFUSAL_ID_REUSED,
		    "id: it was used with another content");
	}
	c->repeat = true;
}

void
command_give_up(struct command *c, const char *why)
{
	answer_with(c, NULL, TURUNC__V1__REFUSAL_CODE__REFUSAL_UNAVAILABLE, why);
}

/* --- answering -------------------------------------------------------------------------------- */

void
command_send(struct command *c)
{
	Turunc__V1__ServerFrame frame = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Done done = TURUNC__V1__DONE__INIT;
	Turunc__V1__Refused refused = TURUNC__V1__REFUSED__INIT;
	char id_text[UUID_TEXT_SIZE];

	if (c->answered != NULL) {
		const struct command_answer answer = { c->answer.refusal, c->answer.text,
			c->answer.version, c->answer.status,
			c->unsure
			    || (!c->repeat
				&& c->answer.refusal
				       == TURUNC__V1__REFUSAL_CODE__REFUSAL_UNSPECIFIED) };
		c->answered(c->answered_arg, &answer);
		return;
	}
	if (c->session == NULL || !bus_session_open(c->session))
		return;
	uuid_format(&c->id, id_text);
	frame.request = c->request;
	if (c->answer.refusal == TURUNC__V1__REFUSAL_CODE__REFUSAL_UNSPECIFIED) {
		done.id = id_text;
		done.version = (uint32_t)c->answer.version;
		done.status = (ticket_status)c->answer.status;
		frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_DONE;
		frame.done = &done;
	} else {
		refused.id = id_text;
		refused.code = (Turunc__V1__RefusalCode)c->answer.refusal;
		refused.text = c->answer.text;
		refused.current_version = (uint32_t)c->answer.version;
		refused.current_status = (ticket_status)c->answer.status;
		frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_REFUSED;
		frame.refused = &refused;
	}
	(void)bus_send(c->session, &frame);
}
