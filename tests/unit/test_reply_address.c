/* Addresses that say what a mail is about: made, read again in any case, and never forged. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "number.h"
#include "reply_address.h"

static const char base[] = "masa@example.bel.tr";
static const char secret[] = "a secret of the tests, long";

static struct reply_address_key
key_of(const char *of)
{
	struct reply_address_key key;

	CHECK(reply_address_key_init(&key, of));
	return key;
}

static struct reply_address
reply_to(int year, int64_t serial)
{
	return (struct reply_address){ .kind = REPLY_ADDRESS_REPLY,
		.ticket_id = number_make(year, serial) };
}

static struct reply_address
bounce_of(uint8_t first)
{
	struct reply_address about = { .kind = REPLY_ADDRESS_BOUNCE };

	for (size_t i = 0; i < UUID_BYTES; i++)
		about.notification_id.bytes[i] = (uint8_t)(first + 17 * i);
	return about;
}

TEST(test_reply_address_round_trip)
{
	struct reply_address_key key = key_of(secret);
	struct reply_address back, about;
	char text[REPLY_ADDRESS_SIZE];
	static const int64_t serials[] = { 1, 12345, 9999999, 10000000, 999999999 };

	for (size_t i = 0; i < ARRAY_LEN(serials); i++) {
		about = reply_to(26, serials[i]);
		if (!CHECK(reply_address_make(&key, base, &about, text)))
			return;
		CHECK_U64(text, reply_address_read(&key, base, text, &back), REPLY_ADDRESS_OK);
		CHECK_U64("a reply", back.kind, REPLY_ADDRESS_REPLY);
		CHECK_I64("its ticket", back.ticket_id, about.ticket_id);
	}
	for (int first = 0; first < 256; first++) {
		about = bounce_of((uint8_t)first);
		if (!CHECK(reply_address_make(&key, base, &about, text)))
			return;
		if (!CHECK_U64(text, reply_address_read(&key, base, text, &back), REPLY_ADDRESS_OK)
		    || !CHECK_U64("a bounce", back.kind, REPLY_ADDRESS_BOUNCE)
		    || !CHECK_MEM("its message", back.notification_id.bytes, UUID_BYTES,
			about.notification_id.bytes, UUID_BYTES))
			return;
	}
}

/* What other programs, and tests in other languages, have to come to as well. */
TEST(test_reply_address_golden)
{
	struct reply_address_key key = key_of("0123456789abcdef");
	struct reply_address about = reply_to(26, 12345);
	char text[REPLY_ADDRESS_SIZE];

	CHECK(reply_address_make(&key, base, &about, text));
	CHECK_STR("a reply", text, "masa+r.26-0012345-4.wrvhthrnpajl7@example.bel.tr");
	about = bounce_of(1);
	CHECK(reply_address_make(&key, base, &about, text));
	CHECK_STR(
	    "a bounce", text, "masa+b.aejcgncfkztxrcm2vo6m3xxpaa.plsnwa4szawml@example.bel.tr");
}

TEST(test_reply_address_any_case)
{
	struct reply_address_key key = key_of(secret);
	struct reply_address about = bounce_of(200), back;
	char text[REPLY_ADDRESS_SIZE];

	CHECK(reply_address_make(&key, base, &about, text));
	for (char *c = text; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	CHECK_U64("upper case", reply_address_read(&key, base, text, &back), REPLY_ADDRESS_OK);
	CHECK_MEM("its message", back.notification_id.bytes, UUID_BYTES,
	    about.notification_id.bytes, UUID_BYTES);
}

/* The longest address that may be made fits RFC 5321. */
TEST(test_reply_address_bounds)
{
	struct reply_address_key key = key_of(secret), none = key_of(""), other;
	struct reply_address about = bounce_of(9);
	char text[REPLY_ADDRESS_SIZE];

	if (CHECK(reply_address_make(&key, "abcdefghijklmnopqrstu@x.tr", &about, text)))
		CHECK_U64("local part", strcspn(text, "@"), 64);
	CHECK_FALSE(
	    "one more", reply_address_make(&key, "abcdefghijklmnopqrstuv@x.tr", &about, text));
	CHECK_FALSE("no domain", reply_address_make(&key, "masa", &about, text));
	CHECK_FALSE("empty local part", reply_address_make(&key, "@x.tr", &about, text));
	CHECK_FALSE("empty domain", reply_address_make(&key, "masa@", &about, text));
	CHECK_FALSE("has a tag already", reply_address_make(&key, "masa+x@x.tr", &about, text));
	CHECK_FALSE("no secret", reply_address_make(&none, base, &about, text));
	CHECK_FALSE("a short secret", reply_address_key_init(&other, "fifteen bytes.."));
	about = (struct reply_address){ .kind = REPLY_ADDRESS_BOUNCE };
	CHECK_FALSE("no message", reply_address_make(&key, base, &about, text));
	about = (struct reply_address){ .kind = REPLY_ADDRESS_REPLY };
	CHECK_FALSE("no ticket", reply_address_make(&key, base, &about, text));
}

static const struct {
	const char *address;
	enum reply_address_result want;
} others[] = {
	{ "masa@example.bel.tr", REPLY_ADDRESS_PLAIN },
	{ "MASA@Example.Bel.TR", REPLY_ADDRESS_PLAIN },
	{ "masa+@example.bel.tr", REPLY_ADDRESS_FORGED },
	{ "masa+news@example.bel.tr", REPLY_ADDRESS_FORGED },
	{ "masa+r.26-0012345-4@example.bel.tr", REPLY_ADDRESS_FORGED },
	{ "masa+r.26-0012345-4.@example.bel.tr", REPLY_ADDRESS_FORGED },
	{ "masa+r.26-0012345-4.aaaaaaaaaaaaa@example.bel.tr", REPLY_ADDRESS_FORGED },
	{ "masa+r..aaaaaaaaaaaaa@example.bel.tr", REPLY_ADDRESS_FORGED },
	{ "masa+b.aaaaaaaaaaaaa@example.bel.tr", REPLY_ADDRESS_FORGED },
	{ "masa+r.................................................@example.bel.tr",
	    REPLY_ADDRESS_FORGED },
	{ "masa.b@example.bel.tr", REPLY_ADDRESS_FOREIGN },
	{ "mas@example.bel.tr", REPLY_ADDRESS_FOREIGN },
	{ "masam@example.bel.tr", REPLY_ADDRESS_FOREIGN },
	{ "masa@example.bel.trx", REPLY_ADDRESS_FOREIGN },
	{ "masa@example.bel", REPLY_ADDRESS_FOREIGN },
	{ "masa@@example.bel.tr", REPLY_ADDRESS_FOREIGN },
	{ "masa", REPLY_ADDRESS_FOREIGN },
	{ "", REPLY_ADDRESS_FOREIGN },
	{ "@", REPLY_ADDRESS_FOREIGN },
};

TEST(test_reply_address_others)
{
	struct reply_address_key key = key_of(secret);
	struct reply_address back;

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		CHECK_U64(others[i].address,
		    reply_address_read(&key, base, others[i].address, &back), others[i].want);
}

/* One character changed anywhere in the tag, another key, another kind: never believed. */
TEST(test_reply_address_forged)
{
	struct reply_address_key key = key_of(secret), other = key_of("another secret, as long"),
				 none = key_of("");
	struct reply_address about = reply_to(26, 12345), back;
	char text[REPLY_ADDRESS_SIZE];

	CHECK(reply_address_make(&key, base, &about, text));
	CHECK_U64("as made", reply_address_read(&key, base, text, &back), REPLY_ADDRESS_OK);
	CHECK_U64(
	    "another key", reply_address_read(&other, base, text, &back), REPLY_ADDRESS_FORGED);
	CHECK_U64("no key", reply_address_read(&none, base, text, &back), REPLY_ADDRESS_FORGED);
	CHECK_U64("the name has changed",
	    reply_address_read(&key, "beyazmasa@yeni.bel.tr", text, &back), REPLY_ADDRESS_FOREIGN);
	size_t from = sizeof("masa+") - 1, to = strcspn(text, "@");
	for (size_t i = from; i < to; i++) {
		char kept = text[i];
		for (const char *c = "abcr0123456789-.zx"; *c != '\0'; c++) {
			text[i] = *c;
			if (*c != kept
			    && !CHECK_U64(text, reply_address_read(&key, base, text, &back),
				REPLY_ADDRESS_FORGED))
				return;
		}
		text[i] = kept;
	}
}
