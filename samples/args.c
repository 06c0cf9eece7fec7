/* What execve(2) puts on the stack: arguments, environment, auxiliary vector. */
#include "show.h"
#include <elf.h>
#include <stdint.h>
#include <sys/auxv.h>

#if __SIZEOF_POINTER__ == 8
typedef Elf64_Phdr Phdr;
#else
typedef Elf32_Phdr Phdr;
#endif

#if defined(__x86_64__)
#define PLATFORM "x86_64"
#elif defined(__i386__)
#define PLATFORM "i686"
#else
#define PLATFORM "aarch64"
#endif

extern char **environ;

int main(int argc, char **argv)
{
	printf("argc %d\n", argc);
	const char *slash = strrchr(argv[0], '/');
	printf("argv[0] %s\n", slash ? slash + 1 : argv[0]);
	for (int i = 1; i < argc; i++)
		printf("argv[%d] %s\n", i, argv[i]);
	for (char **e = environ; *e; e++)
		printf("env %s\n", *e);
	FACT(argv[argc] == NULL);
	FACT(environ == argv + argc + 1);
	/* The strings lie one behind the other, arguments before environment (fs/exec.c). */
	int packed = 1;
	for (int i = 0; i + 1 < argc; i++)
		packed &= argv[i] + strlen(argv[i]) + 1 == argv[i + 1];
	FACT(packed);
	if (argc && environ[0])
		FACT(argv[argc - 1] + strlen(argv[argc - 1]) + 1 == environ[0]);

	FACT(getauxval(AT_PAGESZ) == 4096);
	FACT(getauxval(AT_CLKTCK) == 100);
	FACT(getauxval(AT_PHENT) == sizeof(Phdr));
	const Phdr *phdr = (const Phdr *)getauxval(AT_PHDR);
	int loads = 0;
	for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
		loads += phdr[i].p_type == PT_LOAD;
	FACT(loads > 0);
	FACT(getauxval(AT_ENTRY) != 0);
	FACT(getauxval(AT_BASE) == 0);
	FACT(getauxval(AT_FLAGS) == 0);
	FACT(getauxval(AT_UID) == getuid());
	FACT(getauxval(AT_EUID) == geteuid());
	FACT(getauxval(AT_GID) == getgid());
	FACT(getauxval(AT_EGID) == getegid());
	FACT(getauxval(AT_SECURE) == 0);
	FACT(strlen((char *)getauxval(AT_EXECFN)) > 0);
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
	int bits = 0;
	for (int i = 0; i < 16; i++)
		bits += __builtin_popcount(random[i]);
	FACT(bits > 16 && bits < 112);
	const char *platform = (const char *)getauxval(AT_PLATFORM);
	FACT(!strcmp(platform, PLATFORM));
	FACT(getauxval(AT_HWCAP) != 0);
	FACT(((uintptr_t)__builtin_frame_address(0) & (sizeof(long) - 1)) == 0);
	return argc - 1;
}
