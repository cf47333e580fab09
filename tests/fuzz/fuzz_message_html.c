/* The HTML of a mail with anything in it: our own elements and no others, links to us alone. */
#include "fuzz.h"
#include "message_html.h"

/* Every '<' of the page begins one of these. */
static const char *const elements[] = { "!DOCTYPE html>", "html lang=\"", "/html>", "head>",
	"/head>", "meta charset=\"utf-8\">", "meta name=\"", "title>", "/title>", "style>",
	"/style>", "body>", "/body>", "div class=\"page\">", "div class=\"card\" role=\"article\">",
	"/div>", "p>", "p class=\"last\">", "p class=\"from\">", "/p>", "br>", "table>", "/table>",
	"tr><th scope=\"row\">", "th scope=\"row\">", "/th><td>", "td>", "/td></tr>", "/tr>",
	"a href=\"https://masa.example", "/a>" };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char *title = take_text(&in), *sender = take_text(&in), *body = take_text(&in);
	const struct message_html mail = { .language = "tr",
		.title = title,
		.sender = sender,
		.body = body,
		.base_url = "https://masa.example" };
	size_t made;
	char *html = message_html_make(&mail, &made);

	HOLDS(html != NULL && html[made] == '\0' && strlen(html) == made);
	for (const char *at = strchr(html, '<'); at != NULL; at = strchr(at + 1, '<')) {
		size_t i = 0;
		while (i < sizeof(elements) / sizeof(elements[0])
		       && strncmp(at + 1, elements[i], strlen(elements[i])) != 0)
			i++;
		HOLDS(i < sizeof(elements) / sizeof(elements[0]));
		/* The host ends where ours does. */
		static const char link[] = "<a href=\"https://masa.example";
		if (strncmp(at, link, strlen(link)) == 0)
			HOLDS(strchr("\"/?", at[strlen(link)]) != NULL);
	}
	free(html);
	free(title);
	free(sender);
	free(body);
	return 0;
}
