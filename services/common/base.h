/* base - the few macros every file may use.  Nothing else belongs here. */
#ifndef TURUNC_BASE_H
#define TURUNC_BASE_H

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* The compiler checks the arguments against the format, as for printf. */
#define PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))

/* What a process says when it gives up at start (sysexits.h EX_CONFIG is 78). */
enum { EXIT_CONFIG = 78 };

#endif
