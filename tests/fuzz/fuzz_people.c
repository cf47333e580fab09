/* What browsers say of a session: no cookie but one of ours is taken, no link leads to another
 * host, no other origin is taken for ours, and nothing is written that a header could not hold. */
#include "fuzz.h"
#include "people.h"
#include "people_parse.h"

static void
check_cookie(const char *text)
{
	uint8_t token[PEOPLE_TOKEN_BYTES], again[PEOPLE_TOKEN_BYTES];
	char made[PEOPLE_TOKEN_SIZE], form[PEOPLE_TOKEN_SIZE];

	if (people_cookie_find(text, "turunc", token)) {
		const char *at = strstr(text, "turunc=");
		HOLDS(at != NULL && strlen(at) >= 7 + PEOPLE_TOKEN_SIZE - 1);
	}
	people_token_make(token, made);
	size_t len = strlen(text);
	char *both = malloc(len + sizeof(made) + 16);
	if (both == NULL)
		return;
	/* Ours in front is found if and only if the rest has none by its name. */
	snprintf(both, len + sizeof(made) + 16, "turunc=%s; %s", made, text);
	if (people_cookie_find(both, "turunc", again))
		HOLDS(memcmp(token, again, sizeof(token)) == 0);
	else
		HOLDS(strstr(text, "turunc=") != NULL);
	free(both);
	people_form_token(token, form);
	HOLDS(people_form_token_equal(form, form));
	HOLDS(!people_form_token_equal(text, form) || strcmp(text, form) == 0);
}

/* What a browser makes of a Location: blanks at the ends and tabs and line ends go, "\" is "/". */
static void
check_next(const char *text)
{
	char to[3 * PEOPLE_NEXT_BYTES + 16] = "/desk/sign-in?next=";

	if (people_next_valid(text, "/desk/")) {
		HOLDS(strncmp(text, "/desk/", 6) == 0 && strlen(text) <= PEOPLE_NEXT_BYTES);
		HOLDS(strpbrk(text, "\\\t\r\n \"'<>#;") == NULL);
		for (const char *c = text; *c != '\0'; c++)
			HOLDS(*c > ' ' && *c < 0x7f);
		const char *twice = strstr(text, "//");
		HOLDS(twice == NULL || (strchr(text, '?') != NULL && strchr(text, '?') < twice));
	}
	if (people_escape(to, sizeof(to), text, "/"))
		for (const char *c = to; *c != '\0'; c++)
			HOLDS(*c > ' ' && *c < 0x7f && strchr("\"<>\\", *c) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	bool secure = take_byte(&in) & 1;
	char *text = take_text(&in), address[PEOPLE_ADDRESS_SIZE];

	check_cookie(text);
	check_next(text);
	if (people_same_origin(text, NULL, "masa.example:8000", secure))
		HOLDS(strcasecmp(text, "https://masa.example:8000") == 0
		      || (!secure && strcasecmp(text, "http://masa.example:8000") == 0));
	HOLDS(!people_same_origin("http://masa.example:8000", text, "masa.example:8000", false)
	      || strcmp(text, "same-origin") == 0);
	people_address(text, address);
	HOLDS(address[0] != '\0' && strlen(address) < sizeof(address));
	if (people_name_valid(text))
		HOLDS(strlen(text) <= PEOPLE_NAME_BYTES && strpbrk(text, " '\"/\\%") == NULL);
	free(text);
	return 0;
}
