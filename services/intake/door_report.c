/* The page on which citizens make a report.  Works without JavaScript; a form sent twice is one
 * report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "door.h"
#include "form_token.h"
#include "html.h"
#include "istanbul.h"
#include "number.h"
#include "report_page.h"
#include "turunc/v1/ticket.pb-c.h"

enum {
	BYTES_PER_MB = 1024 * 1024,
	TOKEN_LIFE_H = 12,
	LOCAL_TIME_CHARS = 16,
	DATES_MAX = 16,
	DATE_BYTES = 32
};
static const char form_source[] = "form";
static const char local_offset[] = ":00+03:00"; /* Istanbul's, for good since 2016 */

enum page_word {
	WORD_TITLE,
	WORD_RECEIVED,
	WORD_BUSY,
	WORD_STARTING,
	WORD_OVER,
	WORD_TOO_MANY,
	WORDS
};
static const char *const words[WORDS][CATALOGUE_LANGUAGES] = {
	[WORD_TITLE] = { "Başvuru yapın", "Make a report" },
	[WORD_RECEIVED] = { "Başvurunuz alındı", "Your report was received" },
	[WORD_BUSY] = { "Şu anda alınamadı; hiçbir şey kaydedilmedi. Birazdan yeniden gönderin.",
	    "It could not be taken just now; nothing was stored. Send it again shortly." },
	[WORD_STARTING] = { "Hizmet başlıyor. Birazdan yeniden deneyin.",
	    "The service is starting. Try again shortly." },
	[WORD_OVER] = { "Bu formun süresi doldu ya da daha önce gönderildi. Konuyu yeniden seçin.",
	    "This form has expired, or was sent before. Choose the subject again." },
	[WORD_TOO_MANY] = { "Buradan çok sık başvuru geldi. Bir dakika sonra yeniden gönderin.",
	    "Too many reports came from here. Send it again in a minute." },
};

/* One form from its request to its answer. */
struct sending {
	struct report report; /* first: its item is how accept gives it back */
	struct intake *in;
	struct http_request *req;
	struct http_pair pairs[REPORT_PAIRS_MAX];
	struct report_form form;
	char dates[DATES_MAX][DATE_BYTES];
	struct photos photos;
	char form_id[FORM_ID_SIZE];
	int64_t at_us;
	int64_t taken_us; /* monotonic */
};

static void
sending_destroy(struct sending *s)
{
	report_finish(&s->report);
	photos_finish(&s->photos);
	free(s);
}

/* --- pages --------------------------------------------------------------------------------------
 */

static void
begin(struct html *h, struct http_request *req, const char *title)
{
	enum catalogue_language language = html_language(req);
	html_begin(h, language, title == NULL ? words[WORD_TITLE][language] : title, "/report");
}

static void
reply_subjects(struct intake *in, struct http_request *req, unsigned status, enum page_word word)
{
	struct html h;
	const struct catalogue *cat = registry_catalogue(in->registry);
	enum catalogue_language language = html_language(req);

	begin(&h, req, NULL);
	if (cat != NULL)
		report_page_subjects(&h, cat,
		    http_request_method(req) == HTTP_GET ? http_query(req, "q", NULL) : NULL,
		    word == WORD_TITLE ? NULL : words[word][language]);
	else
		html_element(&h, "p", "complaint", words[WORD_STARTING][language]);
	html_reply(&h, req, status);
}

static void
reply_form(struct intake *in, struct http_request *req, unsigned status,
    const struct catalogue_subject *subject, struct report_page_form *f)
{
	struct html h;

	f->photo_mb = (unsigned)(in->config.photo_bytes / BYTES_PER_MB);
	begin(&h, req, catalogue_say(&subject->name, html_language(req)));
	report_page_form(&h, registry_catalogue(in->registry), subject, f);
	html_reply(&h, req, status);
}

const char *
door_report_error(unsigned status, struct evbuffer *body)
{
	static const struct {
		unsigned status;
		const char *turkish, *english;
	} sentences[] = {
		{ 413,
		    "Gönderdikleriniz çok büyük. Geri dönüp daha küçük ya da daha az fotoğraf "
		    "seçin.",
		    "What you sent is too large. Go back and choose smaller or fewer photos." },
		{ 408, "Gönderim çok uzun sürdü. Geri dönüp yeniden deneyin.",
		    "Sending took too long. Go back and try again." },
		{ 503, "Şu anda çok gönderi var. Geri dönüp birazdan yeniden gönderin.",
		    "Much is being sent at the moment. Go back and send it again shortly." },
		{ 0, "Gönderdikleriniz anlaşılamadı. Geri dönüp yeniden deneyin.",
		    "What you sent was not understood. Go back and try again." },
	};
	size_t i = 0;
	struct html h;

	while (sentences[i].status != 0 && sentences[i].status != status)
		i++;
	html_begin(&h, CATALOGUE_TR, words[WORD_TITLE][CATALOGUE_TR], "/report");
	html_complaint(&h, sentences[i].turkish);
	html_raw(&h, "<p class=\"hint\" lang=\"en\">");
	html_text(&h, sentences[i].english);
	html_raw(&h,
	    "</p>\n<p class=\"hint\">Hiçbir şey kaydedilmedi. <span lang=\"en\">Nothing was "
	    "stored.</span></p>\n");
	return html_finish(&h, body) ? "text/html; charset=utf-8" : NULL;
}

static void
get_report(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	const struct catalogue *cat = registry_catalogue(in->registry);
	const char *code = http_query(req, "subject", NULL);
	const struct catalogue_subject *subject = cat == NULL || code == NULL
						      ? NULL
						      : catalogue_subject(cat, code);
	char token[FORM_TOKEN_SIZE];

	if (subject == NULL) {
		reply_subjects(in, req, cat == NULL ? 503 : 200, WORD_TITLE);
		return;
	}
	form_token_make(in->secret, sizeof(in->secret), 0,
	    clock_now_us() + TOKEN_LIFE_H * 60 * US_PER_MIN, token);
	reply_form(in, req, 200, subject,
	    &(struct report_page_form){
		.form = &(struct report_form){ 0 }, .p = &(struct problems){ 0 }, .token = token });
}

/* --- sending ------------------------------------------------------------------------------------
 */

static void
reply_receipt(struct sending *s, int64_t ticket_id)
{
	const struct catalogue *cat = registry_catalogue(s->in->registry);
	enum catalogue_language language = html_language(s->req);
	struct html h;

	begin(&h, s->req, words[WORD_RECEIVED][language]);
	report_page_receipt(
	    &h, cat, catalogue_subject(cat, s->report.item.subject_code), ticket_id, s->at_us);
	html_reply(&h, s->req, 201);
}

static void
on_done(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	struct sending *s = (struct sending *)item;
	struct intake *in = s->in;

	stats_add_at(in->stats, INTAKE_STAT_ITEMS, outcome, 1);
	stats_observe(in->stats, INTAKE_STAT_WAITED, clock_monotonic_us() - s->taken_us);
	intake_settle_photos(in, &s->photos, item, outcome);
	switch (outcome) {
	case ITEM_ACCEPTED:
		stats_incr(in->stats, INTAKE_STAT_OPENED);
		reply_receipt(s, ticket_id);
		break;
	case ITEM_SPOOLED:
	case ITEM_DUPLICATE:
		reply_receipt(s, ticket_id);
		break;
	case ITEM_ID_REUSED:
		reply_subjects(in, s->req, 409, WORD_OVER);
		break;
	case ITEM_REFUSED:
	case ITEM_UNAVAILABLE:
	case ITEM_OUTCOMES:
		reply_subjects(in, s->req, 503, WORD_BUSY);
		break;
	}
	sending_destroy(s);
}

/* A browser's date has no zone: "2026-03-02T08:15". */
static bool
is_local_time(const char *value)
{
	return strlen(value) == LOCAL_TIME_CHARS && value[10] == 'T' && value[13] == ':';
}

/* The browser's form as an Open311 client would have sent it; false: too many fields. */
static bool
take_form(struct sending *s)
{
	size_t count = http_form_count(s->req), dates = 0;

	if (count > REPORT_PAIRS_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		s->pairs[i] = *http_form_at(s->req, i);
		if (strncmp(s->pairs[i].name, "attribute[", 10) != 0
		    || !is_local_time(s->pairs[i].value) || dates == DATES_MAX)
			continue;
		(void)snprintf(
		    s->dates[dates], DATE_BYTES, "%s%s", s->pairs[i].value, local_offset);
		s->pairs[i].value = s->dates[dates++];
	}
	s->form = (struct report_form){ s->pairs, count };
	return true;
}

/* The content without what belongs to the form alone. */
static void
identify(struct sending *s)
{
	struct http_pair pairs[REPORT_PAIRS_MAX + PHOTOS_MAX];
	char digests[PHOTOS_MAX][DIGEST_HEX_SIZE];
	size_t count = 0;

	for (size_t i = 0; i < s->form.count; i++)
		if (strcmp(s->pairs[i].name, "token") != 0)
			pairs[count++] = s->pairs[i];
	for (size_t i = 0; i < s->photos.count; i++) {
		photos_digest(&s->photos, i, digests[i]);
		pairs[count++] = (struct http_pair){ "photo", digests[i] };
	}
	report_identify(&s->report.item, &s->in->maker, pairs, count);
}

/* The form as it was filled in, with what is wrong. */
static void
complain(struct sending *s, const struct catalogue_subject *subject, const struct problems *p,
    const struct photos_fault *fault, const char *token)
{
	char photo_words[PHOTOS_WORDS_BYTES];
	bool ours = fault->problem == PHOTOS_NOT_KEPT || (p->count > 0 && p->at[0].status == 503);
	struct report_page_form f = { .form = &s->form,
		.p = p,
		.choose_again = http_file_count(s->req) > 0,
		.token = token };

	if (fault->problem != PHOTOS_FINE) {
		photos_words(fault, html_language(s->req), photo_words);
		f.photo_words = photo_words;
		stats_add_at(s->in->stats, INTAKE_STAT_PHOTOS, PHOTOS_TURNED_DOWN, 1);
	}
	stats_incr(s->in->stats, INTAKE_STAT_BAD_REQUESTS);
	unsigned status = ours ? 503 : fault->problem == PHOTOS_TOO_OFTEN ? 429 : 400;
	reply_form(s->in, s->req, status, subject, &f);
}

/* Everything is looked at, so that all of it is told at once; then the photos are kept.  False: it
 * was answered. */
static bool
read_all(struct sending *s, const struct catalogue *cat, const struct catalogue_subject *subject,
    const char *token)
{
	const struct photos_limits limits = { (uint64_t)s->in->config.photo_bytes,
		(uint64_t)s->in->config.photo_pixels };
	struct problems p = { 0 };
	struct photos_fault fault = { .problem = PHOTOS_TOO_OFTEN };
	if (door_photos_within_rate(s->in, s->req))
		fault = photos_read(&s->photos, s->req, &limits);
	bool fits = report_read(&s->report, &s->form, cat, s->at_us, &p);

	if (fits && fault.problem == PHOTOS_FINE) {
		identify(s);
		fault = photos_store(&s->photos, s->in->attachments);
	}
	fits = fits && fault.problem == PHOTOS_FINE;
	if (!fits)
		complain(s, subject, &p, &fault, token);
	return fits;
}

/* The version whose link stood on the form, if it is one: the text may have changed meanwhile. */
static const char *
shown_information(const struct catalogue *cat, const struct report_form *form)
{
	const char *said = report_field(form, "information_version");
	const struct catalogue_information *text =
	    said == NULL ? NULL : catalogue_information(cat, said, CATALOGUE_TR);

	return text == NULL ? cat->municipality.information_text_version : text->version;
}

/* False: it was answered and is gone. */
static bool
fill(struct sending *s, const struct catalogue *cat, const char *token)
{
	struct item *item = &s->report.item;
	const char *code = report_field(&s->form, "service_code");
	const struct catalogue_subject *subject = code == NULL ? NULL
							       : catalogue_subject(cat, code);

	if (subject == NULL) {
		reply_subjects(s->in, s->req, 404, WORD_TITLE);
	} else if (!read_all(s, cat, subject, token)) {
		sending_destroy(s);
		return false;
	} else if (!numbers_take(s->in->numbers, number_year(s->at_us), &item->ticket_id)) {
		stats_incr(s->in->stats, INTAKE_STAT_NO_NUMBER);
		reply_subjects(s->in, s->req, 503, WORD_BUSY);
	} else {
		item->source = form_source;
		item->photos = s->photos.json[0] == '\0' ? NULL : s->photos.json;
		item->id = s->form_id;
		item->channel = TURUNC__V1__CHANNEL__CHANNEL_WEB;
		item->language = catalogue_language_name(html_language(s->req));
		item_set_information_version(item, shown_information(cat, &s->form));
		item->traceparent = http_header(s->req, "traceparent");
		if (item_seal(item, &s->in->maker, s->at_us))
			return true;
		reply_subjects(s->in, s->req, 503, WORD_BUSY);
	}
	photos_drop(&s->photos);
	sending_destroy(s);
	return false;
}

static void
post_report(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	const struct catalogue *cat = registry_catalogue(in->registry);
	const char *token = http_form(req, "token", NULL), *why;
	struct sending *s = calloc(1, sizeof(*s));
	int64_t nothing;

	if (s == NULL || cat == NULL || !intake_takes(in, 1, DOOR_BODY_BYTES, &why)) {
		free(s);
		stats_add_at(
		    in->stats, INTAKE_STAT_BUSY, in->writer_lost ? BUSY_AWAY : BUSY_FULL, 1);
		reply_subjects(in, req, 503, WORD_BUSY);
		return;
	}
	report_init(&s->report, on_done);
	s->in = in;
	s->req = req;
	s->at_us = clock_now_us();
	s->taken_us = clock_monotonic_us();
	if (!door_within_rate(in, req)) {
		sending_destroy(s);
		reply_subjects(in, req, 429, WORD_TOO_MANY);
	} else if (token == NULL || !take_form(s)
		   || !form_token_read(
		       in->secret, sizeof(in->secret), token, s->at_us, &nothing, s->form_id)
		   || nothing != 0) {
		sending_destroy(s);
		reply_subjects(in, req, 400, WORD_OVER);
	} else if (fill(s, cat, token)) {
		accept_add(in->accept, &s->report.item, clock_monotonic_ms());
	}
}

const struct http_route door_report_routes[] = {
	{ HTTP_GET, "/report", get_report, 0 },
	{ HTTP_POST, "/report", post_report, PHOTOS_BODY_BYTES },
};
const size_t door_report_route_count = ARRAY_LEN(door_report_routes);
