/* mail_item - a mail as the words of a ticket or contact. */
#ifndef INTAKE_MAIL_ITEM_H
#define INTAKE_MAIL_ITEM_H

#include <stdbool.h>
#include <stdint.h>

#include "attachment.h"
#include "base.h"
#include "fields.h"
#include "item.h"
#include "mail_letter.h"

enum { MAIL_ITEM_JSON_BYTES = PHOTOS_JSON_BYTES + 256, MAIL_ITEM_SENDER_BYTES = 320 };

/* The texts that the item lends. */
struct mail_item {
	char description[4 * FIELD_DESCRIPTION_CHARS + 8];
	char name[4 * FIELD_NAME_CHARS + 1];
	char email[MAIL_ITEM_SENDER_BYTES];
	char files[MAIL_ITEM_JSON_BYTES]; /* photos and the raw mail, as accept_items reads them */
};

/* Contact and words of the item.  Who should get no automatic answers has no address there, only in
 * the words: nothing that the record writes by itself goes to a list.  letter NULL: the mail could
 * not be read, and a sentence says so. envelope: the envelope's sender, "" for none, for a mail
 * that does not say from whom it is. */
void mail_item_fill(
    struct mail_item *m, const struct mail_letter *letter, const char *envelope, struct item *item);

/* The words again without those of its sender; named: name and address stay where they are good. */
void mail_item_plain(struct mail_item *m, bool named, struct item *item);

/* photos: JSON of those stored, "" for none. */
void mail_item_files(
    struct mail_item *m, const char *photos, const struct attachment *raw, struct item *item);

/* When the mail came: what our own server says, if that can be, else now. */
int64_t mail_item_arrived(const struct mail_letter *letter, int64_t now_us);

#endif
