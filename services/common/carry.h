/* carry - puts a file into the program: SYMBOL is its first byte, SYMBOL_end one past the last,
 * where a NUL stands.  The assembler finds the file by the include path. */
#ifndef TURUNC_CARRY_H
#define TURUNC_CARRY_H

#define CARRY(symbol, file)                                                 \
	__asm__(".section .rodata\n"                                        \
		".global " #symbol "\n" #symbol ":\n.incbin \"" file "\"\n" \
		".global " #symbol "_end\n" #symbol "_end:\n.byte 0\n.previous\n")

#endif
