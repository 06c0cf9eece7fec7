/* copy FROM TO MEGABYTES: through read(2) and write(2) in pieces of 64 KB. */
#include "bare.h"

enum { AT_FDCWD = -100, O_RDONLY = 0, O_WRONLY = 1, O_CREAT = 0100, O_TRUNC = 01000 };
static char buffer[65536];

int bare_main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	long in = syscall3(NR_openat, AT_FDCWD, argv[1], O_RDONLY);
	long out = syscall6(NR_openat, AT_FDCWD, (long)argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644, 0, 0);
	if (in < 0 || out < 0)
		return 1;
	unsigned long done = 0, wanted = (unsigned long)number(argc, argv, 3, 1) << 20;
	while (done < wanted) {
		long n = syscall3(NR_read, in, buffer, sizeof buffer);
		if (n <= 0)
			break;
		if (syscall3(NR_write, out, buffer, n) != n)
			return 1;
		done += (unsigned long)n;
	}
	report("bytes", done);
	return 0;
}
