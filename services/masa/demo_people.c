/* Puts people together from lists of parts. */
#include "demo_people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "catalogue.h"
#include "istanbul.h"

enum { REPLY_NUMBERS = 3000, NUMBERS = 10000 };

static const char *const first_names[] = { "Ayşe", "Fatma", "Emine", "Zeynep", "Elif", "Meryem",
	"Zehra", "Hatice", "Özlem", "Gülsüm", "Çiğdem", "Işıl", "Mehmet", "Mustafa", "Ahmet", "Ali",
	"Hüseyin", "Hasan", "İbrahim", "İsmail", "Ömer", "Yusuf", "Ümit", "Ilgaz" };
static const char *const last_names[] = { "Yılmaz", "Kaya", "Demir", "Şahin", "Çelik", "Yıldız",
	"Öztürk", "Aydın", "Özdemir", "Arslan", "Doğan", "Kılıç", "Çetin", "Koç", "Kurt", "Özkan",
	"Şimşek", "Işık", "Güneş", "Turunç" };
static const char *const streets[] = { "Işıklar Caddesi", "Güllük Caddesi", "Tonguç Caddesi",
	"1412. Sokak", "Portakal Çiçeği Bulvarı", "Sinanoğlu Caddesi", "2042. Sokak",
	"Atatürk Caddesi", "Özgürlük Bulvarı" };
static const char *const closings[] = { "Gereğini rica ederim.", "İlgilenirseniz seviniriz.",
	"Teşekkürler.", "Ne zaman bakılır?", "Günlerdir böyle.", "Bilginize." };
static const char mark[] = "(Canlandırma kaydı ";

/* What people come with, by the department that it goes to; others share what is left. */
static const struct {
	const char *department;
	double share;
} department_shares[] = { { "saglik", 20 }, { "temizlik", 20 }, { "iklim", 16 }, { "zabita", 10 },
	{ "fen", 9 }, { "park", 7 }, { "halkla-iliskiler", 8 }, { "veteriner", 4 } };
enum { OTHERS_SHARE = 6 };
/* The busiest neighbourhoods call more than their inhabitants would. */
static const char *const busy[] = { "guzeloba", "caglayan", "sirinyali", "fener", "meydankavagi" };

static double
share_of_department(const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(department_shares); i++)
		if (strcmp(department_shares[i].department, code) == 0)
			return department_shares[i].share;
	return OTHERS_SHARE / 12.0;
}

/* Of a department's subjects the first is asked for most. */
static void
weigh_subjects(struct demo_people *people, const struct catalogue *cat)
{
	for (size_t i = 0; i < cat->subject_count; i++) {
		const struct catalogue_rule *rule = catalogue_route(
		    cat, cat->subjects[i].code, "", "call");
		size_t rank = 1, of = 0;
		if (rule == NULL || rule->department == NULL) {
			people->subject_weights[i] = 0.5;
			continue;
		}
		double sum = 0;
		for (size_t j = 0; j < cat->subject_count; j++) {
			const struct catalogue_rule *other = catalogue_route(
			    cat, cat->subjects[j].code, "", "call");
			if (other == NULL || other->department != rule->department)
				continue;
			sum += 1.0 / (double)++of;
			if (j < i)
				rank++;
		}
		people->subject_weights[i] = share_of_department(rule->department->code)
					     / (double)rank / sum;
	}
}

static void
weigh_neighbourhoods(struct demo_people *people, const struct catalogue *cat)
{
	for (size_t i = 0; i < cat->neighbourhood_count; i++) {
		double weight = cat->neighbourhoods[i].population;
		for (size_t j = 0; j < ARRAY_LEN(busy); j++)
			if (strcmp(busy[j], cat->neighbourhoods[i].code) == 0)
				weight *= 1.6;
		people->neighbourhood_weights[i] = weight > 0 ? weight : 1;
	}
}

static double
share_with_phone(enum demo_kind kind)
{
	switch (kind) {
	case DEMO_WEB:
	case DEMO_OPEN311:
	case DEMO_CIMER:
		return 0.6;
	case DEMO_EMAIL:
		return 0;
	default:
		return 0.95;
	}
}

static double
share_with_email(enum demo_kind kind)
{
	switch (kind) {
	case DEMO_WEB:
		return 0.85;
	case DEMO_OPEN311:
		return 0.7;
	case DEMO_CIMER:
		return 0.45;
	case DEMO_EMAIL:
		return 1;
	default:
		return 0.12;
	}
}

static void
make_person(struct demo_person *p, enum demo_kind kind, uint32_t number, struct demo_random *r,
    uint32_t *replying)
{
	const char *first = first_names[demo_random_below(r, ARRAY_LEN(first_names))];
	const char *last = last_names[demo_random_below(r, ARRAY_LEN(last_names))];
	bool replies = demo_random_chance(r, 0.15);

	snprintf(p->name, sizeof(p->name), "%s %s", first, last);
	if (demo_random_chance(r, share_with_email(kind)))
		snprintf(p->email, sizeof(p->email), "oynatilan.%u@example.com", number);
	if (demo_random_chance(r, share_with_phone(kind))) {
		p->answers_by_sms = p->email[0] == '\0' && replies && *replying < REPLY_NUMBERS;
		uint32_t digits = p->answers_by_sms
				      ? (*replying)++
				      : REPLY_NUMBERS + number % (NUMBERS - REPLY_NUMBERS);
		snprintf(p->phone, sizeof(p->phone), "+90505000%04u", digits);
	}
}

bool
demo_people_make(struct demo_people *ret_people, const struct demo_plan *plan,
    const struct catalogue *cat, uint64_t seed)
{
	struct demo_people people = { .at = calloc(plan->count + 1, sizeof(*people.at)),
		.count = plan->count,
		.subject_weights = calloc(cat->subject_count + 1, sizeof(double)),
		.neighbourhood_weights = calloc(cat->neighbourhood_count + 1, sizeof(double)) };
	uint32_t replying = 0;

	if (people.at == NULL || people.subject_weights == NULL
	    || people.neighbourhood_weights == NULL || cat->subject_count == 0
	    || cat->neighbourhood_count == 0) {
		demo_people_finish(&people);
		return false;
	}
	weigh_subjects(&people, cat);
	weigh_neighbourhoods(&people, cat);
	for (uint32_t i = 0; i < plan->count; i++) {
		enum demo_kind kind = plan->arrivals[i].kind;
		struct demo_random r = demo_random_of(seed, UINT64_C(0x100000000) + i);
		struct demo_person *p = &people.at[i];
		if (!demo_kind_opens(kind))
			continue;
		make_person(p, kind, i, &r, &replying);
		size_t subject = demo_random_pick(&r, people.subject_weights, cat->subject_count);
		size_t place = demo_random_pick(
		    &r, people.neighbourhood_weights, cat->neighbourhood_count);
		if (kind != DEMO_EMAIL && kind != DEMO_CIMER)
			p->subject = &cat->subjects[subject];
		p->neighbourhood = &cat->neighbourhoods[place];
	}
	*ret_people = people;
	return true;
}

void
demo_people_finish(struct demo_people *people)
{
	free(people->at);
	free(people->subject_weights);
	free(people->neighbourhood_weights);
	memset(people, 0, sizeof(*people));
}

void
demo_text(
    const struct demo_person *p, uint32_t contact, struct demo_random *r, char *out, size_t size)
{
	snprintf(out, size, "%s için başvuruyorum. %s %s%u)",
	    p->subject != NULL ? catalogue_say(&p->subject->name, CATALOGUE_TR) : "Mahallemiz",
	    closings[demo_random_below(r, ARRAY_LEN(closings))], mark, contact);
}

bool
demo_text_contact(const char *text, uint32_t *ret_contact)
{
	const char *at = strstr(text, mark);
	char *end;

	if (at == NULL)
		return false;
	at += sizeof(mark) - 1;
	unsigned long number = strtoul(at, &end, 10);
	if (end == at || *end != ')' || number > UINT32_MAX)
		return false;
	*ret_contact = (uint32_t)number;
	return true;
}

void
demo_address(const struct demo_person *p, struct demo_random *r, char *out, size_t size)
{
	snprintf(out, size, "%s Mahallesi, %s No: %u", p->neighbourhood->name,
	    streets[demo_random_below(r, ARRAY_LEN(streets))], 1 + demo_random_below(r, 120));
}

void
demo_form_answer(const struct catalogue_question *q, int64_t now_us, struct demo_random *r,
    char *out, size_t size)
{
	switch (q->datatype) {
	case QUESTION_SINGLEVALUELIST:
	case QUESTION_MULTIVALUELIST:
		snprintf(
		    out, size, "%s", q->values[demo_random_below(r, (uint32_t)q->value_count)].key);
		break;
	case QUESTION_NUMBER:
		snprintf(out, size, "%u", 1 + demo_random_below(r, 8));
		break;
	case QUESTION_DATETIME: {
		time_t day = (time_t)(now_us / US_PER_S + 3 * 86400);
		struct tm tm;
		(void)strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&day, &tm));
		break;
	}
	case QUESTION_STRING:
	case QUESTION_TEXT:
	case QUESTION_DATATYPES:
		snprintf(out, size, "Canlandırma yanıtı");
		break;
	}
}
