/* The picture of a photo, by a link that expires. */
#include "photo_item.h"

#include <stdio.h>
#include <string.h>

#include "attachment.h"
#include "clock.h"
#include "digest.h"
#include "html.h"
#include "istanbul.h"

enum { LINK_LIFE_MIN = 30 };

/* False: no digest, or no key yet. */
static bool
make_link(struct attachments *store, const struct photo_item *photo, int64_t now_us,
    char ret_link[ATTACHMENT_LINK_SIZE])
{
	struct digest digest;

	if (photo->digest_len != sizeof(digest.bytes))
		return false;
	memcpy(digest.bytes, photo->digest, sizeof(digest.bytes));
	return attachments_link(store, &digest, now_us + LINK_LIFE_MIN * US_PER_MIN, ret_link);
}

bool
photo_item_begin(
    struct html *h, struct attachments *store, const struct photo_item *photo, int64_t now_us)
{
	char link[ATTACHMENT_LINK_SIZE], size[64];

	if (!make_link(store, photo, now_us, link))
		return false;
	(void)snprintf(size, sizeof(size), "\" width=\"%d\" height=\"%d\" alt=\"",
	    (int)photo->width, (int)photo->height);
	html_raw(h, "<li><a href=\"");
	html_raw(h, link);
	html_raw(h, "\"><img loading=\"lazy\" src=\"");
	html_raw(h, link);
	html_raw(h, size);
	return true;
}

bool
photo_item_mail(
    struct html *h, struct attachments *store, const struct photo_item *mail, int64_t now_us)
{
	char link[ATTACHMENT_LINK_SIZE];

	if (!make_link(store, mail, now_us, link))
		return false;
	html_raw(h, "<li><a href=\"");
	html_raw(h, link);
	html_raw(h, "\" download>");
	return true;
}

void
photo_item_end(struct html *h)
{
	html_raw(h, "\"></a>");
}
