/* Tells the month in sentences, as a press office would. */
#include "report_press.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A whole percent of a thousand stands for ten counts. */
enum { TOP = 5, LEAST = 5, SHARES_FROM = 1000 };

struct sheet {
	const struct report *r;
	struct evbuffer *out;
	bool failed;
};

PRINTF(2, 3)
static void
add(struct sheet *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (evbuffer_add_vprintf(s->out, format, args) == -1)
		s->failed = true;
	va_end(args);
}

/* --- numbers in sentences --------------------------------------------------------------------- */

/* The ending of "its": 21.219’u, 11.650’si; as the last word of the number is spoken. */
static const char *
its(int64_t number)
{
	static const char *const of_one[] = { "", "i", "si", "ü", "ü", "i", "sı", "si", "i", "u" };
	static const char *const of_ten[] = { "", "u", "si", "u", "ı", "si", "ı", "i", "i", "ı" };

	if (number == 0)
		return "ı";
	if (number % 10 != 0)
		return of_one[number % 10];
	if (number % 100 != 0)
		return of_ten[number % 100 / 10];
	if (number % 1000 != 0)
		return "ü";
	return number % 1000000 != 0 ? "i" : "u";
}

static int64_t
count(const struct sheet *s, const char *name)
{
	return month_value(&s->r->month->figures, name);
}

static const char *
number(int64_t value, char out[REPORT_TEXT_SIZE])
{
	report_format(CATALOGUE_TR, REPORT_COUNT, (struct report_value){ true, value }, out);
	return out;
}

static const struct report_line *
line_of(const struct sheet *s, const char *name)
{
	for (size_t i = 0; i < s->r->count; i++)
		if (strcmp(s->r->lines[i].name, name) == 0)
			return &s->r->lines[i];
	return NULL;
}

/* "%95,3"; NULL: there is no such rate in this month. */
static const char *
rate(const struct sheet *s, const char *name, char out[REPORT_TEXT_SIZE])
{
	const struct report_line *line = line_of(s, name);

	if (line == NULL || !line->in[REPORT_NOW].known)
		return NULL;
	report_format(CATALOGUE_TR, line->kind, line->in[REPORT_NOW], out);
	return out;
}

/* "2026 yılı Mart": what follows is "ayında". */
static void
month_in_words(const struct sheet *s, char out[REPORT_TEXT_SIZE])
{
	char title[REPORT_TEXT_SIZE];

	report_month_title(s->r, REPORT_NOW, title);
	title[strcspn(title, " ")] = '\0';
	(void)snprintf(
	    out, REPORT_TEXT_SIZE, "%d yılı %.40s", (int)(s->r->month->month / 100), title);
}

static struct report_value
change_since(const struct sheet *s, const struct report_line *line, enum report_when when)
{
	return report_change_tenths(line->in[REPORT_NOW], report_compared(s->r, line, when));
}

/* ", önceki aya (Şubat 2026) göre %4,2 arttı"; nothing where it cannot be compared. */
static bool
compared(struct sheet *s, const char *name, enum report_when when, const char *with, bool first)
{
	const struct report_line *line = line_of(s, name);
	char title[REPORT_TEXT_SIZE], text[REPORT_TEXT_SIZE];
	struct report_value change = { 0 };

	if (line != NULL)
		change = change_since(s, line, when);
	if (!change.known)
		return false;
	report_month_title(s->r, when, title);
	add(s, "%s%s (%s) göre ", first ? "" : ", ", with, title);
	if (change.value == 0) {
		add(s, "aynı kaldı");
		return true;
	}
	report_format(CATALOGUE_TR, REPORT_PERCENT,
	    (struct report_value){ true, change.value < 0 ? -change.value : change.value }, text);
	add(s, "%s %s", text, change.value > 0 ? "arttı" : "azaldı");
	return true;
}

static void
add_comparison(struct sheet *s, const char *name, const char *what)
{
	const struct report_line *line = line_of(s, name);

	if (line == NULL
	    || (!change_since(s, line, REPORT_BEFORE).known
		&& !change_since(s, line, REPORT_YEAR_BEFORE).known))
		return;
	add(s, " %s ", what);
	bool begun = compared(s, name, REPORT_BEFORE, "önceki aya", true);
	(void)compared(s, name, REPORT_YEAR_BEFORE, "geçen yılın aynı ayına", !begun);
	add(s, ".");
}

/* --- paragraphs ------------------------------------------------------------------------------- */

static void
add_head(struct sheet *s)
{
	char month[REPORT_TEXT_SIZE], text[REPORT_TEXT_SIZE];
	const struct catalogue *cat = s->r->month->catalogue;
	const char *name = cat == NULL ? "Belediye" : cat->municipality.name;

	month_in_words(s, month);
	if (count(s, "calls.answered") > 0)
		add(s, "Çağrı merkezi %s ayında %s çağrıyı yanıtladı\n\n", month,
		    number(count(s, "calls.answered"), text));
	else
		add(s, "%s ayının başvuruları\n\n", month);
	add(s, "%s · Basın bülteni\n\n", name);
	if (!s->r->month->over)
		add(s, "TASLAK: ay sürüyor, rakamlar kesin değildir.\n\n");
	else if (s->r->month->revision_count == 0)
		add(s, "TASLAK: rapor henüz yayımlanmadı, rakamlar değişebilir.\n\n");
}

/* All of them, or whoever adds up what the report says finds some missing. */
static void
add_unrecorded(struct sheet *s)
{
	char text[REPORT_TEXT_SIZE];
	int64_t nuisance = count(s, "calls.nuisance"), undisposed = count(s, "calls.undisposed");

	add(s,
	    " Kayda alınmayan çağrılarda bilgi verildi, çağrı başka bir yere aktarıldı ya da daha "
	    "önce açılmış bir başvuruya eklendi");
	if (nuisance > 0)
		add(s, "; %s çağrı ise asılsızdı", number(nuisance, text));
	if (undisposed > 0)
		add(s, "; %s çağrının sonucu henüz girilmedi", number(undisposed, text));
	add(s, ".\n\n");
}

static void
add_calls(struct sheet *s)
{
	char month[REPORT_TEXT_SIZE], offered[REPORT_TEXT_SIZE], text[REPORT_TEXT_SIZE];
	int64_t answered = count(s, "calls.answered"), recorded = count(s, "calls.recorded");
	const struct catalogue *cat = s->r->month->catalogue;
	const char *share;

	if (answered == 0)
		return;
	month_in_words(s, month);
	add(s, "%s ayında ", month);
	if (cat != NULL && cat->municipality.phone[0] != '\0')
		add(s, "%s numaralı ", cat->municipality.phone);
	add(s, "çağrı merkezine gelen %s çağrının %s’%s yanıtlandı",
	    number(count(s, "calls.offered"), offered), number(answered, text), its(answered));
	share = rate(s, "rate.calls.answered", text);
	if (share != NULL)
		add(s, " (%s)", share);
	share = rate(s, "rate.calls.every", text);
	if (share != NULL)
		add(s, "; gece gündüz, ortalama %s dakikada bir çağrı", share);
	add(s, ".");
	add_comparison(s, "calls.answered", "Yanıtlanan çağrı sayısı,");
	add(s, "\n\nYanıtlanan çağrıların %s’%s başvuru olarak kayda alındı.",
	    number(recorded, text), its(recorded));
	add_comparison(s, "calls.recorded", "Kayda alınan çağrı sayısı,");
	add_unrecorded(s);
}

static void
add_tickets(struct sheet *s)
{
	const struct report_section *channels = &s->r->sections[REPORT_CHANNELS];
	char text[REPORT_TEXT_SIZE];

	add(s, "Bütün kanallardan gelen başvuru sayısı %s oldu", number(count(s, "tickets"), text));
	for (size_t i = 0; i < channels->count; i++) {
		const struct report_line *line = report_line_at(s->r, REPORT_CHANNELS, i);
		if (line->in[REPORT_NOW].value == 0)
			break; /* it was used in a month before; so are all that follow */
		report_format(CATALOGUE_TR, REPORT_PERCENT, line->rate, text);
		add(s, "%s%s %s", i == 0 ? ": " : ", ", line->title, text);
	}
	add(s, ".");
	add_comparison(s, "tickets", "Başvuru sayısı,");
	add(s, "\n\n");
}

/* May it be named outside: no special category, no small count, and known at all? */
static bool
may_be_named(
    const struct sheet *s, enum report_section_code section, const struct report_line *line)
{
	const struct catalogue *cat = s->r->month->catalogue;

	if (line->in[REPORT_NOW].value < LEAST || strcmp(line->code, "-") == 0)
		return false;
	return section != REPORT_SUBJECTS
	       || (cat != NULL && !catalogue_is_special(cat, line->code));
}

/* The most frequent, whatever the section ranks by. */
static const struct report_line *
next_most(const struct sheet *s, enum report_section_code section, const struct report_line *last)
{
	const struct report_line *best = NULL;

	for (size_t i = 0; i < s->r->sections[section].count; i++) {
		const struct report_line *line = report_line_at(s->r, section, i);
		int64_t value = line->in[REPORT_NOW].value;
		if (!may_be_named(s, section, line))
			continue;
		if (last != NULL
		    && (value > last->in[REPORT_NOW].value
			|| (value == last->in[REPORT_NOW].value
			    && strcmp(line->name, last->name) <= 0)))
			continue;
		if (best == NULL || value > best->in[REPORT_NOW].value
		    || (value == best->in[REPORT_NOW].value && strcmp(line->name, best->name) < 0))
			best = line;
	}
	return best;
}

/* A count of a subject or a neighbourhood would be of all tickets, and open data count those of
 * public subjects: whoever subtracts has what they hide.  So neighbourhoods have no number, and
 * subjects a share in whole percents, where each of these stands for many counts. */
static void
add_most(struct sheet *s, enum report_section_code section, const char *what)
{
	bool shares = section == REPORT_SUBJECTS && count(s, "tickets") >= SHARES_FROM;
	const struct report_line *line = next_most(s, section, NULL);

	if (line == NULL)
		return;
	add(s, "%s", what);
	for (int i = 0; i < TOP && line != NULL; i++) {
		add(s, "%s%s", i == 0 ? " " : ", ", line->title);
		if (shares && line->rate.known)
			add(s, " (%%%" PRId64 ")", (line->rate.value + 5) / 10);
		line = next_most(s, section, line);
	}
	add(s, ".\n\n");
}

static void
add_outcomes(struct sheet *s)
{
	char text[REPORT_TEXT_SIZE];
	int64_t ended = count(s, "ended");
	const char *legal, *service;

	if (ended == 0)
		return;
	add(s, "Ay içinde %s başvuru sonuçlandırıldı.", number(ended, text));
	add_comparison(s, "ended", "Sonuçlandırılan başvuru sayısı,");
	legal = rate(s, "rate.ended.legal", text);
	if (legal != NULL)
		add(s, " Yasal süresi olan başvurularda süreye uyum oranı %s oldu.", legal);
	service = rate(s, "rate.ended.service", text);
	if (service != NULL)
		add(s, " Birimlerin söz verdiği hizmet süresine uyum oranı %s oldu.", service);
	add(s, "\n\n");
}

static void
add_satisfaction(struct sheet *s)
{
	char text[REPORT_TEXT_SIZE], share[REPORT_TEXT_SIZE];
	const char *satisfied = rate(s, "rate.ladder.satisfied", share);

	if (satisfied == NULL)
		return;
	int64_t answered = count(s, "ladder.answered");
	add(s, "Sonuçlanan başvurularda memnuniyet %s kez soruldu, ",
	    number(count(s, "ladder.invited"), text));
	add(s, "bunların %s’%s yanıtlandı; yanıtlayanların memnuniyet oranı %s oldu",
	    number(answered, text), its(answered), satisfied);
	report_interval(s->r, text);
	add(s, " (%%95 güven aralığı %s). Anketi yanıtlamayanlar memnun sayılmaz.\n\n", text);
}

static void
add_definitions(struct sheet *s)
{
	static const char *const names[] = { "calls.offered", "calls.answered", "calls.recorded",
		"tickets", "ended", "rate.ended.legal", "rate.ended.service",
		"rate.ladder.satisfied" };

	add(s, "Rakamların tanımı\n\n");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct report_line *line = line_of(s, names[i]);
		if (line != NULL)
			add(s, "%s: %s\n\n", line->title, line->definition[CATALOGUE_TR]);
	}
}

static void
add_origin(struct sheet *s)
{
	const struct month_report *m = s->r->month;

	add(s,
	    "Bu bülten, %" PRIu64 " numaralı kayda kadar olan kayıtlardan üretilmiştir (defterin "
	    "özeti %s).",
	    m->as_of_seq, m->head_hash);
	if (m->revision_count > 1)
		add(s, " Raporun %" PRIu32 ". yayımıdır.",
		    m->revisions[m->revision_count - 1].number);
	add(s, "\n");
}

bool
report_press(const struct report *report, struct evbuffer *out)
{
	struct sheet s = { .r = report, .out = out };

	add_head(&s);
	add_calls(&s);
	add_tickets(&s);
	add_most(&s, REPORT_SUBJECTS, "En çok başvurulan konular:");
	add_most(&s, REPORT_NEIGHBOURHOODS, "En çok başvuru gelen mahalleler:");
	add_outcomes(&s);
	add_satisfaction(&s);
	add_definitions(&s);
	add_origin(&s);
	return !s.failed;
}
