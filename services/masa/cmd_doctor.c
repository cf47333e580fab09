/* masa doctor: looks for trouble; each finding comes with its fix. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "page.h"
#include "terminal.h"
#include "top_figures.h"

static enum exit_code doctor_run(struct masa *m, int argc, char **argv);

const struct command doctor_commands[] = {
	{ "doctor", "", "",
	    "look for trouble: each finding with its fix; 1 when something is to be mended",
	    doctor_run },
	{ 0 },
};

enum { ASK_MS = 2000, LINE_MAX_CHARACTERS = 1000, WORD_COLUMN = 15 };

static const struct {
	void (*look)(struct doctor *d);
	bool needs_record;
} looks[] = {
	{ doctor_parts, false },
	{ doctor_ports, false },
	{ doctor_edge, false },
	{ doctor_record, true },
	{ doctor_schema, true },
	{ doctor_configuration, true },
	{ doctor_clock, false },
	{ doctor_files, false },
	{ doctor_settings, false },
};

void
doctor_find(struct doctor *d, enum doctor_level level, const char *check, const char *fix,
    const char *format, ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	d->bad = d->bad || level == DOCTOR_BAD;
	top_whole_characters(what);
	json_array_append_new(
	    d->findings, json_pack("{s:s,s:s,s:s,s:s}", "check", check, "level",
			     level == DOCTOR_BAD ? "bad" : "note", "finding", what, "fix", fix));
}

void
doctor_looked(struct doctor *d, const char *check)
{
	size_t i;
	const json_t *known;

	json_array_foreach(d->looked_at, i, known)
	{
		if (strcmp(json_string_value(known), check) == 0)
			return;
	}
	json_array_append_new(d->looked_at, json_string(check));
}

void
doctor_skip(struct doctor *d, const char *check, const char *why)
{
	json_array_append_new(d->not_looked_at, json_pack("{s:s,s:s}", "check", check, "why", why));
}

/* --- for people --------------------------------------------------------------------------------
 */

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static void
put_finding(struct page *page, const json_t *finding)
{
	bool bad = strcmp(text_of(finding, "level"), "bad") == 0;

	page_put(
	    page, bad ? PAGE_BAD : PAGE_WARN, "%s %s", bad ? "!" : "*", text_of(finding, "check"));
	page_column(page, WORD_COLUMN);
	page_put(page, PAGE_STRONG, "%s", text_of(finding, "finding"));
	page_end_line(page);
	page_column(page, WORD_COLUMN);
	page_put(page, PAGE_PLAIN, "%s", text_of(finding, "fix"));
	page_end_line(page);
}

static void
put_all(struct page *page, const struct doctor *d)
{
	size_t i;
	const json_t *value;

	json_array_foreach(d->findings, i, value) put_finding(page, value);
	page_put(page, d->bad ? PAGE_BAD : PAGE_GOOD, "healthy: %s", d->bad ? "no" : "yes");
	page_end_line(page);
	page_put(page, PAGE_PLAIN, "looked at:");
	json_array_foreach(d->looked_at, i, value)
	{
		page_put(page, PAGE_PLAIN, "%s %s", i > 0 ? "," : "", json_string_value(value));
	}
	page_end_line(page);
	json_array_foreach(d->not_looked_at, i, value)
	{
		page_put(page, PAGE_PLAIN, "not looked at: %s (%s)", text_of(value, "check"),
		    text_of(value, "why"));
		page_end_line(page);
	}
}

static void
print_for_people(const struct doctor *d)
{
	const struct page_look look = { .width = LINE_MAX_CHARACTERS,
		.utf8 = terminal_is_utf8(),
		.colours = terminal_is_there() && terminal_has_colours() };
	struct page *page = page_create(&look);
	size_t len = 0;
	const char *text = NULL;

	if (page != NULL) {
		put_all(page, d);
		text = page_text(page, &len);
	}
	if (text != NULL)
		(void)fwrite(text, 1, len, stdout);
	page_destroy(page);
}

/* --- the command -------------------------------------------------------------------------------
 */

static bool
take_picture(struct doctor *d)
{
	struct top_source *source = top_source_open();
	bool taken = source != NULL && top_picture_take(source, ASK_MS, -1, &d->picture);

	top_source_close(source);
	return taken;
}

/* It is asked with patience for a moment only: a record that is silent must not silence us. */
static enum exit_code
reach_record(struct doctor *d)
{
	if (d->picture.record == NULL) {
		doctor_find(d, DOCTOR_BAD, "record",
		    "start it (deploy/up), or correct TURUNC_DATABASE; masa db migrate makes an "
		    "empty one a record",
		    "PostgreSQL cannot be reached, or is no record: %.200s", d->picture.record_why);
		return MASA_UNREACHABLE;
	}
	enum exit_code code = masa_connect(d->m);
	if (code == MASA_OK)
		code = masa_query(d->m, "SET statement_timeout = '30s'", 0, NULL, NULL);
	if (code != MASA_OK)
		doctor_find(d, DOCTOR_BAD, "record", "what PostgreSQL said stands above",
		    "PostgreSQL does not let masa in, or not twice");
	return code;
}

static enum exit_code
look_at_all(struct doctor *d)
{
	enum exit_code code = reach_record(d);

	d->is_demo = json_is_true(json_object_get(d->picture.record, "demo"));
	for (size_t i = 0; i < ARRAY_LEN(looks); i++)
		if (code == MASA_OK || !looks[i].needs_record)
			looks[i].look(d);
	if (code != MASA_OK)
		doctor_skip(d, "what the record knows", "it cannot be reached");
	return code;
}

static enum exit_code
doctor_run(struct masa *m, int argc, char **argv)
{
	int positional;
	struct doctor d = { .m = m };

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 0, 0, &positional);
	if (code != MASA_OK)
		return code;
	if (masa_env("TURUNC_DATABASE", NULL) == NULL)
		return masa_connect(m);
	if (!take_picture(&d))
		return masa_fail(MASA_FAILED, "no memory");
	d.findings = json_array();
	d.looked_at = json_array();
	d.not_looked_at = json_array();
	code = look_at_all(&d);
	top_picture_finish(&d.picture);
	if (!m->json)
		print_for_people(&d);
	json_t *said = json_pack("{s:b,s:o,s:o,s:o}", "healthy", !d.bad, "findings", d.findings,
	    "looked_at", d.looked_at, "not_looked_at", d.not_looked_at);
	if (m->json)
		masa_print(m, said);
	else
		json_decref(said);
	return code != MASA_OK ? code : d.bad ? MASA_FAILED : MASA_OK;
}
