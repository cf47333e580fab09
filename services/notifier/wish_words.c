/* Writes what confirms a wish about SMS. */
#include "wish_words.h"

#include <stdio.h>
#include <string.h>

#include "istanbul.h"
#include "template.h"

static void
add(const struct catalogue *cat, const char *event, enum catalogue_language language,
    const struct template_values *values, struct wish_words *words)
{
	const struct catalogue_template *t = catalogue_template(cat, event, "sms", language, false);
	char filled[COMPOSE_SMS_SIZE];

	if (t == NULL || t->language != language
	    || !template_fill(t->body, values, TEMPLATE_LINE, filled, sizeof(filled)))
		return;
	sms_fold(t->sms_policy, filled, strlen(filled), words->bodies[words->count]);
	words->languages[words->count++] = catalogue_language_name(language);
}

void
wish_words_write(
    const struct catalogue *cat, bool stop, int64_t now_us, struct wish_words *ret_words)
{
	const struct catalogue_municipality *m = &cat->municipality;
	const char *event = stop ? "sms_stopped" : "sms_started";
	struct istanbul_time at = istanbul_split(now_us);
	struct template_values values = { 0 };
	char moment[32];

	snprintf(moment, sizeof(moment), "%02d.%02d.%04d %02d:%02d", at.day, at.month, at.year,
	    at.hour, at.minute);
	values.of[FIELD_MOMENT] = moment;
	values.of[FIELD_MUNICIPALITY] = m->name;
	values.of[FIELD_PHONE] = m->phone;
	values.of[FIELD_SMS_REPLY_TO] = m->sms_reply_to;
	values.of[FIELD_SMS_KEYWORD] = m->sms_keyword;
	ret_words->count = 0;
	add(cat, event, m->default_language, &values, ret_words);
	for (int l = 0; l < CATALOGUE_LANGUAGES; l++)
		if (l != (int)m->default_language)
			add(cat, event, (enum catalogue_language)l, &values, ret_words);
}
