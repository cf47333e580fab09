/* Mail with anything in it: our own headers, no other, no line over its length, and one recipient.
 */
#include "fuzz.h"
#include "mail.h"
#include "mail_address.h"

enum { LINE_MAX_BYTES = 998 };

static void
check_lines(const char *text, size_t size, bool twice)
{
	const char *at = text, *end = text + size;
	size_t headers = 0, to = 0;
	bool body = false;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		HOLDS(stop != NULL && stop > text && stop[-1] == '\r');
		size_t len = (size_t)(stop - at) - 1;
		HOLDS(len <= LINE_MAX_BYTES && memchr(at, '\r', len) == NULL);
		body = body || len == 0;
		if (!body && at[0] != ' ' && at[0] != '\t') {
			headers++;
			to += strncasecmp(at, "To:", 3) == 0;
			HOLDS(strncasecmp(at, "Bcc:", 4) != 0 && strncasecmp(at, "Cc:", 3) != 0);
		}
		at = stop + 1;
	}
	static size_t first[2]; /* without a part of HTML, and with one */
	first[twice] = first[twice] == 0 ? headers : first[twice];
	HOLDS(body && to == 1 && headers == first[twice]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char *to = take_text(&in), *subject = take_text(&in), *name = take_text(&in),
	     *body = take_text(&in);
	const char *why = NULL;
	size_t made;

	for (int round = 0; round < 2; round++) {
		const struct mail mail = { .from = "masa@muratpasa.example",
			.from_name = name,
			.to = round == 0 ? to : "ayse@yurttas.example",
			.reply_to = "",
			.stop_url = "",
			.html = round == 0 ? body : "",
			.subject = subject,
			.body = body,
			.message_id = "00000000-0000-4000-8000-000000000001",
			.ticket = "26-0000001-4",
			.language = "tr",
			.date_us = INT64_C(1772440000000000) };
		char *text = mail_compose(&mail, &made, &why);
		if (text == NULL) {
			HOLDS(why != NULL);
			continue;
		}
		HOLDS(mail_address_valid(mail.to));
		check_lines(text, made, mail.html[0] != '\0');
		free(text);
	}
	free(to);
	free(subject);
	free(name);
	free(body);
	return 0;
}
