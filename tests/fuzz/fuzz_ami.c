/* What a manager says: in whatever pieces it comes the messages are the same, texts end and fit,
 * and an event made of one may be published. */
#include "ami.h"

#include "fuzz.h"
#include "pbx.h"
#include "utf8.h"

static struct pbx *pbx;
static uint64_t sum;

static void
holds_text(const char *text, size_t size)
{
	HOLDS(memchr(text, 0, size) != NULL);
	HOLDS(utf8_valid(text, strlen(text)));
}

static void
on_message(void *arg, const struct ami_message *m)
{
	struct pbx_event e;

	(void)arg;
	HOLDS(m->count > 0 && m->count <= AMI_FIELDS_MAX);
	for (size_t i = 0; i < m->count; i++)
		for (const char *c = m->of[i].value; *c != '\0'; c++)
			sum = sum * 31 + (unsigned char)*c;
	sum = sum * 31 + m->count;
	if (!pbx_take(pbx, m, 1732900000000000, &e))
		return;
	HOLDS(strncmp(e.type, "call.", 5) == 0 && e.call_id[0] != '\0');
	HOLDS(e.time_us >= 1732900000000000 - 60000000 && e.time_us <= 1732900000000000 + 60000000);
	holds_text(e.call_id, sizeof(e.call_id));
	holds_text(e.queue, sizeof(e.queue));
	holds_text(e.agent, sizeof(e.agent));
	holds_text(e.caller, sizeof(e.caller));
	HOLDS(pbx_calls(pbx) <= PBX_CALLS_MAX);
}

static uint64_t
read_all(const struct pbx_agents *agents, const uint8_t *data, size_t size, size_t step)
{
	static struct ami_reader r;

	r = (struct ami_reader){ .on_message = on_message };
	pbx = pbx_create(agents);
	sum = 0;
	ami_begin(&r);
	for (size_t at = 0; at < size; at += step)
		ami_feed(&r, data + at, size - at < step ? size - at : step);
	pbx_destroy(pbx);
	return sum * 31 + r.messages + (r.too_long << 32);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pbx_agents agents;
	char why[200] = "";
	struct input in = { data, size };
	size_t step = 1 + take_byte(&in);

	if (!pbx_agents_parse(&agents, in.at, in.left, why, sizeof(why))) {
		HOLDS(why[0] != '\0');
		agents = (struct pbx_agents){ .count = 1, .of = { { "PJSIP/201", "ayse" } } };
	}
	HOLDS(read_all(&agents, in.at, in.left, step)
	      == read_all(&agents, in.at, in.left, in.left + 1));
	return 0;
}
