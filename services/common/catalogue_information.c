/* Reads the texts that tell citizens what becomes of their personal data. */
#include <stdio.h>
#include <string.h>

#include "catalogue_parse.h"
#include "utf8.h"

enum { TEXT_BYTES_MAX = 32000 };
static const char folder[] = "information/";
static const char page[] = "/aydinlatma-metni";

/* "information/2026-01.tr.txt" */
static bool
read_name(struct parse *p, const char *name, struct catalogue_information *ret)
{
	static const char *const endings[CATALOGUE_LANGUAGES] = { ".tr.txt", ".en.txt" };
	const char *version = name + sizeof(folder) - 1;
	size_t len = strlen(version);

	for (size_t l = 0; l < CATALOGUE_LANGUAGES; l++) {
		size_t ending = strlen(endings[l]);
		if (len <= ending || strcmp(version + len - ending, endings[l]) != 0)
			continue;
		ret->version = parse_keep(p, version, len - ending);
		ret->language = (enum catalogue_language)l;
		return code_valid(ret->version);
	}
	return false;
}

static const char *
problem_of(const struct bundle_file *f)
{
	if (f->size > TEXT_BYTES_MAX)
		return "the text is longer than 32000 bytes";
	if (!utf8_valid(f->data, f->size))
		return "the text is not UTF-8";
	if (utf8_has_control(f->data, true))
		return "the text has a control character";
	if (strcspn(f->data, "\r\n") == 0)
		return "the first line is the title, and must not be empty";
	if (f->data[strcspn(f->data, "\n")] == '\0')
		return "there is nothing below the title";
	return NULL;
}

static void
read_text(struct parse *p, struct list *texts, const struct bundle_file *f)
{
	struct catalogue_information text = { 0 };

	if (!read_name(p, f->name, &text)) {
		parse_error(
		    p, f->name, 0, "the name is not information/VERSION.tr.txt or VERSION.en.txt");
		return;
	}
	const char *problem = problem_of(f);
	if (problem != NULL) {
		parse_error(p, f->name, 0, "%s", problem);
		return;
	}
	size_t title = strcspn(f->data, "\r\n");
	text.title = parse_keep(p, f->data, title);
	text.body = parse_keep(p, f->data + title, f->size - title);
	struct catalogue_information *kept = list_add(p, texts, f->name, 0);
	if (kept != NULL)
		*kept = text;
}

static int
compare_texts(const void *a, const void *b)
{
	const struct catalogue_information *left = a, *right = b;
	int order = strcmp(left->version, right->version);

	return order != 0 ? order : (int)left->language - (int)right->language;
}

/* The page of ours must have something to show. */
static void
check_present(struct parse *p)
{
	const struct catalogue_municipality *m = &p->cat->municipality;
	char name[96];

	if (m->information_text_version == NULL || m->information_text_url == NULL
	    || !catalogue_information_is_ours(m))
		return;
	const struct catalogue_information *turkish = catalogue_information(
	    p->cat, m->information_text_version, CATALOGUE_TR);
	const struct catalogue_information *english = catalogue_information(
	    p->cat, m->information_text_version, CATALOGUE_EN);
	(void)snprintf(name, sizeof(name), "%s%.40s.tr.txt", folder, m->information_text_version);
	if (turkish == NULL || turkish->language != CATALOGUE_TR)
		parse_error(p, name, 0,
		    "the file is missing: it is the text that information_text_version names");
	else if (english->language != CATALOGUE_EN)
		parse_warning(p, name, 0, "there is no English text beside it: this one is shown");
}

void
parse_information(struct parse *p)
{
	struct list texts;

	list_init(&texts, sizeof(struct catalogue_information));
	for (size_t i = 0; i < p->bundle->count; i++)
		if (strncmp(p->bundle->files[i].name, folder, sizeof(folder) - 1) == 0)
			read_text(p, &texts, &p->bundle->files[i]);
	p->cat->information = list_settle(p, &texts, &p->cat->information_count, compare_texts);
	check_present(p);
}

bool
catalogue_information_is_ours(const struct catalogue_municipality *m)
{
	size_t base = strlen(m->base_url);

	return strncmp(m->information_text_url, m->base_url, base) == 0
	       && strcmp(m->information_text_url + base, page) == 0;
}

const struct catalogue_information *
catalogue_information(
    const struct catalogue *cat, const char *version, enum catalogue_language language)
{
	const struct catalogue_information *found = NULL;

	for (size_t i = 0; i < cat->information_count; i++) {
		const struct catalogue_information *text = &cat->information[i];
		if (strcmp(text->version, version) != 0)
			continue;
		if (text->language == language)
			return text;
		found = text;
	}
	return found;
}
