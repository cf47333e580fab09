/*
 * compose - what is told to whom: from a record of the log to a message that can be queued.
 *
 * Pure: the catalogue and the people come in.  A message goes by e-mail when the person gave an
 * address, else by SMS when they gave a mobile number, else there is none.
 */
#ifndef TURUNC_COMPOSE_H
#define TURUNC_COMPOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "catalogue.h"
#include "letters.h"
#include "turunc/v1/event.pb-c.h"
#include "uuid.h"

enum {
	COMPOSE_SUBJECT_SIZE = 400,
	COMPOSE_BODY_SIZE = 16384,
	COMPOSE_SMS_SIZE = 2048,
	COMPOSE_RECIPIENT_SIZE = 256
};

/* What is kept of a record that is worth telling; strings are owned. */
struct news {
	uint64_t seq;
	int64_t ticket_id;
	const char *event; /* the templates' word: "received", "routed", ... */
	const char *type; /* the record's, lent for the process's life */
	char *department, *reason_code, *institution, *reference;
	struct uuid text_id; /* nil: none */
	struct uuid survey_id; /* of an invitation or reminder; nil: none */
	int64_t due_us;
	int status; /* turunc.v1.Status after it, 0: that of its type */
	bool faulty; /* it cannot be told, for this reason; only seq is known for sure */
	enum letter_reason fault;
	const char *detail; /* lent, may be NULL */
};

enum news_kind {
	NEWS_TOLD, /* worth telling; news holds copies (news_finish) */
	NEWS_NONE, /* nothing that citizens hear of */
	NEWS_MISFIT, /* it should be told, but it does not say what its type says */
	NEWS_NO_MEMORY,
};
MUST_CHECK enum news_kind news_of(
    const Turunc__V1__Event *event, uint64_t seq, struct news *ret_news);
void news_finish(struct news *news);
#define NEWS_SURVEY_INVITED "survey.invited"
#define NEWS_SURVEY_REMINDED "survey.reminded"
/* Types of the records that are told; at most max of them, how many there are. */
size_t news_types(const char **ret_types, size_t max);
/* The type that a template's event tells of; NULL: none. */
const char *news_type_of(const char *event);
/* It ends the ticket, so that those joined to it hear of it as well. */
bool news_ends(const struct news *news);

/* Lent for the call. */
struct person {
	int64_t ticket_id; /* their own */
	bool joined; /* somebody else opened it, they asked for the same */
	/* Name and address stood in a mail, where anybody can write anything: no name is said. */
	bool unproven;
	const char *name, *phone, *email, *language, *subject_code; /* "" when not given */
	int64_t recorded_us;
	const char *survey_token; /* of an invitation or reminder, else NULL */
	const char *stop_token; /* of its message; NULL: none */
};

struct message {
	const char *channel; /* "email" or "sms", a literal */
	const char *language;
	char recipient[COMPOSE_RECIPIENT_SIZE];
	char subject[COMPOSE_SUBJECT_SIZE];
	char body[COMPOSE_BODY_SIZE];
};

enum compose_result {
	COMPOSED,
	COMPOSE_NOBODY, /* no address and no mobile number */
	COMPOSE_NO_TEMPLATE,
	COMPOSE_TOO_LONG, /* recipient, channel and language are set; the text did not fit, or it
			     has a placeholder that nothing is known for */
};

/* By which of their addresses a person is told: "email", "sms", or NULL. */
const char *compose_channel(const struct person *person);

/* The words alone, for "email" or "sms" (a literal): ret_message has no recipient.  Never
 * COMPOSE_NOBODY. */
enum compose_result compose_words(const struct catalogue *catalogue, const struct news *news,
    const struct person *person, const char *answer, const char *channel,
    struct message *ret_message);

/* answer: the words of the department, "" when none. */
enum compose_result compose(const struct catalogue *catalogue, const struct news *news,
    const struct person *person, const char *answer, struct message *ret_message);

/* Whether an SMS may go out now; when not, *ret_until_us is when it may. */
bool compose_sms_hours(
    const struct catalogue_municipality *municipality, int64_t now_us, int64_t *ret_until_us);

#endif
