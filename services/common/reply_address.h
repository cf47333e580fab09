/*
 * reply_address - addresses of ours that say what a mail sent there is about, and that nobody else
 * can make: LOCAL+KIND.ID.MAC@DOMAIN, where LOCAL@DOMAIN is the municipality's own address.
 *
 *	masa+r.26-0012345-4.k3v7q2m4x6y5a@example.bel.tr      an answer to that ticket's mails
 *	masa+b.agpxj24...p4.c2m5x7k3q6v4y@example.bel.tr      this message did not arrive
 *
 * The first is a Reply-To, the second an envelope sender (VERP).  MAC is 65 bits of a keyed digest
 * of kind and id; LOCAL and DOMAIN are not in it, so that an address outlives a change of name.
 * Everything is of [a-z0-9-.+], as short as RFC 5321 wants a local part, and is read in any case of
 * its letters, since servers on the way change that.
 *
 * Whoever writes the address (notifier) and whoever reads it (intake) share one secret.
 */
#ifndef TURUNC_REPLY_ADDRESS_H
#define TURUNC_REPLY_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "digest.h"
#include "uuid.h"

enum {
	REPLY_ADDRESS_LOCAL_MAX = 21, /* of the municipality's own address: "beyazmasa.iletisim" */
	REPLY_ADDRESS_SIZE = 64 + 1 + 255 + 1,
	REPLY_ADDRESS_SECRET_MIN = 16
};

enum reply_address_kind {
	REPLY_ADDRESS_REPLY, /* ticket_id is what it is about */
	REPLY_ADDRESS_BOUNCE /* notification_id is */
};

struct reply_address {
	enum reply_address_kind kind;
	int64_t ticket_id;
	struct uuid notification_id;
};

struct reply_address_key {
	bool given;
	uint8_t bytes[DIGEST_BYTES];
};

enum reply_address_result {
	REPLY_ADDRESS_OK,
	REPLY_ADDRESS_PLAIN, /* the municipality's own address, and nothing else */
	REPLY_ADDRESS_FORGED, /* with something behind a + that was not made with this key */
	REPLY_ADDRESS_FOREIGN /* not an address of the municipality */
};

/* The setting that both services have: TURUNC_MAIL_SECRET_FILE.  Without it no such address is
 * made, and none is believed. */
#define REPLY_ADDRESS_SETTING(config_type, member)                                            \
	{                                                                                     \
		.name = "TURUNC_MAIL_SECRET", .type = SETTING_SECRET,                         \
		.offset = offsetof(config_type, member), .standard = "",                      \
		.help = "keys the addresses that citizens' answers and reports of mail that " \
			"did not arrive come back to; the same for intake and notifier"       \
	}

/* secret: "" for none.  False: shorter than REPLY_ADDRESS_SECRET_MIN. */
MUST_CHECK bool reply_address_key_init(struct reply_address_key *key, const char *secret);

/* May such addresses be made of this one? */
bool reply_address_base_fits(const char *base);

/* base: the municipality's own address.  False: no secret, a base that does not fit, or an id that
 * is none. */
MUST_CHECK bool reply_address_make(const struct reply_address_key *key, const char *base,
    const struct reply_address *about, char ret_address[REPLY_ADDRESS_SIZE]);

/* ret_about is written for REPLY_ADDRESS_OK alone. */
enum reply_address_result reply_address_read(const struct reply_address_key *key, const char *base,
    const char *address, struct reply_address *ret_about);

#endif
