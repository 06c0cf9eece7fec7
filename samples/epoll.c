/* epoll(7): when it tells of what, to whom, in which order, and what it refuses. */
#include "show.h"
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#ifndef EPIOCSPARAMS
#define EPIOCSPARAMS _IOW(0x8A, 0x01, struct epoll_params)
#define EPIOCGPARAMS _IOR(0x8A, 0x02, struct epoll_params)
struct epoll_params { uint32_t busy_poll_usecs; uint16_t busy_poll_budget; uint8_t prefer_busy_poll; uint8_t pad; };
#endif

static int watch(int ep, int fd, unsigned events, uint64_t data) {
	struct epoll_event event = {.events = events, .data.u64 = data};
	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
}

static int change(int ep, int fd, unsigned events, uint64_t data) {
	struct epoll_event event = {.events = events, .data.u64 = data};
	return epoll_ctl(ep, EPOLL_CTL_MOD, fd, &event);
}

static void names(unsigned events) {
	static const struct { unsigned bit; const char *name; } bits[] = {
		{EPOLLIN, "IN"}, {EPOLLPRI, "PRI"}, {EPOLLOUT, "OUT"}, {EPOLLERR, "ERR"}, {EPOLLHUP, "HUP"},
		{EPOLLRDNORM, "RDNORM"}, {EPOLLRDBAND, "RDBAND"}, {EPOLLWRNORM, "WRNORM"}, {EPOLLWRBAND, "WRBAND"},
		{EPOLLRDHUP, "RDHUP"}, {EPOLLEXCLUSIVE, "EXCLUSIVE"}, {EPOLLWAKEUP, "WAKEUP"}, {EPOLLONESHOT, "ONESHOT"},
		{EPOLLET, "ET"},
	};
	for (unsigned i = 0; i < sizeof bits / sizeof *bits; i++)
		if (events & bits[i].bit)
			printf("%s ", bits[i].name);
}

static int ask(const char *what, int ep, int max) {
	struct epoll_event events[16];
	int count = epoll_wait(ep, events, max, 0);
	printf("%s:", what);
	if (count < 0)
		printf(" %s", error_name(errno));
	for (int i = 0; i < count; i++) {
		printf(" %u=", (unsigned)events[i].data.u64);
		names(events[i].events);
	}
	puts(count ? "" : " nothing");
	return count;
}

#define ASK(ep) ask("   ready", ep, 16)

static char buffer[70000];

static void arguments(void) {
	puts("-- arguments");
	struct epoll_event event = {.events = EPOLLIN}, *bad = (void *)16;
	int ep = epoll_create1(0), pair[2];
	pipe(pair);
	TRY(epoll_create(0));
	TRY(epoll_create(-1));
	TRY(epoll_create1(1));
	TRY(epoll_create1(EPOLL_CLOEXEC | 4));
	TRY(epoll_create1(O_NONBLOCK));
	int cloexec = epoll_create1(EPOLL_CLOEXEC);
	TRY(fcntl(cloexec, F_GETFD));
	TRY(fcntl(cloexec, F_GETFL) & O_ACCMODE);
	TRY(fcntl(cloexec, F_SETFL, O_NONBLOCK));
	TRY(fcntl(cloexec, F_GETFL) & O_NONBLOCK);
	close(cloexec);
	TRY(epoll_ctl(-1, EPOLL_CTL_ADD, pair[0], &event));
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, -1, &event));
	TRY(epoll_ctl(-1, EPOLL_CTL_ADD, -1, bad));
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, pair[0], bad));
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, pair[0], NULL));
	TRY(epoll_ctl(ep, EPOLL_CTL_MOD, pair[0], NULL));
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, pair[0], NULL));
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, pair[0], bad));
	TRY(epoll_ctl(ep, EPOLL_CTL_MOD, pair[0], &event));
	TRY(epoll_ctl(ep, 0, pair[0], &event));
	TRY(epoll_ctl(ep, 4, pair[0], &event));
	TRY(epoll_ctl(ep, -1, pair[0], bad));
	TRY(epoll_ctl(pair[0], EPOLL_CTL_ADD, pair[1], &event));
	TRY(epoll_ctl(pair[0], EPOLL_CTL_ADD, pair[0], &event));
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &event));
	TRY(epoll_ctl(ep, 99, ep, &event));
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, pair[0], &event));
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, pair[0], &event));
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, pair[1], &event));
	TRY(epoll_wait(-1, &event, 1, 0));
	TRY(epoll_wait(-1, &event, 0, 0));
	TRY(epoll_wait(pair[0], &event, 1, 0));
	TRY(epoll_wait(pair[0], &event, 0, 0));
	TRY(epoll_wait(ep, &event, 0, 0));
	TRY(epoll_wait(ep, &event, -1, 0));
	TRY(epoll_wait(ep, &event, 0x7fffffff, 0));
	TRY(epoll_wait(ep, bad, 1, 0));
	TRY(epoll_wait(ep, NULL, 1, 0));
	TRY(write(pair[1], "x", 1));
	TRY(epoll_wait(ep, bad, 1, 0));
	TRY(epoll_wait(ep, NULL, 1, 0));
	TRY(epoll_wait(ep, &event, 1, -1));
	TRY(epoll_wait(ep, &event, 1, -7));
	sigset_t none;
	sigemptyset(&none);
	TRY(syscall(SYS_epoll_pwait, ep, &event, 1, 0, &none, 4));
	TRY(syscall(SYS_epoll_pwait, ep, &event, 1, 0, NULL, 4));
	TRY(syscall(SYS_epoll_pwait, ep, &event, 1, 0, (void *)16, 8));
	TRY(syscall(SYS_epoll_pwait, -1, &event, 1, 0, (void *)16, 8));
	TRY(syscall(SYS_epoll_pwait, ep, &event, 0, 0, &none, 16));
	long long late[2] = {0, 1000000000}, early[2] = {-1, 0}, now[2] = {0, 0};
	TRY(syscall(441, ep, &event, 1, late, NULL, 8));
	TRY(syscall(441, ep, &event, 1, early, NULL, 8));
	TRY(syscall(441, ep, &event, 1, (void *)16, NULL, 8));
	TRY(syscall(441, -1, &event, 1, late, NULL, 8));
	TRY(syscall(441, ep, &event, 1, late, &none, 4));
	TRY(syscall(441, ep, &event, 1, now, &none, 8));
	TRY(syscall(441, ep, &event, 1, NULL, NULL, 0));
	TRY(read(ep, buffer, 8));
	TRY(write(ep, buffer, 8));
	TRY(lseek(ep, 0, SEEK_SET));
	TRY(ftruncate(ep, 0));
	TRYP(mmap(NULL, 4096, PROT_READ, MAP_SHARED, ep, 0));
	int value;
	TRY(ioctl(ep, FIONREAD, &value));
	TRY(ioctl(ep, FIONBIO, &(int){0}));
	struct epoll_params params = {7, 7, 7, 7};
	TRY(ioctl(ep, EPIOCGPARAMS, &params));
	printf("   %u %u %u %u\n", params.busy_poll_usecs, params.busy_poll_budget, params.prefer_busy_poll, params.pad);
	params = (struct epoll_params){50, 8, 1, 0};
	TRY(ioctl(ep, EPIOCSPARAMS, &params));
	memset(&params, 0, sizeof params);
	TRY(ioctl(ep, EPIOCGPARAMS, &params));
	printf("   %u %u %u\n", params.busy_poll_usecs, params.busy_poll_budget, params.prefer_busy_poll);
	TRY(ioctl(ep, EPIOCSPARAMS, NULL));
	TRY(ioctl(ep, EPIOCGPARAMS, NULL));
	params = (struct epoll_params){50, 8, 2, 0};
	TRY(ioctl(ep, EPIOCSPARAMS, &params));
	params = (struct epoll_params){0x80000000, 8, 1, 0};
	TRY(ioctl(ep, EPIOCSPARAMS, &params));
	params = (struct epoll_params){50, 65, 1, 0};
	TRY(ioctl(ep, EPIOCSPARAMS, &params));
	params = (struct epoll_params){50, 8, 1, 1};
	TRY(ioctl(ep, EPIOCSPARAMS, &params));
	TRY(ioctl(ep, _IO(0x8A, 9)));
	close(ep);
	close(pair[0]);
	close(pair[1]);
}

static void kinds(void) {
	puts("-- kinds of files");
	int ep = epoll_create1(0);
	put_file("regular", "text");
	int fd = open("regular", O_RDWR);
	TRY(watch(ep, fd, EPOLLIN, 1));
	TRY(change(ep, fd, EPOLLIN, 1));
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL));
	TRY(epoll_ctl(fd, EPOLL_CTL_ADD, ep, &(struct epoll_event){0}));
	TRY(epoll_ctl(fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){0}));
	close(fd);
	static const char *paths[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/dev/random", ".", "/proc/self/stat",
		"/proc/self/maps", "/proc/self/mounts", "/proc/self/mountinfo", "/proc/sys/kernel/hostname", "/proc/filesystems"};
	for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
		fd = open(paths[i], O_RDONLY);
		printf("%s ", paths[i]);
		TRY(watch(ep, fd, EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDNORM | EPOLLWRNORM, 1));
		ASK(ep);
		close(fd);
	}
	fd = open("regular", O_PATH);
	TRY(watch(ep, fd, EPOLLIN, 1));
	TRY(epoll_ctl(fd, EPOLL_CTL_ADD, ep, &(struct epoll_event){0}));
	close(fd);
	fd = memfd_create("memory", 0);
	TRY(watch(ep, fd, EPOLLIN, 1));
	close(fd);
	unsigned all = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLRDNORM | EPOLLWRNORM | EPOLLRDBAND | EPOLLWRBAND;
	fd = eventfd(3, 0);
	TRY(watch(ep, fd, all, 1));
	ASK(ep);
	TRY(change(ep, fd, 0, 1));
	ASK(ep);
	close(fd);
	int pair[2];
	pipe(pair);
	TRY(watch(ep, pair[0], all, 1));
	TRY(watch(ep, pair[1], all, 2));
	ASK(ep);
	write(pair[1], "x", 1);
	ASK(ep);
	close(pair[1]);
	ASK(ep);
	TRY(change(ep, pair[0], 0, 1));
	ASK(ep);
	close(pair[0]);
	pipe(pair);
	TRY(watch(ep, pair[1], 0, 2));
	ASK(ep);
	close(pair[0]);
	ASK(ep);
	close(pair[1]);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	TRY(watch(ep, pair[0], all, 1));
	ASK(ep);
	shutdown(pair[1], SHUT_WR);
	ASK(ep);
	shutdown(pair[0], SHUT_WR);
	ASK(ep);
	TRY(change(ep, pair[0], EPOLLRDHUP, 1));
	ASK(ep);
	close(pair[1]);
	ASK(ep);
	close(pair[0]);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	TRY(watch(ep, pair[0], all, 1));
	ASK(ep);
	shutdown(pair[1], SHUT_WR);
	ASK(ep);
	write(pair[1], "x", 1);
	close(pair[1]);
	ASK(ep);
	close(pair[0]);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	TRY(watch(ep, fd, all, 1));
	ASK(ep);
	close(fd);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	TRY(watch(ep, fd, all, 1));
	ASK(ep);
	close(fd);
	fd = timerfd_create(CLOCK_MONOTONIC, 0);
	TRY(watch(ep, fd, all, 1));
	ASK(ep);
	timerfd_settime(fd, 0, &(struct itimerspec){.it_value.tv_nsec = 1}, NULL);
	usleep(2000);
	ASK(ep);
	close(fd);
	int other = epoll_create1(0);
	fd = eventfd(1, 0);
	watch(other, fd, EPOLLIN, 5);
	TRY(watch(ep, other, all, 1));
	ASK(ep);
	close(fd);
	ASK(ep);
	close(other);
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	fd = signalfd(-1, &mask, 0);
	TRY(watch(ep, fd, all, 1));
	ASK(ep);
	raise(SIGUSR1);
	ASK(ep);
	read(fd, buffer, 128);
	ASK(ep);
	close(fd);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	pid_t child = fork();
	if (!child)
		_exit(0);
	fd = syscall(434, child, 0);
	siginfo_t info;
	waitid(P_PID, child, &info, WEXITED | WNOWAIT);
	TRY(watch(ep, fd, all, 1));
	ASK(ep);
	waitpid(child, NULL, 0);
	close(fd);
	close(ep);
}

static void edges(void) {
	puts("-- edges of a pipe");
	int ep = epoll_create1(0), pair[2];
	pipe2(pair, O_NONBLOCK);
	watch(ep, pair[0], EPOLLIN | EPOLLET, 1);
	watch(ep, pair[1], EPOLLOUT | EPOLLET, 2);
	ASK(ep);
	ASK(ep);
	puts("write"); write(pair[1], "abc", 3);
	ASK(ep);
	ASK(ep);
	puts("write again"); write(pair[1], "abc", 3);
	ASK(ep);
	puts("partial read"); read(pair[0], buffer, 2);
	ASK(ep);
	puts("read the rest"); read(pair[0], buffer, 20);
	ASK(ep);
	puts("read nothing"); read(pair[0], buffer, 20);
	ASK(ep);
	puts("fill"); while (write(pair[1], buffer, 4096) > 0);
	ASK(ep);
	puts("read a little of the full pipe"); read(pair[0], buffer, 100);
	ASK(ep);
	puts("read a page more"); read(pair[0], buffer, 4096);
	ASK(ep);
	puts("read a page"); read(pair[0], buffer, 4096);
	ASK(ep);
	puts("fill and drain"); while (write(pair[1], buffer, 4096) > 0);
	while (read(pair[0], buffer, sizeof buffer) > 0);
	ASK(ep);
	puts("modify to the same"); change(ep, pair[0], EPOLLIN | EPOLLET, 1);
	ASK(ep);
	change(ep, pair[1], EPOLLOUT | EPOLLET, 2);
	ASK(ep);
	puts("write, modify"); write(pair[1], "abc", 3);
	ASK(ep);
	change(ep, pair[0], EPOLLIN | EPOLLET, 1);
	ASK(ep);
	puts("add a dup"); watch(ep, dup(pair[0]), EPOLLIN | EPOLLET, 3);
	ASK(ep);
	puts("write"); write(pair[1], "abc", 3);
	ASK(ep);
	puts("close the writer"); epoll_ctl(ep, EPOLL_CTL_DEL, pair[1], NULL); close(pair[1]);
	ASK(ep);
	ASK(ep);
	puts("read to the end"); read(pair[0], buffer, 100); read(pair[0], buffer, 100);
	ASK(ep);
	close(ep);
	close(pair[0]);

	puts("-- edges of a socket");
	ep = epoll_create1(0);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	watch(ep, pair[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, 1);
	ASK(ep);
	ASK(ep);
	puts("the other writes"); write(pair[1], "abc", 3);
	ASK(ep);
	ASK(ep);
	puts("and again"); write(pair[1], "abc", 3);
	ASK(ep);
	puts("partial read"); read(pair[0], buffer, 2);
	ASK(ep);
	puts("read all"); read(pair[0], buffer, 20);
	ASK(ep);
	puts("I write"); write(pair[0], "abc", 3);
	ASK(ep);
	puts("the other reads some"); read(pair[1], buffer, 1);
	ASK(ep);
	puts("the other reads all"); read(pair[1], buffer, 10);
	ASK(ep);
	puts("the other shuts down writing"); shutdown(pair[1], SHUT_WR);
	ASK(ep);
	ASK(ep);
	puts("the other closes"); close(pair[1]);
	ASK(ep);
	ASK(ep);
	close(ep);
	close(pair[0]);

	puts("-- edges of an eventfd");
	ep = epoll_create1(0);
	int fd = eventfd(0, EFD_NONBLOCK);
	watch(ep, fd, EPOLLIN | EPOLLOUT | EPOLLET, 1);
	ASK(ep);
	ASK(ep);
	uint64_t value = 1;
	puts("write"); write(fd, &value, 8);
	ASK(ep);
	ASK(ep);
	puts("write"); write(fd, &value, 8);
	ASK(ep);
	puts("write 0"); value = 0; write(fd, &value, 8);
	ASK(ep);
	puts("read"); read(fd, &value, 8);
	ASK(ep);
	puts("read"); read(fd, &value, 8);
	ASK(ep);
	puts("to the top"); value = -2; write(fd, &value, 8);
	ASK(ep);
	puts("over the top"); value = 1; write(fd, &value, 8);
	ASK(ep);
	puts("read"); read(fd, &value, 8);
	ASK(ep);
	close(fd);
	puts("-- edges of a timer");
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	watch(ep, fd, EPOLLIN | EPOLLET, 1);
	ASK(ep);
	timerfd_settime(fd, 0, &(struct itimerspec){.it_value.tv_nsec = 1000}, NULL);
	usleep(2000);
	ASK(ep);
	ASK(ep);
	timerfd_settime(fd, 0, &(struct itimerspec){.it_value.tv_nsec = 1000}, NULL);
	usleep(2000);
	ASK(ep);
	TRY(read(fd, &value, 8));
	ASK(ep);
	close(fd);
	puts("-- edges of a listening socket");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr address = {AF_UNIX, "\0epoll"};
	TRY(bind(fd, &address, 8));
	watch(ep, fd, EPOLLIN | EPOLLET, 1);
	ASK(ep);
	TRY(listen(fd, 5));
	ASK(ep);
	int one = socket(AF_UNIX, SOCK_STREAM, 0), two = socket(AF_UNIX, SOCK_STREAM, 0);
	watch(ep, one, EPOLLIN | EPOLLOUT | EPOLLET, 2);
	ASK(ep);
	TRY(connect(one, &address, 8));
	ASK(ep);
	TRY(connect(two, &address, 8));
	ASK(ep);
	int served = accept(fd, NULL, NULL);
	ASK(ep);
	write(served, "x", 1);
	ASK(ep);
	close(served);
	ASK(ep);
	close(one); close(two); close(fd); close(ep);
	puts("-- an edge of an epoll file");
	ep = epoll_create1(0);
	int inner = epoll_create1(0);
	fd = eventfd(0, 0);
	watch(inner, fd, EPOLLIN, 7);
	watch(ep, inner, EPOLLIN | EPOLLET, 1);
	ASK(ep);
	value = 1;
	write(fd, &value, 8);
	ASK(ep);
	ASK(ep);
	ASK(inner);
	ASK(ep);
	write(fd, &value, 8);
	ASK(ep);
	ASK(inner);
	ASK(inner);
	ASK(ep);
	read(fd, &value, 8);
	ASK(ep);
	ASK(inner);
	ASK(ep);
	close(fd); close(inner); close(ep);
}

static void oneshot(void) {
	puts("-- oneshot");
	int ep = epoll_create1(0), fd = eventfd(1, 0);
	watch(ep, fd, EPOLLIN | EPOLLOUT | EPOLLONESHOT, 1);
	ASK(ep);
	ASK(ep);
	TRY(watch(ep, fd, EPOLLIN, 1));
	change(ep, fd, EPOLLOUT | EPOLLONESHOT, 2);
	ASK(ep);
	ASK(ep);
	change(ep, fd, EPOLLIN | EPOLLONESHOT | EPOLLET, 3);
	ASK(ep);
	write(fd, &(uint64_t){1}, 8);
	ASK(ep);
	change(ep, fd, EPOLLIN, 4);
	ASK(ep);
	ASK(ep);
	close(fd);
	int pair[2];
	pipe(pair);
	watch(ep, pair[0], EPOLLIN | EPOLLONESHOT, 1);
	write(pair[1], "x", 1);
	ASK(ep);
	close(pair[1]);
	ASK(ep);
	change(ep, pair[0], EPOLLONESHOT, 1);
	ASK(ep);
	ASK(ep);
	close(pair[0]);
	close(ep);
}

static void exclusive(void) {
	puts("-- exclusive");
	int ep = epoll_create1(0), fd = eventfd(1, 0), other = epoll_create1(0);
	TRY(watch(ep, fd, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 1));
	TRY(watch(ep, fd, EPOLLIN | EPOLLEXCLUSIVE | EPOLLRDHUP, 1));
	TRY(watch(ep, fd, EPOLLIN | EPOLLEXCLUSIVE | EPOLLPRI, 1));
	TRY(watch(ep, fd, EPOLLIN | EPOLLEXCLUSIVE | EPOLLRDNORM, 1));
	TRY(watch(ep, other, EPOLLIN | EPOLLEXCLUSIVE, 1));
	TRY(watch(ep, fd, EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLERR | EPOLLET | EPOLLWAKEUP | EPOLLEXCLUSIVE, 1));
	ASK(ep);
	TRY(change(ep, fd, EPOLLIN, 1));
	TRY(change(ep, fd, EPOLLIN | EPOLLEXCLUSIVE, 1));
	TRY(watch(ep, fd, EPOLLIN | EPOLLEXCLUSIVE, 1));
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL));
	TRY(change(ep, fd, EPOLLIN | EPOLLEXCLUSIVE, 1));
	TRY(change(ep, fd, EPOLLIN, 1));
	TRY(watch(ep, fd, EPOLLIN, 1));
	TRY(change(ep, fd, EPOLLIN | EPOLLEXCLUSIVE, 1));
	TRY(epoll_ctl(ep, 9, fd, &(struct epoll_event){.events = EPOLLEXCLUSIVE | EPOLLPRI}));
	close(fd);
	close(ep);
	close(other);
	for (unsigned extra = 0; extra < 3; extra++) {
		int pair[2], tell[2], count = 0;
		pipe(pair);
		pipe(tell);
		pid_t children[3];
		for (int i = 0; i < 3; i++) {
			ep = epoll_create1(0);
			watch(ep, pair[0], EPOLLIN | (extra == 0 ? EPOLLEXCLUSIVE : extra == 1 ? 0 : i ? EPOLLEXCLUSIVE : 0), 1);
			if (!(children[i] = fork())) {
				struct epoll_event event;
				char name = '0' + i;
				if (epoll_wait(ep, &event, 1, -1) == 1)
					write(tell[1], &name, 1);
				_exit(0);
			}
			close(ep);
			usleep(20000);
		}
		usleep(20000);
		write(pair[1], "x", 1);
		usleep(30000);
		ioctl(tell[0], FIONREAD, &count);
		char told[4] = "";
		read(tell[0], told, 3);
		printf("%s: %d woken%s\n", extra == 0 ? "all exclusive" : extra == 1 ? "none exclusive" : "one not exclusive", count,
		       count == 1 ? told : "");
		for (int i = 0; i < 3; i++) {
			kill(children[i], SIGKILL);
			waitpid(children[i], NULL, 0);
		}
		close(pair[0]); close(pair[1]); close(tell[0]); close(tell[1]);
	}
	int pair[2], tell[2], count = 0;
	pipe(pair);
	pipe(tell);
	ep = epoll_create1(0);
	watch(ep, pair[0], EPOLLIN, 1);
	pid_t children[3];
	for (int i = 0; i < 3; i++)
		if (!(children[i] = fork())) {
			struct epoll_event event;
			if (epoll_wait(ep, &event, 1, -1) == 1)
				write(tell[1], "x", 1);
			_exit(0);
		}
	usleep(20000);
	write(pair[1], "x", 1);
	usleep(30000);
	ioctl(tell[0], FIONREAD, &count);
	printf("level, one epoll file, three waiters: %s\n", count >= 1 ? "woken" : "NONE woken");
	for (int i = 0; i < 3; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	close(ep);
	ep = epoll_create1(0);
	read(pair[0], buffer, 10);
	read(tell[0], buffer, 10);
	watch(ep, pair[0], EPOLLIN | EPOLLET, 1);
	for (int i = 0; i < 3; i++)
		if (!(children[i] = fork())) {
			struct epoll_event event;
			if (epoll_wait(ep, &event, 1, -1) == 1)
				write(tell[1], "x", 1);
			_exit(0);
		}
	usleep(20000);
	write(pair[1], "x", 1);
	usleep(30000);
	count = 0;
	ioctl(tell[0], FIONREAD, &count);
	printf("edge, one epoll file, three waiters: %d\n", count);
	for (int i = 0; i < 3; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	close(ep); close(pair[0]); close(pair[1]); close(tell[0]); close(tell[1]);
}

static void wakeup(void) {
	puts("-- wakeup");
	int ep = epoll_create1(0), fd = eventfd(1, 0);
	TRY(watch(ep, fd, EPOLLIN | EPOLLWAKEUP | EPOLLET, 1));
	ASK(ep);
	TRY(change(ep, fd, EPOLLIN | EPOLLWAKEUP, 1));
	ASK(ep);
	close(fd);
	fd = eventfd(1, 0);
	TRY(watch(ep, fd, EPOLLIN | 1u << 20 | 1u << 24, 9));
	ASK(ep);
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", ep);
	int info = open(path, O_RDONLY);
	ssize_t size = read(info, buffer, 4096);
	for (char *line = strtok((buffer[size > 0 ? size : 0] = 0, buffer), "\n"); line; line = strtok(NULL, "\n")) {
		char *ino = strstr(line, "ino:"), *mnt = strstr(line, "mnt_id");
		if (mnt == line || !strncmp(line, "ino:", 4))
			continue;
		if (ino)
			*ino = 0;
		char *pos = strstr(line, "pos:");
		printf("   %s\n", line);
		(void)pos;
	}
	close(info);
	close(fd);
	close(ep);
}

static void nested(void) {
	puts("-- nested");
	int a = epoll_create1(0), b = epoll_create1(0), c = epoll_create1(0);
	TRY(watch(a, b, EPOLLIN, 1));
	TRY(watch(b, a, EPOLLIN, 1));
	TRY(watch(b, c, EPOLLIN, 1));
	TRY(watch(c, a, EPOLLIN, 1));
	TRY(watch(c, b, EPOLLIN, 1));
	int d = dup(a);
	TRY(watch(d, a, EPOLLIN, 1));
	TRY(watch(a, d, EPOLLIN, 1));
	close(d);
	close(a); close(b); close(c);
	puts("growing at the top");
	int chain[10];
	for (int i = 0; i < 10; i++)
		chain[i] = epoll_create1(0);
	for (int i = 0; i + 1 < 10; i++)
		TRY(watch(chain[i + 1], chain[i], EPOLLIN, i));
	for (int i = 0; i < 10; i++)
		close(chain[i]);
	puts("growing at the bottom");
	for (int i = 0; i < 10; i++)
		chain[i] = epoll_create1(0);
	for (int i = 0; i + 1 < 10; i++)
		TRY(watch(chain[i], chain[i + 1], EPOLLIN, i));
	for (int i = 0; i < 10; i++)
		close(chain[i]);
	puts("two chains joined");
	for (int i = 0; i < 8; i++)
		chain[i] = epoll_create1(0);
	for (int i = 0; i < 3; i++) {
		TRY(watch(chain[i], chain[i + 1], EPOLLIN, i));
		TRY(watch(chain[i + 4], chain[i + 5], EPOLLIN, i));
	}
	TRY(watch(chain[3], chain[4], EPOLLIN, 0));
	TRY(watch(chain[2], chain[4], EPOLLIN, 0));
	TRY(watch(chain[1], chain[4], EPOLLIN, 0));
	TRY(watch(chain[0], chain[4], EPOLLIN, 0));
	TRY(watch(chain[3], chain[6], EPOLLIN, 0));
	TRY(watch(chain[3], chain[7], EPOLLIN, 0));
	int fd = eventfd(0, 0);
	TRY(watch(chain[7], fd, EPOLLIN, 7));
	TRY(watch(chain[3], fd, EPOLLIN, 3));
	ASK(chain[0]);
	write(fd, &(uint64_t){1}, 8);
	for (int i = 0; i < 8; i++)
		ASK(chain[i]);
	read(fd, buffer, 8);
	for (int i = 0; i < 8; i++)
		ASK(chain[i]);
	struct pollfd poll_it = {chain[0], POLLIN | POLLOUT, 0};
	TRY(poll(&poll_it, 1, 0));
	write(fd, &(uint64_t){1}, 8);
	TRY(poll(&poll_it, 1, 1000));
	TRY(poll_it.revents);
	for (int i = 0; i < 8; i++)
		close(chain[i]);
	puts("deep chain with a pipe at the end");
	int ep[6], pair[2];
	pipe(pair);
	for (int i = 0; i < 6; i++) {
		ep[i] = epoll_create1(0);
		TRY(watch(ep[i], i ? ep[i - 1] : pair[0], EPOLLIN, i));
	}
	if (!fork()) {
		usleep(20000);
		write(pair[1], "x", 1);
		_exit(0);
	}
	struct epoll_event event;
	TRY(epoll_wait(ep[4], &event, 1, 2000));
	TRY(event.data.u32);
	wait(NULL);
	for (int i = 0; i < 6; i++)
		close(ep[i]);
	close(pair[0]); close(pair[1]); close(fd);
}

static void closing(void) {
	puts("-- closing");
	int ep = epoll_create1(0), fd = eventfd(1, 0), copy;
	watch(ep, fd, EPOLLIN, 1);
	copy = dup(fd);
	close(fd);
	ASK(ep);
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL));
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, copy, NULL));
	TRY(watch(ep, copy, EPOLLIN, 2));
	ASK(ep);
	puts("the number is used again");
	int again = eventfd(2, 0);
	FACT(again == fd);
	TRY(watch(ep, again, EPOLLIN, 3));
	ASK(ep);
	puts("same file at the old number");
	TRY(dup2(copy, again));
	ASK(ep);
	TRY(watch(ep, again, EPOLLIN, 4));
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, again, NULL));
	ASK(ep);
	close(again);
	close(copy);
	ASK(ep);
	puts("a child keeps it");
	fd = eventfd(1, 0);
	watch(ep, fd, EPOLLIN, 1);
	int sync[2];
	pipe(sync);
	pid_t child = fork();
	if (!child) {
		char c;
		close(sync[1]);
		read(sync[0], &c, 1);
		_exit(0);
	}
	close(fd);
	ASK(ep);
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL));
	close(sync[1]);
	waitpid(child, NULL, 0);
	ASK(ep);
	puts("a child watches for us");
	fd = eventfd(1, 0);
	child = fork();
	if (!child) {
		watch(ep, fd, EPOLLIN, 6);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	ASK(ep);
	TRY(watch(ep, fd, EPOLLIN, 7));
	close(ep);
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL));
	puts("the epoll file is closed while it is asked");
	close(fd);
	close(sync[0]);
}

static void order(void) {
	puts("-- order");
	int ep = epoll_create1(0), fd[5];
	for (int i = 0; i < 5; i++) {
		fd[i] = eventfd(1, 0);
		watch(ep, fd[i], EPOLLIN, i);
	}
	for (int i = 0; i < 4; i++)
		ask("   two", ep, 2);
	ask("   all", ep, 16);
	puts("one goes and comes back");
	uint64_t value;
	read(fd[2], &value, 8);
	ask("   all", ep, 16);
	write(fd[2], &(uint64_t){1}, 8);
	ask("   all", ep, 16);
	puts("a change moves nothing");
	change(ep, fd[0], EPOLLIN, 0);
	ask("   all", ep, 16);
	puts("with an edge between");
	change(ep, fd[3], EPOLLIN | EPOLLET, 3);
	ask("   three", ep, 3);
	ask("   three", ep, 3);
	ask("   three", ep, 3);
	write(fd[3], &value, 8);
	ask("   three", ep, 3);
	ask("   three", ep, 3);
	puts("with a oneshot");
	change(ep, fd[1], EPOLLIN | EPOLLONESHOT, 1);
	ask("   all", ep, 16);
	ask("   all", ep, 16);
	puts("became ready in another order");
	for (int i = 0; i < 5; i++)
		read(fd[i], &value, 8), change(ep, fd[i], EPOLLIN, i);
	ask("   all", ep, 16);
	for (int i = 4; i >= 0; i--)
		write(fd[i], &(uint64_t){1}, 8);
	ask("   all", ep, 16);
	puts("a bad page in the middle");
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(page + 4096, 4096);
	TRY(epoll_wait(ep, (void *)(page + 4096 - 2 * sizeof(struct epoll_event)), 5, 0));
	TRY(epoll_wait(ep, (void *)(page + 4096 - 2 * sizeof(struct epoll_event) - 4), 5, 0));
	ask("   all", ep, 16);
	TRY(epoll_wait(ep, (void *)(page + 4096 - 4), 5, 0));
	ask("   all", ep, 16);
	for (int i = 0; i < 5; i++)
		close(fd[i]);
	close(ep);
}

static volatile sig_atomic_t handled;

static void handler(int signo) {
	handled = signo;
}

static void masks(void) {
	puts("-- masks and signals");
	int ep = epoll_create1(0), fd = eventfd(0, 0);
	struct epoll_event event;
	watch(ep, fd, EPOLLIN, 1);
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	sigset_t block, none, now;
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	raise(SIGUSR1);
	TRY(epoll_pwait(ep, &event, 1, 0, NULL));
	TRY(handled);
	TRY(epoll_pwait(ep, &event, 1, 0, &none));
	TRY(handled);
	handled = 0;
	raise(SIGUSR1);
	TRY(epoll_pwait(ep, &event, 1, 10, &none));
	TRY(handled);
	handled = 0;
	raise(SIGUSR1);
	write(fd, &(uint64_t){1}, 8);
	TRY(epoll_pwait(ep, &event, 1, 10, &none));
	TRY(handled);
	handled = 0;
	TRY(epoll_pwait(ep, &event, 1, 10, &none));
	TRY(handled);
	sigprocmask(SIG_SETMASK, NULL, &now);
	TRY(sigismember(&now, SIGUSR1));
	read(fd, buffer, 8);
	struct itimerspec soon = {.it_value.tv_nsec = 20000000};
	timer_t timer;
	timer_create(CLOCK_MONOTONIC, NULL, &timer);
	timer_settime(timer, 0, &soon, NULL);
	TRY(epoll_wait(ep, &event, 1, -1));
	TRY(handled == SIGALRM);
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	TRY(epoll_wait(ep, &event, 1, 30));
	clock_gettime(CLOCK_MONOTONIC, &after);
	FACT((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec >= 30000000);
	clock_gettime(CLOCK_MONOTONIC, &before);
	TRY(syscall(441, ep, &event, 1, ((long long[]){0, 1500000}), NULL, 0));
	clock_gettime(CLOCK_MONOTONIC, &after);
	FACT((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec >= 1500000);
	puts("SIGSTOP and SIGCONT interrupt it");
	int tell[2];
	pipe(tell);
	pid_t child = fork();
	if (!child) {
		int result = epoll_wait(ep, &event, 1, 300);
		printf("   %d %s\n", result, result < 0 ? error_name(errno) : "");
		fflush(stdout);
		_exit(0);
	}
	usleep(20000);
	kill(child, SIGSTOP);
	waitpid(child, NULL, WUNTRACED);
	kill(child, SIGCONT);
	waitpid(child, NULL, 0);
	puts("ignored signals do not");
	signal(SIGUSR2, SIG_IGN);
	child = fork();
	if (!child) {
		usleep(20000);
		kill(getppid(), SIGUSR2);
		_exit(0);
	}
	signal(SIGCHLD, SIG_DFL);
	TRY(epoll_wait(ep, &event, 1, 100));
	waitpid(child, NULL, 0);
	close(fd);
	close(ep);
}

int main(void) {
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	arguments();
	kinds();
	edges();
	oneshot();
	exclusive();
	wakeup();
	nested();
	closing();
	order();
	masks();
	return 0;
}
