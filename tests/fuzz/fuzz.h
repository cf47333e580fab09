/*
 * fuzz - what the harnesses share: taking an input apart, and what must hold whatever it was.
 *
 * Each harness is one parser that faces input.  Texts are handed over as exact copies on the heap,
 * so that reading one byte too many is seen.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(cond)                                                                               \
	do {                                                                                      \
		if (!(cond)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                                  \
		}                                                                                 \
	} while (0)

struct input {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t
take_byte(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static inline uint64_t
take_number(struct input *in)
{
	uint64_t number = 0;

	for (int i = 0; i < 8; i++)
		number = number << 8 | take_byte(in);
	return number;
}

/* A copy of len bytes and a NUL; to be freed. */
static inline char *
copy_text(const void *data, size_t len)
{
	char *text = malloc(len + 1);

	HOLDS(text != NULL);
	if (len > 0)
		memcpy(text, data, len);
	text[len] = '\0';
	return text;
}

/* Up to the next NUL, which is passed over; to be freed. */
static inline char *
take_text(struct input *in)
{
	const uint8_t *end = in->left == 0 ? NULL : memchr(in->at, 0, in->left);
	size_t len = end == NULL ? in->left : (size_t)(end - in->at);
	char *text = copy_text(in->at, len);

	in->at += len + (end != NULL);
	in->left -= len + (end != NULL);
	return text;
}

#endif
