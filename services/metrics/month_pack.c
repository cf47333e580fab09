/* Facts as bytes: one walk over the members reads and writes them, so that both always agree. */
#include <stdlib.h>
#include <string.h>

#include "month.h"
#include "month_fact.h"

enum { MOVES_MAX = 12348 /* a month each: those of 1970 to 2998 */ };

struct walk {
	bool writes;
	bool failed;
	uint8_t *to; /* grows */
	size_t size, len;
	const uint8_t *from;
	size_t left;
};

static void
write_byte(struct walk *w, uint8_t byte)
{
	if (w->failed)
		return;
	if (w->len == w->size) {
		size_t size = w->size == 0 ? 128 : w->size * 2;
		uint8_t *to = realloc(w->to, size);
		if (to == NULL) {
			w->failed = true;
			return;
		}
		w->to = to;
		w->size = size;
	}
	w->to[w->len++] = byte;
}

static uint8_t
read_byte(struct walk *w)
{
	if (w->left == 0) {
		w->failed = true;
		return 0;
	}
	w->left--;
	return *w->from++;
}

/* Seven bits a byte, the sign in the lowest: small numbers are short. */
static void
walk_int(struct walk *w, int64_t *value)
{
	if (w->writes) {
		uint64_t left = (uint64_t)*value << 1 ^ (*value < 0 ? UINT64_MAX : 0);
		for (; left >= 0x80; left >>= 7)
			write_byte(w, (uint8_t)(left | 0x80));
		write_byte(w, (uint8_t)left);
		return;
	}
	uint64_t read = 0;
	unsigned shift = 0;
	uint8_t byte;
	do {
		byte = read_byte(w);
		if (shift > 63 || (shift == 63 && byte > 1))
			w->failed = true;
		if (w->failed)
			return;
		read |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	*value = (int64_t)(read >> 1 ^ (read & 1 ? UINT64_MAX : 0));
}

/* A moment, or 0. */
static void
walk_us(struct walk *w, int64_t *at_us)
{
	walk_int(w, at_us);
	if (*at_us != 0 && *at_us != month_moment_us(*at_us))
		w->failed = true;
}

static void
walk_small(struct walk *w, int *value)
{
	int64_t wide = *value;

	walk_int(w, &wide);
	if (wide < INT32_MIN || wide > INT32_MAX)
		w->failed = true;
	else
		*value = (int)wide;
}

static void
walk_month(struct walk *w, int32_t *month)
{
	int value = *month;

	walk_small(w, &value);
	if (value < 197001 || value > 299812 || value % 100 < 1 || value % 100 > 12)
		w->failed = true;
	else
		*month = value;
}

static void
walk_seq(struct walk *w, uint64_t *value)
{
	int64_t wide = (int64_t)*value;

	walk_int(w, &wide);
	*value = (uint64_t)wide;
}

static void
walk_bytes(struct walk *w, void *bytes, size_t len)
{
	uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		if (w->writes)
			write_byte(w, at[i]);
		else
			at[i] = read_byte(w);
}

static void
walk_code(struct walk *w, char code[MONTH_CODE_SIZE])
{
	int len = (int)strlen(code);

	walk_small(w, &len);
	if (w->failed || len < 0 || len >= MONTH_CODE_SIZE) {
		w->failed = true;
		return;
	}
	walk_bytes(w, code, (size_t)len);
	code[len] = '\0';
}

/* Up to 30 of them in one number. */
static void
walk_bools(struct walk *w, bool *const *bools, int n)
{
	int bits = 0;

	for (int i = 0; i < n; i++)
		bits |= *bools[i] ? 1 << i : 0;
	walk_small(w, &bits);
	for (int i = 0; i < n; i++)
		*bools[i] = (bits & 1 << i) != 0;
}

/* How many there are, and room for them when they are read. */
static bool
walk_count(struct walk *w, size_t *n, void **array, size_t size, int most)
{
	int count = (int)*n;

	walk_small(w, &count);
	if (w->failed || count < 0 || count > most) {
		w->failed = true;
		return false;
	}
	if (w->writes || count == 0)
		return true;
	*array = calloc((size_t)count, size);
	if (*array == NULL)
		w->failed = true;
	*n = *array == NULL ? 0 : (size_t)count;
	return *array != NULL;
}

static void
walk_message(struct walk *w, struct month_message *m)
{
	bool *const bools[] = { &m->sent, &m->delivered, &m->failed, &m->is_mail };

	walk_seq(w, &m->seq);
	if (m->seq != 0)
		walk_bools(w, bools, ARRAY_LEN(bools));
}

static void
walk_end(struct walk *w, struct month_end *e)
{
	bool *const bools[] = { &e->undone, &e->has_legal, &e->legal_within, &e->has_service,
		&e->service_within, &e->answered, &e->denied };

	walk_seq(w, &e->seq);
	walk_us(w, &e->ended_us);
	walk_us(w, &e->again_us);
	walk_small(w, &e->status);
	walk_code(w, e->department);
	walk_bools(w, bools, ARRAY_LEN(bools));
	bool asked = !uuid_is_nil(&e->survey);
	bool *const known[] = { &asked };
	walk_bools(w, known, 1);
	if (!asked)
		return;
	walk_bytes(w, &e->survey, sizeof(e->survey));
	walk_message(w, &e->asked[0]);
	walk_message(w, &e->asked[1]);
	walk_small(w, &e->not_asked);
	walk_small(w, &e->score);
}

static void
walk_ticket(struct walk *w, struct month_ticket *t)
{
	bool *const bools[] = { &t->told, &t->taken_up, &t->paused_in_time };
	void *moves = t->moves, *ends = t->ends;

	walk_us(w, &t->arrived_us);
	walk_small(w, &t->channel);
	walk_small(w, &t->status);
	walk_bools(w, bools, ARRAY_LEN(bools));
	walk_code(w, t->subject);
	walk_code(w, t->neighbourhood);
	walk_code(w, t->department);
	walk_code(w, t->owner);
	walk_int(w, &t->legal_due_us);
	walk_int(w, &t->service_due_us);
	walk_us(w, &t->answered_us);
	bool more = walk_count(w, &t->move_count, &moves, sizeof(*t->moves), MOVES_MAX);
	t->moves = moves;
	for (size_t i = 0; more && i < t->move_count; i++) {
		walk_month(w, &t->moves[i].month);
		walk_small(w, &t->moves[i].hops);
		w->failed = w->failed || t->moves[i].hops < 0;
		walk_code(w, t->moves[i].department);
	}
	more = walk_count(w, &t->end_count, &ends, sizeof(*t->ends), MONTH_ENDS_MAX);
	t->ends = ends;
	for (size_t i = 0; more && i < t->end_count; i++)
		walk_end(w, &t->ends[i]);
}

static void
walk_call(struct walk *w, struct month_call *call)
{
	walk_us(w, &call->offered_us);
	walk_us(w, &call->answered_us);
	walk_us(w, &call->abandoned_us);
	walk_us(w, &call->ended_us);
	walk_us(w, &call->disposition_us);
	walk_small(w, &call->disposition);
	if (call->disposition < 0 || call->disposition >= MONTH_DISPOSITIONS)
		w->failed = true;
}

static void
walk_fact(struct walk *w, struct month_fact *fact)
{
	int version = MONTH_FOLD_VERSION;
	bool *const bools[] = { &fact->is_call, &fact->ticket.opened };

	walk_small(w, &version);
	if (version != MONTH_FOLD_VERSION)
		w->failed = true;
	walk_bools(w, bools, ARRAY_LEN(bools));
	if (!w->failed && fact->is_call)
		walk_call(w, &fact->call);
	if (!w->failed && fact->ticket.opened)
		walk_ticket(w, &fact->ticket);
}

uint8_t *
month_fact_pack(const struct month_fact *fact, size_t *ret_len)
{
	struct walk w = { .writes = true };
	struct month_fact lent = *fact; /* a walk that writes changes nothing behind it */

	walk_fact(&w, &lent);
	if (w.failed) {
		free(w.to);
		return NULL;
	}
	*ret_len = w.len;
	return w.to;
}

bool
month_fact_unpack(struct month_fact *fact, const void *bytes, size_t len)
{
	struct walk w = { .from = bytes, .left = len };

	*fact = (struct month_fact){ 0 };
	walk_fact(&w, fact);
	if (!w.failed && w.left == 0)
		return true;
	month_fact_finish(fact);
	return false;
}
