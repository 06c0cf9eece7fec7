/* Wild pointers handed to the kernel: EFAULT, and nothing else happens. */
#include "show.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>

#define BAD ((void *)16)

int main(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *edge = page + 4096;  /* what follows is not there */
	munmap(edge, 4096);
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	struct iovec iov[2] = { { "good ", 5 }, { BAD, 5 } };

	TRY(syscall(SYS_write, fd, BAD, 1));
	TRY(syscall(SYS_write, fd, BAD, 0));
	TRY(syscall(SYS_write, fd, edge - 3, 10));
	TRY(syscall(SYS_writev, fd, iov, 2));
	TRY(syscall(SYS_writev, fd, BAD, 2));
	TRY(lseek(fd, 0, SEEK_SET));
	TRY(syscall(SYS_read, fd, BAD, 1));
	TRY(syscall(SYS_read, fd, (void *)-8L, 4));
	TRY(syscall(SYS_read, fd, edge - 2, 100));
	TRY(syscall(SYS_read, 99, BAD, 1));
	TRY(syscall(SYS_openat, AT_FDCWD, BAD, O_RDONLY));
	memcpy(edge - 4, "name", 4);
	TRY(syscall(SYS_openat, AT_FDCWD, edge - 4, O_RDONLY));
	edge[-1] = 0;
	TRY(syscall(SYS_openat, AT_FDCWD, edge - 4, O_RDONLY));
	TRY(syscall(SYS_openat, AT_FDCWD, NULL, O_RDONLY));
	TRY(syscall(SYS_mkdirat, AT_FDCWD, BAD, 0700));
	TRY(syscall(SYS_readlinkat, AT_FDCWD, BAD, page, 10));
	symlink("target", "s");
	TRY(syscall(SYS_readlinkat, AT_FDCWD, "s", BAD, 10));
	TRY(syscall(SYS_getcwd, BAD, 4096));
	TRY(syscall(SYS_uname, BAD));
	TRY(syscall(SYS_uname, edge - 100));
	TRY(syscall(SYS_pipe2, BAD, 0));
	TRY(syscall(SYS_getdents64, open(".", O_RDONLY), BAD, 4096));
	TRY(syscall(SYS_nanosleep, BAD, NULL));
	TRY(syscall(SYS_getrusage, 0, BAD));
	TRY(syscall(SYS_getrandom, BAD, 10, 0));
	TRY(syscall(SYS_statx, AT_FDCWD, ".", 0, STATX_ALL, BAD));
	TRY(syscall(SYS_statx, AT_FDCWD, BAD, 0, STATX_ALL, page));
	TRY(syscall(SYS_utimensat, AT_FDCWD, "f", BAD, 0));
	TRY(syscall(SYS_prlimit64, 0, RLIMIT_CPU, BAD, NULL));
	TRY(syscall(SYS_prlimit64, 0, RLIMIT_CPU, NULL, BAD));
	TRY(syscall(SYS_getgroups, 10, BAD));
	TRY(syscall(SYS_setgroups, 10, BAD));
	TRY(syscall(SYS_getresuid, BAD, BAD, BAD));
	TRY(syscall(SYS_sendfile, 1, fd, BAD, 10));
	TRY(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, BAD, 0));
	TRY(syscall(SYS_ppoll, BAD, 1, NULL, NULL, 8));
	TRY(syscall(SYS_rt_sigaction, 10, BAD, NULL, 8));
	TRY(syscall(SYS_rt_sigprocmask, 0, BAD, NULL, 8));
	TRY(syscall(SYS_fcntl, fd, F_SETLK, BAD));
	TRY(syscall(SYS_fsetxattr, fd, BAD, "x", 1, 0));
	TRY(syscall(SYS_fsetxattr, fd, "user.x", BAD, 1, 0));
	TRY(syscall(SYS_getcpu, BAD, NULL, NULL));
	TRY(syscall(SYS_sysinfo, BAD));
	TRY(access("f", F_OK));
	struct stat st;
	fstat(fd, &st);
	printf("size %d\n", (int)st.st_size);
	return 0;
}
