/* Writes the digests that departments, those above them and operators get. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "istanbul.h"
#include "number.h"
#include "reminder.h"

struct words {
	const char *subject[REMINDER_KINDS]; /* behind the number of tickets */
	const char *heading[REMINDER_KINDS]; /* where there are several kinds */
	const char *departments; /* behind their number */
	const char *overdue, *soon, *triage;
	const char *arrived; /* when */
	const char *legal, *service; /* what is due: the day, or the moment */
	const char *special; /* in place of a subject of a special category */
	const char *no_subject;
	const char *before; /* who had it */
	const char *answered;
	const char *more;
	const char *desk;
	const char *why;
};

static const struct words words[CATALOGUE_LANGUAGES] = {
	[CATALOGUE_TR] = { .subject = { [REMINDER_DEPARTMENT] =
					    "kaydın süresi dolmak üzere ya da geçmiş",
			       [REMINDER_ESCALATION] = "kaydın süresi uzun zamandır geçmiş",
			       [REMINDER_TRIAGE] = "kayıt birim seçilmesini bekliyor",
			       [REMINDER_CIMER] = "CİMER başvurusunun cevabı bekleniyor" },
	    .heading = { [REMINDER_DEPARTMENT] = "BİRİMİN KAYITLARI",
		[REMINDER_ESCALATION] = "SÜRESİ UZUN ZAMANDIR GEÇMİŞ KAYITLAR",
		[REMINDER_TRIAGE] = "TRİYAJ",
		[REMINDER_CIMER] = "CİMER BAŞVURULARI" },
	    .departments = "birim",
	    .overdue = "SÜRESİ GEÇENLER",
	    .soon = "SÜRESİ DOLMAK ÜZERE OLANLAR",
	    .triage = "BİRİM SEÇİLMESİNİ BEKLEYENLER",
	    .arrived = "geliş",
	    .legal = "yasal sürenin son günü",
	    .service = "hizmet süresi",
	    .special = "(özel nitelikli konu)",
	    .no_subject = "(konusu belirsiz)",
	    .before = "iade eden:",
	    .answered = "cevaplandı, CİMER’e girilmedi",
	    .more = "… ve başka kayıtlar; tamamı masa ekranında.",
	    .desk = "Kayıtlar",
	    .why = "Bu özet çalışma saatlerinde kendiliğinden gönderilir; yanıtlanması gerekmez." },
	[CATALOGUE_EN] = { .subject = { [REMINDER_DEPARTMENT] = "tickets due soon or overdue",
			       [REMINDER_ESCALATION] = "tickets long overdue",
			       [REMINDER_TRIAGE] = "tickets wait for a department",
			       [REMINDER_CIMER] = "applications from CİMER wait for an answer" },
	    .heading = { [REMINDER_DEPARTMENT] = "TICKETS OF THE DEPARTMENT",
		[REMINDER_ESCALATION] = "TICKETS LONG OVERDUE",
		[REMINDER_TRIAGE] = "TRIAGE",
		[REMINDER_CIMER] = "APPLICATIONS FROM CİMER" },
	    .departments = "departments",
	    .overdue = "OVERDUE",
	    .soon = "DUE SOON",
	    .triage = "WAITING FOR A DEPARTMENT",
	    .arrived = "received",
	    .legal = "last day of the legal period",
	    .service = "service due",
	    .special = "(special category)",
	    .no_subject = "(no subject yet)",
	    .before = "sent back by",
	    .answered = "answered, not in CİMER yet",
	    .more = "… and others; all of them are at the desk.",
	    .desk = "Tickets",
	    .why = "This digest is sent by itself in working time; no answer is needed." },
};

/* What the writing of one digest knows. */
struct writer {
	FILE *out;
	const struct catalogue *cat;
	enum catalogue_language language;
	const struct words *w;
	int64_t now_us;
};

static const char *
department_name(const struct writer *to, const char *code)
{
	const struct catalogue_department *d = catalogue_department(to->cat, code);

	return d != NULL ? catalogue_say(&d->name, to->language) : code;
}

/* --- tickets ---------------------------------------------------------------------------------- */

static void
put_moment(const struct writer *to, int64_t at_us, bool day_only)
{
	struct istanbul_time at = istanbul_split(at_us);

	fprintf(to->out, " %02d.%02d.%04d", at.day, at.month, at.year);
	if (!day_only)
		fprintf(to->out, " %02d:%02d", at.hour, at.minute);
}

static void
put_times(const struct writer *to, enum reminder_kind kind, const struct reminder_item *item)
{
	const char *between = "";

	if (kind == REMINDER_TRIAGE) {
		fputs(to->w->arrived, to->out);
		put_moment(to, item->arrived_us, false);
		between = ", ";
	}
	if (item->due_us == 0)
		return;
	/* A legal end is the midnight behind its last day. */
	fprintf(to->out, "%s%s", between, item->legal ? to->w->legal : to->w->service);
	put_moment(to, item->due_us - item->legal, item->legal);
}

static void
put_matter(const struct writer *to, const struct reminder_item *item)
{
	const struct catalogue_subject *subject = catalogue_subject(to->cat, item->subject);
	const struct catalogue_neighbourhood *place = catalogue_neighbourhood(
	    to->cat, item->neighbourhood);

	if (catalogue_is_special(to->cat, item->subject)) {
		fprintf(to->out, ", %s", to->w->special);
		return;
	}
	fprintf(to->out, ", %s",
	    subject != NULL ? catalogue_say(&subject->name, to->language) : to->w->no_subject);
	if (place != NULL)
		fprintf(to->out, ", %s", place->name);
}

/* names: of several departments, so each says whose it is. */
static void
put_item(
    const struct writer *to, enum reminder_kind kind, const struct reminder_item *item, bool names)
{
	char number[NUMBER_SIZE];

	if (!number_format(item->ticket_id, number))
		return;
	fprintf(to->out, "%s  ", number);
	put_times(to, kind, item);
	put_matter(to, item);
	if (item->reference[0] != '\0')
		fprintf(to->out, ", CİMER %s", item->reference);
	if (kind == REMINDER_TRIAGE && item->department[0] != '\0')
		fprintf(to->out, ", %s %s", to->w->before, department_name(to, item->department));
	else if (names && item->department[0] != '\0')
		fprintf(to->out, ", %s", department_name(to, item->department));
	if (item->answered)
		fprintf(to->out, ", %s", to->w->answered);
	fprintf(to->out, "\n  %s/desk/ticket/%s\n", to->cat->municipality.base_url, number);
}

/* --- parts ------------------------------------------------------------------------------------ */

/* In triage there is no other. */
enum list { LIST_OVERDUE, LIST_SOON };

static bool
is_in(const struct writer *to, enum reminder_kind kind, const struct reminder_item *item,
    enum list list)
{
	return kind == REMINDER_TRIAGE ? list == LIST_OVERDUE
				       : (item->due_us <= to->now_us) == (list == LIST_OVERDUE);
}

static void
put_list(const struct writer *to, enum reminder_kind kind, const struct reminder_part *part,
    enum list list, bool names, size_t *lines)
{
	const char *title = list == LIST_OVERDUE ? to->w->overdue : to->w->soon;
	size_t total = 0, put = 0;

	for (size_t i = 0; i < part->count; i++)
		total += is_in(to, kind, &part->items[i], list);
	if (total == 0)
		return;
	/* They come in the order of their ends: those that are left out are behind the last. */
	bool more = part->more
		    && (list == LIST_SOON || is_in(to, kind, &part->items[part->count - 1], list));
	fprintf(to->out, "%s (%zu%s)\n\n", kind == REMINDER_TRIAGE ? to->w->triage : title, total,
	    more ? "+" : "");
	for (size_t i = 0; i < part->count && *lines < REMINDER_LINES_MAX; i++) {
		if (!is_in(to, kind, &part->items[i], list))
			continue;
		put_item(to, kind, &part->items[i], names);
		put++;
		++*lines;
	}
	fputs(put < total ? "…\n\n" : "\n", to->out);
}

static bool
is_first_of_department(const struct reminder_part *part, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(part->items[i].department, part->items[at].department) == 0)
			return false;
	return true;
}

static size_t
departments_of(const struct reminder_part *part)
{
	size_t count = 0;

	for (size_t i = 0; i < part->count; i++)
		count += is_first_of_department(part, i);
	return count;
}

/* How many of each, since the tickets that are listed may be all of one. */
static void
put_departments(const struct writer *to, const struct reminder_part *part)
{
	for (size_t i = 0; i < part->count; i++) {
		size_t count = 0;
		if (!is_first_of_department(part, i))
			continue;
		for (size_t j = i; j < part->count; j++)
			count += strcmp(part->items[j].department, part->items[i].department) == 0;
		fprintf(to->out, "%s: %zu%s\n", department_name(to, part->items[i].department),
		    count, part->more ? "+" : "");
	}
	fputs("\n", to->out);
}

static void
put_part(
    const struct writer *to, enum reminder_kind kind, const struct reminder_part *part, bool headed)
{
	bool several = kind != REMINDER_TRIAGE && kind != REMINDER_CIMER
		       && departments_of(part) > 1;
	size_t lines = 0;

	if (headed)
		fprintf(to->out, "=== %s ===\n\n", to->w->heading[kind]);
	if (several)
		put_departments(to, part);
	bool names = several || kind == REMINDER_CIMER;
	put_list(to, kind, part, LIST_OVERDUE, names, &lines);
	put_list(to, kind, part, LIST_SOON, names, &lines);
	if (part->more || part->count > REMINDER_LINES_MAX)
		fprintf(to->out, "%s\n\n", to->w->more);
}

/* --- digests ---------------------------------------------------------------------------------- */

static void
put_subject(
    const struct writer *to, enum reminder_kind kind, const struct reminder_part *part, bool first)
{
	size_t departments = departments_of(part);

	/* Of more than are looked at it is not known how many. */
	fprintf(to->out, "%s%zu%s %s", first ? "" : "; ", part->count, part->more ? "+" : "",
	    to->w->subject[kind]);
	if (kind == REMINDER_TRIAGE || kind == REMINDER_CIMER)
		return;
	if (departments == 1)
		fprintf(to->out, ": %s", department_name(to, part->items[0].department));
	else
		fprintf(
		    to->out, ": %zu%s %s", departments, part->more ? "+" : "", to->w->departments);
}

static void
put_body(const struct writer *to, const struct reminder_part parts[REMINDER_KINDS], bool headed)
{
	for (size_t kind = 0; kind < REMINDER_KINDS; kind++)
		if (parts[kind].count > 0)
			put_part(to, (enum reminder_kind)kind, &parts[kind], headed);
	fprintf(to->out, "%s: %s/desk/\n\n%s\n", to->w->desk, to->cat->municipality.base_url,
	    to->w->why);
}

/* False: out of memory. */
static bool
begin(struct writer *to, char **text, size_t *size)
{
	to->out = open_memstream(text, size);
	return to->out != NULL;
}

bool
reminder_compose(const struct catalogue *cat, const struct reminder_part parts[REMINDER_KINDS],
    int64_t now_us, struct reminder_text *ret_text)
{
	struct writer to = { .cat = cat,
		.language = cat->municipality.default_language,
		.w = &words[cat->municipality.default_language],
		.now_us = now_us };
	struct reminder_text text = { 0 };
	size_t size = 0, said = 0;

	if (!begin(&to, &text.subject, &size))
		return false;
	for (size_t kind = 0; kind < REMINDER_KINDS; kind++)
		if (parts[kind].count > 0)
			put_subject(&to, (enum reminder_kind)kind, &parts[kind], said++ == 0);
	bool ok = fclose(to.out) == 0 && begin(&to, &text.body, &size);
	if (ok) {
		put_body(&to, parts, said > 1);
		ok = fclose(to.out) == 0;
	}
	if (!ok) {
		reminder_text_finish(&text);
		return false;
	}
	*ret_text = text;
	return true;
}

void
reminder_text_finish(struct reminder_text *text)
{
	free(text->subject);
	free(text->body);
	*text = (struct reminder_text){ 0 };
}
