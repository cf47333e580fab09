/* The page that tells citizens what becomes of their personal data: the municipality's own text. */
#include <stdio.h>
#include <string.h>

#include "door.h"
#include "html.h"
#include "utf8.h"

enum { LINE_BYTES = 8000 };

/* A line of the text: "## heading", "- point", or a paragraph. */
static void
write_line(struct html *h, const char *line, bool *in_list)
{
	bool point = strncmp(line, "- ", 2) == 0;

	if (point != *in_list)
		html_raw(h, point ? "<ul>\n" : "</ul>\n");
	*in_list = point;
	if (point)
		html_element(h, "li", NULL, line + 2);
	else if (strncmp(line, "## ", 3) == 0)
		html_element(h, "h2", NULL, line + 3);
	else if (line[0] != '\0')
		html_element(h, "p", NULL, line);
}

static void
write_text(struct html *h, const char *body)
{
	char line[LINE_BYTES];
	bool in_list = false;

	while (*body != '\0') {
		size_t len = strcspn(body, "\r\n"), part = len;
		if (part >= sizeof(line))
			part = utf8_prefix_len(body, len, sizeof(line) - 1);
		memcpy(line, body, part);
		line[part] = '\0';
		write_line(h, line, &in_list);
		body += part;
		if (part == len)
			body += body[0] == '\r' ? 1 + (body[1] == '\n') : body[0] == '\n';
	}
	write_line(h, "", &in_list);
}

static void
get_information(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	const struct catalogue *cat = registry_catalogue(in->registry);
	enum catalogue_language language = html_language(req);
	const char *version = http_query(req, "version", NULL);
	const struct catalogue_information *text = NULL;
	struct html h;

	if (cat != NULL)
		text = catalogue_information(cat,
		    version == NULL ? cat->municipality.information_text_version : version,
		    language);
	html_begin(&h, language,
	    text == NULL ? (language == CATALOGUE_EN ? "Personal data" : "Kişisel veriler")
			 : text->title,
	    "/aydinlatma-metni");
	if (text == NULL) {
		html_complaint(&h,
		    cat == NULL ? html_say(&h, "Hizmet başlıyor. Birazdan yeniden deneyin.",
			"The service is starting. Try again shortly.")
				: html_say(&h, "Böyle bir metin yok.", "There is no such text."));
		html_reply(&h, req, cat == NULL ? 503 : 404);
		return;
	}
	html_raw(&h, text->language == h.language ? "<article>\n" : "<article lang=\"tr\">\n");
	write_text(&h, text->body);
	html_raw(&h, "<p class=\"hint\">");
	html_text(&h, html_say(&h, "Sürüm: ", "Version: "));
	html_text(&h, text->version);
	html_raw(&h, "</p>\n</article>\n");
	html_reply(&h, req, 200);
}

const struct http_route door_information_routes[] = {
	{ HTTP_GET, "/aydinlatma-metni", get_information, 0 },
};
const size_t door_information_route_count = ARRAY_LEN(door_information_routes);
