/*
 * What libraries allocate before main() and keep is no leak of ours.
 *
 * With LOCPATH set, as tests have it, glibc loses a string in the constructor of a library.  Naming
 * that in lsan.supp is not enough: whether a leak is the named one is only known once it has been
 * symbolized, by a program of its own that reads all debugging information, at the end of each
 * process there is.
 */
#include <sanitizer/lsan_interface.h>

void lsan_begin(int argc, char **argv, char **environment);
void lsan_main(void);

/* Before the constructors of the shared libraries. */
void
lsan_begin(int argc, char **argv, char **environment)
{
	(void)argc;
	(void)argv;
	(void)environment;
	__lsan_disable();
}
__attribute__((section(".preinit_array"), used)) static void (*const first)(
    int, char **, char **) = lsan_begin;

/* After them, and before anything of the program. */
__attribute__((constructor(101))) void
lsan_main(void)
{
	__lsan_enable();
}
