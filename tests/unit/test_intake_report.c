/* Forms of Open311 become items or sentences that name the field, with the real catalogue of the
 * worked municipality. */
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "bundle.h"
#include "check.h"
#include "fields.h"
#include "istanbul.h"
#include "report.h"
#include "request_query.h"

#define NOW_US INT64_C(1772440000000000)

/* deploy/config/muratpasa, found from this file's own place. */
static struct catalogue *
open_catalogue(void)
{
	char folder[1024], why[256];
	struct bundle bundle;
	struct catalogue_report *report = calloc(1, sizeof(*report));
	const char *tests = strstr(__FILE__, "tests/unit/");

	(void)snprintf(folder, sizeof(folder), "%.*sdeploy/config/muratpasa",
	    (int)(tests - __FILE__), __FILE__);
	bundle_init(&bundle);
	CHECK(bundle_read_folder(&bundle, folder, why, sizeof(why)));
	struct catalogue *cat = catalogue_parse(&bundle, report);
	CHECK(cat != NULL);
	bundle_finish(&bundle);
	free(report);
	return cat;
}

static void
on_done(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	(void)item;
	(void)outcome;
	(void)ticket_id;
}

/* "name=value|name=value" into pairs of static storage. */
static struct report_form
form_of(const char *text)
{
	static char copy[65536];
	static struct http_pair pairs[REPORT_PAIRS_MAX];
	struct report_form form = { pairs, 0 };
	char *rest = copy, *part;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	while ((part = strsep(&rest, "|")) != NULL && part[0] != '\0') {
		char *value = strrchr(part, '=');
		*value = '\0';
		pairs[form.count++] = (struct http_pair){ part, value + 1 };
	}
	return form;
}

#define PLACE "lat=36.87|long=30.72|"
#define PLAIN "service_code=cadde-supurme|" PLACE

static const struct {
	const char *name;
	const char *form;
	unsigned status; /* 0: fit */
	const char *why; /* how the first problem begins */
} forms[] = {
	{ "plain", PLAIN, 0, "" },
	{ "null is absent", PLAIN "phone=|email=|media_url=|address_id=", 0, "" },
	{ "fields nobody knows", PLAIN "colour=red", 0, "" },
	{ "no subject", PLACE, 400, "service_code: required" },
	{ "unknown subject", PLACE "service_code=zz", 404, "service_code: no such" },
	{ "codes are compared exactly", PLACE "service_code=CADDE-SUPURME", 404, "service_code" },
	{ "no place", "service_code=cadde-supurme", 400, "lat and long, address_string" },
	{ "address is enough", "service_code=cadde-supurme|address_string=x", 0, "" },
	{ "half a position", "service_code=cadde-supurme|lat=1", 400, "lat, long: both" },
	{ "poles are places", "service_code=cadde-supurme|lat=-90|long=180", 0, "" },
	{ "beyond", "service_code=cadde-supurme|lat=-90.01|long=180", 400, "lat: must be" },
	{ "exponent", "service_code=cadde-supurme|lat=3.687e1|long=30.72", 0, "" },
	{ "infinite", "service_code=cadde-supurme|lat=1e999|long=0", 400, "lat: not a decimal" },
	{ "hexadecimal", "service_code=cadde-supurme|lat=0x10|long=0", 400, "lat: not a decimal" },
	{ "trailing", "service_code=cadde-supurme|lat=1 |long=0", 400, "lat: not a decimal" },
	{ "phone", PLAIN "phone=123", 400, "phone: " },
	{ "short number", PLAIN "phone=444 80 07", 0, "" },
	{ "email", PLAIN "email=a@b", 400, "email: " },
	{ "twice", PLAIN "email=a@b.c|email=a@b.d", 400, "email: given more than once" },
	{ "twice but one empty", PLAIN "email=a@b.c|email=", 0, "" },
	{ "question required", "service_code=yol-cukur|" PLACE, 400, "attribute[boyut]: required" },
	{ "question answered", "service_code=yol-cukur|" PLACE "attribute[boyut]=orta", 0, "" },
	{ "with brackets", "service_code=yol-cukur|" PLACE "attribute[boyut][]=orta", 0, "" },
	{ "not in the list", "service_code=yol-cukur|" PLACE "attribute[boyut]=x", 400,
	    "attribute[boyut]: not one" },
	{ "no such question", PLAIN "attribute[x]=1", 400, "attribute: the service has no such" },
	{ "empty answer to nothing", PLAIN "attribute[x]=", 0, "" },
	{ "malformed attribute", PLAIN "attribute[x=1", 400, "attribute: not like" },
	{ "nameless attribute", PLAIN "attribute[]=1", 400, "attribute: not like" },
};

TEST(test_forms)
{
	struct catalogue *cat = open_catalogue();

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct report report;
		struct problems p = { 0 };
		struct report_form form = form_of(forms[i].form);
		report_init(&report, on_done);
		bool fit = report_read(&report, &form, cat, NOW_US, &p);
		CHECK_TRUE(forms[i].name, fit == (forms[i].status == 0));
		CHECK_U64(forms[i].name, p.count == 0 ? 0 : p.at[0].status, forms[i].status);
		CHECK_TRUE(
		    forms[i].name, strncmp(p.at[0].text, forms[i].why, strlen(forms[i].why)) == 0);
		report_finish(&report);
	}
	catalogue_destroy(cat);
}

TEST(test_form_becomes_item)
{
	struct catalogue *cat = open_catalogue();
	struct report report;
	struct problems p = { 0 };
	struct report_form form = form_of(
	    "service_code=yol-cukur|address_string=Fener Mah. 1964 Sok."
	    "|attribute[serit]=yol|attribute[boyut]=orta"
	    "|first_name=Ayşe|last_name=Yılmaz|phone=0532 123 45 67");

	report_init(&report, on_done);
	CHECK(report_read(&report, &form, cat, NOW_US, &p));
	CHECK_STR("in the questions' order", report.item.answers,
	    "{\"boyut\":[\"orta\"],\"serit\":[\"yol\"]}");
	CHECK_STR("name", report.item.name, "Ayşe Yılmaz");
	CHECK_STR("phone", report.item.phone, "+905321234567");
	CHECK_STR("place", report.item.neighbourhood, "fener");
	CHECK_STR("type", report.item.type, "ticket.opened");
	CHECK(report.item.opens && report.item.arrived_us == NOW_US);
	report_finish(&report);
	catalogue_destroy(cat);
}

TEST(test_identity_is_of_the_content_alone)
{
	static const char *const same[] = { "a=1|b=2|api_key=x", "b=2|a=1|api_key=y",
		"a=1|b=2|c=" };
	static const char *const other[] = { "a=1|b=3", "a=1", "ab=12", "a=1|b=2|b=2", "a=2|b=1" };
	static const uint8_t secret[32] = { 7 };
	struct item_maker maker = { .secret = secret, .secret_len = sizeof(secret) };
	struct item first, item;

	struct report_form form = form_of("a=1|b=2");
	report_identify(&first, &maker, (struct http_pair *)(uintptr_t)form.pairs, form.count);
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		form = form_of(same[i]);
		report_identify(
		    &item, &maker, (struct http_pair *)(uintptr_t)form.pairs, form.count);
		CHECK_TRUE(same[i], digest_equal(&item.identity, &first.identity));
	}
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		form = form_of(other[i]);
		report_identify(
		    &item, &maker, (struct http_pair *)(uintptr_t)form.pairs, form.count);
		CHECK_FALSE(other[i], digest_equal(&item.identity, &first.identity));
	}
}

static const struct {
	const char *text;
	bool valid;
} emails[] = {
	{ "a@b.tr", true },
	{ "ayse.yilmaz+x@posta.example.org", true },
	{ "ayşe@muratpasa.bel.tr", false },
	{ "ayse@muratpaşa.bel.tr", false },
	{ "ışık@b.tr", false },
	{ "a@b", false },
	{ "@b.tr", false },
	{ "a@", false },
	{ "a b@c.tr", false },
	{ "a@b..tr", false },
	{ ".a@b.tr", false },
	{ "a.@b.tr", false },
	{ "a..b@c.tr", false },
	{ "a@-b.tr", false },
	{ "a@b.tr\n", false },
	{ "a@b.tr,c@d.tr", false },
	{ "<a@b.tr>", false },
	{ "a", false },
};

TEST(test_emails)
{
	for (size_t i = 0; i < ARRAY_LEN(emails); i++)
		CHECK_TRUE(emails[i].text, field_email_valid(emails[i].text) == emails[i].valid);
}

static const struct {
	const char *address;
	const char *want;
} addresses[] = {
	{ "Fener Mah. 1964 Sok. No:3", "fener" },
	{ "FENER MAHALLESİ 1964 SOKAK", "fener" },
	{ "1964 Sok., Fener mh, Muratpaşa/Antalya", "fener" },
	{ "Fener", "fener" },
	{ "Mahmut Amca'nın evi", "" },
	{ "Kadıköy Mah., İstanbul", "" },
	{ "", "" },
	{ ", ; /", "" },
};

TEST(test_what_is_special)
{
	struct catalogue *cat = open_catalogue();

	CHECK_TRUE("a special category", catalogue_is_special(cat, "evde-saglik"));
	CHECK_TRUE("none", !catalogue_is_special(cat, "cadde-supurme"));
	CHECK_TRUE("no subject", !catalogue_is_special(cat, ""));
	CHECK_TRUE("who knows what has left", catalogue_is_special(cat, "gitti"));
	catalogue_destroy(cat);
}

TEST(test_neighbourhood_of_an_address)
{
	struct catalogue *cat = open_catalogue();

	for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
		CHECK_STR(addresses[i].address,
		    field_neighbourhood_of_address(cat, addresses[i].address), addresses[i].want);
	catalogue_destroy(cat);
}

/* --- queries ---------------------------------------------------------------------------------- */

static const struct {
	const char *query;
	const char *why; /* NULL: fit */
} queries[] = {
	{ "", NULL },
	{ "status=open", NULL },
	{ "status=closed, open", NULL },
	{ "status=,", NULL },
	{ "status=Open", "status: " },
	{ "start_date=2026-01-01|end_date=2026-03-31", NULL },
	{ "start_date=2026-01-01|end_date=2026-04-02", "start_date, end_date: at most" },
	{ "start_date=2026-01-02|end_date=2026-01-01", "end_date: before" },
	{ "start_date=x", "start_date: not" },
	{ "updated_after=x", "updated_after: not" },
	{ "page=2|page_size=10", NULL },
	{ "page_size=0", "page_size: " },
	{ "page_size=1001", "page_size: " },
	{ "page=-1", "page: " },
	{ "page=99999999999999999999", "page: " },
	{ "service_request_id=26-0000001-4|status=nonsense", NULL },
};

TEST(test_queries)
{
	struct request_query q;

	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		struct problems p = { 0 };
		struct report_form form = form_of(queries[i].query);
		bool fit = request_query_read(&q, &form, NOW_US, &p);
		CHECK_TRUE(queries[i].query, fit == (queries[i].why == NULL));
		if (queries[i].why != NULL)
			CHECK_TRUE(queries[i].query,
			    strncmp(p.at[0].text, queries[i].why, strlen(queries[i].why)) == 0);
	}
}

TEST(test_query_defaults)
{
	struct request_query q;
	struct problems p = { 0 };
	struct report_form form = form_of("");

	CHECK(request_query_read(&q, &form, NOW_US, &p));
	CHECK(q.open && q.closed && q.code_count == 0 && q.limit == 1000 && q.offset == 0);
	CHECK_I64("the last 90 days", q.to_us - q.from_us, 90 * US_PER_DAY);
	CHECK(q.to_us >= NOW_US && q.to_us <= NOW_US + US_PER_MIN);
	form = form_of("start_date=2026-01-01");
	CHECK(request_query_read(&q, &form, NOW_US, &p));
	CHECK(q.to_us >= NOW_US);
	form = form_of("end_date=2020-01-01");
	CHECK(request_query_read(&q, &form, NOW_US, &p));
	CHECK_I64("90 days before its end", q.to_us - q.from_us, 90 * US_PER_DAY);
	form = form_of("service_code=a, b ,,c|page=3|page_size=7");
	CHECK(request_query_read(&q, &form, NOW_US, &p));
	CHECK_U64("codes", q.code_count, 3);
	CHECK_STR("trimmed", q.codes[1], "b");
	CHECK_I64("offset", q.offset, 14);
	form = form_of("service_request_id=26-0000001-4,26-0000001-5,x, 26 1 4");
	CHECK(request_query_read(&q, &form, NOW_US, &p));
	CHECK_U64("those that are numbers", q.id_count, 2);
	CHECK_I64("id", q.ids[0], 260000001);
}
