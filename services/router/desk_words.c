/* The desk's words, in both languages. */
#include "desk_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extension.h"
#include "status_words.h"
#include "turunc/v1/bus.pb-c.h"

typedef const char *const in_both[CATALOGUE_LANGUAGES];

static const in_both words[DESK_WORDS] = {
	[WORD_AWAY] = { "Kayıtlara şu anda ulaşılamıyor. Hiçbir şey kaybolmadı; birazdan yeniden "
			"deneyin.",
	    "The record cannot be reached at the moment. Nothing is lost; try again shortly." },
	[WORD_SLOW] = { "Arama çok uzun sürdüğü için durduruldu. Birkaç sözcük daha ekleyin.",
	    "The search took too long and was stopped. Add another word or two." },
	[WORD_NO_TICKET] = { "Bu numarada bir başvuru yok. Numarayı denetleyin.",
	    "There is no ticket of this number. Check the number." },
	[WORD_NOT_YOURS] = { "Bu başvuru sizin biriminizde değil.",
	    "This ticket is not with your department." },
	[WORD_NOT_A_NUMBER] = { "Bu bir başvuru numarası değil; bir rakam yanlış olabilir.",
	    "This is not a ticket number; a digit may be wrong." },
	[WORD_NOTHING_TYPED] = { "Aranacak bir sözcük, numara ya da telefon yazın.",
	    "Type a word, a number or a telephone to look for." },
	[WORD_NOTHING_CHOSEN] = { "Hiçbir başvuru seçilmedi.", "No ticket was chosen." },
	[WORD_DECIDED_ALREADY] = { "Bu arada başka biri karar verdi.",
	    "Somebody else has decided meanwhile." },
	[WORD_SAY_WHY] = { "Neden vazgeçildiğini yazın: en çok 200 karakter.",
	    "Say why it is discarded, in 200 characters at most." },
	[WORD_NO_ALARM] = { "Böyle bir alarm yok.", "There is no such alarm." },
	[WORD_TOO_MANY] = { "Bir seferde en çok 100 başvuru seçilebilir.",
	    "At most 100 tickets can be chosen at a time." },
};

const char *
desk_word(enum desk_word word, enum catalogue_language language)
{
	return words[word][language];
}

static const struct {
	in_both button, done;
} verbs[STATUS_VERBS] = {
	[VERB_ROUTE] = { { "Birime yönlendir", "Route" }, { "Yönlendirildi.", "Routed." } },
	[VERB_TRIAGE] = { { "Bizim değil: triyaja gönder", "Not ours: back to triage" },
	    { "Triyaja gönderildi.", "Sent to triage." } },
	[VERB_ACCEPT] = { { "İncelemeye al", "Accept" }, { "İncelemeye alındı.", "Accepted." } },
	[VERB_RELEASE] = { { "İş sırasına geri bırak", "Put back into the queue" },
	    { "İş sırasına geri bırakıldı.", "Put back into the queue." } },
	[VERB_START] = { { "Çalışmaya başla", "Start work" },
	    { "Çalışma başladı.", "Work has begun." } },
	[VERB_RESUME] = { { "Çalışmayı sürdür", "Resume work" },
	    { "Çalışma sürüyor.", "Work goes on." } },
	[VERB_WAIT] = { { "Beklemeye al", "Put on hold" }, { "Beklemeye alındı.", "On hold." } },
	[VERB_TRANSFER] = { { "Başka birime aktar", "Transfer" },
	    { "Aktarıldı.", "Transferred." } },
	[VERB_ANSWER] = { { "Başvurana yanıt yaz", "Answer the citizen" },
	    { "Yanıt kaydedildi.", "The answer was recorded." } },
	[VERB_EXTEND] = { { "Yasal süreyi uzat", "Extend the legal period" },
	    { "Süre uzatıldı.", "The period was extended." } },
	[VERB_RESOLVE] = { { "Çözüldü olarak kapat", "Resolve" }, { "Çözüldü.", "Resolved." } },
	[VERB_REJECT] = { { "Reddet", "Reject" }, { "Reddedildi.", "Rejected." } },
	[VERB_FORWARD] = { { "Kurum dışına ilet", "Forward to another institution" },
	    { "Kurum dışına iletildi.", "Forwarded." } },
	[VERB_JOIN] = { { "Başka bir başvuruyla birleştir", "Join with another ticket" },
	    { "Birleştirildi.", "Joined." } },
	[VERB_SEPARATE] = { { "Birleştirmeyi geri al", "Separate again" },
	    { "Ayrıldı.", "Separated." } },
	[VERB_WITHDRAW] = { { "Başvuran vazgeçti", "Withdrawn by the citizen" },
	    { "Vazgeçildi olarak kaydedildi.", "Recorded as withdrawn." } },
	[VERB_REOPEN] = { { "Yeniden aç", "Reopen" }, { "Yeniden açıldı.", "Reopened." } },
	[VERB_NOTE] = { { "Not ekle", "Add a note" }, { "Not eklendi.", "The note was added." } },
	[VERB_AMEND] = { { "Konuyu ya da önceliği düzelt", "Correct subject or priority" },
	    { "Düzeltildi.", "Corrected." } },
	[VERB_CLOSE] = { { "Kapat", "Close" }, { "Kapandı.", "Closed." } },
};

const char *
desk_verb(enum status_verb verb, enum catalogue_language language)
{
	return verbs[verb].button[language];
}

const char *
desk_done(enum status_verb verb, enum catalogue_language language)
{
	return verbs[verb].done[language];
}

/* --- refusals --------------------------------------------------------------------------------- */

/* What step_check.c says of a field begins with the field's name. */
static const struct {
	const char *begins;
	in_both in;
} bad_fields[] = {
	{ "department: the ticket is there already",
	    { "Başvuru zaten o birimde.", "The ticket is with that department already." } },
	{ "department:", { "Geçerli bir birim seçin.", "Choose an active department." } },
	{ "reason_code:", { "Bu adıma uyan bir neden seçin.", "Choose a reason that fits." } },
	{ "institution:", { "İletilecek kurumu seçin.", "Choose the institution." } },
	{ "reference:",
	    { "Evrak numarasında yalnız harf, rakam, boşluk ve - _ . / : # olabilir; en çok 64.",
		"The reference may hold only letters, digits, spaces and - _ . / : #, 64 at "
		"most." } },
	{ "primary: it is itself",
	    { "O başvuru kendisi bir başkasıyla birleştirilmiş; asıl başvurunun numarasını yazın.",
		"That ticket is itself joined to another; give the number of the primary one." } },
	{ "primary: other", { "Bu başvuruyla birleştirilmiş başvurular var; önce onları ayırın.",
				"Other tickets are joined to this one; separate them first." } },
	{ "primary: a ticket",
	    { "Bir başvuru kendisiyle birleştirilemez.", "A ticket cannot be joined to itself." } },
	{ "primary:", { "Bu numarada bir başvuru yok.", "There is no ticket of this number." } },
	{ "text: longer", { "Metin çok uzun: en çok 8.000 bayt.", "The text is too long: 8,000 "
								  "bytes at most." } },
	{ "text: holds", { "Metinde yazılamayan bir karakter var.",
			     "The text holds a character that cannot be kept." } },
	{ "text:", { "Bir metin yazın.", "Write a text." } },
	{ "photo:", { "Fotoğraf yalnız çözümle ya da notla eklenebilir.",
			"Photos go with a solution or a note only." } },
	{ "until_us:", { "Tarih bugünden sonra olmalı.", "The date has to be after today." } },
	{ "subject_code:", { "Konuyu ya da önceliği seçin.", "Choose a subject or a priority." } },
	{ "priority:", { "Önceliği seçin.", "Choose a priority." } },
	{ "verb: only a running", { "Yalnız 4982 sayılı Kanun'a göre işleyen süre uzatılabilir.",
				      "Only a running period of law 4982 can be extended." } },
	{ "verb: it was extended", { "Süre bir kez uzatılmış; bir daha uzatılamaz.",
				       "The period was extended once already." } },
	{ "verb: the time", { "Yeniden açma süresi geçti.", "The time to reopen has passed." } },
	{ "id:", { "Form bozulmuş; sayfayı yenileyip yeniden deneyin.",
		     "The form is damaged; load the page again." } },
	{ "verb:", { "Böyle bir işlem yok.", "There is no such step." } },
};

const char *
desk_refusal(int refusal, const char *text, enum catalogue_language language)
{
	static const in_both by_code[] = {
		[TURUNC__V1__REFUSAL_CODE__REFUSAL_UNSPECIFIED] = { "", "" },
		[TURUNC__V1__REFUSAL_CODE__REFUSAL_NO_SUCH_TICKET] = { "Böyle bir başvuru yok.",
		    "There is no such ticket." },
		[TURUNC__V1__REFUSAL_CODE__REFUSAL_STALE_VERSION] = { "Bu arada başka biri bu "
								      "başvuruyu değiştirdi.",
		    "Somebody else has changed this ticket meanwhile." },
		[TURUNC__V1__REFUSAL_CODE__REFUSAL_NOT_ALLOWED_NOW] = { "Başvurunun şimdiki "
									"durumunda bu yapılamaz.",
		    "This cannot be done in the ticket’s present status." },
		[TURUNC__V1__REFUSAL_CODE__REFUSAL_FORBIDDEN] = { "Bunu yapmaya yetkiniz yok.",
		    "You may not do this." },
		[TURUNC__V1__REFUSAL_CODE__REFUSAL_BAD_FIELD] = { "Bir alan eksik ya da yanlış.",
		    "A field is missing or wrong." },
		[TURUNC__V1__REFUSAL_CODE__REFUSAL_ID_REUSED] = { "Bu form başka bir içerikle "
								  "gönderilmişti; sayfayı "
								  "yenileyin.",
		    "This form was sent with another content; load the page again." },
		[TURUNC__V1__REFUSAL_CODE__REFUSAL_UNAVAILABLE] = { "Kayıtlara ulaşılamadı; "
								    "yeniden gönderin, iki kez "
								    "işlenmez.",
		    "The record could not be reached; send it again, it is not done twice." },
	};

	if (refusal == TURUNC__V1__REFUSAL_CODE__REFUSAL_BAD_FIELD)
		for (size_t i = 0; i < ARRAY_LEN(bad_fields); i++)
			if (strncmp(text, bad_fields[i].begins, strlen(bad_fields[i].begins)) == 0)
				return bad_fields[i].in[language];
	return (size_t)refusal < ARRAY_LEN(by_code) ? by_code[refusal][language] : text;
}

/* --- reasons ---------------------------------------------------------------------------------- */

static const struct catalogue_reason not_ours[] = {
	{ "gorevimiz-degil", { { "Birimimizin görevi değil", "Not a task of our department" } },
	    "" },
	{ "konu-yanlis", { { "Konusu yanlış seçilmiş", "The subject is wrong" } }, "" },
	{ "adres-yanlis", { { "Yeri yanlış ya da belirsiz", "The place is wrong or unclear" } },
	    "" },
	{ "baska-birimle",
	    { { "Başka birimle birlikte yapılacak", "To be done with another department" } }, "" },
	{ "geri-alma",
	    { { "Yanlışlıkla gönderildi, geri alınıyor", "Sent by mistake, taken back" } }, "" },
	{ NULL, { { NULL, NULL } }, NULL },
};
static const struct catalogue_reason to_reopen[] = {
	{ "cozulmemis", { { "Sorun giderilmemiş", "It was not solved" } }, "" },
	{ "yanlis-kapatildi", { { "Yanlışlıkla kapatıldı", "Ended by mistake" } }, "" },
	{ "yeni-bilgi", { { "Yeni bilgi geldi", "There is new information" } }, "" },
	{ NULL, { { NULL, NULL } }, NULL },
};
/* What others write: rules, citizens, and systems on the bus. */
static const struct catalogue_reason others[] = {
	{ "no_subject", { { "Konusu yok", "It has no subject" } }, "" },
	{ "unknown_subject", { { "Konusu bilinmiyor", "Its subject is not known" } }, "" },
	{ "no_rule", { { "Uyan kural yok", "No rule fits" } }, "" },
	{ "inactive_department", { { "Birim etkin değil", "The department is not active" } }, "" },
	{ "not_solved", { { "Başvuran: sorun çözülmedi", "Citizen: it is not solved" } }, "" },
	{ "not_mine", { { "Birimin görevi değil", "Not the department’s task" } }, "" },
	{ "not_ours", { { "Birimin görevi değil", "Not the department’s task" } }, "" },
	{ NULL, { { NULL, NULL } }, NULL },
};

const struct catalogue_reason *
desk_reason_at(enum status_verb verb, size_t index)
{
	const struct catalogue_reason *list = NULL;

	if (verb == VERB_EXTEND)
		return extension_reason_at(index);
	if (verb == VERB_TRIAGE || verb == VERB_TRANSFER)
		list = not_ours;
	else if (verb == VERB_REOPEN)
		list = to_reopen;
	return list == NULL || list[index].code == NULL ? NULL : &list[index];
}

const char *
desk_reason_name(const struct catalogue *cat, const char *code, enum catalogue_language language)
{
	const struct catalogue_reason *const lists[] = { not_ours, to_reopen, others };
	const struct catalogue_reason *reason = catalogue_closure_reason(cat, code);

	if (reason == NULL)
		reason = catalogue_wait_reason(cat, code);
	if (reason == NULL)
		reason = extension_reason(code);
	for (size_t i = 0; reason == NULL && i < ARRAY_LEN(lists); i++)
		for (const struct catalogue_reason *r = lists[i]; r->code != NULL; r++)
			if (strcmp(r->code, code) == 0)
				reason = r;
	return reason == NULL ? code : catalogue_say(&reason->name, language);
}

/* --- history ---------------------------------------------------------------------------------- */

static const struct {
	const char *type;
	in_both in;
} events[] = {
	{ "ticket.opened", { "Başvuru alındı", "Received" } },
	{ "ticket.routed", { "Birime yönlendirildi", "Routed" } },
	{ "ticket.triaged", { "Triyaja gönderildi", "Sent to triage" } },
	{ "ticket.accepted", { "İncelemeye alındı", "Accepted" } },
	{ "ticket.released", { "İş sırasına geri bırakıldı", "Put back into the queue" } },
	{ "ticket.started", { "Çalışma başladı", "Work begun" } },
	{ "ticket.answered", { "Başvurana yanıt verildi", "Answered" } },
	{ "ticket.noted", { "Not eklendi", "Note added" } },
	{ "ticket.amended", { "Konu ya da öncelik düzeltildi", "Subject or priority corrected" } },
	{ "ticket.viewed", { "Görüntülendi", "Viewed" } },
	{ "ticket.due_soon", { "Süre dolmak üzere", "Due soon" } },
	{ "ticket.overdue", { "Süre doldu", "Overdue" } },
	{ "ticket.closed", { "Dosya kapandı", "Closed" } },
	{ "contact.recorded", { "Başvurandan ileti geldi", "Message from the citizen" } },
	{ "sms.received", { "Başvurandan SMS geldi", "SMS from the citizen" } },
	{ "survey.invited", { "Memnuniyeti soruldu", "Asked whether satisfied" } },
	{ "survey.reminded", { "Memnuniyeti hatırlatıldı", "Reminded of the question" } },
	{ "survey.skipped", { "Memnuniyeti sorulmadı", "Not asked whether satisfied" } },
	{ "survey.answered", { "Memnuniyetini bildirdi", "Said whether satisfied" } },
	{ "notification.sent", { "Başvurana ileti gönderildi", "Citizen was told" } },
	{ "notification.delivered", { "İleti ulaştı", "Message delivered" } },
	{ "notification.failed", { "İleti gönderilemedi", "Message failed" } },
	{ "citizen.erased", { "Kişisel veriler silindi", "Personal data erased" } },
};

const char *
desk_event(const char *type, enum catalogue_language language)
{
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		if (strcmp(events[i].type, type) == 0)
			return events[i].in[language];
	const char *known = status_event_words(type, language);
	return known == NULL ? type : known;
}

const char *
desk_message(const char *about, enum catalogue_language language)
{
	/* Of what comes by SMS only a wish is answered. */
	if (strcmp(about, "sms.received") == 0)
		return language == CATALOGUE_EN ? "Wish about SMS confirmed"
						: "SMS tercihi teyit edildi";
	return desk_event(about, language);
}

void
desk_actor(const char *actor, enum catalogue_language language, char *out, size_t size)
{
	bool english = language == CATALOGUE_EN;

	if (strcmp(actor, "citizen") == 0)
		(void)snprintf(out, size, "%s", english ? "citizen" : "başvuran");
	else if (strcmp(actor, "system") == 0)
		(void)snprintf(out, size, "%s", english ? "system" : "sistem");
	else if (strncmp(actor, "rule:", 5) == 0)
		(void)snprintf(out, size, "%s %s", english ? "rule" : "kural", actor + 5);
	else if (strncmp(actor, "user:", 5) == 0)
		(void)snprintf(out, size, "%s", actor + 5);
	else if (strncmp(actor, "client:", 7) == 0)
		(void)snprintf(out, size, "%s", actor + 7);
	else
		(void)snprintf(out, size, "%s", actor);
}

/* --- short lists ------------------------------------------------------------------------------ */

static const char *
from_list(const in_both *list, size_t count, int index, enum catalogue_language language)
{
	return index >= 0 && (size_t)index < count && list[index][language] != NULL
		   ? list[index][language]
		   : "";
}

const char *
desk_channel(int channel, enum catalogue_language language)
{
	static const in_both list[] = { { "", "" }, { "Telefon", "Phone" }, { "Web", "Web" },
		{ "Open311", "Open311" }, { "E-posta", "E-mail" }, { "CİMER", "CİMER" },
		{ "Masa", "Desk" }, { "Başka sistem", "Another system" }, { "SMS", "SMS" } };

	return from_list(list, ARRAY_LEN(list), channel, language);
}

const char *
desk_priority(int priority, enum catalogue_language language)
{
	static const in_both list[] = { { "", "" }, { "Düşük", "Low" }, { "Olağan", "Normal" },
		{ "Yüksek", "High" }, { "İvedi", "Urgent" } };

	return from_list(list, ARRAY_LEN(list), priority, language);
}

const char *
desk_basis(int basis, enum catalogue_language language)
{
	static const in_both list[] = { { "Yasal süre yok", "No legal period" },
		{ "Dilekçe, 3071", "Petition, law 3071" },
		{ "Bilgi edinme, 4982", "Information, law 4982" },
		{ "KVKK md. 13", "Data protection, KVKK 13" } };

	return from_list(list, ARRAY_LEN(list), basis, language);
}

const char *
desk_message_state(int state, enum catalogue_language language)
{
	static const in_both list[] = { { "", "" }, { "sırada", "queued" },
		{ "gönderiliyor", "sending" }, { "gönderildi", "sent" },
		{ "sonucu belirsiz", "outcome unknown" }, { "gönderilemedi", "failed" },
		{ "ulaştı", "delivered" }, { "vazgeçildi", "discarded" } };

	return from_list(list, ARRAY_LEN(list), state, language);
}

const char *
desk_department(const struct catalogue *cat, const char *code, enum catalogue_language language)
{
	const struct catalogue_department *d = catalogue_department(cat, code);

	return d == NULL ? code : catalogue_say(&d->name, language);
}

const char *
desk_subject(const struct catalogue *cat, const char *code, enum catalogue_language language)
{
	const struct catalogue_subject *s = catalogue_subject(cat, code);

	return s == NULL ? code : catalogue_say(&s->name, language);
}

const char *
desk_neighbourhood(const struct catalogue *cat, const char *code)
{
	const struct catalogue_neighbourhood *n = catalogue_neighbourhood(cat, code);

	return n == NULL ? code : n->name;
}
