/* Writes the parts of forms. */
#include "desk_form.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "number.h"
#include "uuid.h"

enum { BYTES_PER_MB = 1024 * 1024 };

static void
begin(struct html *h, const char *path, const char *class, const char *attributes)
{
	html_raw(h, "<form method=\"post\"");
	html_raw(h, attributes);
	if (class != NULL) {
		html_raw(h, " class=\"");
		html_raw(h, class);
		html_raw(h, "\"");
	}
	html_raw(h, " action=\"/desk/");
	html_text(h, path);
	html_raw(h, "?");
	html_raw(h, page_lang(h));
}

void
form_begin(struct html *h, const struct visit *v, const char *path, const char *class)
{
	begin(h, path, class, "");
	html_raw(h, "\">");
	page_form_token(h, v);
}

void
form_begin_files(struct html *h, const struct visit *v, const char *path, const char *class)
{
	begin(h, path, class, " enctype=\"multipart/form-data\"");
	html_raw(h, "&amp;csrf=");
	html_text(h, v->form_token);
	html_raw(h, "\">");
}

void
form_photos(struct html *h, const char *label, uint64_t each_bytes)
{
	char mb[24];

	(void)snprintf(mb, sizeof(mb), "%llu", (unsigned long long)(each_bytes / BYTES_PER_MB));
	html_raw(h, "<label>");
	html_text(h, label);
	html_raw(h, "<input type=\"file\" name=\"photo\" multiple "
		    "accept=\"image/jpeg,image/png,image/webp\"></label>\n<p class=\"second\">");
	html_text(h, html_say(h, "En çok üç JPEG, PNG ya da WebP, her biri en çok ",
			 "Up to three JPEG, PNG or WebP, each of at most "));
	html_raw(h, mb);
	html_raw(h, " MB.</p>\n");
}

void
form_id(struct html *h, const struct visit *v)
{
	char text[UUID_TEXT_SIZE];
	struct uuid id;

	uuid_next(v->desk->world.ids, clock_now_us(), &id);
	uuid_format(&id, text);
	html_hidden(h, "id", text);
}

void
form_version(struct html *h, int64_t version)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)version);
	html_hidden(h, "version", text);
}

/* --- selects ---------------------------------------------------------------------------------- */

void
form_select_begin(struct html *h, const char *name, const char *label)
{
	html_raw(h, "<label>");
	html_text(h, label);
	html_raw(h, "<select name=\"");
	html_raw(h, name);
	html_raw(h, "\">");
}

void
form_select_end(struct html *h)
{
	html_raw(h, "</select></label>\n");
}

void
form_subjects(struct html *h, const struct catalogue *cat, const char *name, const char *chosen,
    const char *nothing)
{
	form_select_begin(h, name, html_say(h, "Konu", "Subject"));
	html_option(h, "", nothing, chosen[0] == '\0');
	for (size_t i = 0; i < cat->subject_count; i++)
		html_option(h, cat->subjects[i].code,
		    catalogue_say(&cat->subjects[i].name, h->language),
		    strcmp(cat->subjects[i].code, chosen) == 0);
	form_select_end(h);
}

void
form_neighbourhoods(struct html *h, const struct catalogue *cat, const char *name,
    const char *chosen, const char *nothing)
{
	form_select_begin(h, name, html_say(h, "Mahalle", "Neighbourhood"));
	html_option(h, "", nothing, chosen[0] == '\0');
	for (size_t i = 0; i < cat->neighbourhood_count; i++)
		html_option(h, cat->neighbourhoods[i].code, cat->neighbourhoods[i].name,
		    strcmp(cat->neighbourhoods[i].code, chosen) == 0);
	form_select_end(h);
}

void
form_departments(struct html *h, const struct catalogue *cat, const char *but, const char *chosen)
{
	form_select_begin(h, "department", html_say(h, "Birim", "Department"));
	html_option(h, "", html_say(h, "Seçin", "Choose"), chosen[0] == '\0');
	for (size_t i = 0; i < cat->department_count; i++) {
		const struct catalogue_department *d = &cat->departments[i];
		if (d->active && strcmp(d->code, but) != 0)
			html_option(h, d->code, catalogue_say(&d->name, h->language),
			    strcmp(d->code, chosen) == 0);
	}
	form_select_end(h);
}

static bool
explains(const struct catalogue_reason *reason, enum status_verb verb)
{
	const char *status = status_name(status_rule(verb)->to);
	size_t len = strlen(status);

	for (const char *at = reason->applies_to; *at != '\0';) {
		size_t part = strcspn(at, ";");
		if ((part == 1 && *at == '*') || (part == len && memcmp(at, status, len) == 0))
			return true;
		at += part + (at[part] == ';');
	}
	return false;
}

static void
one_reason(struct html *h, const struct catalogue_reason *reason, const char *chosen)
{
	html_option(h, reason->code, catalogue_say(&reason->name, h->language),
	    strcmp(reason->code, chosen) == 0);
}

void
form_reasons(struct html *h, const struct catalogue *cat, enum status_verb verb, const char *chosen)
{
	unsigned needs = status_rule(verb)->needs;
	const struct catalogue_reason *reason;

	form_select_begin(h, "reason", html_say(h, "Neden", "Reason"));
	html_option(h, "", html_say(h, "Seçin", "Choose"), chosen[0] == '\0');
	if (needs & NEED_WAIT_REASON)
		for (size_t i = 0; i < cat->wait_reason_count; i++)
			one_reason(h, &cat->wait_reasons[i], chosen);
	if (needs & NEED_CLOSURE_REASON)
		for (size_t i = 0; i < cat->closure_reason_count; i++)
			if (explains(&cat->closure_reasons[i], verb))
				one_reason(h, &cat->closure_reasons[i], chosen);
	if (needs & NEED_REASON)
		for (size_t i = 0; (reason = desk_reason_at(verb, i)) != NULL; i++)
			one_reason(h, reason, chosen);
	form_select_end(h);
}

void
form_institutions(struct html *h, const struct catalogue *cat, const char *chosen)
{
	form_select_begin(h, "institution", html_say(h, "Kurum", "Institution"));
	html_option(h, "", html_say(h, "Seçin", "Choose"), chosen[0] == '\0');
	for (size_t i = 0; i < cat->institution_count; i++)
		html_option(h, cat->institutions[i].code,
		    catalogue_say(&cat->institutions[i].name, h->language),
		    strcmp(cat->institutions[i].code, chosen) == 0);
	form_select_end(h);
}

void
form_priorities(struct html *h, const char *chosen)
{
	char value[8];

	form_select_begin(h, "priority", html_say(h, "Öncelik", "Priority"));
	html_option(h, "", html_say(h, "Olduğu gibi", "As it is"), chosen[0] == '\0');
	for (int p = PRIORITY_LOW; p <= PRIORITY_URGENT; p++) {
		(void)snprintf(value, sizeof(value), "%d", p);
		html_option(h, value, desk_priority(p, h->language), strcmp(value, chosen) == 0);
	}
	form_select_end(h);
}

/* --- typed ------------------------------------------------------------------------------------ */

void
form_text(struct html *h, const char *label, const char *typed, bool needed)
{
	html_raw(h, "<label>");
	html_text(h, label);
	html_raw(h, "<textarea name=\"text\" rows=\"4\" maxlength=\"4000\"");
	html_raw(h, needed ? " required>\n" : ">\n");
	html_text(h, typed);
	html_raw(h, "</textarea></label>\n");
}

void
form_input(struct html *h, const char *name, const char *type, const char *label, const char *typed,
    bool needed)
{
	html_raw(h, "<label>");
	html_text(h, label);
	html_raw(h, "<input name=\"");
	html_raw(h, name);
	html_raw(h, "\" type=\"");
	html_raw(h, type);
	html_raw(h, "\" maxlength=\"64\" autocomplete=\"off\" value=\"");
	html_text(h, typed);
	html_raw(h, needed ? "\" required></label>\n" : "\"></label>\n");
}

void
form_notice(struct html *h, const struct visit *v)
{
	const char *done = http_query(v->req, "done", NULL), *of = http_query(v->req, "of", NULL);
	enum status_verb verb;
	int64_t ticket_id;
	char number[NUMBER_SIZE];

	if (done == NULL || !status_verb_parse(done, &verb))
		return;
	html_raw(h, "<p class=\"notice\" role=\"status\">");
	if (of != NULL && number_parse(of, &ticket_id) == NUMBER_OK
	    && number_format(ticket_id, number)) {
		html_raw(h, number);
		html_raw(h, ": ");
	}
	html_text(h, desk_done(verb, h->language));
	html_raw(h, "</p>\n");
}
