/* Makes and reads the addresses that say what a mail is about. */
#include "reply_address.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

enum {
	MAC_CHARS = 13,
	UUID_CHARS = 26, /* 128 bits, five a character */
	TAG_CHARS = 3 + UUID_CHARS + 1 + MAC_CHARS, /* "+b." ID "." MAC */
	DOMAIN_MAX = 255
};
_Static_assert(REPLY_ADDRESS_LOCAL_MAX + TAG_CHARS == 64, "RFC 5321's local part");
_Static_assert((size_t)NUMBER_SIZE <= UUID_CHARS, "a ticket's number is the shorter id");

/* RFC 4648's base32 in small letters: no 0, 1 or 8 to be misread when typed from paper. */
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

static const char kind_letters[] = { [REPLY_ADDRESS_REPLY] = 'r', [REPLY_ADDRESS_BOUNCE] = 'b' };

/* The first chars * 5 bits of bytes; bits behind the last byte are zeros. */
static void
write_base32(const uint8_t *bytes, size_t len, char *to, size_t chars)
{
	for (size_t i = 0; i < chars; i++) {
		size_t at = i * 5 / 8;
		unsigned pair = (unsigned)bytes[at] << 8 | (at + 1 < len ? bytes[at + 1] : 0);
		to[i] = alphabet[pair >> (11 - i * 5 % 8) & 31];
	}
	to[chars] = '\0';
}

/* False: a character that is none of ours, or bits behind the last byte. */
static bool
read_base32(const char *text, size_t chars, uint8_t *ret_bytes, size_t len)
{
	unsigned held = 0, bits = 0;
	size_t done = 0;

	for (size_t i = 0; i < chars; i++) {
		const char *at = text[i] == '\0' ? NULL : strchr(alphabet, text[i]);
		if (at == NULL)
			return false;
		held = (held << 5 | (unsigned)(at - alphabet)) & 0xfff;
		bits += 5;
		if (bits >= 8 && done < len) {
			bits -= 8;
			ret_bytes[done++] = (uint8_t)(held >> bits & 0xff);
		}
	}
	return done == len && (held & ((1u << bits) - 1)) == 0;
}

static void
make_mac(const struct reply_address_key *key, char kind, const char *id, char ret[MAC_CHARS + 1])
{
	static const char purpose[] = "turunc reply address 1";
	struct digest_keyed d;
	struct digest digest;

	digest_keyed_init(&d, key->bytes, sizeof(key->bytes));
	digest_keyed_add_part(&d, purpose, sizeof(purpose) - 1);
	digest_keyed_add_part(&d, &kind, 1);
	digest_keyed_add_part(&d, id, strlen(id));
	digest_keyed_finish(&d, &digest);
	write_base32(digest.bytes, sizeof(digest.bytes), ret, MAC_CHARS);
}

bool
reply_address_key_init(struct reply_address_key *key, const char *secret)
{
	struct digest digest;
	size_t len = strlen(secret);

	*key = (struct reply_address_key){ .given = false };
	if (len == 0)
		return true;
	if (len < REPLY_ADDRESS_SECRET_MIN)
		return false;
	digest_sha256(secret, len, &digest);
	memcpy(key->bytes, digest.bytes, sizeof(key->bytes));
	key->given = true;
	return true;
}

bool
reply_address_base_fits(const char *base)
{
	const char *at = strchr(base, '@');

	return at != NULL && at != base && at - base <= REPLY_ADDRESS_LOCAL_MAX && at[1] != '\0'
	       && strlen(at + 1) <= DOMAIN_MAX && strchr(at + 1, '@') == NULL
	       && memchr(base, '+', (size_t)(at - base)) == NULL;
}

bool
reply_address_make(const struct reply_address_key *key, const char *base,
    const struct reply_address *about, char ret_address[REPLY_ADDRESS_SIZE])
{
	const char *at = strchr(base, '@');
	char id[UUID_CHARS + 1], mac[MAC_CHARS + 1];
	char kind = kind_letters[about->kind];

	if (!key->given || !reply_address_base_fits(base))
		return false;
	if (about->kind == REPLY_ADDRESS_BOUNCE) {
		if (uuid_is_nil(&about->notification_id))
			return false;
		write_base32(about->notification_id.bytes, UUID_BYTES, id, UUID_CHARS);
	} else if (!number_format(about->ticket_id, id)) {
		return false;
	}
	make_mac(key, kind, id, mac);
	int len = snprintf(ret_address, REPLY_ADDRESS_SIZE, "%.*s+%c.%s.%s@%s", (int)(at - base),
	    base, kind, id, mac, at + 1);
	return len > 0 && len < REPLY_ADDRESS_SIZE;
}

/* Equal but for the case of ASCII letters, as long as len. */
static bool
same_letters(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char x = a[i], y = b[i];
		x = (char)(x >= 'A' && x <= 'Z' ? x - 'A' + 'a' : x);
		y = (char)(y >= 'A' && y <= 'Z' ? y - 'A' + 'a' : y);
		if (x != y || x == '\0')
			return false;
	}
	return true;
}

/* tag: "r.26-0012345-4.mac", in small letters. */
static bool
read_tag(const struct reply_address_key *key, char *tag, struct reply_address *ret_about)
{
	struct reply_address about = { .kind = REPLY_ADDRESS_REPLY };
	char want[MAC_CHARS + 1];

	char *mac = strrchr(tag, '.');
	if (!key->given || tag[0] == '\0' || tag[1] != '.' || mac == NULL || mac <= tag + 2
	    || strlen(mac + 1) != MAC_CHARS)
		return false;
	*mac++ = '\0';
	make_mac(key, tag[0], tag + 2, want);
	if (sodium_memcmp(want, mac, MAC_CHARS) != 0)
		return false;
	if (tag[0] == kind_letters[REPLY_ADDRESS_BOUNCE]) {
		about.kind = REPLY_ADDRESS_BOUNCE;
		if (strlen(tag + 2) != UUID_CHARS
		    || !read_base32(tag + 2, UUID_CHARS, about.notification_id.bytes, UUID_BYTES))
			return false;
	} else if (number_parse(tag + 2, &about.ticket_id) != NUMBER_OK) {
		return false;
	}
	*ret_about = about;
	return true;
}

enum reply_address_result
reply_address_read(const struct reply_address_key *key, const char *base, const char *address,
    struct reply_address *ret_about)
{
	const char *base_at = strchr(base, '@'), *at = strrchr(address, '@');
	char tag[TAG_CHARS + 1];

	if (base_at == NULL || at == NULL || strlen(at) != strlen(base_at)
	    || !same_letters(at, base_at, strlen(base_at)))
		return REPLY_ADDRESS_FOREIGN;
	size_t base_len = (size_t)(base_at - base), len = (size_t)(at - address);
	if (len < base_len || !same_letters(address, base, base_len)
	    || (len > base_len && address[base_len] != '+'))
		return REPLY_ADDRESS_FOREIGN;
	if (len == base_len)
		return REPLY_ADDRESS_PLAIN;
	size_t tag_len = len - base_len - 1;
	if (tag_len >= sizeof(tag))
		return REPLY_ADDRESS_FORGED;
	for (size_t i = 0; i < tag_len; i++) {
		char c = address[base_len + 1 + i];
		tag[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	tag[tag_len] = '\0';
	return read_tag(key, tag, ret_about) ? REPLY_ADDRESS_OK : REPLY_ADDRESS_FORGED;
}
