/* The citizens: what they send by page, mail and CİMER, and what they answer to messages. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue.h"
#include "compose.h"
#include "demo.h"
#include "istanbul.h"

enum {
	MAIL_BYTES = 4096,
	LINK_TOKEN = 32,
	LATER_MIN = 30,
	HEARD_AFTER_MIN = 150,
	FILE_BYTES = 256 * 1024
};

static const double answering_share = 0.35, satisfied_share = 0.953, unsolved_share = 0.4;
static const char survey_path[] = "/anket/";

static const struct demo_arrival *
arrival_of(const struct demo *d, uint32_t contact)
{
	return &d->plan.arrivals[contact];
}

/* The first ticket number in a text; false: there is none. */
static bool
find_number(const char *text, char ret_number[DEMO_NUMBER_SIZE])
{
	for (const char *at = text; *at != '\0'; at++) {
		size_t serial;
		if ((at > text && isalnum((unsigned char)at[-1])) || !isdigit((unsigned char)at[0])
		    || !isdigit((unsigned char)at[1]) || at[2] != '-')
			continue;
		serial = strspn(at + 3, "0123456789");
		if (serial < 7 || at[3 + serial] != '-' || !isdigit((unsigned char)at[4 + serial])
		    || serial + 6 > DEMO_NUMBER_SIZE)
			continue;
		snprintf(ret_number, DEMO_NUMBER_SIZE, "%.*s", (int)serial + 5, at);
		return true;
	}
	return false;
}

/* The value of the first hidden field of that name. */
static bool
find_hidden(const char *page, const char *name, char *out, size_t size)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "name=\"%s\" value=\"", name);
	const char *at = strstr(page, wanted);
	if (at == NULL)
		return false;
	at += strlen(wanted);
	size_t len = strcspn(at, "\"");
	return len < size && snprintf(out, size, "%.*s", (int)len, at) > 0;
}

/* --- reports -----------------------------------------------------------------------------------
 */

static void
fill_report(struct demo *d, struct demo_form *f, uint32_t contact)
{
	const struct demo_person *p = &d->people.at[contact];
	struct demo_random r = demo_random_of(d->options.seed, UINT64_C(0x200000000) + contact);
	char text[1024], name[128], value[64], *space;

	demo_form_add(f, "service_code", p->subject->code);
	demo_text(p, contact, &r, text, sizeof(text));
	demo_form_add(f, "description", text);
	demo_address(p, &r, text, sizeof(text));
	demo_form_add(f, "address_string", text);
	snprintf(value, sizeof(value), "%.6f", p->neighbourhood->latitude);
	demo_form_add(f, "lat", value);
	snprintf(value, sizeof(value), "%.6f", p->neighbourhood->longitude);
	demo_form_add(f, "long", value);
	snprintf(name, sizeof(name), "%s", p->name);
	if ((space = strchr(name, ' ')) != NULL) {
		*space = '\0';
		demo_form_add(f, "last_name", space + 1);
	}
	demo_form_add(f, "first_name", name);
	if (p->phone[0] != '\0')
		demo_form_add(f, "phone", p->phone);
	if (p->email[0] != '\0')
		demo_form_add(f, "email", p->email);
	for (size_t i = 0; i < p->subject->question_count; i++) {
		const struct catalogue_question *q = &p->subject->questions[i];
		if (!q->required)
			continue;
		demo_form_answer(q, d->now_us, &r, value, sizeof(value));
		snprintf(name, sizeof(name), "attribute[%s]", q->code);
		demo_form_add(f, name, value);
	}
}

static void
on_reported(struct demo *d, uint32_t contact, long status, const char *body)
{
	char number[DEMO_NUMBER_SIZE];
	bool by_page = arrival_of(d, contact)->kind == DEMO_WEB;

	if (status != 201 || !find_number(body, number))
		demo_trouble(d, "a report about %s was answered %ld: %.200s",
		    d->people.at[contact].subject->code, status, by_page ? "" : body);
	else
		demo_work_opened(d, contact, d->now_us, number, by_page ? "web" : "open311");
}

static void
on_form(struct demo *d, uint32_t contact, long status, const char *body)
{
	struct demo_form f = { .len = 0 };
	char token[160];

	if (status != 200 || !find_hidden(body, "token", token, sizeof(token))) {
		demo_trouble(
		    d, "the form for %s was not shown", d->people.at[contact].subject->code);
		return;
	}
	demo_form_add(&f, "token", token);
	fill_report(d, &f, contact);
	demo_errand(d, "/report", f.text, contact, on_reported, contact);
}

static void
report_by_page(struct demo *d, uint32_t contact)
{
	char path[160];

	snprintf(path, sizeof(path), "/report?subject=%s", d->people.at[contact].subject->code);
	demo_errand(d, path, NULL, contact, on_form, contact);
}

static void
report_by_open311(struct demo *d, uint32_t contact)
{
	struct demo_form f = { .len = 0 };

	demo_form_add(&f, "api_key", d->options.api_key);
	fill_report(d, &f, contact);
	demo_errand(d, "/open311/v2/requests.json", f.text, contact, on_reported, contact);
}

static void
report_by_mail(struct demo *d, uint32_t contact)
{
	const struct demo_person *p = &d->people.at[contact];
	struct demo_random r = demo_random_of(d->options.seed, UINT64_C(0x200000000) + contact);
	struct istanbul_time t = istanbul_split(arrival_of(d, contact)->at_us);
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	char text[1024], address[256], mail[MAIL_BYTES];

	demo_text(p, contact, &r, text, sizeof(text));
	demo_address(p, &r, address, sizeof(address));
	snprintf(mail, sizeof(mail),
	    "From: <%s>\r\nTo: <%s>\r\nSubject: Basvuru (canlandirma)\r\n"
	    "Message-ID: <canlandirma.%u@example.com>\r\n"
	    "Date: %02d %s %d %02d:%02d:%02d +0300\r\n"
	    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n%s\r\n%s\r\n%s\r\n.\r\n",
	    p->email, d->cat->municipality.email_from, contact, t.day, months[t.month - 1], t.year,
	    t.hour, t.minute, t.second, text, address, p->name);
	if (demo_doors_mail(d, p->email, d->cat->municipality.email_from, mail))
		demo_work_opened(d, contact, d->now_us, "", "email");
}

void
demo_citizens_contact(struct demo *d, uint32_t contact)
{
	switch (arrival_of(d, contact)->kind) {
	case DEMO_DESK:
		demo_calls_desk(d, contact);
		break;
	case DEMO_WEB:
		report_by_page(d, contact);
		break;
	case DEMO_OPEN311:
		report_by_open311(d, contact);
		break;
	case DEMO_EMAIL:
		report_by_mail(d, contact);
		break;
	default:
		break; /* calls have acts of their own, CİMER's come by file */
	}
}

/* --- CİMER -------------------------------------------------------------------------------------
 */

static const char *
column_named(const struct catalogue *cat, enum cimer_field field)
{
	for (size_t i = 0; i < cat->cimer.column_count; i++)
		if (cat->cimer.columns[i].field == field)
			return cat->cimer.columns[i].name;
	return "";
}

static size_t
write_row(struct demo *d, uint32_t contact, char *out, size_t size)
{
	const struct demo_person *p = &d->people.at[contact];
	struct demo_random r = demo_random_of(d->options.seed, UINT64_C(0x200000000) + contact);
	struct istanbul_time t = istanbul_split(arrival_of(d, contact)->at_us);
	char text[1024], address[256];

	demo_text(p, contact, &r, text, sizeof(text));
	demo_address(p, &r, address, sizeof(address));
	int len = snprintf(out, size,
	    "\"CAN-%07u\";\"%02d.%02d.%04d "
	    "%02d:%02d\";\"%s\";\"%s\";\"%s\";\"%s\";\"%s\";\"%s\"\r\n",
	    contact, t.day, t.month, t.year, t.hour, t.minute, text, p->name, p->phone, p->email,
	    address, p->neighbourhood->name);
	return len < 0 || (size_t)len >= size ? 0 : (size_t)len;
}

/* Everything that was written there since the file before, as somebody exports it. */
void
demo_citizens_file(struct demo *d, uint32_t file)
{
	static const enum cimer_field fields[] = { CIMER_REFERENCE, CIMER_DATE, CIMER_TEXT,
		CIMER_NAME, CIMER_PHONE, CIMER_EMAIL, CIMER_ADDRESS, CIMER_NEIGHBOURHOOD };
	int64_t after_us = file == 0 ? 0 : d->plan.files_us[file - 1];
	char name[64], *text = malloc(FILE_BYTES);
	uint32_t rows = 0;
	size_t len = 0;

	if (text == NULL) {
		demo_trouble(d, "out of memory");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		len += (size_t)sprintf(
		    text + len, "%s%s", i == 0 ? "" : ";", column_named(d->cat, fields[i]));
	len += (size_t)sprintf(text + len, "\r\n");
	for (int turn = 0; turn < 2; turn++) {
		for (uint32_t i = 0; i < d->plan.count; i++) {
			const struct demo_arrival *a = arrival_of(d, i);
			if (a->kind != DEMO_CIMER || a->at_us <= after_us
			    || a->at_us > d->plan.files_us[file])
				continue;
			if (turn == 0) {
				size_t row = write_row(d, i, text + len, FILE_BYTES - len);
				len += row;
				rows += row > 0;
			} else {
				demo_work_opened(d, i, a->at_us, "", "cimer");
			}
		}
		snprintf(name, sizeof(name), "canlandirma-%04d-%02d-%02u.csv", d->plan.month.year,
		    d->plan.month.month, file + 1);
		if (rows == 0 || (turn == 0 && !demo_doors_file(d, name, text)))
			break;
	}
	free(text);
}

/* --- answers to messages -----------------------------------------------------------------------
 */

static struct demo_random
mood_of(const struct demo *d, const struct demo_ticket *t)
{
	return demo_random_of(
	    d->options.seed, (UINT64_C(0x7) << 40) + t->contact + ((uint64_t)t->invitations << 33));
}

/* When the invitation is in their hands, whichever step it was sent in: the same month is the same
 * on a slow machine. */
static int64_t
heard_us(const struct demo *d, const struct demo_ticket *t)
{
	const struct catalogue_municipality *m = &d->cat->municipality;
	int64_t asked_us = t->ended_us + m->survey_delay_hours * 60 * US_PER_MIN, until_us;

	if (d->people.at[t->contact].email[0] == '\0' && !compose_sms_hours(m, asked_us, &until_us))
		asked_us = until_us;
	return asked_us + HEARD_AFTER_MIN * US_PER_MIN;
}

/* An invitation: whether and when it will be answered, and how. */
static void
invited(struct demo *d, const char *text, const char *link)
{
	char number[DEMO_NUMBER_SIZE], token[sizeof(((struct demo_ticket *)0)->link)];

	if (!find_number(text, number))
		return;
	struct demo_ticket *t = demo_work_ticket(d, number);
	snprintf(token, sizeof(token), "%s%.*s", survey_path, LINK_TOKEN,
	    link + sizeof(survey_path) - 1);
	if (t == NULL || t->contact == UINT32_MAX || strcmp(t->link, token) == 0)
		return; /* the reminder has the same link */
	memcpy(t->link, token, sizeof(token));
	t->invitations++;
	struct demo_random r = mood_of(d, t);
	if (!demo_random_chance(&r, answering_share))
		return;
	bool satisfied = demo_random_chance(&r, satisfied_share);
	t->score = satisfied ? 4 + (int)demo_random_chance(&r, 0.7)
			     : 1 + (int)demo_random_below(&r, 3);
	t->not_solved = !satisfied && demo_random_chance(&r, unsolved_share);
	double hours = demo_random_wait(&r, 9);
	int64_t at_us = heard_us(d, t) + (int64_t)((hours > 100 ? 100 : hours) * 3600) * US_PER_S;
	demo_plan_act(d, at_us, ACT_SURVEY, demo_work_index(d, t), t->invitations);
}

static void
read_message(struct demo *d, const json_t *message)
{
	const json_t *fields = json_object_get(message, "fields");
	const char *text = json_string_value(
	    json_object_get(fields != NULL ? fields : message, "text"));
	const char *link = text != NULL ? strstr(text, survey_path) : NULL;
	uint64_t number = (uint64_t)json_integer_value(json_object_get(message, "number"));

	if (number != d->sink_after + 1 && d->sink_after != 0)
		demo_trouble(
		    d, "the sink has forgotten messages before %llu", (unsigned long long)number);
	d->sink_after = number;
	d->messages++;
	if (link != NULL
	    && strspn(link + sizeof(survey_path) - 1,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
		   >= LINK_TOKEN)
		invited(d, text, link);
}

void
demo_citizens_read(struct demo *d)
{
	char path[64];

	snprintf(path, sizeof(path), "/messages?after=%llu", (unsigned long long)d->sink_after);
	if (demo_doors_get(d, d->options.sink_url, path) != 200) {
		demo_trouble(d, "the sink does not answer");
		return;
	}
	json_t *messages = json_loads(demo_doors_body(d), 0, NULL);
	for (size_t i = 0; i < json_array_size(messages); i++)
		read_message(d, json_array_get(messages, i));
	json_decref(messages);
}

void
demo_citizens_answered(struct demo *d, struct demo_ticket *t)
{
	demo_count(&d->counts, 1, "ladder.answered");
	if (t->score >= 4)
		demo_count(&d->counts, 1, "ladder.satisfied");
	if (!t->not_solved)
		return;
	demo_count(&d->counts, 1, "ladder.not_solved");
	demo_figures_reopened(d, t);
}

static bool
has_ended(const struct demo_ticket *t)
{
	return t->status >= TURUNC__V1__STATUS__STATUS_RESOLVED
	       && t->status <= TURUNC__V1__STATUS__STATUS_FORWARDED;
}

static void
on_survey(struct demo *d, uint32_t ticket, long status, const char *body)
{
	struct demo_ticket *t = demo_work_at(d, ticket);

	(void)body;
	if (status == 200)
		demo_citizens_answered(d, t);
	else
		demo_trouble(d, "a survey of %s was answered %ld", t->number, status);
}

void
demo_citizens_survey(struct demo *d, const struct demo_entry *entry)
{
	struct demo_ticket *t = demo_work_at(d, entry->about);
	const struct demo_person *p = &d->people.at[t->contact];
	struct demo_form f = { .len = 0 };
	char score[8];

	if (t->invitations != entry->version)
		return;
	if (!has_ended(t))
		t->not_solved = false; /* it is being worked on again already */
	snprintf(score, sizeof(score), "%d", t->score);
	if (p->answers_by_sms && p->email[0] == '\0') {
		char text[32];
		snprintf(text, sizeof(text), "%s%s", score, t->not_solved ? " çözülmedi" : "");
		demo_calls_sms(d, entry->about, p->phone, text);
		return;
	}
	demo_form_add(&f, "score", score);
	if (t->not_solved)
		demo_form_add(&f, "solved", "no");
	demo_form_add(&f, "text", t->not_solved ? "Sorun sürüyor. (Canlandırma)" : "");
	demo_errand(d, t->link, f.text, t->contact, on_survey, entry->about);
}

static void
on_withdrawn(struct demo *d, uint32_t ticket, long status, const char *body)
{
	struct demo_ticket *t = demo_work_at(d, ticket);

	(void)body;
	if (status != 200) {
		demo_trouble(d, "the withdrawal of %s was answered %ld", t->number, status);
		return;
	}
	demo_figures_ended(d, t, "withdrawn");
	demo_count(&d->counts, 1, "contacts.web");
}

static void
on_tracked(struct demo *d, uint32_t ticket, long status, const char *body)
{
	struct demo_ticket *t = demo_work_at(d, ticket);
	struct demo_form say = { .len = 0 };
	char token[160];

	if (status != 200 || !find_hidden(body, "token", token, sizeof(token))) {
		demo_trouble(d, "the page of %s was answered %ld", t->number, status);
		return;
	}
	demo_form_add(&say, "token", token);
	demo_form_add(&say, "kind", "withdraw");
	demo_form_add(&say, "text", "");
	demo_errand(d, "/track/say", say.text, t->contact, on_withdrawn, ticket);
}

void
demo_citizens_withdraw(struct demo *d, const struct demo_entry *entry)
{
	struct demo_ticket *t = demo_work_at(d, entry->about);
	const char *phone = d->people.at[t->contact].phone;
	struct demo_form look = { .len = 0 };

	if (t->asked) {
		demo_plan_act(
		    d, entry->at_us + LATER_MIN * US_PER_MIN, ACT_WITHDRAW, entry->about, 0);
		return;
	}
	if (!demo_work_is_live(t))
		return;
	t->withdrawn = true; /* no department begins anything while they are at it */
	demo_form_add(&look, "no", t->number);
	demo_form_add(&look, "digits", phone + strlen(phone) - 4);
	demo_errand(d, "/track", look.text, t->contact, on_tracked, entry->about);
}
