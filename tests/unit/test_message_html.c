/* The HTML beside a mail's text: the same words, escaped, with no way out of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "message_html.h"

static char *
made(const char *body)
{
	const struct message_html mail = { .language = "tr",
		.title = "Konu <b>",
		.sender = "Belediye & Masa",
		.body = body,
		.base_url = "https://masa.example" };
	size_t size = 0;
	char *html = message_html_make(&mail, &size);

	CHECK(html != NULL && strlen(html) == size);
	return html;
}

static const struct {
	const char *name, *body, *want;
} bodies[] = {
	{ "a line", "Merhaba", "<p class=\"last\">Merhaba</p>" },
	{ "paragraphs", "bir\n\niki\n", "<p>bir</p>\n<p class=\"last\">iki</p>" },
	{ "many empty lines", "\n\nbir\n\n\n\niki\n\n", "<p>bir</p>\n<p class=\"last\">iki</p>" },
	{ "lines", "bir\niki", "<p class=\"last\">bir<br>\niki</p>" },
	{ "keys", "Konu: Çöp\nDurum: Alındı: bugün\n\nson",
	    "<tr><th scope=\"row\">Konu</th><td>Çöp</td></tr>\n"
	    "<tr><th scope=\"row\">Durum</th><td>Alındı: bugün</td></tr>" },
	{ "one key is a line", "Konu: Çöp", "<p class=\"last\">Konu: Çöp</p>" },
	{ "a key without a value", "Konu: a\nDurum:", "<p class=\"last\">Konu: a<br>\nDurum:</p>" },
	{ "markup", "<script>alert('x')</script> & \"y\"",
	    "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;" },
	{ "markup in a table", "a<b>: 1\n<i>: \"2\"",
	    "<th scope=\"row\">&lt;i&gt;</th><td>&quot;2&quot;</td>" },
	{ "our address", "Bakınız: https://masa.example/?no=26-0012345-4.",
	    "Bakınız: <a href=\"https://masa.example/?no=26-0012345-4\">"
	    "https://masa.example/?no=26-0012345-4</a>." },
	{ "our front page", "https://masa.example, ya da",
	    "<a href=\"https://masa.example\">https://masa.example</a>, ya da" },
	{ "escaped in it", "https://masa.example/?a=1&b=2'x",
	    "<a href=\"https://masa.example/?a=1&amp;b=2\">"
	    "https://masa.example/?a=1&amp;b=2</a>&#39;x" },
	{ "somebody else's is text", "https://kotu.example/x", "<p class=\"last\">https://kotu" },
	{ "one that begins like ours", "https://masa.example.kotu.example/",
	    "<p class=\"last\">https://masa.example.kotu" },
	{ "one with a user", "https://masa.example@kotu.example/",
	    "<p class=\"last\">https://masa.example@kotu" },
	{ "another port", "https://masa.example:8443/",
	    "<p class=\"last\">https://masa.example:84" },
	{ "nothing", "", "role=\"article\">\n<p class=\"from\">Belediye &amp; Masa</p>\n</div>" },
};

TEST(test_message_html_bodies)
{
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		char *html = made(bodies[i].body);
		if (!CHECK_TRUE(bodies[i].name, strstr(html, bodies[i].want) != NULL))
			puts(html);
		CHECK_TRUE("title", strstr(html, "<title>Konu &lt;b&gt;</title>") != NULL);
		free(html);
	}
}

/* Nothing that a mail program would fetch, and nothing that runs. */
TEST(test_message_html_fetches_nothing)
{
	static const char *const never[] = { "<img", "<script", "<link", "<iframe", "<form", "url(",
		"@import", "src=", "javascript:", " on", "http-equiv" };
	char *html = made("Merhaba\n\nKonu: a\nDurum: b\n\nhttps://masa.example/");

	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		CHECK_TRUE(never[i], strstr(html, never[i]) == NULL);
	free(html);
}
