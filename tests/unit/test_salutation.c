/* Which names may stand in a mail that is signed by the municipality. */
#include "base.h"
#include "check.h"
#include "salutation.h"

#define TWENTY "Abcdefghijklmnopqrst"

static const struct {
	const char *name;
	bool is;
} names[] = {
	{ "Ayşe Yılmaz", true },
	{ "İsmail Işık", true },
	{ "Şükrü Ağaoğlu", true },
	{ "ÇİĞDEM ÖZGÜR", true },
	{ "Ayşe Gül Öz-Türk", true },
	{ "A. Yılmaz", true },
	{ "M. K. Çağlar", true },
	{ "Ahmet Y.", true },
	{ "Dr. Öğr. Ümit Şen", true },
	{ "Sean O'Brien", true },
	{ "Sean O\xe2\x80\x99"
	  "Brien",
	    true },
	{ "Âkif Nûri", true },
	{ "I\xcc\x87smail", true }, /* the dot of İ on its own */
	{ "Анна Каренина", true },
	{ "محمد علي", true },
	{ TWENTY TWENTY TWENTY, true },
	{ TWENTY TWENTY TWENTY "ş", false },
	{ "", false },
	{ "-", false },
	{ ". .", false },
	{ "Hesabınız kapatıldı, https://kötü.example/giris", false },
	{ "kotu.example", false },
	{ "Ayşe kotu.example adresinden", false },
	{ "A.Yılmaz", false },
	{ "kotu . example", false },
	{ "www kotu", false },
	{ "WwW", false },
	{ "a@b", false },
	{ "a/b", false },
	{ "a:b", false },
	{ "a\\b", false },
	{ "Arayın 0850", false },
	{ "\xd9\xa0\xd9\xa5", false }, /* Arabic digits */
	{ "kotu\xe3\x80\x82"
	  "example",
	    false }, /* a full stop that names of hosts may have */
	{ "kotu\xef\xbc\x8e"
	  "example",
	    false }, /* a wide one */
	{ "a\xe2\x80\xae"
	  "b",
	    false }, /* turns the rest around */
	{ "a\xe2\x80\x8b"
	  "b",
	    false }, /* not to be seen */
	{ "Ayşe\nhttp", false },
	{ "Ayşe\tB", false },
	{ "Ayşe \xf0\x9f\x98\x80", false },
	{ "<b>Ayşe</b>", false },
	{ "Yılmaz, Ayşe", false },
};

TEST(test_salutation_is_a_name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		CHECK_U64(names[i].name, salutation_is_name(names[i].name), names[i].is);
}
