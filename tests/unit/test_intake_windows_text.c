/* The two sets byte by byte, as iconv has them; and mails and lists read the same. */
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "mail_charset.h"
#include "utf8.h"
#include "windows_text.h"

/* 0: the set has nothing there. */
static int32_t
as_iconv(iconv_t cd, unsigned char byte)
{
	char in = (char)byte, out[8], *from = &in, *to = out;
	size_t len = 1, room = sizeof(out);

	if (iconv(cd, &from, &len, &to, &room) == (size_t)-1) {
		(void)iconv(cd, NULL, NULL, NULL, NULL);
		return 0;
	}
	const char *at = out;
	return utf8_next(&at, to);
}

TEST(test_every_byte_of_both_sets)
{
	static const char *const names[] = { "WINDOWS-1252", "WINDOWS-1254" };
	char name[32];

	for (size_t set = 0; set < 2; set++) {
		iconv_t cd = iconv_open("UTF-8", names[set]);
		if (!CHECK(cd != (iconv_t)-1))
			return;
		for (int byte = 1; byte < 256; byte++) {
			(void)snprintf(name, sizeof(name), "%s 0x%02x", names[set], (unsigned)byte);
			CHECK_I64(name, windows_text_code((unsigned char)byte, set == 1),
			    as_iconv(cd, (unsigned char)byte));
		}
		iconv_close(cd);
	}
}

TEST(test_only_six_letters_differ)
{
	static const char letters[] = "\xd0\xdd\xde\xf0\xfd\xfe";

	for (int byte = 1; byte < 256; byte++)
		CHECK_TRUE("one of them", windows_text_is_turkish((unsigned char)byte)
					      == (strchr(letters, (char)byte) != NULL));
}

TEST(test_what_means_nothing_is_replaced_in_mails)
{
	char *text = mail_charset_decode("a\x8e\x81\xfd", 4, "windows-1254");

	CHECK_STR("as it is refused in lists", text, "a\uFFFD\uFFFDı");
	free(text);
}
