/* The table of definitions, and what follows from a name. */
#include "month_words.h"

#include <stdio.h>
#include <string.h>

const struct month_word month_words[] = {
	/* --- calls --- */
	{ "calls.offered", false, MONTH_COUNT, { "Gelen çağrı", "Calls offered" },
	    { "Santralin bu ay kuyruğa aldığı çağrılar; yanıtlansın ya da yanıtlanmasın.",
		"Calls that the exchange put into a queue in this month, answered or not." } },
	{ "calls.answered", false, MONTH_COUNT, { "Yanıtlanan çağrı", "Calls answered" },
	    { "Gelen çağrılardan bir görevlinin açtıkları. Çağrı, geldiği aya sayılır.",
		"Of the calls offered: those that an agent picked up. A call belongs to the month "
		"in which it was offered." } },
	{ "calls.abandoned", false, MONTH_COUNT, { "Kaçan çağrı", "Calls abandoned" },
	    { "Gelen çağrılardan, arayanın yanıtlanmadan kapattıkları.",
		"Of the calls offered: those whose caller hung up before anybody answered." } },
	{ "calls.unfinished", false, MONTH_COUNT,
	    { "Sonu bildirilmeyen çağrı", "Calls of unknown end" },
	    { "Gelen çağrılardan, ne yanıtlandığı ne de kaçtığı bildirilenler. Gelen = yanıtlanan "
	      "+ kaçan + sonu bildirilmeyen.",
		"Of the calls offered: those of which neither an answer nor an abandonment was "
		"told. Offered = answered + abandoned + unknown." } },
	{ "calls.recorded", false, MONTH_COUNT, { "Kayda alınan çağrı", "Calls recorded" },
	    { "Yanıtlanan çağrılardan, sonucu “başvuru açıldı” olanlar. Var olan bir başvuruya "
	      "eklenen çağrı sayılmaz.",
		"Of the calls answered: those that ended with a ticket opened. A call that was "
		"joined to an existing ticket does not count." } },
	{ "calls.joined", false, MONTH_COUNT,
	    { "Var olan başvuruya eklenen çağrı", "Calls joined to a ticket" },
	    { "Yanıtlanan çağrılardan, daha önce açılmış bir başvuruya eklenenler.",
		"Of the calls answered: those that were added to a ticket opened before." } },
	{ "calls.information", false, MONTH_COUNT, { "Bilgi verilen çağrı", "Information calls" },
	    { "Yanıtlanan çağrılardan, bilgi verilerek biten ve başvuru gerektirmeyenler.",
		"Of the calls answered: those that ended with information given and needed no "
		"ticket." } },
	{ "calls.transferred", false, MONTH_COUNT, { "Aktarılan çağrı", "Calls transferred" },
	    { "Yanıtlanan çağrılardan, başka bir yere aktarılarak bitenler.",
		"Of the calls answered: those that ended by being put through to somebody "
		"else." } },
	{ "calls.nuisance", false, MONTH_COUNT, { "Asılsız çağrı", "Nuisance calls" },
	    { "Yanıtlanan çağrılardan, görevlinin asılsız olarak işaretledikleri.",
		"Of the calls answered: those that the agent marked as a nuisance." } },
	{ "calls.undisposed", false, MONTH_COUNT,
	    { "Sonucu girilmeyen çağrı", "Calls without a disposition" },
	    { "Yanıtlanan çağrılardan, görevlinin sonucunu henüz girmedikleri.",
		"Of the calls answered: those whose disposition the agent still owes." } },
	{ "calls.wait_ms", false, MONTH_MILLISECONDS,
	    { "Toplam bekleme süresi", "Waiting time, summed" },
	    { "Yanıtlanan çağrıların, gelişlerinden yanıtlanmalarına kadar geçen sürelerin "
	      "toplamı.",
		"Of the calls answered: the sum of the times from being offered to being "
		"answered." } },
	{ "calls.offered.", true, MONTH_COUNT,
	    { "Gelen çağrı: gün ve saat", "Calls offered by weekday and hour" },
	    { "Gelen çağrılar, geldikleri haftanın günü ve günün saatine göre (Türkiye saati).",
		"Calls offered, by the weekday and the hour in which they came (time of "
		"Türkiye)." } },
	{ "calls.answered.", true, MONTH_COUNT,
	    { "Yanıtlanan çağrı: gün ve saat", "Calls answered by weekday and hour" },
	    { "Yanıtlanan çağrılar, geldikleri haftanın günü ve günün saatine göre (Türkiye "
	      "saati).",
		"Calls answered, by the weekday and the hour in which they came (time of "
		"Türkiye)." } },
	/* --- contacts and tickets --- */
	{ "contacts.", true, MONTH_COUNT, { "Temas: kanal", "Contacts by channel" },
	    { "Bu ay bize ulaşan her temas: yanıtlanan her çağrı, çağrı dışındaki her başvuru ve "
	      "yeni bir başvuru açmayan her ileti. Otomatik iletiler (makine yazışmaları) "
	      "sayılmaz. Temas, çağrı ve başvuru ayrı şeylerdir.",
		"Each time that somebody reached us in this month: every call answered, every "
		"ticket opened by another way, and every message that opened none. What machines "
		"write does not count. A contact, a call and a ticket are three things." } },
	{ "contacts.without_ticket.", true, MONTH_COUNT,
	    { "Başvurusuz temas: kanal", "Contacts without a ticket, by channel" },
	    { "Temaslardan, ne yeni bir başvuru açan ne de var olan bir başvuruyla ilgili "
	      "olanlar; geldikleri andaki haliyle. Çağrılarda: kayda alınmayan ve var olan "
	      "başvuruya eklenmeyen "
	      "yanıtlanmış çağrılar.",
		"Of the contacts: those that neither opened a ticket nor concern one, as it was "
		"when they came. Of calls: "
		"those answered that were neither recorded nor joined to a ticket." } },
	{ "tickets", false, MONTH_COUNT, { "Başvuru", "Tickets" },
	    { "Tarihi bu aya düşen başvurular: çağrının, iletinin ya da CİMER kaydının kendi "
	      "tarihi. Mükerrer çıkan ve vazgeçilen başvurular da sayılır.",
		"Tickets whose own date lies in this month: that of the call, the message or the "
		"CİMER item. Those that turn out to be duplicates or are withdrawn count too." } },
	{ "tickets.channel.", true, MONTH_COUNT, { "Başvuru: kanal", "Tickets by channel" },
	    { "Bu ayın başvuruları, hangi yoldan geldiklerine göre.",
		"Tickets of this month, by the way they came." } },
	{ "tickets.subject.", true, MONTH_COUNT, { "Başvuru: konu", "Tickets by subject" },
	    { "Bu ayın başvuruları, konularına göre. Konu düzeltildiyse son hali sayılır.",
		"Tickets of this month, by subject. Where the subject was corrected, the last one "
		"counts." } },
	{ "tickets.department.", true, MONTH_COUNT, { "Başvuru: birim", "Tickets by department" },
	    { "Bu ayın başvuruları, onu üstlenen ilk birime göre: incelemeye alan, işleme "
	      "başlayan, bekleten, yanıtlayan ya da sonuçlandıran. Henüz kimse üstlenmediyse "
	      "başvurunun bulunduğu birim; birimin geri verdiği başvuru, yenisine verilene kadar "
	      "hiçbir biriminki değildir.",
		"Tickets of this month, by the first department that took it up: accepted it, "
		"began, waited, answered or ended it. Until one does, the department where it "
		"lies; what a department gave back is nobody's until another gets it." } },
	{ "tickets.neighbourhood.", true, MONTH_COUNT,
	    { "Başvuru: mahalle", "Tickets by neighbourhood" },
	    { "Bu ayın başvuruları, konusunun bulunduğu mahalleye göre.",
		"Tickets of this month, by the neighbourhood that they are about." } },
	{ "tickets.day.", true, MONTH_COUNT, { "Başvuru: gün", "Tickets by day" },
	    { "Bu ayın başvuruları, ayın günlerine göre (Türkiye saati).",
		"Tickets of this month, by the day of the month (time of Türkiye)." } },
	/* --- what became of them --- */
	{ "ended", false, MONTH_COUNT, { "Sonuçlanan başvuru", "Tickets ended" },
	    { "Bu ay sonuçlandırılan başvurular, hangi ay gelmiş olursa olsun. Yeniden açılıp "
	      "ikinci kez sonuçlanan ikinci kez sayılır. Birleştirmesi geri alınan sayılmaz.",
		"Tickets that ended in this month, whenever they came. One that was reopened and "
		"ended again counts again; one whose joining was undone does not count." } },
	{ "ended.resolved", false, MONTH_COUNT, { "Çözüldü", "Resolved" },
	    { "Sonuçlananlardan, birimin çözüldü olarak kapattıkları.",
		"Of the ended: those that the department ended as resolved." } },
	{ "ended.rejected", false, MONTH_COUNT, { "Reddedildi", "Rejected" },
	    { "Sonuçlananlardan, gerekçesiyle reddedilenler.",
		"Of the ended: those that were rejected with a reason." } },
	{ "ended.forwarded", false, MONTH_COUNT, { "Kurum dışına iletildi", "Forwarded" },
	    { "Sonuçlananlardan, yetkili başka bir kuruma iletilenler.",
		"Of the ended: those that were forwarded to the institution in charge." } },
	{ "ended.duplicate", false, MONTH_COUNT, { "Mükerrer", "Duplicate" },
	    { "Sonuçlananlardan, aynı konuda bir başvuruyla birleştirilenler.",
		"Of the ended: those that were joined to another ticket about the same matter." } },
	{ "ended.withdrawn", false, MONTH_COUNT, { "Vazgeçildi", "Withdrawn" },
	    { "Sonuçlananlardan, başvuranın vazgeçtikleri.",
		"Of the ended: those that the citizen withdrew." } },
	{ "ended.legal.of", false, MONTH_COUNT,
	    { "Yasal süresi olan sonuçlanan", "Ended with a legal deadline" },
	    { "Bu ay ilk kez çözüldü, reddedildi ya da iletildi olarak sonuçlananlardan, yasal "
	      "yanıt süresi bulunanlar.",
		"Of those that ended for the first time, as resolved, rejected or forwarded, in "
		"this month: those with a legal deadline for an answer." } },
	{ "ended.legal.within", false, MONTH_COUNT,
	    { "Yasal süresinde yanıtlanan", "Answered within the legal time" },
	    { "Yasal süresi olan sonuçlananlardan, ilk yanıtı süresi dolmadan verilenler. İlk "
	      "yanıt, ara yanıt ya da sonuçtur.",
		"Of those with a legal deadline: those whose first answer, an interim one or the "
		"end itself, was given in time." } },
	{ "ended.service.of", false, MONTH_COUNT,
	    { "Hizmet süresi olan sonuçlanan", "Ended with a service time" },
	    { "Bu ay çözüldü, reddedildi ya da iletildi olarak sonuçlananlardan, birimin kendi "
	      "çalışma saatlerine göre söz verdiği bir süre bulunanlar.",
		"Of those that ended as resolved, rejected or forwarded in this month: those with "
		"a time promised by the department, in its own working hours." } },
	{ "ended.service.within", false, MONTH_COUNT,
	    { "Hizmet süresinde sonuçlanan", "Ended within the service time" },
	    { "Hizmet süresi olan sonuçlananlardan, o süre dolmadan sonuçlananlar.",
		"Of those with a service time: those that ended before it had passed." } },
	{ "reopened", false, MONTH_COUNT, { "Yeniden açılan", "Reopened" },
	    { "Bu ay, sonuçlandıktan sonra başvuranın ya da görevlinin yeniden açtığı "
	      "başvurular. İki kez açılan iki kez sayılır.",
		"Times in this month that a ticket that had ended was opened again, by the citizen "
		"or by staff." } },
	{ "hops", false, MONTH_COUNT, { "Birimden birime geçiş", "Moves between departments" },
	    { "Bu ay başvuruların bir birimden başka bir birime geçme sayısı.",
		"Times in this month that a ticket went from one department to another." } },
	{ "hops.tickets", false, MONTH_COUNT, { "Birim değiştiren başvuru", "Tickets moved" },
	    { "Bu ay en az bir kez birim değiştiren başvurular.",
		"Tickets that went from one department to another at least once in this month." } },
	{ "open", false, MONTH_COUNT, { "Açık başvuru", "Tickets open" },
	    { "Ay sona erdiğinde sonuçlanmamış olan başvurular; süren ayda, bu raporun "
	      "dayandığı son kayıt anında.",
		"Tickets that had not ended when the month did; of a month that is not over, at "
		"the last record that this report counts." } },
	{ "open.age.", true, MONTH_COUNT, { "Açık başvuru: yaş", "Tickets open, by age" },
	    { "Açık başvurular, geldikleri günden o güne kadar geçen takvim günlerine göre "
	      "(Türkiye "
	      "saati).",
		"Tickets open, by the calendar days from the one on which they came to that one "
		"(time of Türkiye)." } },
	/* --- satisfaction: the words of a step are ladder.h's --- */
	{ "ladder.", true, MONTH_COUNT, { "Memnuniyet", "Satisfaction" },
	    { "Bu ay sonuçlanan başvuruların memnuniyet basamakları; her basamak bir öncekinin "
	      "bir bölümüdür.",
		"Steps from the tickets that ended in this month to satisfied citizens; each "
		"counts some of those of the step before." } },
	{ "ladder.rest.", true, MONTH_COUNT, { "Sorulmayan: neden", "Not asked, by why" },
	    { "Sonuçlananlardan, başvuranına memnuniyeti sorulmayanlar.",
		"Of the ended: those whose citizen was not asked." } },
	{ "ladder.not_solved", false, MONTH_COUNT, { "Çözülmedi diyen", "Said it is not solved" },
	    { "Yanıtlayanlardan, o sırada ya da sonra sorunun çözülmediğini bildirenler.",
		"Of the answers: those that said, then or later, that it is not solved." } },
	/* --- what rates are made with --- */
	{ "minutes", false, MONTH_MINUTES, { "Süre (dakika)", "Minutes" },
	    { "Ayın bu raporun dayandığı son kayda kadar geçen dakikaları; biten ayda tümü.",
		"Minutes of the month up to the last record that this report counts; of a month "
		"that is over, all." } },
	{ "inhabitants", false, MONTH_COUNT, { "Nüfus", "Inhabitants" },
	    { "Bütün mahallelerin, yapılandırmada yazılı nüfusları toplamı.",
		"Inhabitants of all neighbourhoods, as the configuration has them." } },
	{ "inhabitants.", true, MONTH_COUNT, { "Nüfus: mahalle", "Inhabitants by neighbourhood" },
	    { "Mahallenin yapılandırmada yazılı nüfusu.",
		"Inhabitants of the neighbourhood, as the configuration has them." } },
};
const size_t month_word_count = ARRAY_LEN(month_words);

const struct month_rate month_rates[] = {
	{ "calls.answered", false, MONTH_PERCENT, "calls.answered", "calls.offered",
	    { "Yanıtlama oranı", "Answered" },
	    { "Yanıtlanan çağrı / gelen çağrı.", "Calls answered / calls offered." } },
	{ "calls.abandoned", false, MONTH_PERCENT, "calls.abandoned", "calls.offered",
	    { "Kaçan çağrı oranı", "Abandoned" },
	    { "Kaçan çağrı / gelen çağrı.", "Calls abandoned / calls offered." } },
	{ "calls.every", false, MONTH_MINUTES_BETWEEN, "minutes", "calls.answered",
	    { "Kaç dakikada bir çağrı yanıtlandı", "One call answered every … minutes" },
	    { "Ayın dakikaları / yanıtlanan çağrı; gece gündüz, bütün günler.",
		"Minutes of the month / calls answered; day and night, all days." } },
	{ "calls.recorded", false, MONTH_PERCENT, "calls.recorded", "calls.answered",
	    { "Kayda alınma oranı", "Recorded" },
	    { "Kayda alınan çağrı / yanıtlanan çağrı.", "Calls recorded / calls answered." } },
	{ "calls.wait", false, MONTH_SECONDS, "calls.wait_ms", "calls.answered",
	    { "Ortalama bekleme (saniye)", "Mean wait (seconds)" },
	    { "Toplam bekleme süresi / yanıtlanan çağrı.",
		"Waiting time, summed / calls answered." } },
	{ "tickets.channel", true, MONTH_PERCENT, "tickets.channel.", "tickets",
	    { "Kanalın payı", "Share of the channel" },
	    { "Kanaldan gelen başvuru / bütün başvurular.", "Tickets by the channel / tickets." } },
	{ "tickets.subject", true, MONTH_PERCENT, "tickets.subject.", "tickets",
	    { "Konunun payı", "Share of the subject" },
	    { "Konudaki başvuru / bütün başvurular.", "Tickets of the subject / tickets." } },
	{ "tickets.department", true, MONTH_PERCENT, "tickets.department.", "tickets",
	    { "Birimin payı", "Share of the department" },
	    { "Birimin başvuruları / bütün başvurular.", "Tickets of the department / tickets." } },
	{ "tickets.per_1000", false, MONTH_PER_1000, "tickets", "inhabitants",
	    { "Bin kişiye düşen başvuru", "Tickets per 1,000 inhabitants" },
	    { "Başvuru × 1.000 / nüfus.", "Tickets × 1,000 / inhabitants." } },
	{ "tickets.neighbourhood", true, MONTH_PER_1000, "tickets.neighbourhood.", "inhabitants.",
	    { "Mahallede bin kişiye düşen başvuru",
		"Tickets per 1,000 inhabitants of the neighbourhood" },
	    { "Mahallenin başvuruları × 1.000 / mahallenin nüfusu.",
		"Tickets of the neighbourhood × 1,000 / its inhabitants." } },
	{ "ended.legal", false, MONTH_PERCENT, "ended.legal.within", "ended.legal.of",
	    { "Yasal süreye uyum", "Within the legal time" },
	    { "Yasal süresinde yanıtlanan / yasal süresi olan sonuçlanan.",
		"Answered within the legal time / ended with a legal deadline." } },
	{ "ended.service", false, MONTH_PERCENT, "ended.service.within", "ended.service.of",
	    { "Hizmet süresine uyum", "Within the service time" },
	    { "Hizmet süresinde sonuçlanan / hizmet süresi olan sonuçlanan.",
		"Ended within the service time / ended with a service time." } },
	{ "reopened", false, MONTH_PERCENT, "reopened", "ended",
	    { "Yeniden açılma oranı", "Reopened" },
	    { "Yeniden açılan / sonuçlanan başvuru; aynı ayda olanlar, aynı başvurular değil.",
		"Reopened / tickets ended: those of the same month, not the same tickets." } },
	{ "hops", false, MONTH_TIMES, "hops", "hops.tickets",
	    { "Başvuru başına geçiş", "Moves a ticket moved" },
	    { "Birimden birime geçiş / birim değiştiren başvuru.",
		"Moves between departments / tickets moved." } },
	{ "ladder.invited", false, MONTH_PERCENT, "ladder.invited", "ladder.ended",
	    { "Sorulma oranı", "Asked" },
	    { "Sorulan / sonuçlanan (basamaktaki).", "Invited / ended, both of the ladder." } },
	{ "ladder.answered", false, MONTH_PERCENT, "ladder.answered", "ladder.invited",
	    { "Yanıtlama oranı (anket)", "Answered the survey" },
	    { "Yanıtlayan / sorulan.", "Answered / invited." } },
	{ "ladder.satisfied", false, MONTH_PERCENT, "ladder.satisfied", "ladder.answered",
	    { "Memnuniyet oranı", "Satisfied" },
	    { "Memnun / yanıtlayan. Yanına %95 güven aralığı yazılır (Wilson).",
		"Satisfied / answered. The 95 % interval after Wilson stands beside it." } },
};
const size_t month_rate_count = ARRAY_LEN(month_rates);

const struct month_age month_ages[MONTH_AGES] = {
	{ "00", 0, 3, { "3 günden az", "under 3 days" } },
	{ "03", 3, 7, { "3–6 gün", "3–6 days" } },
	{ "07", 7, 15, { "7–14 gün", "7–14 days" } },
	{ "15", 15, 30, { "15–29 gün", "15–29 days" } },
	{ "30", 30, 60, { "30–59 gün", "30–59 days" } },
	{ "60", 60, 90, { "60–89 gün", "60–89 days" } },
	{ "90", 90, 0, { "90 gün ve üzeri", "90 days and more" } },
};

/* turunc.v1.Status from resolved on. */
static const char *const statuses[] = { "resolved", "rejected", "forwarded", "duplicate",
	"withdrawn" };
enum { FIRST_END = 7 };

static const struct {
	const char *name;
	const char *title[CATALOGUE_LANGUAGES];
} channels[] = {
	{ "other", { "Diğer", "Other" } },
	{ "call", { "Telefon", "Telephone" } },
	{ "web", { "Web formu", "Web form" } },
	{ "open311", { "Open311", "Open311" } },
	{ "email", { "E-posta", "E-mail" } },
	{ "cimer", { "CİMER", "CİMER" } },
	{ "desk", { "Masa (yüz yüze)", "Front desk" } },
	{ "bus", { "Diğer sistemler", "Other systems" } },
	{ "sms", { "SMS", "SMS" } },
};

/* "d.<department>.ended": what stands behind the department. */
static const char *
without_department(const char *name)
{
	if (strncmp(name, "d.", 2) != 0)
		return name;
	const char *dot = strchr(name + 2, '.');

	return dot == NULL ? name : dot + 1;
}

const struct month_word *
month_word_of(const char *name)
{
	const struct month_word *best = NULL;
	size_t best_len = 0;

	name = without_department(name);
	for (size_t i = 0; i < month_word_count; i++) {
		const struct month_word *word = &month_words[i];
		size_t len = strlen(word->name);
		if (!word->is_prefix && strcmp(word->name, name) == 0)
			return word;
		if (word->is_prefix && len > best_len && strncmp(word->name, name, len) == 0
		    && name[len] != '\0') {
			best = word;
			best_len = len;
		}
	}
	return best;
}

const struct month_rate *
month_rate_named(const char *name)
{
	for (size_t i = 0; i < month_rate_count; i++)
		if (strcmp(month_rates[i].name, name) == 0)
			return &month_rates[i];
	return NULL;
}

int64_t
month_value(const struct figures *figures, const char *name)
{
	int64_t value;

	return figures_get(figures, name, &value) ? value : 0;
}

static int64_t
part(const struct figures *figures, const char *prefix, const char *name, bool goes_on,
    const char *code)
{
	char whole[FIGURE_NAME_SIZE];
	int len = snprintf(whole, sizeof(whole), "%s%s%s", prefix, name, goes_on ? code : "");

	return len > 0 && (size_t)len < sizeof(whole) ? month_value(figures, whole) : 0;
}

bool
month_rate_tenths(const struct month_rate *rate, const struct figures *figures, const char *prefix,
    const char *code, int64_t *ret_tenths)
{
	static const int64_t times[] = {
		[MONTH_PERCENT] = 1000,
		[MONTH_PER_1000] = 10000,
		[MONTH_MINUTES_BETWEEN] = 10,
		[MONTH_SECONDS] = 10,
		[MONTH_TIMES] = 10,
	};
	int64_t over = part(figures, prefix, rate->numerator, rate->is_prefix, code);
	/* A share is of the whole, which no code follows. */
	size_t len = strlen(rate->denominator);
	bool goes_on = rate->is_prefix && rate->denominator[len - 1] == '.';
	int64_t under = part(figures, prefix, rate->denominator, goes_on, code);
	int64_t divisor = rate->unit == MONTH_SECONDS ? 1000 : 1;

	if (under <= 0 || over < 0 || over > INT64_MAX / 20000 || under > INT64_MAX / 2000)
		return false;
	under *= divisor;
	*ret_tenths = (2 * over * times[rate->unit] + under) / (2 * under);
	return true;
}

const char *
month_status_name(int status)
{
	int i = status - FIRST_END;

	return i < 0 || i >= (int)ARRAY_LEN(statuses) ? NULL : statuses[i];
}

const char *
month_channel_name(int channel)
{
	const char *name = catalogue_channel_name(channel);

	return name[0] == '\0' ? "other" : name;
}

const char *
month_channel_title(const char *name, enum catalogue_language language)
{
	for (size_t i = 0; i < ARRAY_LEN(channels); i++)
		if (strcmp(channels[i].name, name) == 0)
			return channels[i].title[language];
	return NULL;
}
