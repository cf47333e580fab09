/* The dictionary of open data: what each field is. */
#include "open_data_files.h"

const struct open_data_field open_data_fields[] = {
	{ "requests", "service_request_id", "string",
	    { "Başvuru numarası. Konumu gizlenen satırlarda numaranın yerine dosya içi bir sıra "
	      "numarası (“g…”) vardır.",
		"The ticket's number. Lines whose place is hidden have a number of this file "
		"(“g…”) instead." } },
	{ "requests", "requested_datetime", "datetime",
	    { "Başvurunun geldiği an (Türkiye saati). Konumu gizlenen satırlarda yalnızca günü.",
		"When it came (time of Türkiye). Of lines whose place is hidden the day alone." } },
	{ "requests", "updated_datetime", "datetime",
	    { "Son değişikliğin anı; sonuçlanmışsa sonuçlandığı an. Konumu gizlenen satırlarda "
	      "yalnızca günü.",
		"When it last changed; of a closed one, when it ended. Of lines whose place is "
		"hidden the day alone." } },
	{ "requests", "closed_date", "datetime",
	    { "Sonuçlandığı an; açıksa boş.", "When it ended; empty while it is open." } },
	{ "requests", "status_description", "string",
	    { "open: açık, closed: sonuçlanmış.", "open or closed." } },
	{ "requests", "status_notes", "string",
	    { "Durumun adı ve varsa sonuçlanma gerekçesi.",
		"The status in words, and the reason given at its end." } },
	{ "requests", "source", "string",
	    { "Başvurunun geldiği yol: call, web, open311, email, cimer, desk, bus ya da sms.",
		"How it came: call, web, open311, email, cimer, desk, bus or sms." } },
	{ "requests", "service_code", "string",
	    { "Konunun kodu. Ay içinde beşten az başvurusu olan konularda boş; bunların çıkarma "
	      "ile bulunmaması için başka satırlarda da boş olabilir.",
		"The subject's code. Empty for subjects with under five tickets in the month, and "
		"for others where subtraction would tell." } },
	{ "requests", "service_name", "string", { "Konunun adı.", "The subject's name." } },
	{ "requests", "agency_responsible", "string",
	    { "Sorumlu birim. Konumu gizlenen satırlarda boş.",
		"The department in charge. Empty where the place is hidden." } },
	{ "requests", "address", "string",
	    { "Mahalle; açık adres hiçbir zaman yayımlanmaz. Konumu gizlenen satırlarda boş.",
		"The neighbourhood; an address is never published. Empty where the place is "
		"hidden." } },
	{ "requests", "neighbourhood", "string",
	    { "Mahallenin kodu.", "The neighbourhood's code." } },
	{ "requests", "lat", "number",
	    { "Enlem (WGS84), üç ondalığa yuvarlanmış: yaklaşık yüz metre.",
		"Latitude (WGS84), rounded to three decimals: about a hundred metres." } },
	{ "requests", "long", "number",
	    { "Boylam (WGS84), üç ondalığa yuvarlanmış.",
		"Longitude (WGS84), rounded to three decimals." } },
	{ "requests", "coarse", "boolean",
	    { "Konumu gizli mi? Konunun o mahallede beşten az başvurusu varsa ya da çıkarma ile "
	      "bulunabilecekse gizlenir.",
		"Is its place hidden? It is where the subject has under five tickets in the "
		"neighbourhood, and where subtraction would tell." } },
	{ "counts", "service_code", "string",
	    { "Konunun kodu; “*”: bütün konular.", "The subject's code; “*”: all." } },
	{ "counts", "service_name", "string", { "Konunun adı.", "The subject's name." } },
	{ "counts", "neighbourhood", "string",
	    { "Mahallenin kodu; “*”: bütün mahalleler, boş: bilinmiyor.",
		"The neighbourhood's code; “*”: all, empty: not known." } },
	{ "counts", "neighbourhood_name", "string",
	    { "Mahallenin adı.", "The neighbourhood's name." } },
	{ "counts", "requests", "integer",
	    { "Başvuru sayısı; gizlendiyse boş. Toplamı (“*”) verilen bir konuda, burada "
	      "bulunmayan mahallelerde hiç başvuru yoktur; toplamı gizlenen konuların gizli "
	      "sayıları ise satır olarak da yer almaz.",
		"How many tickets; empty when suppressed. Of a subject whose total (“*”) is told, "
		"pairs that are not here have none; of one whose total is hidden, hidden counts "
		"have no rows at all." } },
	{ "counts", "suppressed", "boolean",
	    { "Sayı gizli mi? Beşten küçük sayılar ve onları çıkarma ile bulduracak başka sayılar "
	      "gizlenir.",
		"Is the count suppressed? Those under five are, and others by which these could be "
		"found by subtraction." } },
};
const size_t open_data_field_count = ARRAY_LEN(open_data_fields);
