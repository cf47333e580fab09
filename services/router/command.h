/*
 * command - one command in hand: what was asked, by whom, and what is answered.
 */
#ifndef ROUTER_COMMAND_H
#define ROUTER_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "acl.h"
#include "asker.h"
#include "attachment.h"
#include "base.h"
#include "bus.h"
#include "changes.h"
#include "frame.h"
#include "photos.h"
#include "step.h"

/* What is told to a person who asked; text lasts for the call. */
struct command_answer {
	int refusal; /* of turunc.v1.RefusalCode, 0: done */
	const char *text;
	int32_t version; /* of the ticket, 0: there is none */
	int status;
	bool kept; /* what was stored for it is spoken of in the record, or may be */
};
/* What comes with a person's command: durable files, and digests of what was sent (of the pictures
 * alone, without the salt of their names). */
struct command_photos {
	size_t count;
	struct attachment stored[PHOTOS_MAX];
	char content[PHOTOS_MAX][DIGEST_HEX_SIZE];
};
typedef void command_answered_fn(void *arg, const struct command_answer *answer);

struct command {
	TAILQ_ENTRY(command) link;
	struct bus_session *session; /* NULL: a person's, or gone and nobody is told */
	uint64_t request;
	struct frame *frame; /* owned; asked lends from it */
	Turunc__V1__Command *own; /* owned, a person's: asked is this */
	struct asker asker; /* the person; without a name: a bus session asked */
	command_answered_fn *answered;
	void *answered_arg;
	const Turunc__V1__Command *asked;
	char client[CHANGES_CLIENT_BYTES]; /* whose ids these are: the client, or user:NAME */
	struct uuid id;
	int64_t ticket_id; /* as asked for, perhaps an alias; 0: not a number */
	int64_t primary_id; /* 0: none named, or not a number */
	struct command_photos photos;
	enum status_verb verb; /* STATUS_VERBS: no such verb */
	struct digest digest; /* of the content */
	int64_t arrived_us; /* monotonic */
	unsigned attempts;
	bool decided;
	bool unsure; /* sent to the record once and not heard to be committed: files stay */
	bool repeat; /* the answer is a former one: nothing to write */
	struct changes_answer answer;
};
TAILQ_HEAD(command_list, command);

/* NULL, with a refusal in *ret_why, when the id is no UUID; NULL and "" when memory is out.  Takes
 * the frame on success.  secret keys the digest. */
struct command *command_create(struct bus_session *session, const Turunc__V1__ClientFrame *frame,
    const uint8_t *secret, size_t secret_len, const char **ret_why);
/* The same for a person at one of our own pages; asked and photos (NULL: none) are copied. */
struct command *command_create_for(const struct asker *who, const Turunc__V1__Command *asked,
    const struct command_photos *photos, command_answered_fn *answered, void *arg,
    const uint8_t *secret, size_t secret_len, const char **ret_why);
void command_destroy(struct command *c);

/* Decides: fills answer, and when the step is taken, the changes.  A client's rights are those that
 * acl has now, a person's those of c->asker, which the caller has looked up. */
void command_decide(struct command *c, const struct acl *acl, const struct step_world *world);
/* The first answer to this id is known. */
void command_repeat(struct command *c, const struct digest *first_digest, int refusal,
    const char *text, int32_t version, int status);
/* Not decided: to be sent again. */
void command_give_up(struct command *c, const char *why);

/* Sends the answer, when anybody is there to hear it. */
void command_send(struct command *c);

#endif
