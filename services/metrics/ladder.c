/* The words of the ladder, and what must hold of its figures. */
#include "ladder.h"

#include <string.h>

static const struct {
	const char *name;
	const char *title[CATALOGUE_LANGUAGES];
	const char *definition[CATALOGUE_LANGUAGES];
} steps[LADDER_STEPS] = {
	[LADDER_ENDED] = { "ended", { "Sonuçlanan", "Ended" },
	    { "Bu ay çözüldü, reddedildi ya da kurum dışına iletildi olarak sonuçlandırılan "
	      "başvurular. "
	      "Yeniden açılıp ikinci kez sonuçlanan başvuru ikinci kez sayılır. Vazgeçilen ve "
	      "başka "
	      "başvuruyla birleştirilenler sayılmaz.",
		"Tickets that ended in this month as resolved, rejected or forwarded. One that was "
		"reopened and ended again counts again. Those withdrawn, or joined to another, do "
		"not "
		"count." } },
	[LADDER_ELIGIBLE] = { "eligible", { "Sorulabilecek", "Eligible" },
	    { "Sonuçlananlardan, bekleme süresi dolduğunda hâlâ sonuçlanmış olan ve başvuranına "
	      "ulaşılabilecek bir e-posta adresi ya da SMS almayı reddetmemiş bir cep telefonu "
	      "bulunanlar.",
		"Of the ended: those still ended when the delay had passed, whose citizen has an "
		"e-mail "
		"address, or a mobile number that has not refused SMS, to be asked at." } },
	[LADDER_INVITED] = { "invited", { "Sorulan", "Invited" },
	    { "Sorulabileceklerden, daveti gönderilen ya da gönderilmesi denenenler. İleti "
	      "istemediğini sonradan bildirdiği için gönderilmeyen davet sayılmaz; hatırlatma "
	      "ayrıca sayılmaz.",
		"Of the eligible: those to whom an invitation was sent, or whom one could not be "
		"sent to when it was tried. One that was not sent because its citizen had refused "
		"such messages since is none; a reminder is not counted again." } },
	[LADDER_DELIVERED] = { "delivered", { "Ulaşan", "Delivered" },
	    { "Sorulanlardan, daveti ya da hatırlatması ulaşmış sayılanlar: e-posta, posta "
	      "sunucumuza "
	      "teslim edildi ve geri dönmedi; SMS için operatör ulaştı dedi. Yanıtlayana ulaşmış "
	      "sayılır. Geri dönmeyen her e-postanın alıcısına ulaştığı bilinemez.",
		"Of the invited: those whose invitation or reminder counts as having arrived. A "
		"mail was "
		"handed to our own mail server and did not come back; of an SMS the operator said "
		"that it "
		"arrived. Who answered was reached. Whether each mail that did not come back "
		"arrived is "
		"not known." } },
	[LADDER_ANSWERED] = { "answered", { "Yanıtlayan", "Answered" },
	    { "Ulaşanlardan, süresi içinde yanıtlayanlar. Her davet bir kez yanıtlanır; ilk yanıt "
	      "sayılır. Yanıtlamayan hiçbir yerde memnun sayılmaz.",
		"Of the delivered: those who answered in time. Each invitation is answered once, "
		"and the "
		"first answer counts. Not answering is nowhere counted as being satisfied." } },
	[LADDER_SATISFIED] = { "satisfied", { "Memnun", "Satisfied" },
	    { "Yanıtlayanlardan, 4 ya da 5 puan veren ve sorunun çözülmediğini ne o sırada ne de "
	      "sonra "
	      "bildirenler.",
		"Of the answers: those with a score of 4 or 5 that neither then nor later said "
		"that it is "
		"not solved." } },
};

static const struct {
	const char *name;
	const char *title[CATALOGUE_LANGUAGES];
} rests[LADDER_RESTS] = {
	[LADDER_WAITING] = { "waiting", { "Bekleme süresinde", "Within the delay" } },
	[LADDER_REOPENED] = { "reopened", { "Yeniden açıldı", "Reopened" } },
	[LADDER_NO_ADDRESS] = { "no_address", { "Adresi yok", "No address" } },
	[LADDER_UNREACHABLE] = { "unreachable",
	    { "Adresine ulaşılamıyor", "Mail does not arrive" } },
	[LADDER_OPTED_OUT] = { "opted_out", { "SMS istemiyor", "Wants no SMS" } },
	[LADDER_ERASED] = { "erased", { "Verileri silindi", "Erased" } },
	[LADDER_LATE] = { "late", { "Çok geç kalındı", "Too late" } },
	[LADDER_DISABLED] = { "disabled", { "Anket kapalıydı", "Switched off" } },
	[LADDER_REFUSED] = { "refused", { "Anket e-postası istemiyor", "Wants no surveys" } },
};

const char *
ladder_step_name(enum ladder_step step)
{
	return steps[step].name;
}

const char *
ladder_rest_name(enum ladder_rest rest)
{
	return rests[rest].name;
}

const char *
ladder_step_title(enum ladder_step step, enum catalogue_language language)
{
	return steps[step].title[language];
}

const char *
ladder_step_definition(enum ladder_step step, enum catalogue_language language)
{
	return steps[step].definition[language];
}

const char *
ladder_rest_title(enum ladder_rest rest, enum catalogue_language language)
{
	return rests[rest].title[language];
}

const char *
ladder_share_definition(enum catalogue_language language)
{
	static const char *const words[CATALOGUE_LANGUAGES] = {
		"Memnuniyet oranı = memnun / yanıtlayan. Aralık, Wilson yöntemiyle %95 güven "
		"aralığıdır: "
		"herkes yanıtlasaydı oran, böyle yirmi sorudan on dokuzunda bu aralıkta olurdu; "
		"ancak "
		"yanıtlayanların yanıtlamayanlara benzediği varsayılarak.",
		"Satisfaction = satisfied / answered. The range is the 95 % interval after Wilson: "
		"had "
		"everybody answered, the share would lie in it in nineteen of twenty such "
		"questions, "
		"provided that those who answered are like those who did not.",
	};

	return words[language];
}

bool
ladder_set(struct ladder *l, const char *name, int64_t value)
{
	static const char kind[] = "ladder.", rest[] = "ladder.rest.";

	for (int i = 0; strncmp(name, rest, sizeof(rest) - 1) == 0 && i < LADDER_RESTS; i++)
		if (strcmp(name + sizeof(rest) - 1, rests[i].name) == 0) {
			l->rests[i] = value;
			return true;
		}
	for (int i = 0; strncmp(name, kind, sizeof(kind) - 1) == 0 && i < LADDER_STEPS; i++)
		if (strcmp(name + sizeof(kind) - 1, steps[i].name) == 0) {
			l->steps[i] = value;
			return true;
		}
	if (strcmp(name, "ladder.not_solved") != 0)
		return false;
	l->not_solved = value;
	return true;
}

bool
ladder_holds(const struct ladder *l)
{
	int64_t whole = l->steps[LADDER_ELIGIBLE];

	for (int i = 0; i < LADDER_RESTS; i++)
		whole += l->rests[i];
	for (int i = 1; i < LADDER_STEPS; i++)
		if (l->steps[i] < 0 || l->steps[i] > l->steps[i - 1])
			return false;
	return whole == l->steps[LADDER_ENDED] && l->not_solved >= 0
	       && l->not_solved + l->steps[LADDER_SATISFIED] <= l->steps[LADDER_ANSWERED];
}
