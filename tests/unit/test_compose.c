/* From a record and a person to words, with the worked municipality's templates. */
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "compose.h"
#include "istanbul.h"
#include "muratpasa.h"
#include "number.h"

enum { TICKET = 260012345 };

static const struct person ayse = { .ticket_id = TICKET,
	.name = "Ayşe Yılmaz",
	.phone = "+905321112233",
	.email = "ayse@ornek.example",
	.language = "tr",
	.subject_code = "cop-alinmadi" };

static struct news
news(const char *type, const char *event)
{
	static char department[] = "temizlik", reason[] = "yapildi", institution[] = "asat",
		    reference[] = "R-1";

	return (struct news){ .seq = 1,
		.ticket_id = TICKET,
		.event = event,
		.type = type,
		.department = department,
		.reason_code = reason,
		.institution = institution,
		.reference = reference };
}

static struct message message;

static const char *const types[][2] = { { "ticket.opened", "received" },
	{ "ticket.routed", "routed" }, { "ticket.answered", "answered" },
	{ "ticket.extended", "extended" }, { "ticket.resolved", "resolved" },
	{ "ticket.rejected", "rejected" }, { "ticket.forwarded", "forwarded" },
	{ "ticket.reopened", "reopened" } };

TEST(test_compose_every_text_of_the_municipality)
{
	struct catalogue *cat = muratpasa_load();
	char number[NUMBER_SIZE], link[300];

	if (cat == NULL || !CHECK(number_format(TICKET, number)))
		return;
	snprintf(link, sizeof(link), "%s/?no=%s", cat->municipality.base_url, number);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		for (int way = 0; way < 4; way++) {
			struct person person = ayse;
			struct news n = news(types[i][0], types[i][1]);
			n.department = (char[]){ "no-such-code" };
			n.status = TURUNC__V1__STATUS__STATUS_IN_PROGRESS;
			person.language = way & 1 ? "en" : "tr";
			if (way & 2)
				person.email = "";
			CHECK_U64(
			    types[i][0], compose(cat, &n, &person, "Bitti.", &message), COMPOSED);
			CHECK_STR("language", message.language, person.language);
			CHECK_STR("channel", message.channel, way & 2 ? "sms" : "email");
			CHECK_TRUE("number", strstr(message.body, number) != NULL);
			CHECK_TRUE("link", strstr(message.body, link) != NULL);
			CHECK_TRUE("all filled", strpbrk(message.body, "{}") == NULL);
			if (strcmp(types[i][1], "answered") == 0)
				CHECK_TRUE("the step's own word",
				    strstr(message.body, way & 1 ? "In progress" : "İşlemde")
					!= NULL);
			CHECK_U64("subject", message.subject[0] != '\0', (way & 2) == 0);
		}
	catalogue_destroy(cat);
}

/* Law 4982, art. 11: with the reason, in words, of special subjects as well. */
TEST(test_compose_says_why_a_period_was_extended)
{
	static const char *const subjects[] = { "cop-alinmadi", "evde-saglik" };
	struct catalogue *cat = muratpasa_load();

	if (cat == NULL)
		return;
	for (int way = 0; way < 8; way++) {
		struct person person = ayse;
		struct news n = news("ticket.extended", "extended");
		n.reason_code = (char[]){ "baska-kurum-gorusu" };
		person.language = way & 1 ? "en" : "tr";
		person.subject_code = subjects[way >> 2];
		if (way & 2)
			person.email = "";
		CHECK_U64("said", compose(cat, &n, &person, "", &message), COMPOSED);
		CHECK_TRUE(message.body,
		    strstr(message.body, way & 1 ? "Another institution has to be asked"
						 : "Başka kurumun görüşü alınacak")
			!= NULL);
		n.reason_code = (char[]){ "http://evil.example" };
		CHECK_U64("another code", compose(cat, &n, &person, "", &message), COMPOSED);
		CHECK_TRUE(message.body, strstr(message.body, way & 1 ? "stated in our records"
								      : "kaydımızda belirtilmiştir")
						 != NULL
					     && strstr(message.body, "evil") == NULL);
	}
	catalogue_destroy(cat);
}

static const struct {
	const char *name, *said;
	bool unproven;
} names[] = {
	{ "Ayşe Yılmaz", "Ayşe Yılmaz", false },
	{ "Ayşe Yılmaz", "Yurttaşımız", true },
	{ "Hesabınız kapatıldı, https://kötü.example adresinden açın", "Yurttaşımız", false },
	{ "", "Yurttaşımız", false },
};

/* Whoever writes to the desk chooses neither the words nor the reader of what it sends. */
TEST(test_compose_greets_by_a_name_alone)
{
	struct catalogue *cat = muratpasa_load();

	if (cat == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct person person = ayse;
		struct news n = news("ticket.opened", "received");
		char greeting[100];
		person.name = names[i].name;
		person.unproven = names[i].unproven;
		snprintf(greeting, sizeof(greeting), "Sayın %s,\n", names[i].said);
		CHECK_U64(names[i].name, compose(cat, &n, &person, "", &message), COMPOSED);
		CHECK_TRUE(names[i].name, strstr(message.body, greeting) != NULL);
		CHECK_TRUE(names[i].name, strstr(message.body, "kötü") == NULL);
	}
	catalogue_destroy(cat);
}

/* The 30 days of Law 3071 from 2 March 2026 end with 1 April, which is midnight of the 2nd. */
TEST(test_news_calls_a_legal_end_by_its_last_day)
{
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
	Turunc__V1__TicketStep step = TURUNC__V1__TICKET_STEP__INIT;
	char type[] = "ticket.routed", subject[NUMBER_SIZE];
	struct news n;

	CHECK(number_format(TICKET, subject));
	step.legal_due_us = istanbul_moment_us(civil_day(2026, 4, 2), 0);
	event.type = type;
	event.subject = subject;
	event.body_case = TURUNC__V1__EVENT__BODY_STEP;
	event.step = &step;
	if (!CHECK(news_of(&event, 1, &n) == NEWS_TOLD))
		return;
	struct istanbul_time t = istanbul_split(n.due_us);
	CHECK_I64("day", t.day, 1);
	CHECK_I64("month", t.month, 4);
	news_finish(&n);
	step.service_due_us = istanbul_moment_us(civil_day(2026, 3, 3), 10 * 60);
	if (!CHECK(news_of(&event, 1, &n) == NEWS_TOLD))
		return;
	CHECK_I64("a promise is the moment itself", n.due_us, step.service_due_us);
	news_finish(&n);
}

/* Health and social aid are not named, and the link is whole, in every language and channel. */
TEST(test_compose_invites_discreetly)
{
	static const char *const asks[][2] = { { "survey.invited", "survey" },
		{ "survey.reminded", "survey_reminder" } };
	static const char token[] = "abcdefghijklmnopqrstuvwxyz-_0123";
	struct catalogue *cat = muratpasa_load();
	char link[300];

	if (cat == NULL)
		return;
	snprintf(link, sizeof(link), "%s/anket/%s", cat->municipality.base_url, token);
	for (size_t s = 0; s < cat->subject_count; s++)
		for (int way = 0; way < 8; way++) {
			const struct catalogue_subject *subject = &cat->subjects[s];
			struct person person = ayse;
			struct news n = news(asks[way >> 2][0], asks[way >> 2][1]);
			person.language = way & 1 ? "en" : "tr";
			person.subject_code = subject->code;
			person.survey_token = token;
			if (way & 2)
				person.email = "";
			const char *name = catalogue_say(
			    &subject->name, way & 1 ? CATALOGUE_EN : CATALOGUE_TR);
			CHECK_U64(subject->code, compose(cat, &n, &person, "", &message), COMPOSED);
			CHECK_TRUE(subject->code, strstr(message.body, link) != NULL);
			CHECK_TRUE("all filled", strpbrk(message.body, "{}") == NULL);
			CHECK_TRUE(
			    subject->code, !subject->special_category
					       || (strstr(message.body, name) == NULL
						   && strstr(message.subject, name) == NULL));
		}
	catalogue_destroy(cat);
}

static const struct {
	const char *name, *email, *phone, *channel, *recipient;
} ways[] = {
	{ "both: mail", "a@b.example", "+905321112233", "email", "a@b.example" },
	{ "mail alone", "a@b.example", "", "email", "a@b.example" },
	{ "mobile alone", "", "+905321112233", "sms", "+905321112233" },
	{ "mobile as typed", "", "0532 111 22 33", "sms", "+905321112233" },
	{ "address that is none: mobile", "a@b", "+905321112233", "sms", "+905321112233" },
	{ "landline", "", "+902422222222", NULL, NULL },
	{ "nonsense", "a b", "123", NULL, NULL },
	{ "nothing", "", "", NULL, NULL },
};

TEST(test_compose_chooses_the_channel)
{
	struct catalogue *cat = muratpasa_load();

	for (size_t i = 0; cat != NULL && i < ARRAY_LEN(ways); i++) {
		struct person person = ayse;
		struct news n = news("ticket.opened", "received");
		person.email = ways[i].email;
		person.phone = ways[i].phone;
		enum compose_result got = compose(cat, &n, &person, "", &message);
		CHECK_U64(ways[i].name, got, ways[i].channel != NULL ? COMPOSED : COMPOSE_NOBODY);
		if (got != COMPOSED)
			continue;
		CHECK_STR(ways[i].name, message.channel, ways[i].channel);
		CHECK_STR(ways[i].name, message.recipient, ways[i].recipient);
	}
	catalogue_destroy(cat);
}

TEST(test_compose_what_does_not_fit)
{
	struct catalogue *cat = muratpasa_load();
	static char answer[COMPOSE_BODY_SIZE + 1];
	struct person person = ayse;
	struct news n = news("ticket.resolved", "resolved");

	if (cat == NULL)
		return;
	person.language = "de";
	CHECK_U64("unknown language", compose(cat, &n, &person, "", &message), COMPOSED);
	CHECK_STR("the municipality's own", message.language, "tr");
	memset(answer, 'x', sizeof(answer) - 1);
	CHECK_U64("too long", compose(cat, &n, &person, answer, &message), COMPOSE_TOO_LONG);
	CHECK_STR("its recipient is known", message.recipient, ayse.email);
	n.event = "unheard";
	CHECK_U64("no template", compose(cat, &n, &ayse, "", &message), COMPOSE_NO_TEMPLATE);
	n = news("ticket.opened", "received");
	person = ayse;
	person.name = "";
	CHECK_U64("no name", compose(cat, &n, &person, "", &message), COMPOSED);
	CHECK_TRUE("somebody", strstr(message.body, "Sayın Yurttaşımız") != NULL);
	catalogue_destroy(cat);
}

/* Nothing of it is in the text, in either language. */
static void
check_untold(const char *what, const struct catalogue_text *name)
{
	for (int l = 0; name != NULL && l < CATALOGUE_LANGUAGES; l++) {
		CHECK_TRUE(what, strstr(message.body, name->in[l]) == NULL);
		CHECK_TRUE(what, strstr(message.subject, name->in[l]) == NULL);
	}
}

static void
check_discreet(const struct catalogue *cat, const struct catalogue_subject *s, size_t type, int way)
{
	struct person person = ayse;
	struct news n = news(types[type][0], types[type][1]);

	n.department = (char[]){ "saglik" };
	n.status = TURUNC__V1__STATUS__STATUS_IN_PROGRESS;
	person.subject_code = s->code;
	person.language = way & 1 ? "en" : "tr";
	if (way & 2)
		person.email = "";
	CHECK_U64(s->code, compose(cat, &n, &person, "Pansuman yapıldı.", &message), COMPOSED);
	CHECK_STR("language", message.language, person.language);
	check_untold(s->code, &s->name);
	check_untold("saglik", &catalogue_department(cat, "saglik")->name);
	check_untold("yapildi", &catalogue_closure_reason(cat, "yapildi")->name);
	check_untold("asat", &catalogue_institution(cat, "asat")->name);
	CHECK_TRUE("answer", strstr(message.body, "Pansuman") == NULL);
	CHECK_TRUE("reference", strstr(message.body, "R-1") == NULL);
	CHECK_TRUE("all filled", strpbrk(message.body, "{}") == NULL);
	CHECK_TRUE("link", strstr(message.body, "/?no=") != NULL);
}

TEST(test_compose_is_discreet)
{
	struct catalogue *cat = muratpasa_load();
	size_t special = 0;

	for (size_t i = 0; cat != NULL && i < cat->subject_count; i++) {
		const struct catalogue_subject *s = &cat->subjects[i];
		special += s->special_category;
		for (size_t type = 0; s->special_category && type < ARRAY_LEN(types); type++)
			for (int way = 0; way < 4; way++)
				check_discreet(cat, s, type, way);
	}
	CHECK(special >= 5);
	catalogue_destroy(cat);
}

/* Of a municipality that wrote none, the ordinary texts say no more. */
TEST(test_compose_is_discreet_without_texts_for_it)
{
	struct catalogue *cat = muratpasa_load();
	struct catalogue_template ordinary[76];
	const struct catalogue_template *all = cat != NULL ? cat->templates : NULL;
	size_t count = cat != NULL ? cat->template_count : 0, kept = 0;

	if (!CHECK(count == ARRAY_LEN(ordinary)))
		return;
	for (size_t i = 0; i < count; i++)
		if (!all[i].discreet)
			ordinary[kept++] = all[i];
	cat->templates = ordinary;
	cat->template_count = kept;
	for (size_t type = 0; type < ARRAY_LEN(types); type++)
		for (int way = 0; way < 4; way++)
			check_discreet(cat, catalogue_subject(cat, "evde-saglik"), type, way);
	cat->templates = all;
	cat->template_count = count;
	catalogue_destroy(cat);
}

TEST(test_compose_for_who_was_joined)
{
	struct catalogue *cat = muratpasa_load();
	struct person other = ayse;
	struct news n = news("ticket.resolved", "resolved");
	char number[NUMBER_SIZE];

	if (cat == NULL || !CHECK(number_format(TICKET + 1, number)))
		return;
	other.ticket_id = TICKET + 1;
	CHECK(news_ends(&n));
	CHECK_U64("theirs", compose(cat, &n, &ayse, "Kapı no 5'e gidildi.", &message), COMPOSED);
	CHECK_TRUE("the answer", strstr(message.body, "Kapı no 5") != NULL);
	CHECK_U64("others", compose(cat, &n, &other, "Kapı no 5'e gidildi.", &message), COMPOSED);
	CHECK_TRUE("not the answer", strstr(message.body, "Kapı no 5") == NULL);
	CHECK_TRUE("their number", strstr(message.body, number) != NULL);
	catalogue_destroy(cat);
}

static const struct {
	const char *name;
	int from, to, now;
	int until_day, until_min; /* -1: it may go now */
} hours[] = {
	{ "never quiet", 480, 480, 600, -1, 0 },
	{ "evening before", 21 * 60, 8 * 60, 21 * 60 - 1, -1, 0 },
	{ "evening begins", 21 * 60, 8 * 60, 21 * 60, 1, 8 * 60 },
	{ "before midnight", 21 * 60, 8 * 60, 24 * 60 - 1, 1, 8 * 60 },
	{ "midnight", 21 * 60, 8 * 60, 0, 0, 8 * 60 },
	{ "last minute", 21 * 60, 8 * 60, 8 * 60 - 1, 0, 8 * 60 },
	{ "morning", 21 * 60, 8 * 60, 8 * 60, -1, 0 },
	{ "siesta, before", 13 * 60, 15 * 60, 13 * 60 - 1, -1, 0 },
	{ "siesta", 13 * 60, 15 * 60, 13 * 60, 0, 15 * 60 },
	{ "siesta's end", 13 * 60, 15 * 60, 15 * 60, -1, 0 },
	{ "from midnight", 0, 7 * 60, 0, 0, 7 * 60 },
	{ "until midnight", 22 * 60, 0, 23 * 60, 1, 0 },
	{ "after it", 22 * 60, 0, 0, -1, 0 },
};

TEST(test_compose_quiet_hours)
{
	for (size_t i = 0; i < ARRAY_LEN(hours); i++) {
		const struct catalogue_municipality m = { .quiet_from_min = hours[i].from,
			.quiet_to_min = hours[i].to };
		/* The last day of a year, so that the next one is in another. */
		int32_t day = civil_day(2026, 12, 31);
		int64_t until_us = 0;
		bool may = compose_sms_hours(&m, istanbul_moment_us(day, hours[i].now), &until_us);
		CHECK_U64(hours[i].name, may, hours[i].until_day == -1);
		if (!may)
			CHECK_I64(hours[i].name, until_us,
			    istanbul_moment_us(day + hours[i].until_day, hours[i].until_min));
	}
}

#define OPENED TURUNC__V1__EVENT__BODY_OPENED
#define STEP TURUNC__V1__EVENT__BODY_STEP

TEST(test_news_of_records)
{
	static const struct {
		const char *type, *subject;
		Turunc__V1__Event__BodyCase body;
		enum news_kind kind;
	} records[] = {
		{ "ticket.opened", "26-0012345-4", OPENED, NEWS_TOLD },
		{ "ticket.routed", "26-0012345-4", STEP, NEWS_TOLD },
		{ "ticket.resolved", "26-0012345-4", STEP, NEWS_TOLD },
		{ "ticket.answered", "26-0012345-4", STEP, NEWS_TOLD },
		{ "ticket.extended", "26-0012345-4", STEP, NEWS_TOLD },
		{ "ticket.reopened", "26-0012345-4", STEP, NEWS_TOLD },
		{ "ticket.accepted", "26-0012345-4", STEP, NEWS_NONE },
		{ "ticket.opened", "26-0012345-5", OPENED, NEWS_MISFIT },
		{ "ticket.opened", "", OPENED, NEWS_MISFIT },
		{ "ticket.opened", "26-0012345-4", STEP, NEWS_MISFIT },
		{ "ticket.routed", "26-0012345-4", OPENED, NEWS_MISFIT },
		{ "ticket.resolved", "26-0012345-4", TURUNC__V1__EVENT__BODY__NOT_SET,
		    NEWS_MISFIT },
		{ "notification.sent", "26-0012345-4", STEP, NEWS_NONE },
		{ "", "26-0012345-4", OPENED, NEWS_NONE },
	};
	Turunc__V1__TicketOpened opened = TURUNC__V1__TICKET_OPENED__INIT;
	Turunc__V1__TicketStep step = TURUNC__V1__TICKET_STEP__INIT;

	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
		struct news n;
		event.body_case = records[i].body;
		if (records[i].body == OPENED)
			event.opened = &opened;
		else if (records[i].body == STEP)
			event.step = &step;
		event.type = (char *)(uintptr_t)records[i].type;
		event.subject = (char *)(uintptr_t)records[i].subject;
		enum news_kind kind = news_of(&event, 7, &n);
		CHECK_U64(records[i].type, kind, records[i].kind);
		if (kind == NEWS_TOLD) {
			CHECK_I64("ticket", n.ticket_id, TICKET);
			news_finish(&n);
		}
	}
}
