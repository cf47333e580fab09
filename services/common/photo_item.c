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

bool
photo_item_begin(
    struct html *h, struct attachments *store, const struct photo_item *photo, int64_t now_us)
{
	char link[ATTACHMENT_LINK_SIZE], size[64];
	struct digest digest;

	if (photo->digest_len != sizeof(digest.bytes))
		return false;
	memcpy(digest.bytes, photo->digest, sizeof(digest.bytes));
	if (!attachments_link(store, &digest, now_us + LINK_LIFE_MIN * US_PER_MIN, link))
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

void
photo_item_end(struct html *h)
{
	html_raw(h, "\"></a>");
}
