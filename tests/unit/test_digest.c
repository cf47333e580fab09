/* Digests against published vectors; parts that cannot run into each other. */
#include <string.h>

#include "base.h"
#include "check.h"
#include "digest.h"

static const struct {
	const char *name;
	const char *text;
	const char *want;
} sha256[] = {
	{ "FIPS 180: abc", "abc",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "nothing", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "FIPS 180: two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

TEST(test_digest_sha256)
{
	char text[DIGEST_HEX_SIZE];
	struct digest d;

	for (size_t i = 0; i < ARRAY_LEN(sha256); i++) {
		struct digest_sha256 stream;
		size_t len = strlen(sha256[i].text);

		digest_sha256(sha256[i].text, len, &d);
		digest_format(&d, text);
		CHECK_STR(sha256[i].name, text, sha256[i].want);

		digest_sha256_init(&stream);
		digest_sha256_add(&stream, NULL, 0);
		for (size_t n = 0; n < len; n++)
			digest_sha256_add(&stream, sha256[i].text + n, 1);
		digest_sha256_finish(&stream, &d);
		digest_format(&d, text);
		CHECK_STR(sha256[i].name, text, sha256[i].want);
	}
}

static void
parts(const char *first, const char *second, const void *key, struct digest *ret_digest)
{
	if (key == NULL) {
		struct digest_sha256 d;
		digest_sha256_init(&d);
		digest_sha256_add_part(&d, first, strlen(first));
		digest_sha256_add_part(&d, second, strlen(second));
		digest_sha256_finish(&d, ret_digest);
	} else {
		struct digest_keyed d;
		digest_keyed_init(&d, key, 32);
		digest_keyed_add_part(&d, first, strlen(first));
		digest_keyed_add_part(&d, second, strlen(second));
		digest_keyed_finish(&d, ret_digest);
	}
}

TEST(test_digest_parts_do_not_run_together)
{
	static const unsigned char key[32] = { 1 };
	const void *const keys[] = { NULL, key };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct digest a, b, c;
		parts("ab", "c", keys[i], &a);
		parts("a", "bc", keys[i], &b);
		parts("ab", "c", keys[i], &c);
		CHECK_FALSE("moved border", digest_equal(&a, &b));
		CHECK_TRUE("same again", digest_equal(&a, &c));
	}
}

/* The published test of keyed BLAKE2b gives 64 bytes; 32 bytes is another parameter, so the vector
 * is Python's: hashlib.blake2b(b"abc", digest_size=32, key=bytes(range(32))).hexdigest(). */
TEST(test_digest_keyed)
{
	unsigned char key[32], other[32];
	char text[DIGEST_HEX_SIZE];
	struct digest_keyed d;
	struct digest got, different;

	for (unsigned char i = 0; i < 32; i++)
		key[i] = i;
	digest_keyed_init(&d, key, sizeof(key));
	digest_keyed_add(&d, "a", 1);
	digest_keyed_add(&d, "", 0);
	digest_keyed_add(&d, "bc", 2);
	digest_keyed_finish(&d, &got);
	digest_format(&got, text);
	CHECK_STR(
	    "known", text, "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");

	memcpy(other, key, sizeof(other));
	other[31] ^= 1;
	digest_keyed_init(&d, other, sizeof(other));
	digest_keyed_add(&d, "abc", 3);
	digest_keyed_finish(&d, &different);
	CHECK_FALSE("another key", digest_equal(&got, &different));
}

static const struct {
	const char *name;
	const char *text;
	bool want;
} hexes[] = {
	{ "lower", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", true },
	{ "upper", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", true },
	{ "empty", "", false },
	{ "one digit short", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
	    false },
	{ "too long", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad00", false },
	{ "no digit", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ag", false },
	{ "space", "ba7816bf8f01cfea414140de5dae2223 b00361a396177a9cb410ff61f20015a", false },
};

TEST(test_digest_parse)
{
	char back[DIGEST_HEX_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(hexes); i++) {
		struct digest d = { { 9 } };
		bool got = digest_parse(hexes[i].text, strlen(hexes[i].text), &d);
		CHECK_U64(hexes[i].name, got, hexes[i].want);
		digest_format(&d, back);
		if (got)
			CHECK_STR(hexes[i].name, back, hexes[0].text);
		else
			CHECK_U64(hexes[i].name, d.bytes[0], 9);
	}
}
