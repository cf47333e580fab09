/* Takes from a process what reading a mail or a workbook does not need. */
#include "reader_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NICER = 10, OPEN_FILES = 16 };

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

bool
reader_sandbox_known(void)
{
#ifdef ARCHITECTURE
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
#else
	return false;
#endif
}

void
reader_sandbox_shut(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

#ifdef ARCHITECTURE
#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, what))
#define SAY(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define REFUSE SAY(SECCOMP_RET_ERRNO | EPERM)
#define ALLOW(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), SAY(SECCOMP_RET_ALLOW)
/* Both architectures are little-endian: the flags are in the argument's first half. */
#define ALLOW_TO_READ(name, flags)                                                            \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), LOAD(args[flags]),             \
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,                                              \
		O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY), 0, 1), \
	    REFUSE, SAY(SECCOMP_RET_ALLOW)

/* What a file was opened for, which is asked before a stream is made of it; nothing else. */
#define ALLOW_COMMAND(name, command)                                          \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), LOAD(args[1]), \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (command), 1, 0), REFUSE, SAY(SECCOMP_RET_ALLOW)

/* What is not named is refused, so that what a library asks for beside that fails in it, and not
 * the process with it. */
static struct sock_filter filter[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
	SAY(SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
	/* memory */
	ALLOW(brk),
	ALLOW(mmap),
	ALLOW(munmap),
	ALLOW(mremap),
	ALLOW(mprotect),
	ALLOW(madvise),
	/* the file, what is said of it, and iconv's tables */
	ALLOW(read),
	ALLOW(pread64),
	ALLOW(write),
	ALLOW(lseek),
	ALLOW(close),
	ALLOW(fstat),
	ALLOW(newfstatat),
	ALLOW(statx),
	ALLOW(dup),
	ALLOW_COMMAND(fcntl, F_GETFL),
	/* itself */
	ALLOW(futex),
	ALLOW(getpid),
	ALLOW(gettid),
	ALLOW(getrandom),
	ALLOW(clock_gettime),
	ALLOW(gettimeofday),
	ALLOW(rt_sigaction),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigreturn),
	ALLOW(sigaltstack),
	ALLOW(exit),
	ALLOW(exit_group),
#ifdef SYS_open
	ALLOW_TO_READ(open, 1),
#endif
	ALLOW_TO_READ(openat, 2),
	REFUSE,
};

static bool
filter_calls(void)
{
	const struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
	       && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}
#else
static bool
filter_calls(void)
{
	return true;
}
#endif

bool
reader_sandbox_enter(void)
{
	const struct rlimit none = { 0, 0 }, few = { OPEN_FILES, OPEN_FILES };

	/* The services' own work comes first on a busy machine. */
	(void)setpriority(PRIO_PROCESS, 0, NICER);
	if (setrlimit(RLIMIT_NPROC, &none) != 0 || setrlimit(RLIMIT_NOFILE, &few) != 0)
		return false;
	return !reader_sandbox_known() || filter_calls();
}
