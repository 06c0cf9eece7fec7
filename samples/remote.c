/* Another process's memory and what two processes share: process_vm_readv, process_vm_writev, /proc/PID/mem, kcmp. */
#include "show.h"
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define PAGE 4096

static char *shared_place; /* two pages that can be used, one that cannot */

/* Never kill(-1, SIGKILL) where clone(2) has failed. */
static void end(pid_t child)
{
	if (child <= 0)
		return;
	kill(child, SIGKILL);
	waitpid(child, 0, 0);
}

static void transfers(pid_t child)
{
	char text[64] = "", more[64] = "";
	struct iovec local[2] = {{text, 5}, {more, 20}}, remote[3] = {{shared_place, 8}, {shared_place + PAGE, 4}, {0, 0}};
	TRY(process_vm_readv(child, local, 2, remote, 2, 0));
	printf("%s|%s\n", text, more);
	/* up to the first page that is not there */
	static char large[4 * PAGE];
	struct iovec all = {large, sizeof large}, across = {shared_place + 100, 3 * PAGE};
	TRY(process_vm_readv(child, &all, 1, &across, 1, 0));
	struct iovec two[2] = {{shared_place + 2 * PAGE, 10}, {shared_place, 10}};
	TRY(process_vm_readv(child, &all, 1, two, 2, 0));
	struct iovec good_bad[2] = {{shared_place, 10}, {shared_place + 2 * PAGE, 10}};
	TRY(process_vm_readv(child, &all, 1, good_bad, 2, 0));
	struct iovec nowhere = {(void *)16, 10};
	TRY(process_vm_readv(child, &nowhere, 1, good_bad, 1, 0));
	TRY(process_vm_readv(child, &all, 1, &nowhere, 1, 0));
	strcpy(text, "written");
	local[0].iov_len = 7;
	remote[0].iov_base = shared_place + 1, remote[0].iov_len = 3;
	remote[1].iov_len = 4;
	TRY(process_vm_writev(child, local, 1, remote, 2, 0));
	TRY(process_vm_writev(child, &nowhere, 1, remote, 2, 0));
	struct iovec constant = {(void *)"constant", 4};
	TRY(process_vm_writev(child, local, 1, &constant, 1, 0)); /* read-only there */
	memset(more, 0, sizeof more);
	remote[0].iov_base = shared_place, remote[0].iov_len = 8;
	TRY(process_vm_readv(child, &local[1], 1, remote, 2, 0));
	printf("%s\n", more);
	TRY(process_vm_readv(child, local, 1, remote, 1, 1));
	TRY(process_vm_readv(child, local, 1025, remote, 1, 0));
	TRY(process_vm_readv(child, local, 1, remote, 1025, 0));
	TRY(process_vm_readv(child, (void *)1, 1, remote, 1, 0));
	TRY(process_vm_readv(child, local, 1, (void *)1, 1, 0));
	TRY(process_vm_readv(child, local, 0, (void *)1, 1, 0));
	TRY(process_vm_readv(child, local, 1, remote, 0, 0));
	TRY(process_vm_readv(-1, local, 0, remote, 1, 0));
	TRY(process_vm_readv(1 << 30, local, 1, remote, 1, 0));
	TRY(process_vm_readv(getpid(), local, 1, &(struct iovec){more, 3}, 1, 0));
	printf("%s\n", text);
}

static void memory_file(pid_t child)
{
	char path[64], text[16] = "";
	sprintf(path, "/proc/%d/mem", child);
	int fd = open(path, O_RDWR);
	FACT(fd >= 0);
	TRY(pread(fd, text, 8, (off_t)(unsigned long)shared_place));
	puts(text);
	TRY(pwrite(fd, "by file", 8, (off_t)(unsigned long)shared_place));
	static const char constant[] = "constant";
	TRY(pwrite(fd, "C", 1, (off_t)(unsigned long)constant)); /* it becomes the child's own */
	TRY(pread(fd, text, 9, (off_t)(unsigned long)constant));
	printf("%s here, %s there\n", constant, text);
	TRY(pread(fd, text, 8, (off_t)(unsigned long)shared_place + 2 * PAGE)); /* PROT_NONE */
	TRY(pread(fd, text, 8, 16));
	TRY(pwrite(fd, text, 8, 16));
	TRY(read(fd, text, 8));
	TRY(lseek(fd, 0, SEEK_END));
	TRY(lseek(fd, 4096, SEEK_SET));
	TRY(lseek(fd, -96, SEEK_CUR));
	end(child);
	TRY(pread(fd, text, 8, (off_t)(unsigned long)shared_place));
	close(fd);
	FACT(open(path, O_RDWR) == -1);
	struct iovec local = {text, 5}, remote = {shared_place, 8};
	TRY(process_vm_readv(child, &local, 1, &remote, 1, 0));
}

static long compare(pid_t one, pid_t two, int type, unsigned long a, unsigned long b)
{
	long order = syscall(SYS_kcmp, one, two, type, a, b);
	return order > 0 ? 3 : order; /* different */
}

static int idle(void *unused)
{
	(void)unused;
	pause();
	return 0;
}

static void comparisons(void)
{
	static char stack[16384] __attribute__((aligned(16)));
	pid_t me = getpid(), child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	pid_t sharer = clone(idle, stack + sizeof stack, CLONE_FILES | CLONE_FS | CLONE_VM | CLONE_SIGHAND | SIGCHLD, 0);
	int fds[2], copy;
	if (pipe(fds))
		return;
	copy = dup(fds[0]);
	for (int type = KCMP_VM; type <= KCMP_SIGHAND; type++) {
		TRY(compare(me, me, type, 0, 0));
		TRY(compare(me, child, type, 0, 0));
		TRY(compare(me, sharer, type, 0, 0));
	}
	FACT(syscall(SYS_kcmp, me, child, KCMP_VM, 0, 0) + syscall(SYS_kcmp, child, me, KCMP_VM, 0, 0) == 3);
	TRY(compare(me, me, KCMP_FILE, fds[0], copy));
	TRY(compare(me, me, KCMP_FILE, fds[0], fds[1]));
	TRY(compare(me, child, KCMP_FILE, 0, 0));
	TRY(compare(me, child, KCMP_FILE, 0, fds[0]));
	TRY(compare(me, sharer, KCMP_FILE, fds[0], copy));
	TRY(compare(me, me, KCMP_FILE, 99, 0));
	TRY(compare(me, me, KCMP_SYSVSEM, 0, 0));
	TRY(compare(me, child, KCMP_SYSVSEM, 0, 0));
	TRY(compare(me, me, 8, 0, 0));
	TRY(compare(me, me, -1, 0, 0));
	TRY(compare(me, 1 << 30, KCMP_VM, 0, 0));
	int epoll = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN};
	epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event);
	struct kcmp_epoll_slot slot = {epoll, fds[0], 0};
	TRY(compare(me, me, KCMP_EPOLL_TFD, copy, (unsigned long)&slot));
	TRY(compare(me, me, KCMP_EPOLL_TFD, fds[1], (unsigned long)&slot));
	TRY(compare(me, me, KCMP_EPOLL_TFD, 99, (unsigned long)&slot));
	TRY(compare(me, me, KCMP_EPOLL_TFD, copy, 0));
	slot.toff = 1;
	TRY(compare(me, me, KCMP_EPOLL_TFD, copy, (unsigned long)&slot));
	slot.efd = fds[0];
	TRY(compare(me, me, KCMP_EPOLL_TFD, copy, (unsigned long)&slot));
	end(child), end(sharer);
}

static void advice(void)
{
	pid_t child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	int fd = syscall(SYS_pidfd_open, child, 0), own = syscall(SYS_pidfd_open, getpid(), 0);
	struct iovec ranges[2] = {{shared_place, PAGE}, {shared_place + PAGE, PAGE}}, hole = {(void *)PAGE, PAGE};
	TRY(syscall(SYS_process_madvise, fd, ranges, 2, MADV_COLD, 0));
	TRY(syscall(SYS_process_madvise, fd, ranges, 2, MADV_COLD, 1));
	TRY(syscall(SYS_process_madvise, fd, ranges, 2, MADV_DONTNEED, 0));
	TRY(syscall(SYS_process_madvise, fd, &hole, 1, MADV_COLD, 0));
	TRY(syscall(SYS_process_madvise, fd, ranges, 1025, MADV_COLD, 0));
	TRY(syscall(SYS_process_madvise, 0, ranges, 2, MADV_COLD, 0));
	TRY(syscall(SYS_process_madvise, own, ranges, 2, MADV_DONTNEED, 0));
	TRY(syscall(SYS_process_mrelease, fd, 0));
	TRY(syscall(SYS_process_mrelease, fd, 1));
	TRY(syscall(SYS_process_mrelease, 0, 0));
	end(child);
	TRY(syscall(SYS_process_mrelease, fd, 0));
	TRY(syscall(SYS_process_madvise, fd, ranges, 2, MADV_COLD, 0));
	close(fd), close(own);
}

int main(void)
{
	setvbuf(stdout, 0, _IOLBF, 1 << 12);
	shared_place = mmap(0, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(shared_place + 2 * PAGE, PAGE, PROT_NONE);
	strcpy(shared_place, "parent");
	pid_t child = fork();
	if (!child) {
		strcpy(shared_place, "child's");
		strcpy(shared_place + PAGE, "next");
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(child, 0, WUNTRACED);
	transfers(child);
	memory_file(child);
	comparisons();
	advice();
	return 0;
}
