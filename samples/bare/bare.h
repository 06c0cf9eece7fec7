/*
 * Programs without a C library: how to start, and how to call the kernel.
 *
 * A program includes this header and defines `int bare_main(int argc, char
 * **argv)`; its return value is the exit status.
 */
#ifndef BARE_H
#define BARE_H

#if defined(__x86_64__)

__asm__(".globl _start\n_start: xor %ebp,%ebp\n mov %rsp,%rdi\n and $-16,%rsp\n call bare_start\n ud2\n");
enum { NR_read = 0, NR_write = 1, NR_openat = 257, NR_close = 3, NR_getppid = 110,
       NR_exit_group = 231, NR_mmap = 9 };
static inline long syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long ret;
	__asm__ volatile("syscall" : "=a"(ret) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#elif defined(__i386__)

__asm__(".globl _start\n_start: xor %ebp,%ebp\n mov %esp,%eax\n and $-16,%esp\n sub $12,%esp\n push %eax\n"
	" call bare_start\n ud2\n");
enum { NR_read = 3, NR_write = 4, NR_openat = 295, NR_close = 6, NR_getppid = 64, NR_exit_group = 252,
       NR_mmap = 192 };
static inline long syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	struct { long e, f; } rest = { e, f };
	void *fifth = &rest;
	long ret = n;
	/* ebp cannot be named as an operand: it is loaded, last of all, from memory that edi points to. */
	__asm__ volatile("push %%ebp\n mov 4(%%edi),%%ebp\n mov (%%edi),%%edi\n int $0x80\n pop %%ebp"
			 : "+a"(ret), "+D"(fifth) : "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
	return ret;
}

#elif defined(__aarch64__)

__asm__(".globl _start\n_start: mov x29,#0\n mov x30,#0\n mov x0,sp\n bl bare_start\n brk #0\n");
enum { NR_read = 63, NR_write = 64, NR_openat = 56, NR_close = 57, NR_getppid = 173, NR_exit_group = 94,
       NR_mmap = 222 };
static inline long syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
		      x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}

#else
#error "an architecture without a trap instruction here"
#endif

#define syscall0(n) syscall6(n, 0, 0, 0, 0, 0, 0)
#define syscall3(n, a, b, c) syscall6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)

int bare_main(int argc, char **argv);

__attribute__((used)) void bare_start(long *stack)
{
	syscall3(NR_exit_group, bare_main((int)stack[0], (char **)(stack + 1)), 0, 0);
	__builtin_trap();
}

/* The decimal number in argv[i], or `otherwise` when there is none. */
static inline long number(int argc, char **argv, int i, long otherwise)
{
	if (i >= argc)
		return otherwise;
	long value = 0;
	for (const char *p = argv[i]; *p; p++)
		value = value * 10 + (*p - '0');
	return value;
}

/* Print `name value` as a line. */
static inline void report(const char *name, unsigned long value)
{
	char line[64];
	int n = 0;
	while (*name)
		line[n++] = *name++;
	line[n++] = ' ';
	char digits[24];
	int k = 0;
	do
		digits[k++] = (char)('0' + value % 10);
	while (value /= 10);
	while (k)
		line[n++] = digits[--k];
	line[n++] = '\n';
	syscall3(NR_write, 1, line, n);
}

#endif
