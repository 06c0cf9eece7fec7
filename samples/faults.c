/* Ways to die of an instruction; the first argument selects one. */
#include "show.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

static volatile long zero_value;
static const char constant[] = "constant";

static void null_read(void) { printf("%ld\n", *(volatile long *)zero_value); }
static void null_write(void) { *(volatile long *)zero_value = 1; }
static void null_call(void) { ((void (*)(void))zero_value)(); }
static void wild_jump(void) { ((void (*)(void))(zero_value + 0x12345678))(); }
static void constant_write(void) { *(volatile char *)constant = 'x'; }
static void code_write(void) { *(volatile char *)(void *)null_read = 0; }

static void data_call(void)
{
	static char code[16] = { 0 };
	((void (*)(void))(void *)(code + zero_value))();
}

static void unmapped(void)
{
	volatile char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p[0] = 'x';
	munmap((void *)p, 4096);
	p[0] = 'y';
}

static void forbidden(void)
{
	volatile char *p = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("%d\n", p[0]);
}

static void beyond_end(void)
{
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	ftruncate(fd, 100);
	volatile char *p = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
	printf("%d\n", p[0]);
	fflush(stdout);
	printf("%d\n", p[4096]);
}

static int deeper(int n)
{
	volatile char frame[4096];
	if (n < zero_value)
		return 0;
	frame[n & 4095] = (char)n;
	return deeper(n + 1) + frame[(n + 1) & 4095];
}
static void stack_overflow(void) { printf("%d\n", deeper(0)); }

static void illegal(void)
{
#if defined(__aarch64__)
	__asm__ volatile("udf #0");
#else
	__asm__ volatile("ud2");
#endif
}

static void trap(void)
{
#if defined(__aarch64__)
	__asm__ volatile("brk #0");
#else
	__asm__ volatile("int3");
#endif
}

#if defined(__aarch64__)
static void privileged(void) { __asm__ volatile("msr ttbr0_el1, xzr"); }
static void halt(void) { __asm__ volatile("hlt #0"); }
static void call_hypervisor(void) { __asm__ volatile("hvc #0"); }
static void divide(void)
{
	long result;
	__asm__ volatile("sdiv %0, %1, %2" : "=r"(result) : "r"(7L), "r"(zero_value));
	printf("7 / 0 = %ld\n", result);
}
#else
static void privileged(void) { __asm__ volatile("cli"); }
static void halt(void) { __asm__ volatile("hlt"); }
static void port(void) { __asm__ volatile("outb %al, $0x80"); }
static void model_register(void) { __asm__ volatile("rdmsr" : : "c"(0x10) : "eax", "edx"); }
static void control_register(void)
{
	long value;
	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
}
static void segment(void) { __asm__ volatile("mov %0, %%fs" : : "r"((int)zero_value + 0x1234)); }
static void interrupt(void) { __asm__ volatile("int $0x42"); }
static void divide(void)
{
	int quotient, rest;
	__asm__ volatile("idivl %2" : "=a"(quotient), "=d"(rest) : "r"((int)zero_value), "0"(7), "1"(0));
	printf("%d\n", quotient);
}
static void divide_overflow(void)
{
	int quotient, rest;
	__asm__ volatile("idivl %2" : "=a"(quotient), "=d"(rest) : "r"((int)zero_value - 1), "0"(0x80000000), "1"(-1));
	printf("%d\n", quotient);
}
static void single_step(void)
{
#if defined(__x86_64__)
	__asm__ volatile("pushfq; orl $0x100, (%rsp); popfq; nop; nop");
#else
	__asm__ volatile("pushf; orl $0x100, (%esp); popf; nop; nop");
#endif
}
static void debug_trap(void) { __asm__ volatile(".byte 0xf1"); }
#endif
#if defined(__x86_64__)
static void non_canonical(void) { *(volatile char *)(zero_value + 0x8000000000000000) = 1; }
#endif
#if defined(__i386__)
static void overflow_trap(void) { __asm__ volatile("movb $0x7f, %%al; addb $1, %%al; into" : : : "eax"); }
static void bound_check(void)
{
	int limits[2] = { 1, 2 };
	__asm__ volatile("bound %0, %1" : : "r"(5), "m"(limits));
}
#endif

static const struct { const char *name; void (*run)(void); } kinds[] = {
	{ "null-read", null_read }, { "null-write", null_write }, { "null-call", null_call },
	{ "wild-jump", wild_jump }, { "constant-write", constant_write }, { "code-write", code_write },
	{ "data-call", data_call }, { "unmapped", unmapped }, { "forbidden", forbidden },
	{ "beyond-end", beyond_end }, { "stack-overflow", stack_overflow }, { "illegal", illegal },
	{ "trap", trap }, { "privileged", privileged }, { "halt", halt }, { "divide", divide },
#if defined(__aarch64__)
	{ "call-hypervisor", call_hypervisor },
#else
	{ "port", port }, { "model-register", model_register }, { "control-register", control_register },
	{ "segment", segment }, { "interrupt", interrupt }, { "divide-overflow", divide_overflow },
	{ "single-step", single_step }, { "debug-trap", debug_trap },
#endif
#if defined(__x86_64__)
	{ "non-canonical", non_canonical },
#endif
#if defined(__i386__)
	{ "overflow-trap", overflow_trap }, { "bound-check", bound_check },
#endif
};

int main(int argc, char **argv)
{
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (argc > 1 && !strcmp(argv[1], kinds[i].name)) {
			printf("%s\n", kinds[i].name);
			fflush(stdout);
			kinds[i].run();
			puts("survived");
			return 0;
		}
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
		puts(kinds[i].name);
	return 2;
}
