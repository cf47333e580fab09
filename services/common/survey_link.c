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

/* What one is signed for, the other is not good for. */
static const char answering[] = "turunc survey link 1", stopping[] = "turunc survey stop 1";

static void
sign(const uint8_t *secret, size_t secret_len, const char *purpose, const uint8_t *id,
    uint8_t ret_mac[MAC_BYTES])
{
	struct digest_keyed d;
	struct digest digest;

	digest_keyed_init(&d, secret, secret_len);
	digest_keyed_add_part(&d, purpose, strlen(purpose));
	digest_keyed_add_part(&d, id, UUID_BYTES);
	digest_keyed_finish(&d, &digest);
	memcpy(ret_mac, digest.bytes, MAC_BYTES);
}

static void
make(const uint8_t *secret, size_t secret_len, const char *purpose, const struct uuid *id,
    char ret_token[SURVEY_LINK_SIZE])
{
	uint8_t bytes[TOKEN_BYTES];

	memcpy(bytes, id->bytes, UUID_BYTES);
	sign(secret, secret_len, purpose, bytes, bytes + UUID_BYTES);
	(void)sodium_bin2base64(ret_token, SURVEY_LINK_SIZE, bytes, sizeof(bytes),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static bool
read_token(const uint8_t *secret, size_t secret_len, const char *purpose, const char *token,
    struct uuid *ret_id)
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
	sign(secret, secret_len, purpose, bytes, mac);
	if (sodium_memcmp(mac, bytes + UUID_BYTES, MAC_BYTES) != 0)
		return false;
	memcpy(ret_id->bytes, bytes, UUID_BYTES);
	return true;
}

void
survey_link_make(const uint8_t *secret, size_t secret_len, const struct uuid *survey,
    char ret_token[SURVEY_LINK_SIZE])
{
	make(secret, secret_len, answering, survey, ret_token);
}

bool
survey_link_read(
    const uint8_t *secret, size_t secret_len, const char *token, struct uuid *ret_survey)
{
	return read_token(secret, secret_len, answering, token, ret_survey);
}

void
survey_stop_make(const uint8_t *secret, size_t secret_len, const struct uuid *message,
    char ret_token[SURVEY_LINK_SIZE])
{
	make(secret, secret_len, stopping, message, ret_token);
}

bool
survey_stop_read(
    const uint8_t *secret, size_t secret_len, const char *token, struct uuid *ret_message)
{
	return read_token(secret, secret_len, stopping, token, ret_message);
}
