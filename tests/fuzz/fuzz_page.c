/* Pages that citizens see and forms they send back: text never becomes markup, and no form is taken
 * that was not made here. */
#include <event2/buffer.h>

#include "form_token.h"
#include "fuzz.h"
#include "html.h"

#define NOW_US INT64_C(1772440000000000)

static void
check_html(const char *text)
{
	struct html h = { .out = evbuffer_new() };

	html_text(&h, text);
	HOLDS(!h.failed);
	size_t len = evbuffer_get_length(h.out);
	char *made = copy_text(evbuffer_pullup(h.out, -1), len);
	HOLDS(strpbrk(made, "<>\"'") == NULL && strlen(made) == len);
	for (const char *c = strchr(made, '&'); c != NULL; c = strchr(c + 1, '&'))
		HOLDS(strchr(c, ';') != NULL && strchr(c, ';') - c <= 6);
	free(made);
	evbuffer_free(h.out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t secret[32] = { 7 };
	struct input in = { data, size };
	char token[FORM_TOKEN_SIZE], form_id[FORM_ID_SIZE];
	size_t at = take_byte(&in) % (FORM_TOKEN_SIZE - 1);
	char *text = take_text(&in);
	int64_t ticket_id = -1;

	check_html(text);
	if (form_token_read(secret, sizeof(secret), text, NOW_US, &ticket_id, form_id))
		HOLDS(false);
	form_token_make(secret, sizeof(secret), 260000001, NOW_US + 1, token);
	HOLDS(form_token_read(secret, sizeof(secret), token, NOW_US, &ticket_id, form_id));
	HOLDS(ticket_id == 260000001 && strlen(form_id) == FORM_ID_SIZE - 1);
	if (form_token_read(secret, sizeof(secret), token, NOW_US + 1, &ticket_id, form_id))
		HOLDS(false);
	if (text[0] != '\0' && text[0] != token[at]) {
		token[at] = text[0];
		if (form_token_read(secret, sizeof(secret), token, NOW_US, &ticket_id, form_id))
			HOLDS(false);
	}
	free(text);
	return 0;
}
