/* getppid(2) N times: what a system call costs. */
#include "bare.h"

int bare_main(int argc, char **argv)
{
	long n = number(argc, argv, 1, 1000);
	for (long i = 0; i < n; i++)
		syscall0(NR_getppid);
	report("calls", (unsigned long)n);
	return 0;
}
