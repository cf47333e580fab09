/* Values of settings of every type: what is taken is shown in a way that is taken again. */
#include "fuzz.h"
#include "setting_value.h"

union member {
	char *text;
	int64_t number;
	bool yes;
	struct setting_address address;
};

static const char *const words[] = { "tr", "en", NULL };

static void
finish(const struct setting *s, union member *at)
{
	if (setting_is_string(s))
		free(at->text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint8_t kind = take_byte(&in);
	const struct setting s = { .name = "TURUNC_FUZZ",
		.type = (enum setting_type)(kind % SETTING_TYPES),
		.min = kind & 0x40 ? 10 : 0,
		.max = kind & 0x40 ? 100000 : 0,
		.choices = words };
	char *text = copy_text(in.at, in.left), why[SETTING_WHY_SIZE] = "",
	     shown[SETTING_SHOWN_SIZE], second[SETTING_SHOWN_SIZE];
	union member at, again;

	memset(&at, 0, sizeof(at));
	memset(&again, 0, sizeof(again));
	if (setting_parse(&s, text, &at, why)) {
		setting_format(&s, &at, shown);
		if (s.type != SETTING_SECRET) {
			HOLDS(setting_parse(&s, shown, &again, why));
			setting_format(&s, &again, second);
			HOLDS(strcmp(shown, second) == 0);
			finish(&s, &again);
		} else {
			HOLDS(text[0] == '\0' || strcmp(shown, "***") == 0);
		}
		finish(&s, &at);
	} else {
		HOLDS(why[0] != '\0' && memchr(why, 0, sizeof(why)) != NULL);
	}
	free(text);
	return 0;
}
