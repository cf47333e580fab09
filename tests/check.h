/*
 * check - the vocabulary of the C tests.
 *
 * A test program is one file tests/unit/test_<module>.c: TEST(name) { ... } registers itself, and
 * tests/runner.c holds main().  Every test runs in a process of its own, with a directory of its
 * own and a time limit; what it leaves running in its process group is ended with it.  A failed
 * check prints one line (file, line, test, case, got, want) and the test goes on; each CHECK_...
 * is an expression, true when it held, so `if (!CHECK(p != NULL)) return;` stops where that is
 * the sensible thing.
 *
 *	test_backoff [part of a test's name]
 *
 * prints `N passed, N failed` as its last line and exits 1 when a test failed or none ran.
 */
#ifndef TURUNC_CHECK_H
#define TURUNC_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHECK_LIMIT_S = 120 };

struct check_test {
	const char *name;
	void (*run)(void);
	unsigned limit_s;
	struct check_test *next;
};

/* Defines and registers a test; TEST_WITHIN states a time limit in seconds other than that. */
#define TEST(test_name) TEST_WITHIN(test_name, CHECK_LIMIT_S)
#define TEST_WITHIN(test_name, seconds)                                                        \
	static void test_name(void);                                                           \
	static struct check_test test_name##_entry = { #test_name, test_name, seconds, NULL }; \
	__attribute__((constructor)) static void test_name##_register(void)                    \
	{                                                                                      \
		check_register(&test_name##_entry);                                            \
	}                                                                                      \
	static void test_name(void)

#define CHECK(cond) check_true(__FILE__, __LINE__, "", #cond, (cond), true)
#define CHECK_TRUE(name, cond) check_true(__FILE__, __LINE__, name, #cond, (cond), true)
#define CHECK_FALSE(name, cond) check_true(__FILE__, __LINE__, name, #cond, (cond), false)
#define CHECK_U64(name, got, want) check_u64(__FILE__, __LINE__, name, #got, got, want)
#define CHECK_I64(name, got, want) check_i64(__FILE__, __LINE__, name, #got, got, want)
/* Strings may be NULL; NULL equals only NULL. */
#define CHECK_STR(name, got, want) check_str(__FILE__, __LINE__, name, #got, got, want)
#define CHECK_MEM(name, got, got_len, want, want_len) \
	check_mem(__FILE__, __LINE__, name, #got, got, got_len, want, want_len)

/* Looks at cond every millisecond until it is true or limit_ms of real time have passed.  A limit
 * is against what never comes and measures no machine: of a second or more, it is half a minute. */
#define CHECK_PATIENCE_MS(limit_ms) \
	((limit_ms) >= 1000 && (limit_ms) < 30000 ? UINT64_C(30000) : (uint64_t)(limit_ms))
#define CHECK_WITHIN(limit_ms, cond)                                                          \
	__extension__({                                                                       \
		uint64_t check_deadline_ms_ = check_now_ms() + CHECK_PATIENCE_MS(limit_ms);   \
		bool check_held_ = (cond);                                                    \
		while (!check_held_ && check_now_ms() < check_deadline_ms_) {                 \
			check_pause();                                                        \
			check_held_ = (cond);                                                 \
		}                                                                             \
		check_true(                                                                   \
		    __FILE__, __LINE__, "within " #limit_ms " ms", #cond, check_held_, true); \
	})

/* This test's own empty directory (absolute), where it also runs; removed with everything in it
 * afterwards. */
const char *check_directory(void);
/* check_directory()/name, in one of a few static buffers used in turn (eight calls). */
const char *check_path(const char *name);

/* What the macros stand on. */
void check_register(struct check_test *test);
bool check_true(
    const char *file, int line, const char *name, const char *what, bool got, bool want);
bool check_u64(
    const char *file, int line, const char *name, const char *what, uint64_t got, uint64_t want);
bool check_i64(
    const char *file, int line, const char *name, const char *what, int64_t got, int64_t want);
bool check_str(const char *file, int line, const char *name, const char *what, const char *got,
    const char *want);
bool check_mem(const char *file, int line, const char *name, const char *what, const void *got,
    size_t got_len, const void *want, size_t want_len);
uint64_t check_now_ms(void);
void check_pause(void);

#endif
