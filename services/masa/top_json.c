/* The figures as JSON, for programs. */
#include <math.h>

#include "top_figures.h"

static json_t *
number(double value)
{
	/* JSON has no infinity: beyond the largest bound nothing is known. */
	if (!isfinite(value))
		return json_null();
	return value == floor(value) && fabs(value) < 1e15 ? json_integer((json_int_t)value)
							   : json_real(value);
}

static void
add_parts(json_t *all, const struct top_figures *f)
{
	static const char *const states[] = { "unknown", "well", "impaired", "down" };
	json_t *list = json_array();

	for (size_t i = 0; i < TOP_PARTS; i++) {
		const struct top_part *part = &f->parts[i];
		json_array_append_new(list,
		    json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "part", part->name,
			"state", states[part->state], "says", part->word, "why", part->why, "up_s",
			number(part->up_s), "cpu_percent", number(part->cpu_percent),
			"memory_bytes", number(part->memory_bytes), "files", number(part->files),
			"connections", number(part->connections), "requests_per_s",
			number(part->requests), "reply_p95_s", number(part->reply_p95_s)));
	}
	json_object_set_new(all, "parts", list);
}

static void
add_numbers(json_t *all, const struct top_figures *f)
{
	static const char *const groups[TOP_GROUPS] = { "flow_per_s", "stages", "queues", "legal" };

	for (size_t g = 0; g < TOP_GROUPS; g++) {
		json_t *group = json_object();
		for (size_t i = 0; i < f->number_count; i++)
			if (f->numbers[i].group == (enum top_group)g)
				json_object_set_new(
				    group, f->numbers[i].key, number(f->numbers[i].value));
		json_object_set_new(all, groups[g], group);
	}
}

static json_t *
readers(const struct top_figures *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->reader_count; i++)
		json_array_append_new(
		    list, json_pack("{s:s,s:o,s:o,s:o,s:b,s:s}", "reader", f->readers[i].name,
			      "seq", number(f->readers[i].seq), "behind",
			      number(f->readers[i].behind), "per_s", number(f->readers[i].rate),
			      "frozen", f->readers[i].frozen, "why", f->readers[i].why));
	return list;
}

static json_t *
tickets(const struct top_figures *f)
{
	json_t *object = json_object();

	for (size_t i = 0; i < TOP_TICKET_STATES; i++)
		json_object_set_new(object, top_ticket_words[i], number(f->tickets[i]));
	return object;
}

static json_t *
ways(const struct top_figures *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < TOP_WAYS; i++)
		json_array_append_new(
		    list, json_pack("{s:s,s:o,s:b}", "channel", f->ways[i].channel, "waiting",
			      number(f->ways[i].waiting), "away", f->ways[i].away));
	return list;
}

static json_t *
troubles(const struct top_figures *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->trouble_count; i++)
		json_array_append_new(
		    list, json_pack("{s:s,s:s}", "level", f->troubles[i].bad ? "bad" : "note",
			      "text", f->troubles[i].text));
	return list;
}

json_t *
top_figures_json(const struct top_figures *f)
{
	json_t *all = json_pack("{s:I,s:o,s:b,s:o}", "at_us", (json_int_t)f->at_us, "seconds",
	    number(f->seconds), "well", top_is_well(f), "troubles", troubles(f));

	if (all == NULL)
		return NULL;
	add_parts(all, f);
	json_object_set_new(all, "log",
	    json_pack("{s:s,s:o,s:o,s:b,s:o}", "log_id", f->log_id, "head_seq", number(f->head_seq),
		"per_s", number(f->head_rate), "demo", f->demo, "config", number(f->config)));
	add_numbers(all, f);
	json_object_set_new(all, "readers", readers(f));
	json_object_set_new(all, "tickets", tickets(f));
	json_object_set_new(all, "ways_out", ways(f));
	json_object_set_new(all, "record",
	    json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "version", f->record_version, "bytes",
		number(f->record_bytes), "commits_per_s", number(f->commits), "connections",
		number(f->connections), "connections_max", number(f->connections_max), "active",
		number(f->active), "oldest_transaction_s", number(f->oldest_transaction_s)));
	json_object_set_new(all, "log_lock",
	    json_pack("{s:s,s:o,s:o,s:o}", "holder", f->lock_holder, "waiting",
		number(f->lock_waiting), "longest_wait_s", number(f->lock_longest_wait_s),
		"other_waits", number(f->other_waits)));
	json_object_set_new(all, "disk",
	    json_pack("{s:o,s:o}", "bytes", number(f->disk_bytes), "free_bytes",
		number(f->disk_free_bytes)));
	return all;
}
