/* POSIX message queues, by raw system calls: priorities, limits, modes, waiting, notification. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

#define NAME "trapeze-sample"

static long mq_raw(const char *name, int flags, int mode, struct mq_attr *attr)
{
	return syscall(SYS_mq_open, name, flags, mode, attr);
}

static void attributes(int fd)
{
	struct mq_attr attr;
	if (mq_getattr(fd, &attr))
		printf("mq_getattr: %s\n", error_name(errno));
	else
		printf("flags %lo, %ld of %ld messages, %ld bytes each\n", attr.mq_flags, attr.mq_curmsgs, attr.mq_maxmsg, attr.mq_msgsize);
}

static void receive(int fd, size_t size)
{
	char text[64] = "";
	unsigned priority = 99;
	long n = mq_receive(fd, text, size, &priority);
	if (n < 0)
		printf("receive: %s\n", error_name(errno));
	else
		printf("receive: %ld bytes \"%.*s\" priority %u\n", n, (int) n, text, priority);
}

static void status(int fd)
{
	char line[100];
	long n = pread(fd, line, sizeof line, 0);
	/* the last number is a process id */
	char *pid = n > 0 ? strstr(line, "NOTIFY_PID:") : 0;
	printf("%ld bytes: %.*s%s\n", n, pid ? (int) (pid - line) : 0, line, pid && pid[11] == '0' ? "nobody" : "somebody");
}

static volatile int told;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void) signo, (void) context;
	told = info->si_code == SI_MESGQ ? 1000 + info->si_value.sival_int : -1;
}

static void on_alarm(int signo) { (void) signo; }

static void names(void)
{
	TRY(mq_raw("", O_RDWR, 0, 0));
	TRY(mq_raw("/" NAME, O_RDWR, 0, 0));
	TRY(mq_raw("a/b", O_RDWR | O_CREAT, 0600, 0));
	TRY(mq_raw(".", O_RDWR, 0, 0));
	TRY(mq_raw("..", O_RDWR | O_CREAT, 0600, 0));
	TRY(mq_raw(NAME, O_RDWR, 0, 0));
	char longname[300];
	memset(longname, 'x', sizeof longname);
	longname[256] = 0;
	TRY(mq_raw(longname, O_RDWR | O_CREAT, 0600, 0));
	TRY(mq_raw((char *) 1, O_RDWR, 0, 0));
	TRY(mq_raw(NAME, O_RDWR | O_CREAT, 0600, (void *) 1));
	TRY(syscall(SYS_mq_unlink, NAME));
	TRY(syscall(SYS_mq_unlink, ""));
	TRY(syscall(SYS_mq_unlink, "a/b"));
	TRY(syscall(SYS_mq_unlink, (char *) 1));
	struct mq_attr bad[] = {{.mq_maxmsg = 0, .mq_msgsize = 8}, {.mq_maxmsg = 8, .mq_msgsize = 0}, {.mq_maxmsg = -1, .mq_msgsize = 8},
		{.mq_maxmsg = 65537, .mq_msgsize = 8}, {.mq_maxmsg = 8, .mq_msgsize = (16 << 20) + 1}};
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		TRY(mq_raw(NAME, O_RDWR | O_CREAT, 0600, &bad[i]));
}

static int priorities(void)
{
	struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 16};
	int fd = mq_raw(NAME, O_RDWR | O_CREAT | O_EXCL, 0640, &attr);
	printf("opened %d, close on exec %d, status %o\n", fd, fcntl(fd, F_GETFD), fcntl(fd, F_GETFL) & ~0100000);
	TRY(mq_raw(NAME, O_RDWR | O_CREAT | O_EXCL, 0640, &attr));
	TRY(mq_raw(NAME, 3, 0, 0));
	attributes(fd);
	status(fd);
	TRY(mq_send(fd, "low", 3, 1));
	TRY(mq_send(fd, "high", 4, 32767));
	TRY(mq_send(fd, "low again", 9, 1));
	TRY(mq_send(fd, "", 0, 7));
	TRY(mq_send(fd, "x", 1, 32768));
	TRY(mq_send(fd, "x", 17, 0));
	TRY(mq_send(fd, (char *) 1, 3, 0));
	status(fd);
	attributes(fd);
	struct stat st;
	fstat(fd, &st);
	printf("mode %o, size %ld, links %ld\n", st.st_mode, (long) st.st_size, (long) st.st_nlink);
	struct statfs fs;
	fstatfs(fd, &fs);
	printf("magic %lx\n", (unsigned long) fs.f_type);
	receive(fd, 15);
	receive(fd, 16);
	receive(fd, 64);
	receive(fd, 64);
	receive(fd, 64);
	return fd;
}

static void descriptors(int fd)
{
	int out = mq_raw(NAME, O_WRONLY | O_NONBLOCK, 0, 0), in = mq_raw(NAME, O_RDONLY | O_NONBLOCK, 0, 0);
	char text[16];
	TRY(mq_receive(out, text, 16, 0));
	TRY(mq_send(in, "x", 1, 0));
	TRY(mq_receive(in, text, 16, 0));
	TRY(mq_receive(0, text, 16, 0));
	TRY(mq_send(99, "x", 1, 0));
	TRY(mq_notify(0, 0));
	for (int i = 0; i < 4; i++)
		mq_send(out, "full", 4, i);
	TRY(mq_send(out, "x", 1, 0));
	struct mq_attr attr = {.mq_flags = O_NONBLOCK | O_APPEND}, old;
	TRY(mq_setattr(fd, &attr, &old));
	attr.mq_flags = O_NONBLOCK;
	TRY(mq_setattr(fd, &attr, &old));
	printf("was %lo\n", old.mq_flags);
	attributes(fd);
	TRY(mq_send(fd, "x", 1, 0));
	struct timespec past = {1, 0}, bad = {0, 1000000000};
	TRY(mq_timedsend(fd, "x", 1, 0, &bad));
	attr.mq_flags = 0;
	mq_setattr(fd, &attr, 0);
	TRY(mq_timedsend(fd, "x", 1, 0, &past));
	struct pollfd fds[] = {{fd, POLLIN | POLLOUT, 0}, {in, POLLIN, 0}, {out, POLLOUT, 0}};
	TRY(poll(fds, 3, 0));
	printf("%x %x %x\n", fds[0].revents, fds[1].revents, fds[2].revents);
	while (mq_receive(in, text, 16, 0) >= 0)
		;
	TRY(poll(fds, 3, 0));
	printf("%x %x %x\n", fds[0].revents, fds[1].revents, fds[2].revents);
	TRY(mq_timedreceive(fd, text, 16, 0, &past));
	TRY(write(fd, "x", 1));
	TRY(lseek(fd, 3, SEEK_SET));
	TRY(read(fd, text, 7));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(lseek(fd, 0, SEEK_END));
	int ep = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
	TRY(epoll_wait(ep, &event, 1, 0));
	mq_send(fd, "x", 1, 0);
	TRY(epoll_wait(ep, &event, 1, 0));
	TRY(epoll_wait(ep, &event, 1, 0));
	receive(fd, 16);
	close(ep), close(in), close(out);
}

static void waiting(int fd)
{
	/* A child that waits gets the message directly; a parent that waits for room goes on when the child takes one. */
	int sync[2];
	if (pipe(sync))
		return;
	for (int i = 0; i < 4; i++)
		mq_send(fd, "aaaa", i + 1, 3);
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		char text[16], order[32] = "";
		unsigned priority;
		struct timespec nap = {0, 50000000};
		nanosleep(&nap, 0);
		for (int i = 0; i < 5; i++) {
			long n = mq_receive(fd, text, 16, &priority);
			sprintf(order + strlen(order), "%ld/%u ", n, priority);
		}
		if (write(sync[1], order, strlen(order)) < 0)
			_exit(1);
		_exit(0);
	}
	TRY(mq_send(fd, "waited", 6, 9));
	char text[64] = "";
	TRY(waitpid(child, 0, 0) == child);
	long n = read(sync[0], text, sizeof text);
	printf("taken: %.*s\n", (int) n, text);
	struct timespec soon;
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 20000000;
	if (soon.tv_nsec >= 1000000000)
		soon.tv_sec++, soon.tv_nsec -= 1000000000;
	TRY(mq_timedreceive(fd, text, 16, 0, &soon));
	struct sigaction action = {.sa_handler = on_alarm};
	sigaction(SIGALRM, &action, 0);
	struct itimerval timer = {{0, 0}, {0, 20000}};
	setitimer(ITIMER_REAL, &timer, 0);
	TRY(mq_receive(fd, text, 16, 0));
	close(sync[0]), close(sync[1]);
}

static void notification(int fd)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	sigaction(SIGUSR1, &action, 0);
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42};
	TRY(mq_notify(fd, &event));
	TRY(mq_notify(fd, &event));
	status(fd);
	TRY(mq_send(fd, "news", 4, 0));
	printf("told %d\n", told);
	status(fd);
	told = 0;
	TRY(mq_notify(fd, &event));
	TRY(mq_send(fd, "more", 4, 0)); /* it is not empty: nobody is told */
	printf("told %d\n", told);
	TRY(mq_notify(fd, 0));
	status(fd);
	TRY(mq_notify(fd, &event));
	close(dup(fd)); /* any descriptor of the queue */
	status(fd);
	receive(fd, 16), receive(fd, 16);
	event.sigev_notify = SIGEV_NONE;
	TRY(mq_notify(fd, &event));
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		TRY(mq_notify(fd, 0));
		TRY(mq_notify(fd, &event));
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, 0, 0);
	status(fd);
	event.sigev_notify = 77;
	TRY(syscall(SYS_mq_notify, fd, &event));
	event.sigev_notify = SIGEV_SIGNAL, event.sigev_signo = 65;
	TRY(syscall(SYS_mq_notify, fd, &event));
	event.sigev_notify = SIGEV_THREAD, event.sigev_signo = 0, event.sigev_value.sival_ptr = &event;
	TRY(syscall(SYS_mq_notify, fd, &event));
	event.sigev_signo = 99;
	TRY(syscall(SYS_mq_notify, fd, &event));
	event.sigev_value.sival_ptr = 0;
	TRY(syscall(SYS_mq_notify, fd, &event));
	TRY(syscall(SYS_mq_notify, fd, 1));
}

int main(void)
{
	setvbuf(stdout, 0, _IOFBF, 1 << 16);
	syscall(SYS_mq_unlink, NAME);
	umask(022);
	names();
	int fd = priorities();
	descriptors(fd);
	fflush(stdout);
	waiting(fd);
	fflush(stdout);
	notification(fd);
	char link[64], target[64] = "";
	sprintf(link, "/proc/self/fd/%d", fd);
	TRY(readlink(link, target, sizeof target));
	puts(target);
	TRY(syscall(SYS_mq_unlink, NAME));
	memset(target, 0, sizeof target);
	TRY(readlink(link, target, sizeof target));
	puts(target);
	struct stat st;
	fstat(fd, &st);
	printf("links %ld\n", (long) st.st_nlink);
	TRY(close(fd));
	TRY(mq_send(fd, "x", 1, 0));
	return 0;
}
