/* Decides when departments are reminded, and writes the digests. */
#include "reminder.h"

#include <stdio.h>
#include <stdlib.h>

#include "istanbul.h"
#include "number.h"

enum { MS_PER_HOUR = 3600000 };

bool
reminder_window(
    const struct catalogue_department *department, int64_t now_us, int64_t *ret_window_us)
{
	int32_t day = istanbul_day(now_us);

	if (!department->active || department->email[0] == '\0'
	    || !calendar_is_open(department->calendar, now_us))
		return false;
	for (size_t i = department->remind_count; i-- > 0;) {
		int64_t window_us = istanbul_moment_us(day, department->remind_at_min[i]);
		if (window_us > now_us)
			continue;
		if (now_us - window_us >= REMINDER_OPEN_HOURS * 3600 * US_PER_S
		    || !calendar_is_open(department->calendar, window_us))
			return false;
		*ret_window_us = window_us;
		return true;
	}
	return false;
}

bool
reminder_is_escalated(
    const struct catalogue_department *department, const struct reminder_item *item, int64_t now_us)
{
	return department->escalate_to[0] != '\0' && item->due_us < now_us
	       && calendar_elapsed_ms(department->calendar, item->due_us, now_us, NULL)
		      >= (int64_t)department->escalate_after_hours * MS_PER_HOUR;
}

const char *
reminder_recipient(const struct catalogue_department *department, enum reminder_kind kind)
{
	return kind == REMINDER_ESCALATION ? department->escalate_to : department->email;
}

/* --- words ------------------------------------------------------------------------------------ */

struct words {
	const char *subject[4]; /* by kind; behind the number of tickets */
	const char *overdue, *soon;
	const char *legal, *service; /* what is due: the day, or the moment */
	const char *special; /* in place of a subject of a special category */
	const char *answered;
	const char *more;
	const char *desk;
	const char *why;
};

static const struct words words[CATALOGUE_LANGUAGES] = {
	[CATALOGUE_TR] = { .subject = { "", "kaydın süresi dolmak üzere ya da geçmiş",
			       "kaydın süresi uzun zamandır geçmiş",
			       "CİMER başvurusunun cevabı bekleniyor" },
	    .overdue = "SÜRESİ GEÇENLER",
	    .soon = "SÜRESİ DOLMAK ÜZERE OLANLAR",
	    .legal = "yasal sürenin son günü",
	    .service = "hizmet süresi",
	    .special = "(özel nitelikli konu)",
	    .answered = "cevaplandı, CİMER’e girilmedi",
	    .more = "… ve başka kayıtlar; tamamı masa ekranında.",
	    .desk = "Kayıtlar",
	    .why = "Bu özet çalışma saatlerinde kendiliğinden gönderilir; yanıtlanması gerekmez." },
	[CATALOGUE_EN] = { .subject = { "", "tickets due soon or overdue", "tickets long overdue",
			       "applications from CİMER wait for an answer" },
	    .overdue = "OVERDUE",
	    .soon = "DUE SOON",
	    .legal = "last day of the legal period",
	    .service = "service due",
	    .special = "(special category)",
	    .answered = "answered, not in CİMER yet",
	    .more = "… and others; all of them are at the desk.",
	    .desk = "Tickets",
	    .why = "This digest is sent by itself in working time; no answer is needed." },
};

/* --- digests ---------------------------------------------------------------------------------- */

static void
put_due(FILE *out, const struct reminder_item *item, const struct words *w)
{
	/* A legal end is the midnight behind its last day. */
	struct istanbul_time at = istanbul_split(item->due_us - item->legal);

	fprintf(out, "%s %02d.%02d.%04d", item->legal ? w->legal : w->service, at.day, at.month,
	    at.year);
	if (!item->legal)
		fprintf(out, " %02d:%02d", at.hour, at.minute);
}

static void
put_item(FILE *out, const struct catalogue *cat, enum reminder_kind kind,
    const struct reminder_item *item, enum catalogue_language language)
{
	const struct words *w = &words[language];
	const struct catalogue_subject *subject = catalogue_subject(cat, item->subject);
	const struct catalogue_neighbourhood *place = catalogue_neighbourhood(
	    cat, item->neighbourhood);
	const struct catalogue_department *department = catalogue_department(cat, item->department);
	char number[NUMBER_SIZE];

	if (!number_format(item->ticket_id, number))
		return;
	fprintf(out, "%s  ", number);
	put_due(out, item, w);
	if (catalogue_is_special(cat, item->subject))
		fprintf(out, ", %s", w->special);
	else if (subject != NULL)
		fprintf(out, ", %s", catalogue_say(&subject->name, language));
	if (place != NULL && !catalogue_is_special(cat, item->subject))
		fprintf(out, ", %s", place->name);
	if (item->reference[0] != '\0')
		fprintf(out, ", CİMER %s", item->reference);
	if (kind == REMINDER_CIMER && department != NULL)
		fprintf(out, ", %s", catalogue_say(&department->name, language));
	if (item->answered)
		fprintf(out, ", %s", w->answered);
	fprintf(out, "\n  %s/desk/ticket/%s\n", cat->municipality.base_url, number);
}

/* Those that are overdue, or those that are not. */
static void
put_part(FILE *out, const struct catalogue *cat, enum reminder_kind kind,
    const struct reminder_item *items, size_t count, bool more, bool overdue, int64_t now_us,
    size_t *lines)
{
	enum catalogue_language language = cat->municipality.default_language;
	size_t total = 0, put = 0;

	for (size_t i = 0; i < count; i++)
		total += (items[i].due_us <= now_us) == overdue;
	if (total == 0)
		return;
	/* They come in the order of their ends: those that are left out are behind the last. */
	more = more && (!overdue || items[count - 1].due_us <= now_us);
	fprintf(out, "%s (%zu%s)\n\n", overdue ? words[language].overdue : words[language].soon,
	    total, more ? "+" : "");
	for (size_t i = 0; i < count && *lines < REMINDER_LINES_MAX; i++) {
		if ((items[i].due_us <= now_us) != overdue)
			continue;
		put_item(out, cat, kind, &items[i], language);
		put++;
		++*lines;
	}
	fputs(put < total ? "…\n\n" : "\n", out);
}

/* NULL: out of memory. */
static char *
subject_of(
    const struct words *w, enum reminder_kind kind, size_t count, bool more, const char *department)
{
	char *text = NULL;

	/* Of more than are looked at it is not known how many. */
	return asprintf(&text, "%zu%s %s: %s", count, more ? "+" : "", w->subject[kind], department)
		       == -1
		   ? NULL
		   : text;
}

bool
reminder_compose(const struct catalogue *cat, const struct catalogue_department *department,
    enum reminder_kind kind, const struct reminder_item *items, size_t count, bool more,
    int64_t now_us, struct reminder_text *ret_text)
{
	enum catalogue_language language = cat->municipality.default_language;
	const struct words *w = &words[language];
	struct reminder_text text = { 0 };
	size_t size = 0, lines = 0;
	FILE *out = open_memstream(&text.body, &size);

	text.subject = subject_of(w, kind, count, more, catalogue_say(&department->name, language));
	if (out == NULL || text.subject == NULL) {
		if (out != NULL)
			(void)fclose(out);
		reminder_text_finish(&text);
		return false;
	}
	put_part(out, cat, kind, items, count, more, true, now_us, &lines);
	put_part(out, cat, kind, items, count, more, false, now_us, &lines);
	if (more || count > REMINDER_LINES_MAX)
		fprintf(out, "%s\n\n", w->more);
	fprintf(out, "%s: %s/desk/\n\n%s\n", w->desk, cat->municipality.base_url, w->why);
	if (fclose(out) != 0) {
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
