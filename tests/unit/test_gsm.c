/* Octets worked out by hand from 3GPP TS 23.038 and 23.040, part counts at every edge, folding. */
#include "gsm.h"

#include <stdio.h>
#include <string.h>

#include "base.h"
#include "check.h"

/* --- golden vectors ----------------------------------------------------------------------------
 */

static const struct {
	const char *text;
	enum gsm_coding coding;
	const char *octets; /* header, fill bits, septets packed lowest bit first */
} vectors[] = {
	{ "hellohello", GSM_DEFAULT, "e8329bfd4697d9ec37" },
	{ "hellohello", GSM_SINGLE, "032401014097d9ec37bacc66bf01" },
	{ "hellohello", GSM_LOCKING, "032501014097d9ec37bacc66bf01" },
	{ "hellohello", GSM_BOTH, "06240101250101e8329bfd4697d9ec37" },
	{ "[€]", GSM_DEFAULT, "1bdea6bcf101" },
	{ "[€]", GSM_SINGLE, "03240101d8f036e58d0f" },
	{ "[€]", GSM_LOCKING, "03250101d8f0081b1f" },
	{ "Başvurunuz alındı: 26-0012345-4", GSM_SINGLE,
	    "03240101108637737b5d5e77d7f5a0307b93769337691d48666bc16031d98c566bd100" },
	{ "Başvurunuz alındı: 26-0012345-4", GSM_LOCKING,
	    "0325010110863bf6babceeaeeb4161f6c14d3ee840325b0b068bc966b45a8b06" },
	{ "Başvurunuz alındı: 26-0012345-4", GSM_BOTH,
	    "06240101250101c270c75e97d7dd753d28cc3eb8c9071d48666bc16031d98c566bd100" },
	{ "ş😀", GSM_UCS2, "015fd83dde00" },
};

static void
hex_of(const struct gsm_part *part, char out[2 * GSM_OCTETS_MAX + 1])
{
	out[0] = '\0';
	for (size_t i = 0; i < part->octet_count; i++)
		sprintf(out + 2 * i, "%02x", part->octets[i]);
}

TEST(test_golden_octets)
{
	struct gsm_part parts[GSM_PARTS_MAX];
	char hex[2 * GSM_OCTETS_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const char *text = vectors[i].text;
		size_t count = gsm_encode(text, strlen(text), vectors[i].coding, 0, parts);
		if (!CHECK_U64(text, count, 1))
			continue;
		hex_of(&parts[0], hex);
		CHECK_STR(text, hex, vectors[i].octets);
	}
}

/* "^" takes two septets; one septet is left in the first part, and stays empty. */
TEST(test_escape_is_not_split)
{
	static const char first[] =
	    "050003420201c2e170381c0e87c3e170381c0e87c3e170381c0e87c3e170381c0e87c3e170381c0e87c3e1"
	    "70381c0e87c3e170381c0e87c3e170381c0e87c3e170381c0e87c3e170381c0e87c3e170381c0e87c3e170"
	    "381c0e87c3e170381c0e87c3e170381c0e87c3e170381c0e87c3e170381c0e87c3e170381c0e87c3e17038"
	    "1c0e87c3e170381c0e8701";
	struct gsm_part parts[GSM_PARTS_MAX];
	char text[200], hex[2 * GSM_OCTETS_MAX + 1];

	memset(text, 'a', 152);
	snprintf(text + 152, sizeof(text) - 152, "^bbbbbbbbbb");
	CHECK_U64("parts", gsm_encode(text, strlen(text), GSM_DEFAULT, 0x42, parts), 2);
	hex_of(&parts[0], hex);
	CHECK_STR("first", hex, first);
	CHECK_U64("septets with those of the header", parts[0].length, 159);
	hex_of(&parts[1], hex);
	CHECK_STR("second", hex, "0500034202023614b1582c168bc562b118");
}

TEST(test_surrogates_are_not_split)
{
	struct gsm_part parts[GSM_PARTS_MAX];
	char text[400] = "";

	memset(text, 'a', 66);
	strcat(text, "😀bbbbb");
	CHECK_U64("parts", gsm_encode(text, strlen(text), GSM_UCS2, 1, parts), 2);
	CHECK_U64("first", parts[0].length, 6 + 2 * 66);
	CHECK_U64("second", parts[1].length, 6 + 2 * 7);
	CHECK_MEM("its first character", parts[1].octets + 6, 4, "\xd8\x3d\xde\x00", 4);
}

TEST(test_parts_of_the_turkish_tables)
{
	struct gsm_part parts[GSM_PARTS_MAX];
	char text[400] = "", hex[2 * GSM_OCTETS_MAX + 1];

	for (int i = 0; i < 160; i++)
		strcat(text, "ğ");
	CHECK_U64("parts", gsm_encode(text, strlen(text), GSM_BOTH, 9, parts), 2);
	CHECK_U64("the first is full", parts[0].octet_count, GSM_OCTETS_MAX);
	hex_of(&parts[1], hex);
	CHECK_STR("second", hex, "0b000309020224010125010130180c0683c16030180c068301");
	CHECK_U64("not in the default alphabet",
	    gsm_encode(text, strlen(text), GSM_DEFAULT, 9, parts), 0);
	CHECK_U64("nothing", gsm_encode("", 0, GSM_DEFAULT, 9, parts), 0);
}

TEST(test_too_many_parts)
{
	static char text[1300];
	struct gsm_part parts[GSM_PARTS_MAX];

	memset(text, 'a', 153 * GSM_PARTS_MAX + 1);
	CHECK_U64("eight", gsm_encode(text, 153 * GSM_PARTS_MAX, GSM_DEFAULT, 0, parts), 8);
	CHECK_U64("nine", gsm_encode(text, 153 * GSM_PARTS_MAX + 1, GSM_DEFAULT, 0, parts), 0);
}

/* --- edges of the counts ------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	const char *unit; /* repeated */
	size_t times;
	enum gsm_coding coding;
	size_t units, parts;
} edges[] = {
	{ "default, one full", "a", 160, GSM_DEFAULT, 160, 1 },
	{ "default, one more", "a", 161, GSM_DEFAULT, 161, 2 },
	{ "default, two full", "a", 306, GSM_DEFAULT, 306, 2 },
	{ "default, three", "a", 307, GSM_DEFAULT, 307, 3 },
	{ "escapes, one full", "^", 80, GSM_DEFAULT, 160, 1 },
	{ "escapes leave a septet empty in each part", "^", 153, GSM_DEFAULT, 306, 3 },
	{ "single, one full", "a", 155, GSM_SINGLE, 155, 1 },
	{ "single, one more", "a", 156, GSM_SINGLE, 156, 2 },
	{ "single, two full", "a", 298, GSM_SINGLE, 298, 2 },
	{ "single, three", "a", 299, GSM_SINGLE, 299, 3 },
	{ "a letter of the single table counts two", "ş", 77, GSM_SINGLE, 154, 1 },
	{ "locking, one full of Turkish letters", "ş", 155, GSM_LOCKING, 155, 1 },
	{ "locking, two full", "ş", 298, GSM_LOCKING, 298, 2 },
	{ "both, one full", "ş", 152, GSM_BOTH, 152, 1 },
	{ "both, one more", "ş", 153, GSM_BOTH, 153, 2 },
	{ "both, two full", "ş", 292, GSM_BOTH, 292, 2 },
	{ "both, three", "ş", 293, GSM_BOTH, 293, 3 },
	{ "UCS-2, one full", "щ", 70, GSM_UCS2, 70, 1 },
	{ "UCS-2, one more", "щ", 71, GSM_UCS2, 71, 2 },
	{ "UCS-2, two full", "щ", 134, GSM_UCS2, 134, 2 },
	{ "pairs, one full", "😀", 35, GSM_UCS2, 70, 1 },
	{ "pairs leave a unit empty in each part", "😀", 67, GSM_UCS2, 134, 3 },
};

TEST(test_edges)
{
	static char text[2000];

	for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
		size_t units = 0, parts = 0, len = strlen(edges[i].unit);
		for (size_t n = 0; n < edges[i].times; n++)
			memcpy(text + n * len, edges[i].unit, len);
		CHECK_TRUE(edges[i].name,
		    gsm_measure(text, edges[i].times * len, edges[i].coding, &units, &parts));
		CHECK_U64(edges[i].name, units, edges[i].units);
		CHECK_U64(edges[i].name, parts, edges[i].parts);
		struct gsm_part encoded[GSM_PARTS_MAX];
		CHECK_U64(edges[i].name,
		    gsm_encode(text, edges[i].times * len, edges[i].coding, 0, encoded), parts);
	}
}

/* --- choosing -----------------------------------------------------------------------------------
 */

static const struct {
	const char *text;
	size_t times; /* repeated */
	enum sms_policy policy;
	unsigned codings;
	enum gsm_coding want;
	size_t parts, lost;
} choices[] = {
	{ "hello", 1, SMS_AUTO, GSM_OF_ALL, GSM_DEFAULT, 1, 0 },
	{ "", 1, SMS_AUTO, GSM_OF_ALL, GSM_DEFAULT, 0, 0 },
	{ "öÖüÜÇ", 30, SMS_AUTO, GSM_OF_ALL, GSM_DEFAULT, 1, 0 },
	{ "başvuru", 1, SMS_AUTO, GSM_OF_ALL, GSM_SINGLE, 1, 0 },
	{ "ş", 100, SMS_AUTO, GSM_OF_ALL, GSM_LOCKING, 1, 0 },
	{ "ş", 100, SMS_AUTO, GSM_OF_GATEWAY, GSM_SINGLE, 2, 0 },
	/* ı beside è: the one is not in the default, the other not in the locking table. */
	{ "ıè", 51, SMS_AUTO, GSM_OF_ALL, GSM_SINGLE, 1, 0 },
	{ "ış", 76, SMS_AUTO, GSM_OF_ALL, GSM_LOCKING, 1, 0 },
	{ "Антальья", 1, SMS_AUTO, GSM_OF_ALL, GSM_UCS2, 1, 0 },
	{ "Muratpaşa’da “park”", 1, SMS_AUTO, GSM_OF_GATEWAY, GSM_SINGLE, 1, 0 },
	{ "ş", 160, SMS_ASCII, GSM_OF_ALL, GSM_DEFAULT, 1, 0 },
	{ "park 🌳", 1, SMS_ASCII, GSM_OF_ALL, GSM_DEFAULT, 1, 1 },
	{ "park 🌳", 1, SMS_TURKISH, GSM_OF_ALL, GSM_DEFAULT, 1, 1 },
	{ "park 🌳", 1, SMS_AUTO, GSM_OF_ALL, GSM_UCS2, 1, 0 },
	{ "hello", 1, SMS_UCS2, GSM_OF_ALL, GSM_UCS2, 1, 0 },
	{ "a", 71, SMS_UCS2, GSM_OF_ALL, GSM_UCS2, 2, 0 },
};

TEST(test_choices)
{
	static char text[2000];

	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		size_t len = strlen(choices[i].text);
		struct sms_size size;
		for (size_t n = 0; n < choices[i].times; n++)
			memcpy(text + n * len, choices[i].text, len);
		sms_measure(
		    text, choices[i].times * len, choices[i].policy, choices[i].codings, &size);
		CHECK_STR(choices[i].text, gsm_coding_name(size.coding),
		    gsm_coding_name(choices[i].want));
		CHECK_U64(choices[i].text, size.parts, choices[i].parts);
		CHECK_U64(choices[i].text, size.lost, choices[i].lost);
	}
	CHECK_U64("as billed", sms_parts(text, 71, SMS_UCS2), 2);
}

/* --- folding -------------------------------------------------------------------------------------
 */

static const struct {
	const char *text;
	enum sms_policy policy;
	const char *want;
	size_t lost;
} folds[] = {
	{ "Muratpaşa’da “park” – ‘ağaç’ …", SMS_AUTO, "Muratpaşa'da \"park\" - 'ağaç' ...", 0 },
	{ "Kâğıt, Îmâ, sükûn, Âlem, Ûzun, lîra", SMS_AUTO, "Kağıt, Ima, sükun, Alem, Uzun, lira",
	    0 },
	{ "bos\u0327 bog\u0306 I\u0307zmir i\u0307 ka\u0302r", SMS_AUTO, "boş boğ İzmir i kar", 0 },
	{ "a\u00a0b\tc\r\nd\u200be\ufefff\u00ad", SMS_AUTO, "a b c\ndef", 0 },
	{ "№5 2×3 `x` «y»", SMS_AUTO, "No5 2x3 'x' \"y\"", 0 },
	{ "ÇĞİÖŞÜ çğıöşü", SMS_ASCII, "CGIOSU cgiosu", 0 },
	{ "10 € ß Œuvre Ærø §", SMS_ASCII, "10 EUR ss OEuvre AEro S", 0 },
	{ "Łódź café ñandú š 10 €", SMS_TURKISH, "Lodz café ñandu s 10 €", 0 },
	{ "Łódź", SMS_AUTO, "Łódź", 0 },
	{ "Антальья", SMS_TURKISH, "????????", 8 },
	{ "“ş” â", SMS_UCS2, "“ş” â", 0 },
	{ "a\xff"
	  "b\xc5",
	    SMS_AUTO, "a?b?", 2 },
	{ "a\x01"
	  "b\x7f",
	    SMS_UCS2, "a b ", 0 },
	{ "\u0307x", SMS_AUTO, "x", 0 },
};

TEST(test_folds)
{
	char out[200];

	for (size_t i = 0; i < ARRAY_LEN(folds); i++) {
		size_t lost = sms_fold(folds[i].policy, folds[i].text, strlen(folds[i].text), out);
		CHECK_STR(folds[i].text, out, folds[i].want);
		CHECK_U64(folds[i].text, lost, folds[i].lost);
		CHECK_TRUE(folds[i].text, strlen(out) <= strlen(folds[i].text));
	}
}

/* What is measured is what is sent: measuring folds by itself, and a fold is measured the same. */
TEST(test_measure_is_of_the_fold)
{
	for (size_t i = 0; i < ARRAY_LEN(folds); i++) {
		for (int p = 0; p < SMS_POLICIES; p++) {
			char out[200];
			size_t units, parts;
			struct sms_size size;
			sms_fold((enum sms_policy)p, folds[i].text, strlen(folds[i].text), out);
			sms_measure(folds[i].text, strlen(folds[i].text), (enum sms_policy)p,
			    GSM_OF_ALL, &size);
			CHECK_TRUE(folds[i].text,
			    gsm_measure(out, strlen(out), size.coding, &units, &parts));
			CHECK_U64(folds[i].text, units, size.units);
			CHECK_U64(folds[i].text, parts, size.parts);
		}
	}
}

TEST(test_policy_words)
{
	enum sms_policy policy;

	for (int p = 0; p < SMS_POLICIES; p++) {
		CHECK_TRUE("known", sms_policy_parse(sms_policy_name((enum sms_policy)p), &policy));
		CHECK_I64("itself", (int)policy, p);
	}
	CHECK_FALSE("unknown", sms_policy_parse("TR", &policy));
}
