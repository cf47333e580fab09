/* Names citizens' texts, and makes them such as intake takes. */
#include "incoming_text.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "fold.h"
#include "istanbul.h"
#include "utf8.h"

enum {
	KEY_BYTES = 16,
	WORD_SIZE = 64,
	DELETE = 0x7f, /* the one control character beyond the first 32 */
};

static void
hash_text(crypto_generichash_state *state, const char *text)
{
	crypto_generichash_update(state, (const unsigned char *)text, strlen(text) + 1);
}

void
incoming_text_id(const char *gateway, const struct gateway_news *n, int64_t now_us,
    char out[INCOMING_TEXT_ID_SIZE])
{
	unsigned char hash[KEY_BYTES];
	char hex[2 * KEY_BYTES + 1];
	crypto_generichash_state state;
	bool keyed = n->key[0] != '\0';
	int32_t day = keyed ? 0 : istanbul_split(now_us).day_number;

	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	crypto_generichash_update(&state, (const unsigned char *)&day, sizeof(day));
	hash_text(&state, n->key);
	hash_text(&state, n->sender);
	hash_text(&state, n->text);
	crypto_generichash_final(&state, hash, sizeof(hash));
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	snprintf(out, INCOMING_TEXT_ID_SIZE, "%s-%s-%s", gateway, keyed ? "id" : "text", hex);
}

void
incoming_text_blank(char *text, bool lines)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < ' ' && !(lines && *text == '\n')) || *text == DELETE)
			*text = ' ';
}

void
incoming_text_plain(const char *text, char out[GATEWAY_TEXT_MAX + 1])
{
	size_t n = 0;

	for (; *text != '\0' && n < GATEWAY_TEXT_MAX; text++)
		if (*text != '\r')
			out[n++] = *text;
	out[n] = '\0';
	out[utf8_prefix_len(out, n, GATEWAY_TEXT_MAX - UTF8_BYTES_MAX)] = '\0';
	incoming_text_blank(out, true);
}

const char *
incoming_text_behind(const char *text, const char *keyword)
{
	static const char blanks[] = " \t\r\n";
	const char *word = text + strspn(text, blanks);
	size_t len = strcspn(word, blanks);
	const char *rest = word + len + strspn(word + len, blanks);
	char said[WORD_SIZE], wanted[WORD_SIZE];

	if (keyword[0] == '\0' || rest[0] == '\0' || !fold_text(word, len, said, sizeof(said))
	    || !fold_text(keyword, strlen(keyword), wanted, sizeof(wanted)))
		return text;
	return strcmp(said, wanted) == 0 ? rest : text;
}
