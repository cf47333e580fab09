/*
 * demo - a month played through the real doors: the state that the parts of the player share.
 *
 * demo.c moves the clock and waits at each step until the system has caught up (demo_pace.c), so
 * that what one step makes due happens before the next one.  demo_bus.c holds the clients of the
 * bus; demo_calls.c plays the call centre, demo_work.c the departments, demo_doors.c and
 * demo_citizens.c the citizens.  What was said and was taken is counted (demo_counts.h).
 */
#ifndef MASA_DEMO_H
#define MASA_DEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <turunc/client.h>

#include "base.h"
#include "demo_agenda.h"
#include "demo_counts.h"
#include "demo_people.h"
#include "demo_plan.h"
#include "masa.h"

struct curl_waitfd;
struct catalogue;
struct catalogue_department;
struct demo_bus;
struct demo_doors;
struct demo_errands;
struct demo_tickets;

enum { DEMO_NUMBER_SIZE = 24, DEMO_TROUBLES_SHOWN = 20 };

struct demo_options {
	struct demo_month month;
	struct demo_share share;
	uint64_t seed;
	double speed; /* 0: as fast as the system follows */
	uint32_t leave_out; /* 0: nothing; else that call of those that end with information */
	const char *keys; /* the folder that deploy/march made */
	char api_key[256];
	const char *clock_file;
	const char *intake_url, *sink_url, *lmtp, *cimer_dir;
};

/* Where the time of the player went, by what it waited for. */
enum { DEMO_WAITS_MAX = 16 };
struct demo_waits {
	struct demo_wait {
		const char *what;
		int64_t us;
	} at[DEMO_WAITS_MAX];
	int64_t since_us;
	uint64_t steps;
};

struct demo {
	struct masa *m;
	struct demo_options options;
	const struct catalogue *cat;
	struct demo_plan plan;
	struct demo_people people;
	struct demo_agenda agenda;
	struct demo_counts counts;
	struct demo_bus *bus;
	struct demo_doors *doors;
	struct demo_errands *errands;
	struct demo_tickets *tickets;
	int64_t now_us; /* what the clock shows, as it was set last */
	uint32_t informations; /* calls that ended with information, so far */
	uint64_t sink_after; /* messages of the sink that were read */
	uint64_t messages;
	uint64_t news_through; /* of the log, what departments must have heard */
	uint64_t news_expected, news_heard;
	/* What was due by then, and the log to there, must be told before the next step. */
	int64_t told_us, told_seq;
	const char *behind;
	struct demo_waits waits;
	uint64_t troubles;
	char last_number[DEMO_NUMBER_SIZE]; /* of a ticket that a caller of this step can mean */
	char newest_number[DEMO_NUMBER_SIZE]; /* of one of the next step */
	uint32_t newest; /* whose: whichever is answered first, the same one is meant */
};

/* Something did not go as played: said, and counted; the month goes on. */
PRINTF(2, 3) void demo_trouble(struct demo *d, const char *format, ...);
void demo_plan_act(
    struct demo *d, int64_t at_us, enum demo_act act, uint32_t about, uint32_t version);

/* Plays it.  The counts are true when it is MASA_OK and there were no troubles. */
MUST_CHECK enum exit_code demo_play(struct demo *d);

/* --- pace: is everything done that the clock has made due? --------------------------------------
 */
/* *ret_done when the services, and the departments of the player, have nothing left to do. */
MUST_CHECK enum exit_code demo_pace_open(struct demo *d);
MUST_CHECK enum exit_code demo_pace_look(struct demo *d, bool *ret_done);
/* What was still to be done when it was looked last, for whoever waits in vain. */
const char *demo_pace_behind(const struct demo *d);
/* The time since this was called last was spent on that; what is a word that stays. */
void demo_pace_spent(struct demo *d, const char *what);
/* Every reader of the log among the services has reached its end. */
MUST_CHECK enum exit_code demo_pace_readers(struct demo *d, bool *ret_done);

/* --- bus ----------------------------------------------------------------------------------------
 */
enum demo_said { /* what an event was about, when its answer comes */
	SAID_OFFERED,
	SAID_ABANDONED,
	SAID_ANSWERED,
	SAID_ASKED,
	SAID_ENDED,
	SAID_DESK,
	SAID_SMS
};

MUST_CHECK enum exit_code demo_bus_open(struct demo *d);
void demo_bus_close(struct demo *d);
/* Waits for at most wait_ms and does what came. */
void demo_bus_pump(struct demo *d, int wait_ms);
/* No event or command is without an answer. */
bool demo_bus_idle(const struct demo *d);
/* id, source and type are filled in by the caller. */
void demo_bus_publish(
    struct demo *d, const Turunc__V1__InboundEvent *event, enum demo_said said, uint32_t about);
/* By the department that has the ticket, or by the operator (NULL). */
void demo_bus_command(struct demo *d, const struct catalogue_department *by,
    const Turunc__V1__Command *command, uint32_t ticket);

/* --- the call centre ----------------------------------------------------------------------------
 */
void demo_calls_act(struct demo *d, const struct demo_entry *entry);
void demo_calls_desk(struct demo *d, uint32_t contact);
void demo_calls_sms(struct demo *d, uint32_t ticket, const char *phone, const char *text);
/* An event was taken; ticket is "" or a number. */
void demo_calls_taken(struct demo *d, enum demo_said said, uint32_t about, const char *ticket);

/* --- departments --------------------------------------------------------------------------------
 */
struct demo_ticket {
	char number[DEMO_NUMBER_SIZE];
	uint32_t contact; /* UINT32_MAX: not known yet */
	const struct catalogue_department *department;
	uint32_t version, told_version;
	Turunc__V1__Status status;
	bool asked; /* a command is on its way */
	bool withdrawn; /* the citizen has said so: nobody works on it any more */
	bool bounced, moved, waited, interim; /* has happened */
	uint32_t ends;
	int64_t ended_us; /* the last time */
	int64_t answered_us; /* the first time; 0: not yet */
	int64_t legal_due_us, service_due_us; /* as its department was told last; 0: none */
	const struct catalogue_subject *subject; /* as keyed in; else as it was shown */
	const struct catalogue_subject *keyed; /* by the command on its way */
	const struct catalogue_department *owner; /* who took it up first */
	uint32_t hops;
	const char *verb; /* of the command on its way */
	const struct catalogue_department *to;
	const struct catalogue_department *left; /* who gave it back, until it is routed again */
	char link[72]; /* of the last invitation, a path; "": by SMS alone */
	uint32_t invitations;
	int score; /* what the citizen says to it */
	bool not_solved;
};

MUST_CHECK bool demo_work_open(struct demo *d);
void demo_work_close(struct demo *d);
/* Of that number, made when it is new; NULL: no memory. */
struct demo_ticket *demo_work_ticket(struct demo *d, const char *number);
/* NULL: there are not so many. */
struct demo_ticket *demo_work_at(struct demo *d, uint32_t index);
uint32_t demo_work_index(const struct demo *d, const struct demo_ticket *t);
void demo_work_heard(
    struct demo *d, const struct catalogue_department *by, const Turunc__V1__Record *record);
void demo_work_answered(struct demo *d, uint32_t ticket, const struct turunc_answer *answer);
void demo_work_act(struct demo *d, const struct demo_entry *entry);
bool demo_work_is_live(const struct demo_ticket *t);
/* A ticket was opened, with that date. */
void demo_work_opened(
    struct demo *d, uint32_t contact, int64_t at_us, const char *number, const char *channel);

/* --- figures of tickets ------------------------------------------------------------------------
 */
void demo_figures_taken_up(struct demo_ticket *t);
void demo_figures_answered(struct demo *d, struct demo_ticket *t);
/* Before the end is counted in the ticket itself. */
void demo_figures_ended(struct demo *d, struct demo_ticket *t, const char *how);
void demo_figures_reopened(struct demo *d, const struct demo_ticket *t);
/* Of all tickets, when the month is over. */
void demo_figures_tickets(struct demo *d);

/* --- citizens -----------------------------------------------------------------------------------
 */
MUST_CHECK enum exit_code demo_doors_open(struct demo *d);
void demo_doors_close(struct demo *d);
/* The sink's page: the status of its answer, 0: none came, and the body, lent until the next one.
 */
long demo_doors_get(struct demo *d, const char *base, const char *path);
const char *demo_doors_body(const struct demo *d);

/* Errands at intake's pages.  The answer has come: status 0, it has not; the body is lent for the
 * call.  Whoever hears it may ask for the next page. */
typedef void demo_came_fn(struct demo *d, uint32_t about, long status, const char *body);
MUST_CHECK bool demo_errands_open(struct demo *d);
void demo_errands_close(struct demo *d);
/* form NULL: a page is asked for.  who: the address that the edge would say it came from, one for
 * each citizen. */
void demo_errand(struct demo *d, const char *path, const char *form, uint32_t who,
    demo_came_fn *came, uint32_t about);
bool demo_errands_idle(const struct demo *d);
void demo_errands_step(struct demo *d);
/* Waits for these descriptors and for the errands; true: something has happened. */
bool demo_errands_wait(struct demo *d, struct curl_waitfd *fds, unsigned count, int wait_ms);

/* False: the mail server's side was told why not, which was said. */
MUST_CHECK bool demo_doors_mail(struct demo *d, const char *from, const char *to, const char *mail);
/* Puts it into the folder and waits until it was taken. */
MUST_CHECK bool demo_doors_file(struct demo *d, const char *name, const char *text);

/* A form as browsers send it. */
struct demo_form {
	char text[8192];
	size_t len;
};
void demo_form_add(struct demo_form *f, const char *name, const char *value);

void demo_citizens_contact(struct demo *d, uint32_t contact);
void demo_citizens_file(struct demo *d, uint32_t file);
/* Reads what the sink has taken since, and plans who answers. */
void demo_citizens_read(struct demo *d);
/* The answer to its last invitation was taken. */
void demo_citizens_answered(struct demo *d, struct demo_ticket *t);
void demo_citizens_survey(struct demo *d, const struct demo_entry *entry);
void demo_citizens_withdraw(struct demo *d, const struct demo_entry *entry);

#endif
