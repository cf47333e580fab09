/* Puts commands together: from text, as transactions, as scripts. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redis_internal.h"

enum { TEXT_ARGS_MAX = 32, EVAL_ARGS_MAX = 1024, TRANSACTION_MAX = 4096 };

/* The text arguments up to NULL; how many. */
static size_t
collect(va_list list, const char *args[TEXT_ARGS_MAX])
{
	size_t count = 0;

	for (;;) {
		const char *text = va_arg(list, const char *);
		if (text == NULL)
			return count;
		assert(count < TEXT_ARGS_MAX);
		args[count++] = text;
	}
}

bool
redis_send(struct redis *r, redis_done_fn *done, void *arg, ...)
{
	const char *args[TEXT_ARGS_MAX];
	va_list list;

	va_start(list, arg);
	size_t count = collect(list, args);
	va_end(list);
	return redis_send_args(r, done, arg, count, args, NULL);
}

bool
redis_send_args(struct redis *r, redis_done_fn *done, void *arg, size_t count,
    const char *const *args, const size_t *lens)
{
	const struct redis_command command = { .count = count, .args = args, .lens = lens };

	assert(count > 0);
	return redis_put(r, &command, 1, done, arg);
}

bool
redis_eval(struct redis *r, redis_done_fn *done, void *arg, const char *text, size_t key_count,
    size_t count, const char *const *args, const size_t *lens)
{
	const char *all[EVAL_ARGS_MAX + 3];
	size_t all_lens[EVAL_ARGS_MAX + 3];
	char keys[24];

	assert(key_count <= count && count <= EVAL_ARGS_MAX);
	snprintf(keys, sizeof(keys), "%zu", key_count);
	all[0] = "EVAL";
	all[1] = text;
	all[2] = keys;
	for (size_t i = 0; i < 3; i++)
		all_lens[i] = strlen(all[i]);
	for (size_t i = 0; i < count; i++) {
		all[i + 3] = args[i];
		all_lens[i + 3] = lens != NULL ? lens[i] : strlen(args[i]);
	}
	return redis_send_args(r, done, arg, count + 3, all, all_lens);
}

/* --- transactions --- */

/* A command with everything it needs in one piece of memory. */
struct kept {
	struct kept *next;
	struct redis_command command;
};

struct redis_transaction {
	struct kept *first, **last;
	size_t count;
	bool failed;
};

struct redis_transaction *
redis_transaction_create(void)
{
	struct redis_transaction *t = calloc(1, sizeof(*t));

	if (t != NULL)
		t->last = &t->first;
	return t;
}

void
redis_transaction_destroy(struct redis_transaction *t)
{
	if (t == NULL)
		return;
	while (t->first != NULL) {
		struct kept *next = t->first->next;
		free(t->first);
		t->first = next;
	}
	free(t);
}

size_t
redis_transaction_commands(const struct redis_transaction *t)
{
	return t == NULL ? 0 : t->count;
}

void
redis_transaction_add(struct redis_transaction *t, ...)
{
	const char *args[TEXT_ARGS_MAX];
	va_list list;

	va_start(list, t);
	size_t count = collect(list, args);
	va_end(list);
	redis_transaction_add_args(t, count, args, NULL);
}

static size_t
arg_len(const char *const *args, const size_t *lens, size_t i)
{
	return lens != NULL ? lens[i] : strlen(args[i]);
}

/* Head, pointers, lengths and bytes, one after another. */
static struct kept *
keep(size_t count, const char *const *args, const size_t *lens)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += arg_len(args, lens, i) + 1;
	struct kept *kept = malloc(
	    sizeof(*kept) + count * (sizeof(char *) + sizeof(size_t)) + bytes);
	if (kept == NULL)
		return NULL;
	const char **own_args = (const char **)(kept + 1);
	size_t *own_lens = (size_t *)(own_args + count);
	char *at = (char *)(own_lens + count);
	for (size_t i = 0; i < count; i++) {
		own_lens[i] = arg_len(args, lens, i);
		memcpy(at, args[i], own_lens[i]);
		at[own_lens[i]] = '\0';
		own_args[i] = at;
		at += own_lens[i] + 1;
	}
	kept->next = NULL;
	kept->command =
	    (struct redis_command){ .count = count, .args = own_args, .lens = own_lens };
	return kept;
}

void
redis_transaction_add_args(
    struct redis_transaction *t, size_t count, const char *const *args, const size_t *lens)
{
	assert(count > 0);
	if (t == NULL || t->failed)
		return;
	struct kept *kept = t->count < TRANSACTION_MAX ? keep(count, args, lens) : NULL;
	if (kept == NULL) {
		t->failed = true;
		return;
	}
	*t->last = kept;
	t->last = &kept->next;
	t->count++;
}

bool
redis_transaction_exec(struct redis *r, struct redis_transaction *t, redis_done_fn *done, void *arg)
{
	static const char *const multi[] = { "MULTI" };
	static const char *const exec[] = { "EXEC" };
	size_t n = 0;

	if (t == NULL || t->failed)
		return false;
	struct redis_command *commands = calloc(t->count + 2, sizeof(*commands));
	if (commands == NULL)
		return false;
	commands[n++] = (struct redis_command){ .count = 1, .args = multi };
	for (const struct kept *kept = t->first; kept != NULL; kept = kept->next)
		commands[n++] = kept->command;
	commands[n++] = (struct redis_command){ .count = 1, .args = exec };
	bool sent = redis_put(r, commands, n, done, arg);
	free(commands);
	if (sent)
		redis_transaction_destroy(t);
	return sent;
}
