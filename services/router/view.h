/*
 * view - a ticket as one reader may see it, cut at the moment of sending.
 *
 * What counts is the ticket's department now and the reader's rights now:
 *	rights that do not cover the department: number, status and department only;
 *	subjects of a special category (health, social aid): what was said, where, and by whom only
 *	    with full personal data;
 *	the citizen: full, masked or absent, as the rights say.
 * A view lends everything from the ticket it is cut from, and is gone with the frame it is put in.
 */
#ifndef ROUTER_VIEW_H
#define ROUTER_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acl.h"
#include "base.h"
#include "number.h"
#include "phone.h"
#include "turunc/v1/ticket.pb-c.h"

struct pg_result;

enum { VIEW_ANSWERS_MAX = 64, VIEW_MASK_BYTES = 256 };

/* Everything that is known; strings are never NULL, lent by the result it was read from. */
struct view_ticket {
	int64_t ticket_id, primary_id; /* primary 0: none */
	int status, channel, priority; /* of turunc.v1 */
	uint32_t version;
	const char *department, *subject_code, *neighbourhood;
	const char *description, *address, *media_url, *answers; /* answers: JSON */
	bool has_position;
	double latitude, longitude;
	int64_t arrived_us, recorded_us, legal_due_us, service_due_us;
	const char *name, *phone, *email;
};

/* The rows of STORE_STREAM_VIEWS and STORE_STREAM_OPEN begin with the same columns. */
void view_read(const struct pg_result *rows, int row, struct view_ticket *ret_ticket);

enum view_cut {
	VIEW_WHOLE,
	VIEW_CUT_DEPARTMENT, /* not the reader's department */
	VIEW_CUT_CATEGORY, /* special category, without full personal data */
	VIEW_CUT_SIZE, /* too large for a frame: as for another department */
	VIEW_CUTS
};

/* The message with what it points into; valid where it was filled, until cleared. */
struct view {
	Turunc__V1__TicketView message;
	Turunc__V1__Position position;
	Turunc__V1__Citizen citizen;
	Turunc__V1__Attachment attachment, *attachments[1];
	Turunc__V1__Answer answers[VIEW_ANSWERS_MAX], *answer_list[VIEW_ANSWERS_MAX];
	char number[NUMBER_SIZE], primary[NUMBER_SIZE];
	char name[VIEW_MASK_BYTES], phone[PHONE_SIZE], email[VIEW_MASK_BYTES];
	void *json; /* keeps the answers' strings */
	char **values;
};

/* special: the ticket's subject is of a special category. */
enum view_cut view_cut(struct view *v, const struct view_ticket *ticket,
    const struct acl_client *rights, bool special);
/* Number, status and department only. */
void view_cut_short(struct view *v, const struct view_ticket *ticket);
/* After each cut, when the message was packed. */
void view_clear(struct view *v);

/* "Ayşe Yılmaz" -> "A*** Y***": the first letter of each word. */
void view_mask_name(const char *name, char out[VIEW_MASK_BYTES]);
/* "ayse@example.org" -> "a***@example.org". */
void view_mask_email(const char *email, char out[VIEW_MASK_BYTES]);

#endif
