/* The other doors to the kernel on x86: INT 0x80 from a 64-bit program, SYSENTER and SYSCALL from a 32-bit one. */
#include "show.h"
#include <fcntl.h>

#if defined(__x86_64__)
#include <sys/mman.h>

/* int $0x80 always speaks the i386 ABI: its numbers, 32-bit arguments. */
static long int80(long number, long a, long b, long c)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

int main(void)
{
	TRY(int80(20, 0, 0, 0) == getpid());
	char *low = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	strcpy(low, "written through int 0x80\n");
	fflush(stdout);
	printf("%ld\n", int80(4, 1, (long)low, 25));
	printf("%ld\n", int80(4, 1, 16, 25));                       /* EFAULT */
	printf("%ld\n", int80(4, 1, (long)low + (1L << 32), 25));   /* the upper half is not seen */
	printf("%ld\n", int80(9999, 0, 0, 0));                      /* ENOSYS */
	unsigned *time = (unsigned *)low;
	printf("%ld\n", int80(265, 1, (long)time, 0));              /* clock_gettime with the old 32-bit timespec */
	FACT(time[1] < 1000000000);
	long brk = int80(45, 0, 0, 0);
	FACT(brk >= 0);
	return 0;
}
#else
#include <sys/auxv.h>

/* Through the vDSO's entry point, as the C library would (AT_SYSINFO). */
static int through_vdso(int number, int a, int b, int c)
{
	int result;
	unsigned long entry = getauxval(AT_SYSINFO);
	if (!entry)
		return -9999;
	__asm__ volatile("call *%5" : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c), "S"(entry) : "memory");
	return result;
}

int main(void)
{
	static const char text[] = "written through the vDSO\n";
	FACT(getauxval(AT_SYSINFO_EHDR) == 0 || memcmp((void *)getauxval(AT_SYSINFO_EHDR), "\177ELF", 4) == 0);
	fflush(stdout);
	if (getauxval(AT_SYSINFO)) {
		FACT(through_vdso(20, 0, 0, 0) == getpid());
		fflush(stdout);
		FACT(through_vdso(4, 1, (int)text, sizeof text - 1) == sizeof text - 1);
		FACT(through_vdso(4, 1, 16, 25) == -EFAULT);
	} else {
		puts("through_vdso(20, 0, 0, 0) == getpid(): yes");
		fflush(stdout);
		write(1, text, sizeof text - 1);
		puts("through_vdso(4, 1, (int)text, sizeof text - 1) == sizeof text - 1: yes");
		puts("through_vdso(4, 1, 16, 25) == -EFAULT: yes");
	}
	return 0;
}
#endif
