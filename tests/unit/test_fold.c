#include "fold.h"

#include <string.h>

#include "base.h"
#include "check.h"

static const struct {
	const char *name;
	const char *text;
	const char *want;
} folds[] = {
	{ "nothing", "", "" },
	{ "four kinds of i", "İIıi", "iiii" },
	{ "Turkish letters", "ŞĞÇÖÜ şğçöü", "sgcou sgcou" },
	{ "circumflexes", "Kâğıt, Îmâ, sükûn", "kagit ima sukun" },
	{ "decomposed s, g, c, o, u", "S\u0327 g\u0306 c\u0327 o\u0308 U\u0308", "s g c o u" },
	{ "i with a dot of its own", "i\u0307stanbul I\u0307stanbul", "istanbul istanbul" },
	{ "decomposed circumflex", "ka\u0302g\u0306\u0131t", "kagit" },
	{ "other accents are kept, composed", "Jose\u0301 Ñandú", "josé ñandú" },
	{ "other alphabets", "АНТАЛЬЯ Ёлка ΑΘΗΝΑ", "анталья ёлка αθηνα" },
	{ "apostrophes join", "Antalya'nın Muratpaşa\u2019da", "antalyanin muratpasada" },
	{ "soft hyphen and zero width join", "so\u00adkak\u200b", "sokak" },
	{ "punctuation is a space", "a.b,c-d/e(f)\u2013g\u00a0h", "a b c d e f g h" },
	{ "spaces collapse", "  \t a \r\n\n  b  ", "a b" },
	{ "only punctuation", " ... -- ", "" },
	{ "address", "Çağlayan Mh. 2035. Sk. No:7/3", "caglayan mahallesi 2035 sokak no 7 3" },
	{ "address in capitals", "ŞİRİNYALI MAH. ÖZGÜRLÜK BULV. NO:1",
	    "sirinyali mahallesi ozgurluk bulvar no 1" },
	{ "all abbreviations", "mh mah sk sok cd cad bl blv bulv",
	    "mahallesi mahallesi sokak sokak cadde cadde bulvar bulvar bulvar" },
	{ "part of a word is no abbreviation", "mahir skala cdrom cadı sokul",
	    "mahir skala cdrom cadi sokul" },
	{ "written out already", "Mahallesi Sokak Cadde", "mahallesi sokak cadde" },
	{ "digits", "1254. Sokak", "1254 sokak" },
	{ "bytes that are no UTF-8",
	    "a\xff"
	    "b\xc3",
	    "a b" },
	{ "multiplication sign", "3×4", "3 4" },
	{ "emoji stays", "park 🌳", "park 🌳" },
	{ "a mark too many", "\u011f\u0306 x\u0306", "g x" },
	{ "a mark with nothing to stand on", "\u0307a", "a" },
};

TEST(test_fold_text)
{
	char out[256];

	for (size_t i = 0; i < ARRAY_LEN(folds); i++) {
		CHECK_TRUE(folds[i].name,
		    fold_text(folds[i].text, strlen(folds[i].text), out, sizeof(out)));
		CHECK_STR(folds[i].name, out, folds[i].want);
	}
}

TEST(test_fold_is_stable)
{
	char once[256], twice[256];

	for (size_t i = 0; i < ARRAY_LEN(folds); i++) {
		CHECK(fold_text(folds[i].text, strlen(folds[i].text), once, sizeof(once)));
		CHECK(fold_text(once, strlen(once), twice, sizeof(twice)));
		CHECK_STR(folds[i].name, twice, once);
	}
}

static const struct {
	const char *name;
	const char *text;
	size_t size;
	bool fits;
	const char *want;
} bounds[] = {
	{ "exactly", "abc", 4, true, "abc" },
	{ "one short", "abc", 3, false, "ab" },
	{ "room for the NUL alone", "abc", 1, false, "" },
	{ "nothing needs nothing", "", 1, true, "" },
	{ "never half a character", "aé", 3, false, "a" },
	{ "no trailing space", "ab cd", 4, false, "ab" },
	{ "an abbreviation that no longer fits", "fener mh", 12, false, "fener" },
	{ "an abbreviation that just fits", "fener mh", 16, true, "fener mahallesi" },
	{ "spaces alone always fit", "     ", 1, true, "" },
};

TEST(test_fold_bounds)
{
	char out[64];

	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		memset(out, 'x', sizeof(out));
		bool fits = fold_text(bounds[i].text, strlen(bounds[i].text), out, bounds[i].size);
		CHECK_TRUE(bounds[i].name, fits == bounds[i].fits);
		CHECK_STR(bounds[i].name, out, bounds[i].want);
		CHECK_TRUE(bounds[i].name, out[bounds[i].size] == 'x');
	}
}

static const struct {
	const char *name;
	const char *lower;
	const char *upper;
} cases[] = {
	{ "both i", "ılık istanbul", "ILIK İSTANBUL" },
	{ "Turkish letters", "şğçöü âîû", "ŞĞÇÖÜ ÂÎÛ" },
	{ "Extended-A on odd numbers", "ź ł ň", "Ź Ł Ň" },
	{ "Latin-1", "éßÿ÷", "ÉßŸ÷" },
	{ "other alphabets", "ёлка αθηνα", "ЁЛКА ΑΘΗΝΑ" },
	{ "no letters", "12 (3) — 🌳", "12 (3) — 🌳" },
};

TEST(test_fold_display_case)
{
	char out[128];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK(fold_upper(cases[i].lower, strlen(cases[i].lower), out, sizeof(out)));
		CHECK_STR(cases[i].name, out, cases[i].upper);
		CHECK(fold_lower(cases[i].upper, strlen(cases[i].upper), out, sizeof(out)));
		CHECK_STR(cases[i].name, out, cases[i].lower);
	}
	CHECK_FALSE("İ needs two bytes", fold_upper("i", 1, out, 2));
	CHECK_STR("cut", out, "");
	CHECK(fold_upper("a\xff", 2, out, sizeof(out)));
	CHECK_STR("replacement", out, "A\ufffd");
}
