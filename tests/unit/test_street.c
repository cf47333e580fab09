#include "base.h"
#include "check.h"
#include "street.h"

static const struct {
	const char *name, *address, *street, *number; /* street NULL: none */
} addresses[] = {
	{ "short words and a flat", "Fener Mh. 1964 Sk. No: 5/3", "1964 sokak", "5" },
	{ "a dot behind the number of the street", "1964. sokak no 5", "1964 sokak", "5" },
	{ "no space at all", "FENER MAHALLESİ 1964.SOKAK NO:5", "1964 sokak", "5" },
	{ "an avenue in the genitive", "Işıklar Caddesi 12", "isiklar cadde", "12" },
	{ "capital letters of Turkish", "IŞIKLAR CD. NO:12", "isiklar cadde", "12" },
	{ "a boulevard of two words", "Atatürk Bulvarı", "ataturk bulvar", "" },
	{ "a house number with a letter", "Gülveren sokağı 93A", "gulveren sokak", "93a" },
	{ "the town behind", "1964 sokak, Muratpaşa / Antalya", "1964 sokak", "" },
	{ "a word before the number", "1964 sokak kapı no 7", "1964 sokak", "7" },
	{ "the first of two streets", "1964 sokak ile 1970 sokak köşesi", "1964 sokak", "" },
	{ "no street", "Karaalioğlu Parkı girişi", NULL, NULL },
	{ "a street without a name", "Fener mahallesi sokak", NULL, NULL },
	{ "a tale is no name", "geçen gün bizim oradaki o uzun sokak", NULL, NULL },
	{ "nothing", "", NULL, NULL },
};

TEST(test_streets_of_addresses)
{
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		struct street street = { .name = "as before" };
		bool found = street_of_address(addresses[i].address, &street);
		if (CHECK(found == (addresses[i].street != NULL)) && found) {
			CHECK_STR(addresses[i].name, street.name, addresses[i].street);
			CHECK_STR(addresses[i].name, street.number, addresses[i].number);
		} else if (!found) {
			CHECK_STR(addresses[i].name, street.name, "as before");
		}
	}
}

TEST(test_a_long_address_is_no_street)
{
	char long_one[4 * STREET_ADDRESS_BYTES];
	struct street street;

	for (size_t i = 0; i + 1 < sizeof(long_one); i++)
		long_one[i] = i % 7 == 6 ? ' ' : 'a';
	long_one[sizeof(long_one) - 1] = '\0';
	CHECK(!street_of_address(long_one, &street));
}
