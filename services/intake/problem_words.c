/* Puts the checks' reasons into the citizen's language. */
#include "problem_words.h"

#include <string.h>

#include "base.h"

/* A piece of the sentence tells which it is; the first that is found counts. */
static const struct reason {
	const char *piece;
	const char *words[CATALOGUE_LANGUAGES];
} reasons[] = {
	{ "is required",
	    { "Mahalle ya da adres gerekli.", "A neighbourhood or an address is needed." } },
	{ "required", { "Bu alan boş bırakılamaz.", "This cannot be left empty." } },
	{ "longer than", { "Çok uzun.", "Too long." } },
	{ "control character",
	    { "İçinde yazı olmayan karakterler var.", "It holds characters that are no text." } },
	{ "not an e-mail address",
	    { "Geçerli bir e-posta adresi değil.", "Not a valid e-mail address." } },
	{ "digits only", { "Telefon numarası yalnız rakamlardan oluşur.",
			     "A telephone number has digits only." } },
	{ "too short", { "Numara eksik.", "The number is too short." } },
	{ "number is too long", { "Numara fazla uzun.", "The number is too long." } },
	{ "area code", { "Alan kodu eksik.", "The area code is missing." } },
	{ "no number in", { "Türkiye'de böyle başlayan bir numara yok.",
			      "No number in Türkiye begins like this." } },
	{ "foreign number", { "Yabancı numaralar + ve ülke koduyla yazılır.",
				"A foreign number needs + and its country code." } },
	{ "not a decimal number", { "Sayı olmalı.", "It must be a number." } },
	{ "must be from", { "Sayı sınırların dışında.", "The number is out of range." } },
	{ "both or neither",
	    { "Enlem ve boylam birlikte yazılır.", "Latitude and longitude go together." } },
	{ "not a date-time", { "Tarih ve saat anlaşılamadı.", "Not a date and time." } },
	{ "values offered", { "Seçeneklerden biri olmalı.", "It must be one of the choices." } },
	{ "takes one value", { "Tek bir yanıt verilebilir.", "It takes one answer." } },
	{ "neighbourhood's code",
	    { "Listeden bir mahalle seçin.", "Choose a neighbourhood from the list." } },
	{ "more than once", { "Birden çok kez gönderildi.", "It was sent more than once." } },
	{ "http or https", { "Bir internet adresi olmalı.", "It must be a web address." } },
};

const char *
problem_words(const char *text, enum catalogue_language language)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (strstr(text, reasons[i].piece) != NULL)
			return reasons[i].words[language];
	return NULL;
}
