/* Collects what is wrong with a request and writes it as Open311's errors. */
#include "problems.h"

#include <stdarg.h>
#include <stdio.h>

#include "utf8.h"

void
problems_add(struct problems *p, unsigned status, const char *format, ...)
{
	va_list args;

	if (p->count == PROBLEMS_MAX)
		return;
	struct problem *problem = &p->at[p->count++];
	problem->status = status;
	va_start(args, format);
	int len = vsnprintf(problem->text, sizeof(problem->text), format, args);
	va_end(args);
	if (len >= (int)sizeof(problem->text)) {
		size_t fits = sizeof(problem->text) - 1;
		problem->text[utf8_prefix_len(problem->text, fits + 1, fits)] = '\0';
	}
}

bool
problems_write(const struct problems *p, enum doc_format format, struct evbuffer *out)
{
	struct doc *doc = doc_create(format);

	if (doc == NULL)
		return false;
	doc_list_begin(doc, "errors");
	for (size_t i = 0; i < p->count; i++) {
		char code[16];
		(void)snprintf(code, sizeof(code), "%u", p->at[i].status);
		doc_entry_begin(doc, "error");
		doc_text(doc, "code", code);
		doc_text(doc, "description", p->at[i].text);
		doc_entry_end(doc);
	}
	doc_list_end(doc);
	bool ok = doc_finish(doc, out);
	doc_destroy(doc);
	return ok;
}
