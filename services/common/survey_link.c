/* Signs and checks the tokens of invitations. */
#include "survey_link.h"

#include <sodium.h>
#include <string.h>

#include "digest.h"

/* Eight bytes: who guesses is slowed down by intake's limits, and would have to guess the random
 * bits of the invitation's id as well. */
enum { MAC_BYTES = 8, TOKEN_BYTES = UUID_BYTES + MAC_BYTES };
_Static_assert(sodium_base64_ENCODED_LEN(TOKEN_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)
		   == SURVEY_LINK_SIZE,
    "the token's text");

static void
sign(const uint8_t *secret, size_t secret_len, const uint8_t *id, uint8_t ret_mac[MAC_BYTES])
{
	static const char purpose[] = "turunc survey link 1";
	struct digest_keyed d;
	struct digest digest;

	digest_keyed_init(&d, secret, secret_len);
	digest_keyed_add_part(&d, purpose, sizeof(purpose) - 1);
	digest_keyed_add_part(&d, id, UUID_BYTES);
	digest_keyed_finish(&d, &digest);
	memcpy(ret_mac, digest.bytes, MAC_BYTES);
}

void
survey_link_make(const uint8_t *secret, size_t secret_len, const struct uuid *survey,
    char ret_token[SURVEY_LINK_SIZE])
{
	uint8_t bytes[TOKEN_BYTES];

	memcpy(bytes, survey->bytes, UUID_BYTES);
	sign(secret, secret_len, bytes, bytes + UUID_BYTES);
	(void)sodium_bin2base64(ret_token, SURVEY_LINK_SIZE, bytes, sizeof(bytes),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool
survey_link_read(
    const uint8_t *secret, size_t secret_len, const char *token, struct uuid *ret_survey)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t bytes[TOKEN_BYTES], mac[MAC_BYTES];
	size_t len = 0, text_len = strlen(token);

	/* libsodium takes some bytes beyond ASCII for letters: a token has one spelling. */
	if (text_len != SURVEY_LINK_LEN || strspn(token, alphabet) != text_len
	    || sodium_base642bin(bytes, sizeof(bytes), token, text_len, NULL, &len, NULL,
		   sodium_base64_VARIANT_URLSAFE_NO_PADDING)
		   != 0
	    || len != sizeof(bytes))
		return false;
	sign(secret, secret_len, bytes, mac);
	if (sodium_memcmp(mac, bytes + UUID_BYTES, MAC_BYTES) != 0)
		return false;
	memcpy(ret_survey->bytes, bytes, UUID_BYTES);
	return true;
}
