/* The words of statuses and of steps. */
#include "status_words.h"

#include <stddef.h>
#include <string.h>

#include "base.h"
#include "turunc/v1/ticket.pb-c.h"

static const struct {
	int16_t status;
	const char *in[CATALOGUE_LANGUAGES];
} statuses[] = {
	{ TURUNC__V1__STATUS__STATUS_OPENED, { "Alındı", "Received" } },
	{ TURUNC__V1__STATUS__STATUS_TRIAGE, { "Triyaj", "Being assessed" } },
	{ TURUNC__V1__STATUS__STATUS_ROUTED, { "Yönlendirildi", "Routed" } },
	{ TURUNC__V1__STATUS__STATUS_ACCEPTED, { "İnceleniyor", "Under review" } },
	{ TURUNC__V1__STATUS__STATUS_IN_PROGRESS, { "İşlemde", "In progress" } },
	{ TURUNC__V1__STATUS__STATUS_WAITING, { "Beklemede", "Waiting" } },
	{ TURUNC__V1__STATUS__STATUS_RESOLVED, { "Çözüldü", "Resolved" } },
	{ TURUNC__V1__STATUS__STATUS_REJECTED, { "Reddedildi", "Rejected" } },
	{ TURUNC__V1__STATUS__STATUS_FORWARDED, { "Kurum dışı iletildi", "Forwarded" } },
	{ TURUNC__V1__STATUS__STATUS_DUPLICATE, { "Mükerrer", "Duplicate" } },
	{ TURUNC__V1__STATUS__STATUS_WITHDRAWN, { "Vazgeçildi", "Withdrawn" } },
	{ TURUNC__V1__STATUS__STATUS_CLOSED, { "Kapandı", "Closed" } },
};

static const struct {
	const char *type;
	const char *in[CATALOGUE_LANGUAGES];
} events[] = {
	{ "ticket.opened", { "Başvurunuz alındı", "Your report was received" } },
	{ "ticket.routed", { "İlgili birime gönderildi", "Sent to the department in charge" } },
	{ "ticket.triaged",
	    { "Hangi birime gideceğine bakılıyor", "Being assigned to a department" } },
	{ "ticket.accepted", { "Birim incelemeye aldı", "The department has taken it up" } },
	{ "ticket.released", { "Birimin iş sırasında", "In the department's queue again" } },
	{ "ticket.started", { "Çalışma başladı", "Work has begun" } },
	{ "ticket.waiting", { "Çalışma beklemeye alındı", "Work is on hold" } },
	{ "ticket.resumed", { "Çalışma sürüyor", "Work goes on" } },
	{ "ticket.transferred",
	    { "Başka bir birime aktarıldı", "Passed on to another department" } },
	{ "ticket.answered", { "Yanıt verildi", "You were given an answer" } },
	{ "ticket.extended", { "Yasal süre uzatıldı", "The legal period was extended" } },
	{ "ticket.resolved", { "Çözüldü", "Resolved" } },
	{ "ticket.rejected", { "Reddedildi", "Rejected" } },
	{ "ticket.forwarded", { "Belediye dışındaki kuruma iletildi",
				  "Forwarded to an institution outside the municipality" } },
	{ "ticket.joined", { "Aynı konudaki başka bir başvuruyla birleştirildi",
			       "Joined with another report of the same matter" } },
	{ "ticket.separated",
	    { "Ayrı bir başvuru olarak ele alındı", "Treated as a report of its own" } },
	{ "ticket.withdrawn", { "Başvurudan vazgeçildi", "Withdrawn" } },
	{ "ticket.reopened", { "Yeniden açıldı", "Opened again" } },
	{ "ticket.closed", { "Dosya kapandı", "Closed" } },
	{ "contact.recorded",
	    { "Sizden bir ileti kaydedildi", "A message of yours was recorded" } },
	{ "survey.invited",
	    { "Memnun kalıp kalmadığınız soruldu", "You were asked whether you are satisfied" } },
	{ "survey.reminded",
	    { "Değerlendirmeniz hatırlatıldı", "You were reminded of that question" } },
	{ "survey.answered",
	    { "Memnuniyetinizi bildirdiniz", "You said whether you are satisfied" } },
	{ "notification.sent",
	    { "Size bilgi verildi (SMS ya da e-posta)", "You were told (SMS or e-mail)" } },
};

const char *
status_word(int64_t status, enum catalogue_language language)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].in[language];
	return "";
}

const char *
status_event_words(const char *type, enum catalogue_language language)
{
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		if (strcmp(events[i].type, type) == 0)
			return events[i].in[language];
	return NULL;
}
