/* poll(2), ppoll(2), select(2), pselect(2): what every kind of file says, timeouts, masks, restarts and limits. */
#include "show.h"
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

static char buffer[1 << 17];

static const struct { unsigned bit; const char *name; } bits[] = {
	{POLLIN, "IN"}, {POLLPRI, "PRI"}, {POLLOUT, "OUT"}, {POLLERR, "ERR"}, {POLLHUP, "HUP"}, {POLLNVAL, "NVAL"},
	{POLLRDNORM, "RDNORM"}, {POLLRDBAND, "RDBAND"}, {POLLWRNORM, "WRNORM"}, {POLLWRBAND, "WRBAND"},
	{POLLMSG, "MSG"}, {0x2000, "RDHUP"},
};

static void show(const char *what, int fd) {
	struct pollfd it = {fd, 0x7fff, 0x5a5a};
	int result = poll(&it, 1, 0);
	printf("%s: %d", what, result);
	for (unsigned i = 0; i < sizeof bits / sizeof *bits; i++)
		if (it.revents & bits[i].bit)
			printf(" %s", bits[i].name);
	struct pollfd none = {fd, 0, 0x5a5a};
	poll(&none, 1, 0);
	printf(" (%#x)", none.revents);
	if (fd >= 0 && fd < FD_SETSIZE) {
		fd_set sets[3];
		for (int i = 0; i < 3; i++) {
			FD_ZERO(&sets[i]);
			FD_SET(fd, &sets[i]);
		}
		struct timeval now = {0, 0};
		result = select(fd + 1, &sets[0], &sets[1], &sets[2], &now);
		printf(" select %d%s", result, result < 0 ? error_name(errno) : "");
		for (int i = 0; i < 3 && result >= 0; i++)
			if (FD_ISSET(fd, &sets[i]))
				printf(" %c", "rwx"[i]);
	}
	puts("");
}

static void kinds(void) {
	int pair[2], fd;
	puts("-- plain files");
	put_file("regular", "text");
	fd = open("regular", O_RDONLY); show("regular for reading", fd); close(fd);
	fd = open("regular", O_WRONLY); show("regular for writing", fd); close(fd);
	fd = open("regular", O_PATH); show("O_PATH", fd); close(fd);
	show("closed", fd);
	show("-1", -1);
	show("-5", -5);
	show("999", 999);
	fd = open(".", O_RDONLY); show("directory", fd); close(fd);
	fd = memfd_create("m", 0); show("memfd", fd); close(fd);
	static const char *paths[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/ptmx",
		"/proc/self/stat", "/proc/mounts", "/proc/self/mountinfo", "/proc/sys/kernel/hostname", "/proc/version", "/proc/self/mem"};
	for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
		fd = open(paths[i], O_RDWR);
		if (fd < 0)
			fd = open(paths[i], O_RDONLY);
		show(paths[i], fd);
		close(fd);
	}
	puts("-- pipes");
	pipe2(pair, O_NONBLOCK);
	show("empty, read end", pair[0]); show("empty, write end", pair[1]);
	write(pair[1], "x", 1);
	show("one byte, read end", pair[0]); show("one byte, write end", pair[1]);
	while (write(pair[1], buffer, 4096) > 0);
	show("full, read end", pair[0]); show("full, write end", pair[1]);
	read(pair[0], buffer, 4096);
	show("less a page, write end", pair[1]);
	read(pair[0], buffer, 1);
	show("less a page and a byte, write end", pair[1]);
	close(pair[1]);
	show("data, no writer", pair[0]);
	while (read(pair[0], buffer, sizeof buffer) > 0);
	show("no data, no writer", pair[0]);
	close(pair[0]);
	pipe2(pair, O_NONBLOCK);
	close(pair[0]);
	show("no reader", pair[1]);
	close(pair[1]);
	pipe2(pair, O_NONBLOCK);
	while (write(pair[1], buffer, 4096) > 0);
	close(pair[0]);
	show("full, no reader", pair[1]);
	close(pair[1]);
	puts("-- FIFO");
	mkfifo("fifo", 0600);
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	show("reader before any writer", fd);
	int writer = open("fifo", O_WRONLY | O_NONBLOCK);
	show("reader with a writer", fd); show("writer", writer);
	close(writer);
	show("reader after the writer", fd);
	writer = open("fifo", O_RDWR);
	show("reader, other is O_RDWR", fd); show("O_RDWR", writer);
	write(writer, "x", 1);
	show("O_RDWR with data", writer);
	close(fd);
	close(writer);
	fd = open("fifo", O_RDWR); show("alone O_RDWR", fd); close(fd);
	puts("-- sockets");
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	show("stream", pair[0]);
	write(pair[1], "x", 1); show("stream with data", pair[0]);
	while (write(pair[0], buffer, 4096) > 0);
	show("stream, sent all it may", pair[0]);
	shutdown(pair[0], SHUT_WR); show("shut for writing", pair[0]); show("its peer", pair[1]);
	shutdown(pair[0], SHUT_RD); show("shut for both", pair[0]); show("its peer", pair[1]);
	close(pair[1]); show("peer is closed with unread data", pair[0]);
	read(pair[0], buffer, 10);
	show("after the error was read", pair[0]);
	close(pair[0]);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	close(pair[1]); show("peer is closed", pair[0]);
	close(pair[0]);
	socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair);
	show("datagram", pair[0]);
	while (write(pair[0], buffer, 10) > 0);
	show("datagram, receiver full", pair[0]); show("the receiver", pair[1]);
	close(pair[1]); show("datagram, receiver gone", pair[0]);
	close(pair[0]);
	socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair);
	show("packet", pair[0]);
	shutdown(pair[1], SHUT_RDWR);
	show("packet, peer shut down", pair[0]);
	close(pair[1]);
	show("packet, peer gone", pair[0]);
	close(pair[0]);
	fd = socket(AF_UNIX, SOCK_STREAM, 0); show("new stream", fd);
	struct sockaddr_un name = {AF_UNIX, "\0polling"};
	bind(fd, (void *)&name, 10); listen(fd, 3); show("listening", fd);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(client, (void *)&name, 10);
	show("listening, one comes", fd); show("the client", client);
	shutdown(fd, SHUT_RDWR); show("listening, shut down", fd);
	close(fd); show("the client, listener gone", client);
	close(client);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0); show("new datagram", fd); shutdown(fd, SHUT_RD); show("shut for reading", fd); close(fd);
	puts("-- counters and timers");
	fd = eventfd(0, EFD_NONBLOCK); show("eventfd 0", fd);
	uint64_t value = 1;
	write(fd, &value, 8); show("eventfd 1", fd);
	value = -3; write(fd, &value, 8); show("eventfd at its top", fd);
	close(fd);
	fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK); show("timerfd", fd);
	timerfd_settime(fd, 0, &(struct itimerspec){.it_value.tv_nsec = 1}, NULL);
	usleep(1000); show("timerfd expired", fd);
	read(fd, &value, 8); show("timerfd read", fd);
	close(fd);
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	fd = signalfd(-1, &mask, SFD_NONBLOCK); show("signalfd", fd);
	raise(SIGUSR1); show("signalfd pending", fd);
	read(fd, buffer, 128); show("signalfd read", fd);
	close(fd);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	fd = inotify_init1(IN_NONBLOCK); show("inotify", fd);
	inotify_add_watch(fd, ".", IN_CREATE);
	put_file("new", ""); show("inotify with an event", fd);
	close(fd);
	fd = epoll_create1(0); show("epoll", fd);
	int event = eventfd(1, 0);
	epoll_ctl(fd, EPOLL_CTL_ADD, event, &(struct epoll_event){.events = EPOLLIN}); show("epoll with a ready file", fd);
	epoll_ctl(fd, EPOLL_CTL_MOD, event, &(struct epoll_event){.events = EPOLLPRI}); show("epoll with another interest", fd);
	close(event);
	close(fd);
	pipe(pair);
	pid_t child = fork();
	if (!child) {
		char c;
		close(pair[1]);
		read(pair[0], &c, 1);
		_exit(0);
	}
	fd = syscall(434, child, 0);
	show("pidfd of a living process", fd);
	close(pair[1]);
	siginfo_t info;
	waitid(P_PID, child, &info, WEXITED | WNOWAIT);
	show("pidfd of a zombie", fd);
	waitpid(child, NULL, 0);
	close(fd);
	puts("-- terminals");
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	show("master, never opened slave", master);
	grantpt(master); unlockpt(master);
	int number;
	ioctl(master, TIOCGPTN, &number);
	char path[32];
	snprintf(path, sizeof path, "/dev/pts/%d", number);
	int slave = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
	show("master", master); show("slave", slave);
	write(master, "abc", 3); show("slave, half a line", slave); show("master, the echo", master);
	write(master, "\n", 1); show("slave, a line", slave);
	read(slave, buffer, 2); show("slave, rest of a line", slave);
	read(slave, buffer, 20); read(master, buffer, 100);
	struct termios modes;
	tcgetattr(slave, &modes);
	modes.c_lflag &= ~(ICANON | ECHO);
	modes.c_cc[VMIN] = 3; modes.c_cc[VTIME] = 0;
	tcsetattr(slave, TCSANOW, &modes);
	write(master, "ab", 2); show("raw, VMIN 3, two bytes", slave);
	write(master, "c", 1); show("raw, VMIN 3, three bytes", slave);
	read(slave, buffer, 100);
	modes.c_cc[VMIN] = 0; modes.c_cc[VTIME] = 5;
	tcsetattr(slave, TCSANOW, &modes); show("raw, VMIN 0", slave);
	write(master, "a", 1); show("raw, VMIN 0, a byte", slave);
	modes.c_cc[VMIN] = 3; modes.c_cc[VTIME] = 5;
	tcsetattr(slave, TCSANOW, &modes); show("raw, VMIN 3 VTIME 5, a byte", slave);
	ioctl(master, TIOCPKT, &(int){1});
	tcflush(slave, TCIFLUSH); show("packet mode, a control byte", master);
	read(master, buffer, 100); show("packet mode, read", master);
	write(slave, "x", 1); show("packet mode, data", master);
	read(master, buffer, 100);
	close(slave); show("master, slave closed", master);
	slave = open(path, O_RDWR | O_NOCTTY); show("master, slave opened again", master);
	close(master); show("slave, master closed", slave);
	close(slave);
}

static volatile sig_atomic_t handled;
static void handler(int signo) { handled += signo; }

static long long elapsed_ns(const struct timespec *since) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000000000LL + now.tv_nsec - since->tv_nsec;
}


struct old_timespec { long sec, nsec; };

static fd_set *only(fd_set *set, int fd) {
	FD_ZERO(set);
	FD_SET(fd, set);
	return set;
}

static void timeouts(void) {
	puts("-- timeouts");
	int pair[2];
	pipe(pair);
	struct pollfd fds[3] = {{pair[0], POLLIN, 7}, {-1, POLLIN, 7}, {pair[1], POLLOUT, 7}};
	struct timespec start;
	clock_gettime(CLOCK_MONOTONIC, &start);
	TRY(poll(fds, 2, 20));
	FACT(elapsed_ns(&start) >= 20000000);
	TRY(fds[0].revents);
	TRY(fds[1].revents);
	TRY(poll(NULL, 0, 5));
	TRY(poll(fds, 3, -1));
	TRY(poll(fds, 3, -100));
	TRY(poll(NULL, 1, 0));
	TRY(poll((void *)16, 2, 0));
	TRY(poll((void *)16, 0, 0));
	struct old_timespec left = {0, 20000000};
	TRY(syscall(SYS_ppoll, fds, 1, &left, NULL, 8));
	printf("   left %ld %ld\n", left.sec, left.nsec);
	left = (struct old_timespec){1000, 5};
	TRY(syscall(SYS_ppoll, fds, 3, &left, NULL, 8));
	FACT(left.sec == 999 && left.nsec > 0);
	left = (struct old_timespec){0, 0};
	TRY(syscall(SYS_ppoll, fds, 1, &left, NULL, 8));
	left = (struct old_timespec){0, 1000000000};
	TRY(syscall(SYS_ppoll, fds, 1, &left, NULL, 8));
	left = (struct old_timespec){-1, 0};
	TRY(syscall(SYS_ppoll, fds, 1, &left, NULL, 8));
	left = (struct old_timespec){0, -1};
	TRY(syscall(SYS_ppoll, fds, 1, &left, NULL, 8));
	TRY(syscall(SYS_ppoll, fds, 3, NULL, NULL, 0));
	sigset_t none;
	sigemptyset(&none);
	TRY(syscall(SYS_ppoll, fds, 3, NULL, &none, 4));
	TRY(syscall(SYS_ppoll, fds, 3, NULL, (void *)16, 8));
	TRY(syscall(SYS_ppoll, fds, 3, (void *)16, &none, 4));
	left = (struct old_timespec){0, 1000000000};
	TRY(syscall(SYS_ppoll, fds, 3, &left, &none, 4));
	const struct old_timespec *constant = (void *)"\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	TRY(syscall(SYS_ppoll, fds, 3, constant, NULL, 0));
	TRY(syscall(SYS_ppoll, fds, 1000000, &left, NULL, 8));
	fd_set set, other;
#define SETS(fd) only(&set, fd)
	left = (struct old_timespec){0, 20000000};
	TRY(syscall(SYS_pselect6, 20, SETS(pair[0]), NULL, NULL, &left, NULL));
	printf("   left %ld %ld, set %d\n", left.sec, left.nsec, !!FD_ISSET(pair[0], &set));
	left = (struct old_timespec){1000, 5};
	TRY(syscall(SYS_pselect6, 20, NULL, SETS(pair[1]), NULL, &left, NULL));
	FACT(left.sec == 999);
	left = (struct old_timespec){0, 1000000000};
	TRY(syscall(SYS_pselect6, 20, NULL, SETS(pair[1]), NULL, &left, NULL));
	left = (struct old_timespec){-1, 0};
	TRY(syscall(SYS_pselect6, -1, NULL, NULL, NULL, &left, NULL));
	TRY(syscall(SYS_pselect6, -1, NULL, NULL, NULL, NULL, NULL));
	struct { const sigset_t *mask; size_t size; } six = {&none, 8};
	TRY(syscall(SYS_pselect6, 20, NULL, SETS(pair[1]), NULL, NULL, &six));
	six.size = 4;
	TRY(syscall(SYS_pselect6, 20, NULL, SETS(pair[1]), NULL, NULL, &six));
	six.mask = NULL;
	TRY(syscall(SYS_pselect6, 20, NULL, SETS(pair[1]), NULL, NULL, &six));
	six.mask = (void *)16;
	six.size = 8;
	TRY(syscall(SYS_pselect6, 20, NULL, SETS(pair[1]), NULL, NULL, &six));
	TRY(syscall(SYS_pselect6, 20, NULL, SETS(pair[1]), NULL, NULL, (void *)16));
	TRY(syscall(SYS_pselect6, 20, NULL, SETS(pair[1]), NULL, (void *)16, (void *)16));
	TRY(syscall(SYS_pselect6, 20, (void *)16, NULL, NULL, NULL, NULL));
	TRY(syscall(SYS_pselect6, 0, (void *)16, NULL, NULL, (&(struct old_timespec){0, 0}), NULL));
	struct timeval tv = {0, 20000};
	TRY(select(20, SETS(pair[0]), NULL, NULL, &tv));
	tv = (struct timeval){1000, 5};
	TRY(select(20, NULL, SETS(pair[1]), NULL, &tv));
	TRY(select(20, NULL, SETS(pair[1]), NULL, &tv));
	TRY(select(-1, NULL, SETS(pair[1]), NULL, NULL));
#ifdef SYS__newselect
	struct { long sec, usec; } tv2 = {0, 20000};
#define SELECT SYS__newselect
#elif defined SYS_select
	struct { long sec, usec; } tv2 = {0, 20000};
#define SELECT SYS_select
#endif
#ifdef SELECT
	if (syscall(SELECT, 20, SETS(pair[0]), NULL, NULL, &tv2) || tv2.sec || tv2.usec) puts("left?");
	tv2.sec = 1000, tv2.usec = 5;
	if (syscall(SELECT, 20, NULL, SETS(pair[1]), NULL, &tv2) != 1 || tv2.sec > 1000 || tv2.sec < 999) puts("left 1000?");
	tv2.sec = 0, tv2.usec = 1000000;
	if (syscall(SELECT, 20, NULL, SETS(pair[1]), NULL, &tv2) != 1 || tv2.sec > 1) puts("left 1?");
	tv2.sec = -1, tv2.usec = 0;
	if (syscall(SELECT, 20, NULL, SETS(pair[1]), NULL, &tv2) != -1 || errno != EINVAL) puts("-1?");
	tv2.sec = 0, tv2.usec = -1;
	if (syscall(SELECT, 20, NULL, SETS(pair[1]), NULL, &tv2) != -1 || errno != EINVAL) puts("-1 us?");
	if (syscall(SELECT, 20, NULL, SETS(pair[1]), NULL, (void *)16) != -1 || errno != EFAULT) puts("16?");
#endif
#ifdef __i386__
	struct { unsigned long n; fd_set *in, *out, *exp; void *tv; } five = {20, NULL, SETS(pair[1]), NULL, &tv2};
	tv2.sec = 5, tv2.usec = 0;
	if (syscall(82, &five) != 1 || !FD_ISSET(pair[1], &set) || tv2.sec > 5) puts("old_select?");
	if (syscall(82, 16) != -1 || errno != EFAULT) puts("old_select fault?");
	five.n = -1;
	if (syscall(82, &five) != -1 || errno != EINVAL) puts("old_select -1?");
	struct { long long sec, nsec; } ts64 = {5, 0}, bad64 = {0, 1000000000};
	if (syscall(413, 20, NULL, SETS(pair[1]), NULL, &ts64, NULL) != 1 || ts64.sec != 4) puts("pselect6_time64?");
	if (syscall(413, 20, NULL, SETS(pair[1]), NULL, &bad64, NULL) != -1 || errno != EINVAL) puts("pselect6_time64 bad?");
	ts64.sec = 5, ts64.nsec = 0;
	if (syscall(414, fds, 3, &ts64, NULL, 0) != 1 || ts64.sec != 4) puts("ppoll_time64?");
	if (syscall(414, fds, 3, &bad64, NULL, 0) != -1 || errno != EINVAL) puts("ppoll_time64 bad?");
#endif
	puts("-- sets");
	fflush(stdout);
	if (fork()) {
		wait(NULL);
	} else {
		/* how far a table reaches that was copied */
		struct timeval soon = {0, 0};
		printf("copied: %d\n", select(64, SETS(63), NULL, NULL, &soon));
		printf("copied: %d\n", select(65, SETS(64), NULL, NULL, &soon));
		dup2(pair[0], 64);
		printf("64 taken: %d\n", select(128, SETS(127), NULL, NULL, &soon));
		printf("64 taken: %d\n", select(129, SETS(128), NULL, NULL, &soon));
		dup2(pair[0], 500);
		printf("500 taken: %d\n", select(512, SETS(511), NULL, NULL, &soon));
		printf("500 taken: %d\n", select(513, SETS(512), NULL, NULL, &soon));
		close(500);
		printf("500 closed: %d\n", select(512, SETS(511), NULL, NULL, &soon));
		fflush(stdout);
		if (!fork()) {
			printf("in a child: %d\n", select(128, SETS(127), NULL, NULL, &soon));
			printf("in a child: %d\n", select(129, SETS(128), NULL, NULL, &soon));
			fflush(stdout);
			_exit(0);
		}
		wait(NULL);
		_exit(0);
	}
	struct timeval zero = {0, 0};
	close(dup2(pair[0], 700));
	TRY(select(701, SETS(700), NULL, NULL, &zero));
	TRY(select(700, SETS(700), NULL, NULL, &zero));
	FACT(FD_ISSET(700, &set));
	TRY(select(1024, SETS(pair[0]), NULL, NULL, &zero));
	FD_ZERO(&set);
	FD_ZERO(&other);
	for (int i = 0; i < FD_SETSIZE; i++)
		FD_SET(i, &set);
	TRY(select(FD_SETSIZE, &set, NULL, NULL, &zero));
	memset(&set, 0xff, sizeof set);
	TRY(select(0, &set, &set, &set, &zero));
	TRY(FD_ISSET(0, &set) != 0);
	unsigned long words[64];
	memset(words, 0, sizeof words);
	TRY(dup2(pair[1], 1000));
	TRY(dup2(pair[1], 64));
	words[1000 / (8 * sizeof(long))] |= 1ul << 1000 % (8 * sizeof(long));
	TRY(select(1001, NULL, (void *)words, NULL, &zero));
	TRY(words[1000 / (8 * sizeof(long))] >> 1000 % (8 * sizeof(long)) & 1);
	words[64 / (8 * sizeof(long))] |= 1ul << 64 % (8 * sizeof(long)) | 2ul << 64 % (8 * sizeof(long));
	TRY(select(65, NULL, (void *)words, NULL, &zero));
	TRY(words[64 / (8 * sizeof(long))] >> 64 % (8 * sizeof(long)) & 3);
	close(1000);
	close(64);
	memset(words, 0, sizeof words);
	words[40] = 1;
	TRY(select(0x7fffffff, (void *)words, NULL, NULL, &zero) <= 0);
	words[0] = -1;
	TRY(select(-2, (void *)words, NULL, NULL, &zero));
	FD_ZERO(&set);
	FD_SET(pair[1], &set);
	write(pair[1], "x", 1);
	other = set;
	FD_SET(pair[0], &other);
	TRY(select(20, &other, &set, NULL, &zero));
	fd_set third;
	FD_ZERO(&third);
	FD_SET(pair[0], &third);
	TRY(select(20, &other, &set, &third, &zero));
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(page, 4096, PROT_READ);
	TRY(select(20, (void *)(page + 4096 - 8), NULL, NULL, &zero));
	TRY(select(200, (void *)(page + 4096 - 8), NULL, NULL, &zero));
	struct pollfd *edge = (void *)(page + 4096 - 8);
	TRY(poll(edge, 1, 0));
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
	edge[0] = edge[1] = (struct pollfd){pair[0], POLLIN, 9};
	mprotect(page + 4096, 4096, PROT_READ);
	TRY(poll(edge, 2, 0));
	TRY(edge[0].revents);
	TRY(edge[1].revents);
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = 2;
	setrlimit(RLIMIT_NOFILE, &limit);
	struct pollfd many[3] = {{0, 0, 0}, {pair[1], POLLOUT, 0}, {-1, 0, 0}};
	TRY(poll(many, 2, 0));
	TRY(poll(many, 3, 0));
	TRY(select(20, &other, &set, &third, &zero));
	limit.rlim_cur = before;
	setrlimit(RLIMIT_NOFILE, &limit);
	close(pair[0]); close(pair[1]);
}

static void alarm_in(int milliseconds) {
	setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, milliseconds * 1000}}, NULL);
}

static void interruptions(void) {
	puts("-- interruptions");
	int pair[2];
	pipe(pair);
	struct pollfd it = {pair[0], POLLIN, 0};
	fd_set set;
	for (int restart = 0; restart < 2; restart++) {
		struct sigaction action = {.sa_handler = handler, .sa_flags = restart ? SA_RESTART : 0};
		sigaction(SIGALRM, &action, NULL);
		printf("SA_RESTART: %d\n", restart);
		alarm_in(10);
		TRY(poll(&it, 1, 50));
		alarm_in(10);
		TRY(ppoll(&it, 1, &(struct timespec){0, 50000000}, NULL));
		alarm_in(10);
		struct timeval tv = {0, 50000};
		FD_ZERO(&set); FD_SET(pair[0], &set);
		TRY(select(20, &set, NULL, NULL, &tv));
		TRY(FD_ISSET(pair[0], &set) != 0);
		alarm_in(10);
		TRY(pselect(20, &set, NULL, NULL, &(struct timespec){0, 50000000}, NULL));
		alarm_in(10);
		TRY(pselect(20, &set, NULL, NULL, NULL, NULL));
	}
	puts("a stop in between");
	fflush(stdout);
	static const char *const names[] = {"poll", "select", "ppoll", "pselect"};
	for (int kind = 0; kind < 4; kind++) {
		pid_t child = fork();
		if (!child) {
			struct timespec start;
			clock_gettime(CLOCK_MONOTONIC, &start);
			FD_ZERO(&set); FD_SET(pair[0], &set);
			struct timeval tv = {0, 60000};
			struct timespec ts = {0, 60000000};
			int result = kind == 0 ? poll(&it, 1, 60) : kind == 1 ? select(20, &set, NULL, NULL, &tv)
			           : kind == 2 ? ppoll(&it, 1, &ts, NULL) : pselect(20, &set, NULL, NULL, &ts, NULL);
			printf("   %s: %d %s%s\n", names[kind], result, result < 0 ? error_name(errno) : "",
			       elapsed_ns(&start) >= 60000000 ? ", all the time" : ", too early");
			fflush(stdout);
			_exit(0);
		}
		usleep(15000);
		kill(child, SIGSTOP);
		waitpid(child, NULL, WUNTRACED);
		kill(child, SIGCONT);
		waitpid(child, NULL, 0);
	}
	puts("masks");
	sigset_t block, none, now;
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, NULL);
	handled = 0;
	raise(SIGALRM);
	TRY(ppoll(&it, 1, &(struct timespec){0, 0}, NULL));
	TRY(handled);
	TRY(ppoll(&it, 1, &(struct timespec){0, 0}, &none));
	TRY(handled);
	handled = 0;
	raise(SIGALRM);
	TRY(ppoll(&it, 1, NULL, &none));
	TRY(handled);
	raise(SIGALRM);
	handled = 0;
	write(pair[1], "x", 1);
	TRY(ppoll(&it, 1, NULL, &none));
	TRY(handled);
	read(pair[0], buffer, 1);
	sigprocmask(SIG_SETMASK, NULL, &now);
	TRY(sigismember(&now, SIGALRM));
	TRY(pselect(0, NULL, NULL, NULL, NULL, &none));
	TRY(handled);
	puts("ignored signals do not end it");
	signal(SIGUSR2, SIG_IGN);
	pid_t child = fork();
	if (!child) {
		usleep(5000);
		kill(getppid(), SIGUSR2);
		_exit(0);
	}
	TRY(poll(&it, 1, 40));
	waitpid(child, NULL, 0);
	puts("closed by another while it waits");
	child = fork();
	if (!child) {
		usleep(10000);
		write(pair[1], "x", 1);
		_exit(0);
	}
	TRY(poll(&it, 1, 1000));
	TRY(it.revents);
	waitpid(child, NULL, 0);
	close(pair[0]); close(pair[1]);
}

int main(void) {
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	kinds();
	timeouts();
	interruptions();
	return 0;
}
