/* eventfd(2), timerfd_create(2), signalfd(2): counting, waiting, what is refused, and what fdinfo shows. */
#include "show.h"
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#endif

static char text[8192];

static void fdinfo(int fd, int seconds) {
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	int info = open(path, O_RDONLY);
	ssize_t size = read(info, text, sizeof text - 1);
	close(info);
	text[size > 0 ? size : 0] = 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (!strncmp(line, "ino:", 4) || !strncmp(line, "mnt_id", 6) || !strncmp(line, "eventfd-id", 10))
			continue;
		if (!seconds && (!strncmp(line, "it_value", 8) || !strncmp(line, "it_interval", 11))) {
			printf("   %.*s\n", 12, line);
			continue;
		}
		printf("   %s\n", line);
	}
}

static void events(void) {
	puts("-- eventfd");
	TRY(syscall(SYS_eventfd2, 0, 2));
	TRY(syscall(SYS_eventfd2, 0, 04000 | 1 << 20));
	int fd = eventfd(-1u, EFD_NONBLOCK | EFD_CLOEXEC);
	TRY(fcntl(fd, F_GETFD));
	TRY(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	uint64_t value = 0;
	TRY(read(fd, &value, 8));
	TRY(value == 0xffffffff);
	TRY(read(fd, &value, 8));
	TRY(read(fd, &value, 7));
	TRY(read(fd, &value, 0));
	TRY(write(fd, &value, 7));
	TRY(write(fd, &value, 9));
	TRY(write(fd, &value, 0));
	TRY(write(fd, text, 4096));
	value = -1;
	TRY(write(fd, &value, 8));
	value = 0;
	TRY(write(fd, &value, 8));
	TRY(read(fd, &value, 8));
	value = 0xfffffffffffffffe;
	TRY(write(fd, &value, 8));
	fdinfo(fd, 1);
	TRY(write(fd, &value, 8));
	value = 1;
	TRY(write(fd, &value, 8));
	value = 0;
	TRY(write(fd, &value, 8));
	char wide[64];
	memset(wide, 7, sizeof wide);
	TRY(read(fd, wide, 64));
	printf("   %02x %02x %02x\n", wide[0] & 255, wide[7] & 255, wide[8] & 255);
	TRY(read(fd, (void *)16, 8));
	value = 5;
	TRY(write(fd, &value, 8));
	TRY(read(fd, (void *)16, 8));
	TRY(read(fd, &value, 8));
	TRY(write(fd, (void *)16, 8));
	char first[3], second[5];
	struct iovec iov[2] = {{first, 3}, {second, 5}};
	value = 0x0807060504030201;
	memcpy(first, &value, 3);
	memcpy(second, (char *)&value + 3, 5);
	TRY(writev(fd, iov, 2));
	memset(first, 0, 3);
	TRY(readv(fd, iov, 2));
	TRY(first[0] + 10 * first[2] + 100 * second[4]);
	iov[1].iov_len = 3;
	TRY(writev(fd, iov, 2));
	TRY(readv(fd, iov, 2));
	TRY(pread(fd, &value, 8, 0));
	TRY(pwrite(fd, &value, 8, 0));
	TRY(lseek(fd, 10, SEEK_SET));
	TRY(lseek(fd, 10, 77));
	TRY(ioctl(fd, FIONREAD, &value));
	TRY(ioctl(fd, 0x1234, &value));
	TRY(ftruncate(fd, 0));
	TRY(fsync(fd));
	TRYP(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	struct stat st;
	TRY(fstat(fd, &st));
	printf("   mode %o size %d nlink %d\n", st.st_mode, (int)st.st_size, (int)st.st_nlink);
	TRY(fchmod(fd, 0644));
	snprintf(text, 64, "/proc/self/fd/%d", fd);
	char link[64] = "";
	TRY(readlink(text, link, 63));
	puts(link);
	TRY(open(text, O_RDWR));
	close(fd);
	puts("semaphore");
	fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
	for (int i = 0; i < 3; i++) {
		value = 99;
		TRY(read(fd, &value, 8));
		TRY(value);
	}
	value = 3;
	TRY(write(fd, &value, 8));
	fdinfo(fd, 1);
	close(fd);
	puts("blocking");
	fflush(stdout);
	fd = eventfd(0, 0);
	if (!fork()) {
		usleep(10000);
		value = 7;
		write(fd, &value, 8);
		_exit(0);
	}
	TRY(read(fd, &value, 8));
	TRY(value);
	wait(NULL);
	value = -2;
	write(fd, &value, 8);
	fflush(stdout);
	if (!fork()) {
		usleep(10000);
		read(fd, &value, 8);
		_exit(0);
	}
	value = 3;
	TRY(write(fd, &value, 8));
	wait(NULL);
	TRY(read(fd, &value, 8));
	TRY(value);
	close(fd);
}

static struct timespec now(int clock) {
	struct timespec t;
	clock_gettime(clock, &t);
	return t;
}

static int set(int fd, int flags, long long value_ns, long long interval_ns) {
	struct itimerspec spec = {{interval_ns / 1000000000, interval_ns % 1000000000}, {value_ns / 1000000000, value_ns % 1000000000}};
	return timerfd_settime(fd, flags, &spec, NULL);
}

static void timers(void) {
	puts("-- timerfd");
	for (int clock = 0; clock < 13; clock++) {
		int fd = timerfd_create(clock, 0);
		printf("clock %d: %s\n", clock, fd < 0 ? error_name(errno) : "ok");
		close(fd);
	}
	TRY(timerfd_create(-1, 0));
	TRY(timerfd_create(-6, 0));
	TRY(timerfd_create(CLOCK_MONOTONIC, 1));
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	TRY(fcntl(fd, F_GETFD));
	TRY(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	uint64_t ticks = 0;
	TRY(read(fd, &ticks, 8));
	TRY(read(fd, &ticks, 7));
	TRY(write(fd, &ticks, 8));
	TRY(lseek(fd, 5, SEEK_SET));
	TRY(pread(fd, &ticks, 8, 0));
	struct itimerspec spec = {{0, 0}, {0, 0}}, old;
	TRY(timerfd_gettime(fd, &spec));
	printf("   %d %d %d %d\n", (int)spec.it_value.tv_sec, (int)spec.it_value.tv_nsec, (int)spec.it_interval.tv_sec, (int)spec.it_interval.tv_nsec);
	spec.it_value.tv_nsec = 1000000000;
	TRY(timerfd_settime(fd, 0, &spec, NULL));
	spec.it_value.tv_nsec = -1;
	TRY(timerfd_settime(fd, 0, &spec, NULL));
	spec.it_value.tv_nsec = 0;
	spec.it_value.tv_sec = -1;
	TRY(timerfd_settime(fd, 0, &spec, NULL));
	spec.it_value.tv_sec = 0;
	spec.it_interval.tv_nsec = 1000000000;
	TRY(timerfd_settime(fd, 0, &spec, NULL));
	spec.it_interval.tv_nsec = 0;
	TRY(timerfd_settime(fd, 4, &spec, NULL));
	TRY(timerfd_settime(fd, 8, &spec, NULL));
	TRY(timerfd_settime(fd, TFD_TIMER_CANCEL_ON_SET, &spec, NULL));
	TRY(timerfd_settime(-1, 0, &spec, NULL));
	TRY(timerfd_settime(-1, 8, &spec, NULL));
	TRY(timerfd_settime(0, 0, &spec, NULL));
	TRY(timerfd_gettime(0, &spec));
	TRY(timerfd_gettime(-1, (void *)16));
	TRY(timerfd_gettime(fd, (void *)16));
	TRY(set(fd, 0, 1000000, 0));
	struct pollfd it = {fd, POLLIN, 0};
	TRY(poll(&it, 1, 1000));
	usleep(3000);
	TRY(read(fd, &ticks, 8));
	TRY(ticks);
	TRY(read(fd, &ticks, 8));
	TRY(timerfd_gettime(fd, &spec));
	printf("   %d %d\n", (int)spec.it_value.tv_sec, (int)spec.it_value.tv_nsec);
	puts("a single one that has expired, not read");
	set(fd, 0, 1000000, 0);
	usleep(3000);
	TRY(timerfd_gettime(fd, &spec));
	printf("   %d %d\n", (int)spec.it_value.tv_sec, (int)spec.it_value.tv_nsec);
	fdinfo(fd, 1);
	puts("set again before it was read");
	TRY(set(fd, 0, 1000000000000, 0));
	TRY(read(fd, &ticks, 8));
	spec = (struct itimerspec){{0, 0}, {500, 0}};
	TRY(timerfd_settime(fd, 0, &spec, &old));
	FACT(old.it_value.tv_sec == 999 && old.it_interval.tv_sec == 0);
	TRY(timerfd_gettime(fd, &old));
	FACT(old.it_value.tv_sec == 499);
	puts("stopped");
	set(fd, 0, 0, 5000000);
	TRY(timerfd_gettime(fd, &old));
	printf("   %d %d %d\n", (int)old.it_value.tv_sec, (int)old.it_value.tv_nsec, (int)old.it_interval.tv_nsec);
	fdinfo(fd, 1);
	puts("an interval");
	set(fd, 0, 4000000, 4000000);
	usleep(18000);
	TRY(timerfd_gettime(fd, &old));
	FACT(old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 4000000);
	TRY(read(fd, &ticks, 8));
	FACT(ticks >= 4);
	FACT(ticks < 100);
	TRY(read(fd, &ticks, 8));
	puts("an absolute time");
	struct timespec base = now(CLOCK_MONOTONIC);
	spec = (struct itimerspec){{0, 0}, base};
	TRY(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL));
	TRY(read(fd, &ticks, 8));
	TRY(ticks);
	spec = (struct itimerspec){{0, 0}, {0, 1}};
	TRY(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL));
	TRY(read(fd, &ticks, 8));
	TRY(ticks);
	spec = (struct itimerspec){{0, 1000000}, {0, 1}};
	TRY(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL));
	TRY(read(fd, &ticks, 8));
	FACT(ticks > 1000);
	set(fd, 0, 0, 0);
	spec = (struct itimerspec){{3, 0}, {base.tv_sec + 1000, 0}};
	TRY(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL));
	TRY(timerfd_gettime(fd, &old));
	FACT(old.it_value.tv_sec <= 1000 && old.it_value.tv_sec >= 998);
	TRY(old.it_interval.tv_sec);
	fdinfo(fd, 0);
	puts("the number of ticks is set");
	set(fd, 0, 0, 0);
	if (sizeof(long) == 8) { /* not for programs of 32 bits */
		ticks = 0;
		if (ioctl(fd, TFD_IOC_SET_TICKS, &ticks) != -1 || errno != EINVAL)
			puts("0 ticks?");
		ticks = 17;
		if (ioctl(fd, TFD_IOC_SET_TICKS, &ticks) || poll(&it, 1, 0) != 1 || read(fd, &ticks, 8) != 8 || ticks != 17)
			puts("17 ticks?");
		if (ioctl(fd, TFD_IOC_SET_TICKS, NULL) != -1 || errno != EFAULT)
			puts("no ticks?");
	}
	TRY(ioctl(fd, FIONREAD, &ticks));
	close(fd);
	puts("a clock that is set");
	fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	spec = (struct itimerspec){{0, 0}, {now(CLOCK_REALTIME).tv_sec + 1000, 0}};
	TRY(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL));
	fdinfo(fd, 0);
	TRY(read(fd, &ticks, 8));
	TRY(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL));
	TRY(timerfd_settime(fd, TFD_TIMER_CANCEL_ON_SET, &spec, NULL));
	fdinfo(fd, 0);
	close(fd);
	puts("blocking reads");
	fd = timerfd_create(CLOCK_BOOTTIME, 0);
	set(fd, 0, 10000000, 0);
	TRY(read(fd, &ticks, 8));
	TRY(ticks);
	set(fd, 0, 10000000, 10000000);
	TRY(read(fd, text, 64));
	TRY(read(fd, (void *)16, 8));
	struct stat st;
	TRY(fstat(fd, &st));
	printf("   mode %o\n", st.st_mode);
	snprintf(text, 64, "/proc/self/fd/%d", fd);
	char link[64] = "";
	TRY(readlink(text, link, 63));
	puts(link);
	close(fd);
	puts("shared with a child");
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	set(fd, 0, 1000000, 0);
	pid_t child = fork();
	if (!child) {
		usleep(5000);
		_exit(read(fd, &ticks, 8) == 8 ? (int)ticks : 99);
	}
	int status;
	waitpid(child, &status, 0);
	TRY(WEXITSTATUS(status));
	TRY(read(fd, &ticks, 8));
	close(fd);
}

static void record(const struct signalfd_siginfo *i) {
	printf("   signo %u code %d errno %d pid %s uid %u fd %d tid %u band %u overrun %u trapno %u status %d int %d ptr %llx addr %llx\n",
	       i->ssi_signo, i->ssi_code, i->ssi_errno, !i->ssi_pid ? "none" : i->ssi_pid == (unsigned)getpid() ? "me" : "other", i->ssi_uid, i->ssi_fd,
	       i->ssi_tid, i->ssi_band, i->ssi_overrun, i->ssi_trapno, i->ssi_status, i->ssi_int, (unsigned long long)i->ssi_ptr & 0xffffffff,
	       (unsigned long long)i->ssi_addr);
}

static void handler(int signo) { printf("   handler %d\n", signo); }

static void signals(void) {
	puts("-- signalfd");
	sigset_t mask, old;
	sigemptyset(&mask);
	TRY(syscall(SYS_signalfd4, -1, &mask, 8, 1));
	TRY(syscall(SYS_signalfd4, -1, &mask, 4, 0));
	TRY(syscall(SYS_signalfd4, -1, &mask, 16, 0));
	TRY(syscall(SYS_signalfd4, -1, NULL, 8, 0));
	TRY(syscall(SYS_signalfd4, -1, (void *)16, 8, 0));
	TRY(syscall(SYS_signalfd4, -1, (void *)16, 4, 1));
	TRY(syscall(SYS_signalfd4, -2, &mask, 8, 0));
	TRY(syscall(SYS_signalfd4, 0, &mask, 8, 0));
	TRY(syscall(SYS_signalfd4, 100, &mask, 8, 0));
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGUSR2);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGALRM);
	sigaddset(&mask, SIGRTMIN + 2);
	sigaddset(&mask, SIGIO);
	sigaddset(&mask, SIGKILL);
	sigaddset(&mask, SIGSTOP);
	sigprocmask(SIG_BLOCK, &mask, &old);
	int fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	TRY(fcntl(fd, F_GETFD));
	TRY(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	fdinfo(fd, 1);
	static struct signalfd_siginfo infos[8];
	TRY(read(fd, infos, sizeof infos));
	TRY(read(fd, infos, 127));
	TRY(read(fd, infos, 0));
	TRY(write(fd, infos, 128));
	TRY(lseek(fd, 3, SEEK_SET));
	puts("several at once");
	raise(SIGUSR2);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	union sigval value = {.sival_int = 77};
	sigqueue(getpid(), SIGRTMIN + 2, value);
	value.sival_int = -2;
	sigqueue(getpid(), SIGRTMIN + 2, value);
	sigqueue(getpid(), SIGUSR2, value);
	ssize_t size = TRY(read(fd, infos, 300));
	for (int i = 0; i < size / 128; i++)
		record(&infos[i]);
	size = TRY(read(fd, infos, sizeof infos));
	for (int i = 0; i < size / 128; i++)
		record(&infos[i]);
	puts("a child");
	pid_t child = fork();
	if (!child)
		_exit(3);
	struct pollfd it = {fd, POLLIN, 0};
	TRY(poll(&it, 1, 2000));
	size = TRY(read(fd, infos, sizeof infos));
	for (int i = 0; i < size / 128; i++)
		record(&infos[i]);
	waitpid(child, NULL, 0);
	if (!(child = fork())) {
		raise(SIGKILL);
		_exit(3);
	}
	poll(&it, 1, 2000);
	size = TRY(read(fd, infos, sizeof infos));
	for (int i = 0; i < size / 128; i++)
		record(&infos[i]);
	waitpid(child, NULL, 0);
	puts("timers");
	setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 1000}}, NULL);
	TRY(poll(&it, 1, 1000));
	size = TRY(read(fd, infos, sizeof infos));
	record(infos);
	timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 12};
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &(struct itimerspec){{0, 0}, {0, 1000000}}, NULL);
	TRY(poll(&it, 1, 1000));
	size = TRY(read(fd, infos, sizeof infos));
	record(infos);
	timer_delete(timer);
	puts("SIGIO");
	int pair[2];
	pipe(pair);
	fcntl(pair[0], F_SETOWN, getpid());
	fcntl(pair[0], F_SETFL, O_ASYNC);
	write(pair[1], "x", 1);
	size = TRY(read(fd, infos, sizeof infos));
	record(infos);
	fcntl(pair[0], F_SETSIG, SIGRTMIN + 2);
	write(pair[1], "x", 1);
	size = TRY(read(fd, infos, sizeof infos));
	record(infos);
	close(pair[0]);
	close(pair[1]);
	puts("another mask");
	sigset_t other;
	sigemptyset(&other);
	sigaddset(&other, SIGUSR2);
	TRY(syscall(SYS_signalfd4, fd, &other, 8, 0) == fd);
	fdinfo(fd, 1);
	raise(SIGUSR1);
	TRY(poll(&it, 1, 0));
	TRY(read(fd, infos, 128));
	raise(SIGUSR2);
	TRY(read(fd, infos, sizeof infos));
	record(infos);
	TRY(syscall(SYS_signalfd4, fd, &mask, 8, 0) == fd);
	TRY(poll(&it, 1, 0));
	TRY(read(fd, infos, sizeof infos));
	record(infos);
	puts("what is not blocked is delivered");
	signal(SIGUSR1, handler);
	sigprocmask(SIG_SETMASK, &old, NULL);
	raise(SIGUSR1);
	TRY(read(fd, infos, sizeof infos));
	sigprocmask(SIG_BLOCK, &mask, NULL);
	puts("a bad page");
	raise(SIGUSR1);
	raise(SIGUSR2);
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(page + 4096, 4096);
	TRY(read(fd, page + 4096 - 128, 256));
	TRY(read(fd, infos, sizeof infos));
	puts("signals of the process and of the thread");
	kill(getpid(), SIGUSR1);
	raise(SIGUSR2);
	raise(SIGUSR1);
	size = TRY(read(fd, infos, sizeof infos));
	for (int i = 0; i < size / 128; i++)
		record(&infos[i]);
	puts("a child reads its own");
	fflush(stdout);
	raise(SIGUSR1);
	if (!(child = fork())) {
		printf("   %zd\n", read(fd, infos, sizeof infos));
		kill(getpid(), SIGUSR2);
		printf("   %zd\n", read(fd, infos, sizeof infos));
		record(infos);
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	size = TRY(read(fd, infos, sizeof infos));
	record(infos);
	record(infos + 1);
	puts("blocking");
	int blocking = signalfd(-1, &mask, 0);
	if (!(child = fork())) {
		usleep(10000);
		kill(getppid(), SIGUSR1);
		usleep(10000);
		_exit(0);
	}
	TRY(read(blocking, infos, sizeof infos));
	record(infos);
	waitpid(child, NULL, 0);
	TRY(read(blocking, infos, sizeof infos));
	record(infos);
	puts("sigtimedwait takes it first");
	raise(SIGUSR2);
	siginfo_t info;
	TRY(sigtimedwait(&mask, &info, &(struct timespec){0, 0}) == SIGUSR2);
	TRY(read(fd, infos, 128));
	close(blocking);
	close(fd);
}

int main(void) {
	setvbuf(stdout, NULL, _IOLBF, 0);
	events();
	timers();
	signals();
	return 0;
}
