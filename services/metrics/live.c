/* Calls live.lua and understands what it answers. */
#include "live.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failpoint.h"
#include "redis.h"
#include "web_files.h"

#define CURRENT_KEY "live:3:current"
enum { SEQ_SIZE = 21, NUMBER_TEXT = 24, FIXED_ARGS = 9 };

const char *const live_outcome_names[LIVE_OUTCOMES + 1] = {
	[LIVE_OK] = "ok",
	[LIVE_LOST] = "lost",
	[LIVE_OTHER_GENERATION] = "generation",
	[LIVE_OTHER_LOG] = "log",
	[LIVE_STALE] = "stale",
	[LIVE_OVERLAP] = "overlap",
	[LIVE_GAP] = "gap",
	[LIVE_UNANSWERED] = "unanswered",
	[LIVE_FAILED] = "failed",
};

/* The script's own words. */
static const char *const words[] = {
	[LIVE_OK] = "OK",
	[LIVE_LOST] = "LOST",
	[LIVE_OTHER_GENERATION] = "GENERATION",
	[LIVE_OTHER_LOG] = "LOG",
	[LIVE_STALE] = "STALE",
	[LIVE_OVERLAP] = "OVERLAP",
	[LIVE_GAP] = "GAP",
};

struct live {
	struct redis *redis;
};

/* One call under way: which of these is asked for says what is called. */
struct call {
	live_done_fn *done;
	live_position_fn *position;
	live_applied_fn *applied;
	live_read_fn *read;
	void *arg;
	enum failpoint_step step; /* when it writes */
};

const char *
live_outcome_name(enum live_outcome outcome)
{
	assert(outcome < LIVE_OUTCOMES);
	return live_outcome_names[outcome];
}

struct live *
live_create(struct redis *redis)
{
	struct live *live = calloc(1, sizeof(*live));

	if (live != NULL)
		live->redis = redis;
	return live;
}

void
live_destroy(struct live *live)
{
	free(live);
}

/* --- answers ---------------------------------------------------------------------------------- */

static const char *
word_at(const struct redisReply *reply, size_t i)
{
	return reply != NULL && reply->type == REDIS_REPLY_ARRAY && i < reply->elements
		       && reply->element[i]->type == REDIS_REPLY_STRING
		   ? reply->element[i]->str
		   : "";
}

static enum live_outcome
outcome_of(enum redis_outcome sent, const struct redisReply *reply)
{
	if (sent != REDIS_DONE)
		return sent == REDIS_LOST ? LIVE_UNANSWERED : LIVE_FAILED;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], word_at(reply, 0)) == 0)
			return (enum live_outcome)i;
	return LIVE_FAILED;
}

static int64_t
number_at(const struct redisReply *reply, size_t i)
{
	return strtoll(word_at(reply, i), NULL, 10);
}

static enum live_outcome
read_position(
    enum live_outcome outcome, const struct redisReply *reply, struct live_position *position)
{
	struct uuid ignored;
	const char *generation = word_at(reply, 1), *log_id = word_at(reply, 2);

	*position = (struct live_position){ 0 };
	if (outcome != LIVE_OK)
		return outcome;
	/* Keys that are not as we write them are no position of ours. */
	if (!uuid_parse(generation, strlen(generation), &ignored)
	    || !uuid_parse(log_id, strlen(log_id), &ignored))
		return LIVE_LOST;
	memcpy(position->generation, generation, UUID_TEXT_SIZE);
	memcpy(position->log_id, log_id, UUID_TEXT_SIZE);
	position->seq = strtoull(word_at(reply, 3), NULL, 10);
	position->committed_us = number_at(reply, 4);
	return LIVE_OK;
}

static void
on_reply(void *arg, enum redis_outcome sent, const struct redisReply *reply)
{
	struct call *call = arg;
	enum live_outcome outcome = outcome_of(sent, reply);

	if (sent == REDIS_DONE && failpoint(call->step, FAILPOINT_AFTER)) {
		reply = NULL;
		outcome = LIVE_UNANSWERED;
	}

	if (call->done != NULL) {
		call->done(call->arg, outcome);
	} else if (call->applied != NULL) {
		call->applied(call->arg, outcome, (uint64_t)number_at(reply, 2));
	} else if (call->position != NULL) {
		struct live_position position;
		outcome = read_position(outcome, reply, &position);
		call->position(call->arg, outcome, &position);
	} else {
		struct live_reading reading = { 0 };
		if (outcome == LIVE_OK)
			reading = (struct live_reading){ (uint64_t)number_at(reply, 1),
				number_at(reply, 2), reply->element + 3, reply->elements - 3 };
		call->read(call->arg, outcome, &reading);
	}
	free(call);
}

/* --- calls ------------------------------------------------------------------------------------ */

static bool
run(struct live *live, const struct call *call, const char *const *fixed, size_t fixed_count,
    const struct ops *ops, size_t from, size_t to)
{
	const char *args[1 + FIXED_ARGS + LIVE_OPS_MAX] = { CURRENT_KEY };
	size_t count = 1;
	struct call *kept = malloc(sizeof(*kept));

	assert(fixed_count <= FIXED_ARGS && to - from <= LIVE_OPS_MAX);
	if (kept == NULL)
		return false;
	*kept = *call;
	for (size_t i = 0; i < fixed_count; i++)
		args[count++] = fixed[i];
	for (size_t i = from; i < to; i++)
		args[count++] = ops_at(ops, i);
	bool sent = !failpoint(call->step, FAILPOINT_BEFORE)
		    && redis_eval(live->redis, on_reply, kept, live_lua, 1, count, args, NULL);
	if (!sent)
		free(kept);
	return sent;
}

static void
write_seq(uint64_t seq, char text[SEQ_SIZE])
{
	(void)snprintf(text, SEQ_SIZE, "%020" PRIu64, seq);
}

static void
write_number(int64_t number, char text[NUMBER_TEXT])
{
	(void)snprintf(text, NUMBER_TEXT, "%" PRId64, number);
}

bool
live_seek(struct live *live, live_position_fn *done, void *arg)
{
	const char *fixed[] = { "position", "" };

	return run(live, &(struct call){ .position = done, .arg = arg }, fixed, ARRAY_LEN(fixed),
	    NULL, 0, 0);
}

bool
live_apply(struct live *live, const struct live_batch *batch, live_applied_fn *done, void *arg)
{
	char after[SEQ_SIZE], through[SEQ_SIZE], committed[NUMBER_TEXT];
	const char *fixed[] = { "apply", batch->position->generation, batch->position->log_id,
		after, through, committed };

	write_seq(batch->after, after);
	write_seq(batch->through, through);
	write_number(batch->committed_us, committed);
	const struct call call = {
		.applied = done, .arg = arg, .step = FAILPOINT_METRICS_LIVE_APPLY
	};
	return run(live, &call, fixed, ARRAY_LEN(fixed), batch->ops, batch->from, batch->to);
}

bool
live_begin(struct live *live, const char *generation, int64_t minute, live_done_fn *done, void *arg)
{
	char text[NUMBER_TEXT];
	const char *fixed[] = { "begin", generation, text };
	const struct call call = { .done = done, .arg = arg, .step = FAILPOINT_METRICS_LIVE_BEGIN };

	write_number(minute, text);
	return run(live, &call, fixed, ARRAY_LEN(fixed), NULL, 0, 0);
}

bool
live_load(struct live *live, const char *generation, const struct ops *ops, size_t from, size_t to,
    live_done_fn *done, void *arg)
{
	const char *fixed[] = { "load", generation };
	const struct call call = { .done = done, .arg = arg, .step = FAILPOINT_METRICS_LIVE_LOAD };

	return run(live, &call, fixed, ARRAY_LEN(fixed), ops, from, to);
}

bool
live_switch(struct live *live, const struct live_position *to, live_done_fn *done, void *arg)
{
	char seq[SEQ_SIZE], committed[NUMBER_TEXT];
	const char *fixed[] = { "switch", to->generation, to->log_id, seq, committed };
	const struct call call = {
		.done = done, .arg = arg, .step = FAILPOINT_METRICS_LIVE_SWITCH
	};

	write_seq(to->seq, seq);
	write_number(to->committed_us, committed);
	return run(live, &call, fixed, ARRAY_LEN(fixed), NULL, 0, 0);
}

bool
live_read(struct live *live, const struct live_position *position, const struct window *window,
    const struct live_bounds *bounds, live_read_fn *done, void *arg)
{
	char now[NUMBER_TEXT], day[NUMBER_TEXT], minute[NUMBER_TEXT];
	char quick[NUMBER_TEXT], soon[NUMBER_TEXT], surge[NUMBER_TEXT];
	const char *fixed[] = { "read", position->generation, position->log_id, now, day, minute,
		quick, soon, surge };
	const struct call call = { .read = done, .arg = arg, .step = FAILPOINT_METRICS_LIVE_READ };

	write_number(window->now_us, now);
	write_number(window->day, day);
	write_number(window->minute, minute);
	write_number(bounds->quick_s, quick);
	write_number(window->now_us + bounds->soon_us, soon);
	write_number(bounds->surge, surge);
	return run(live, &call, fixed, ARRAY_LEN(fixed), NULL, 0, 0);
}
