/*
 * What a handler is told of a fault on x86: siginfo_t, and the machine's own words in the signal context. Pieces of
 * machine code run one after the other, with the address of some pages of data in RDI or EAX.
 */
#include "show.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

static sigjmp_buf back;
static char *code, *data;      /* two pages and a hole each */
static const char *name;

static const char *place(uintptr_t address)
{
	static char text[4][64];
	static int turn;
	char *out = text[turn++ & 3];
	if (address - (uintptr_t)code < 0x10000)
		snprintf(out, 64, "code+%#lx", (long)(address - (uintptr_t)code));
	else if (address - (uintptr_t)data < 0x10000)
		snprintf(out, 64, "data+%#lx", (long)(address - (uintptr_t)data));
	else
		snprintf(out, 64, "%#llx", (unsigned long long)address);
	return out;
}

static void handler(int signo, siginfo_t *info, void *context)
{
	mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
	printf("%-34s %s code %d addr %s errno %d", name, strsignal(signo), info->si_code,
		place((uintptr_t)info->si_addr),
		info->si_errno);
#if defined(__x86_64__)
	greg_t *r = machine->gregs;
	printf(" pc %s trap %d err %#x cr2 %s flags %#x",
		place(r[REG_RIP]), (int)r[REG_TRAPNO], (int)r[REG_ERR], r[REG_TRAPNO] == 14 ? place(r[REG_CR2]) : "-",
		(int)r[REG_EFL] & 0x10500);
#else
	greg_t *r = machine->gregs;
	printf(" pc %s trap %d err %#x cr2 %s flags %#x",
		place(r[REG_EIP]), (int)r[REG_TRAPNO], (int)r[REG_ERR], r[REG_TRAPNO] == 14 ? place(machine->cr2) : "-",
		(int)r[REG_EFL] & 0x10500);
#endif
	putchar('\n');
	fflush(stdout);
	siglongjmp(back, 1);
}

static int hex(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static const struct { const char *name; int offset; const char *code; } cases[] = {
#include "faultinfo.h"
};

/* Put code at an offset of the code pages and run it from there. */
static void run(const char *what, int offset, const char *text)
{
	unsigned char *to = (unsigned char *)code + offset;
	name = what;
	mprotect(code, 8192, PROT_READ | PROT_WRITE);
	for (; *text; text++)
		if (*text != ' ') {
			*to++ = hex(text[0]) << 4 | hex(text[1]);
			text++;
		}
	if (to < (unsigned char *)code + 8192)
		*to = 0xc3;
	mprotect(code, 8192, PROT_READ | PROT_EXEC);
	if (!sigsetjmp(back, 1)) {
#if defined(__i386__)
		
		__asm__ volatile("pushal; call *%%ecx; popal" : : "a"(data), "c"(code + offset) : "memory", "cc");
#else
		((void (*)(void *))(code + offset))(data);
#endif
		printf("%-34s survived\n", what);
	}
	__asm__ volatile("fninit; cld");
	fflush(stdout);
}

int main(void)
{
	static char stack[65536];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS };
	int fd = open("f", O_CREAT | O_RDWR | O_TRUNC, 0600);

	code = mmap(NULL, 0x10000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	data = mmap(NULL, 0x10000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(code + 0x4000, 0x4000);
	mprotect(data, 0x2000, PROT_READ | PROT_WRITE);
	mprotect(data + 0x3000, 0x1000, PROT_READ);
	munmap(data + 0x4000, 0x1000);
	ftruncate(fd, 0x1800);
	mmap(data + 0x8000, 0x4000, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0);
	mmap(data + 0xc000, 0x2000, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0x1000);
	sigaltstack(&alternate, NULL);
	for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaction(signals[i], &action, NULL);
	for (int i = 0; i < 0x2000; i++)
		data[i] = 0;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
		run(cases[i].name, cases[i].offset, cases[i].code);
	puts("done");
	return 0;
}
