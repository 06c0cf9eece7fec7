/* unix(7): streams, datagrams and packets; what travels beside the data; options, flags and errors. */
#pragma GCC diagnostic ignored "-Wsign-compare" // CMSG_NXTHDR of the C library
#include "show.h"
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#undef TRY
static long long told(const char *text, long long value) {
	if (value == -1) {
		const char *name = errno == ECONNREFUSED ? "ECONNREFUSED" : errno == EADDRINUSE ? "EADDRINUSE" : errno == EISCONN ? "EISCONN"
			: errno == ENOTCONN ? "ENOTCONN" : errno == EDESTADDRREQ ? "EDESTADDRREQ" : errno == EMSGSIZE ? "EMSGSIZE"
			: errno == EPROTOTYPE ? "EPROTOTYPE" : errno == ENOPROTOOPT ? "ENOPROTOOPT" : errno == EAFNOSUPPORT ? "EAFNOSUPPORT"
			: errno == ESOCKTNOSUPPORT ? "ESOCKTNOSUPPORT" : errno == EPROTONOSUPPORT ? "EPROTONOSUPPORT"
			: errno == ECONNRESET ? "ECONNRESET" : errno == ETOOMANYREFS ? "ETOOMANYREFS" : errno == EINPROGRESS ? "EINPROGRESS"
			: errno == EADDRNOTAVAIL ? "EADDRNOTAVAIL" : errno == EALREADY ? "EALREADY" : errno == ENOBUFS ? "ENOBUFS" : error_name(errno);
		printf("%s = -1 %s\n", text, name);
	} else
		printf("%s = %lld\n", text, value);
	return value;
}
#define TRY(call) told(#call, (long long)(call))

static char buffer[300000];
static int pair[2];

static socklen_t name_of(struct sockaddr_un *address, const char *name, int abstract) {
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path + !!abstract, name);
	return offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1;
}

static void show_name(const char *what, int fd, int (*get)(int, struct sockaddr *, socklen_t *)) {
	struct sockaddr_un address;
	socklen_t size = sizeof address;
	memset(&address, 0x55, sizeof address);
	int result = get(fd, (void *)&address, &size);
	printf("%s: ", what);
	if (result)
		printf("%s\n", errno == ENOTCONN ? "ENOTCONN" : error_name(errno));
	else if (size <= 2)
		printf("size %d family %d\n", (int)size, address.sun_family);
	else
		printf("size %d %s%.*s\n", (int)size, address.sun_path[0] ? "" : "@", (int)size - 2 - !address.sun_path[0],
		       address.sun_path + !address.sun_path[0]);
}

static void creation(void) {
	puts("-- creation");
	TRY(socket(AF_UNIX, 0, 0));
	TRY(socket(AF_UNIX, 77, 0));
	TRY(socket(AF_UNIX, SOCK_RDM, 0));
	TRY(socket(AF_UNIX, SOCK_STREAM, 2));
	TRY(socket(99, SOCK_STREAM, 0));
	TRY(socket(-1, SOCK_STREAM, 0));
	TRY(socket(AF_UNIX, SOCK_STREAM | 0x10, 0));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, (void *)16));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 7, pair));
	int fd = socket(AF_UNIX, SOCK_RAW, PF_UNIX), type;
	socklen_t size = sizeof type;
	TRY(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size));
	TRY(type == SOCK_DGRAM);
	TRY(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &type, &size));
	TRY(type);
	TRY(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &type, &size));
	TRY(type);
	close(fd);
}

static void names(void) {
	puts("-- names");
	struct sockaddr_un a;
	socklen_t size = name_of(&a, "abs", 1);
	int one = socket(AF_UNIX, SOCK_STREAM, 0), two = socket(AF_UNIX, SOCK_STREAM, 0);
	show_name("unbound", one, getsockname);
	show_name("unbound", one, getpeername);
	TRY(bind(one, (void *)&a, 1));
	TRY(bind(one, (void *)&a, 200));
	TRY(bind(one, (void *)16, 5));
	a.sun_family = AF_INET;
	TRY(bind(one, (void *)&a, size));
	a.sun_family = AF_UNIX;
	TRY(bind(0, (void *)&a, size));
	TRY(bind(-1, (void *)&a, size));
	TRY(bind(one, (void *)&a, size));
	TRY(bind(one, (void *)&a, size));
	TRY(bind(two, (void *)&a, size));
	show_name("abstract", one, getsockname);
	TRY(bind(two, (void *)&a, size + 1));
	show_name("abstract, longer", two, getsockname);
	close(two);
	two = socket(AF_UNIX, SOCK_STREAM, 0);
	size = name_of(&a, "path", 0);
	TRY(bind(two, (void *)&a, size));
	show_name("path", two, getsockname);
	struct stat st;
	TRY(stat("path", &st));
	printf("   %o\n", st.st_mode);
	TRY(open("path", O_RDWR));
	int three = socket(AF_UNIX, SOCK_STREAM, 0);
	TRY(bind(three, (void *)&a, size));
	TRY(connect(three, (void *)&a, size));
	TRY(listen(three, 1));
	TRY(listen(two, 1));
	TRY(connect(three, (void *)&a, size - 1));
	show_name("peer", three, getpeername);
	show_name("own", three, getsockname);
	TRY(connect(three, (void *)&a, size));
	TRY(unlink("path"));
	TRY(connect(one, (void *)&a, size));
	put_file("plain", "x");
	size = name_of(&a, "plain", 0);
	TRY(connect(one, (void *)&a, size));
	size = name_of(&a, "none/x", 0);
	TRY(bind(one, (void *)&a, size));
	close(one); close(two); close(three);
	one = socket(AF_UNIX, SOCK_DGRAM, 0);
	TRY(bind(one, (void *)&a, 2));
	struct sockaddr_un got;
	size = sizeof got;
	TRY(getsockname(one, (void *)&got, &size));
	TRY(size);
	TRY(got.sun_path[0]);
	size = 4;
	TRY(getsockname(one, (void *)&got, &size));
	TRY(size);
	size = -1;
	TRY(getsockname(one, (void *)&got, &size));
	TRY(getsockname(one, (void *)&got, NULL));
	TRY(getsockname(0, (void *)&got, &size));
	size = 110;
	TRY(getsockname(one, NULL, &size));
	close(one);
	puts("a long path");
	one = socket(AF_UNIX, SOCK_STREAM, 0);
	memset(&a, 'a', sizeof a);
	a.sun_family = AF_UNIX;
	TRY(bind(one, (void *)&a, sizeof a));
	size = 120;
	char wide[128];
	TRY(getsockname(one, (void *)wide, &size));
	TRY(size);
	close(one);
}

static void streams(void) {
	puts("-- streams");
	struct sockaddr_un a;
	socklen_t size = name_of(&a, "stream", 1);
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), value;
	TRY(accept(server, NULL, NULL));
	TRY(listen(server, 1));
	TRY(connect(client, (void *)&a, size));
	bind(server, (void *)&a, size);
	TRY(connect(client, (void *)&a, size));
	TRY(listen(server, 1));
	TRY(accept(server, NULL, NULL));
	socklen_t len = sizeof value;
	TRY(getsockopt(server, SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
	TRY(value);
	TRY(connect(client, (void *)&a, size));
	TRY(connect(client, (void *)&a, size));
	int more[3];
	for (int i = 0; i < 3; i++) {
		more[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		TRY(connect(more[i], (void *)&a, size));
	}
	TRY(write(client, "early", 5));
	TRY(accept4(server, NULL, NULL, 1));
	struct sockaddr_un peer;
	len = sizeof peer;
	int served = accept4(server, (void *)&peer, &len, SOCK_CLOEXEC);
	TRY(len);
	TRY(fcntl(served, F_GETFD));
	TRY(fcntl(served, F_GETFL) & O_NONBLOCK);
	TRY(read(served, buffer, 10));
	show_name("served", served, getsockname);
	show_name("served's peer", served, getpeername);
	TRY(connect(more[2], (void *)&a, size));
	TRY(connect(server, (void *)&a, size));
	TRY(write(server, "x", 1));
	TRY(read(server, buffer, 1));
	TRY(recv(client, buffer, 1, 0));
	TRY(sendto(client, "x", 1, 0, (void *)&a, size));
	TRY(sendto(more[2], "x", 1, 0, (void *)&a, size));
	TRY(close(server));
	TRY(read(more[1], buffer, 1));
	TRY(write(more[0], "x", 1));
	TRY(read(more[0], buffer, 1));
	TRY(write(client, "still", 5));
	TRY(shutdown(client, 7));
	TRY(shutdown(client, SHUT_WR));
	TRY(write(client, "x", 1));
	TRY(read(served, buffer, 3));
	TRY(read(served, buffer, 10));
	TRY(read(served, buffer, 10));
	TRY(write(served, "back", 4));
	TRY(close(served));
	TRY(read(client, buffer, 10));
	TRY(read(client, buffer, 10));
	TRY(shutdown(client, SHUT_RDWR));
	close(client);
	for (int i = 0; i < 3; i++)
		close(more[i]);
	puts("unread data and a close");
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	write(pair[0], "abc", 3);
	close(pair[1]);
	TRY(read(pair[0], buffer, 1));
	TRY(read(pair[0], buffer, 1));
	TRY(write(pair[0], "abc", 3));
	TRY(send(pair[0], "x", 1, MSG_NOSIGNAL));
	close(pair[0]);
	puts("a listener is closed with waiting clients");
	TRY(shutdown(0, SHUT_RD));
}

static ssize_t get(int fd, size_t room, int flags, const char *what) {
	struct iovec iov = {buffer, room};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t size = recvmsg(fd, &msg, flags);
	printf("%s = %zd %s", what, size, size < 0 ? (errno == ECONNRESET ? "ECONNRESET" : error_name(errno)) : "");
	if (size > 0)
		printf("\"%.*s\"", (int)(size > 12 ? 12 : size), buffer);
	if (size >= 0)
		printf(" flags %#x", msg.msg_flags);
	puts("");
	return size;
}
#define GET(fd, room, flags) get(fd, room, flags, "recv(" #room ", " #flags ")")

static void flags(void) {
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	for (int i = 0; i < 3; i++) {
		printf("-- flags of type %d\n", types[i]);
		socketpair(AF_UNIX, types[i], 0, pair);
		GET(pair[0], 5, MSG_DONTWAIT);
		send(pair[1], "hello", 5, 0);
		send(pair[1], "world", 5, MSG_MORE | MSG_EOR);
		GET(pair[0], 3, MSG_PEEK);
		GET(pair[0], 3, MSG_PEEK | MSG_TRUNC);
		GET(pair[0], 3, MSG_TRUNC);
		GET(pair[0], 20, MSG_DONTWAIT);
		GET(pair[0], 20, MSG_DONTWAIT | MSG_WAITALL);
		GET(pair[0], 20, MSG_DONTWAIT);
		TRY(send(pair[1], "", 0, 0));
		GET(pair[0], 20, MSG_DONTWAIT);
		GET(pair[0], 20, MSG_DONTWAIT);
		GET(pair[0], 20, MSG_DONTWAIT);
		GET(pair[0], 1, MSG_ERRQUEUE | MSG_DONTWAIT);
		TRY(send(pair[1], "x", 1, 0x10000000));
		while (recv(pair[0], buffer, 100, MSG_DONTWAIT) > 0);
		puts("peek offset");
		int off = 2;
		socklen_t len = 4;
		TRY(setsockopt(pair[0], SOL_SOCKET, SO_PEEK_OFF, &off, 4));
		send(pair[1], "0123456789", 10, 0);
		GET(pair[0], 3, MSG_PEEK);
		TRY((off = -9, getsockopt(pair[0], SOL_SOCKET, SO_PEEK_OFF, &off, &len)));
		TRY(off);
		GET(pair[0], 3, MSG_PEEK);
		GET(pair[0], 4, 0);
		TRY((getsockopt(pair[0], SOL_SOCKET, SO_PEEK_OFF, &off, &len), off));
		GET(pair[0], 4, MSG_PEEK | MSG_DONTWAIT);
		off = -1;
		TRY(setsockopt(pair[0], SOL_SOCKET, SO_PEEK_OFF, &off, 4));
		while (recv(pair[0], buffer, 100, MSG_DONTWAIT) > 0);
		puts("sizes");
		TRY(send(pair[1], buffer, sizeof buffer, MSG_DONTWAIT) > 200000);
		TRY(send(pair[1], buffer, 212960, MSG_DONTWAIT) > 200000);
		while (recv(pair[0], buffer, sizeof buffer, MSG_DONTWAIT) > 0);
		int count = 0;
		while (send(pair[1], "0123456789", 10, MSG_DONTWAIT) == 10)
			count++;
		TRY(count);
		int value;
		TRY((ioctl(pair[0], FIONREAD, &value), value));
		TRY((ioctl(pair[1], TIOCOUTQ, &value), value > 0));
		puts("shut down");
		TRY(shutdown(pair[1], SHUT_WR));
		TRY(send(pair[1], "x", 1, MSG_NOSIGNAL));
		while (recv(pair[0], buffer, sizeof buffer, MSG_DONTWAIT) > 0);
		GET(pair[0], 10, MSG_DONTWAIT);
		TRY(shutdown(pair[0], SHUT_RD));
		GET(pair[0], 10, 0);
		TRY(send(pair[0], "x", 1, MSG_NOSIGNAL));
		close(pair[1]);
		TRY(send(pair[0], "x", 1, MSG_NOSIGNAL));
		TRY(send(pair[0], "x", 1, MSG_NOSIGNAL));
		close(pair[0]);
	}
}

static void send_fds(int to, int count, int *fds, const char *data) {
	char control[CMSG_SPACE(300 * sizeof(int))];
	memset(control, 0, sizeof control);
	struct iovec iov = {(char *)data, strlen(data)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(count * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	told("send_fds", sendmsg(to, &msg, MSG_DONTWAIT));
}

static int receive(int fd, size_t room, size_t control_room, int flags) {
	char control[1024];
	memset(control, 0, sizeof control);
	struct iovec iov = {buffer, room};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = control_room};
	ssize_t size = recvmsg(fd, &msg, flags);
	int last = -1;
	printf("   %zd flags %#x", size, msg.msg_flags);
	if (size < 0)
		printf(" %s", error_name(errno));
	else
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
			int n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			printf(" [level %d type %d ints %d", c->cmsg_level, c->cmsg_type, n);
			if (c->cmsg_type == SCM_RIGHTS)
				for (int i = 0; i < n; i++) {
					memcpy(&last, CMSG_DATA(c) + i * sizeof(int), sizeof last);
					printf(" %s%s", fcntl(last, F_GETFL) >= 0 ? "open" : "closed", fcntl(last, F_GETFD) ? " cloexec" : "");
					if (i + 1 < n)
						close(last);
				}
			else if (c->cmsg_type == SCM_CREDENTIALS) {
				struct ucred cred;
				memcpy(&cred, CMSG_DATA(c), sizeof cred);
				printf(" pid %s uid %d gid %d", cred.pid == getpid() ? "me" : cred.pid ? "other" : "0", cred.uid, cred.gid);
			} else if (c->cmsg_type == 4) {
				int pidfd;
				memcpy(&pidfd, CMSG_DATA(c), sizeof pidfd);
				printf(" pidfd %s", pidfd >= 0 ? "open" : "none");
				close(pidfd);
			}
			printf("]");
		}
	puts("");
	return last;
}

static void beside(void) {
	puts("-- descriptors");
	int fd = open("plain", O_RDWR), fds[300], got;
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	fds[0] = fds[1] = fds[2] = fd;
	send_fds(pair[1], 1, fds, "x");
	got = receive(pair[0], 10, 1024, 0);
	TRY(read(got, buffer, 5));
	TRY(lseek(fd, 0, SEEK_CUR));
	close(got);
	send_fds(pair[1], 2, fds, "abc");
	send(pair[1], "def", 3, 0);
	close(receive(pair[0], 2, 1024, MSG_CMSG_CLOEXEC));
	receive(pair[0], 20, 1024, 0);
	send(pair[1], "before", 6, 0);
	send_fds(pair[1], 1, fds, "with");
	send(pair[1], "after", 5, 0);
	close(receive(pair[0], 20, 1024, 0));
	receive(pair[0], 20, 1024, MSG_DONTWAIT);
	puts("not enough room");
	send_fds(pair[1], 3, fds, "x");
	close(receive(pair[0], 10, CMSG_LEN(2 * sizeof(int)), 0));
	send_fds(pair[1], 1, fds, "x");
	receive(pair[0], 10, 0, 0);
	send_fds(pair[1], 1, fds, "x");
	receive(pair[0], 10, sizeof(struct cmsghdr), 0);
	puts("peeked at and then read");
	send_fds(pair[1], 1, fds, "x");
	close(receive(pair[0], 10, 1024, MSG_PEEK));
	close(receive(pair[0], 10, 1024, 0));
	puts("refused");
	fds[1] = 999;
	send_fds(pair[1], 2, fds, "x");
	for (int i = 0; i < 300; i++)
		fds[i] = fd;
	send_fds(pair[1], 253, fds, "x");
	receive(pair[0], 10, CMSG_LEN(40 * sizeof(int)), 0);
	send_fds(pair[1], 254, fds, "x");
	send_fds(pair[1], 1, fds, "");
	struct iovec iov = {"x", 1};
	struct { struct cmsghdr head; int data[4]; } c = {.head = {.cmsg_len = CMSG_LEN(4), .cmsg_level = SOL_SOCKET, .cmsg_type = 77}};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = CMSG_SPACE(4)};
	TRY(sendmsg(pair[1], &msg, 0));
	c.head.cmsg_type = SCM_RIGHTS;
	c.head.cmsg_len = 3;
	TRY(sendmsg(pair[1], &msg, 0));
	c.head.cmsg_len = 1000;
	TRY(sendmsg(pair[1], &msg, 0));
	c.head.cmsg_len = CMSG_LEN(4);
	c.head.cmsg_level = 5;
	TRY(sendmsg(pair[1], &msg, 0));
	receive(pair[0], 10, 100, MSG_DONTWAIT);
	puts("in flight cycles");
	for (int i = 0; i < 3; i++) {
		int cycle[2];
		socketpair(AF_UNIX, SOCK_STREAM, 0, cycle);
		fds[0] = cycle[0];
		fds[1] = cycle[1];
		send_fds(cycle[0], 2, fds, "x");
		close(cycle[0]);
		close(cycle[1]);
	}
	puts("a pipe's end travels, and dies with the message");
	int pipes[2];
	pipe(pipes);
	fds[0] = pipes[1];
	send_fds(pair[1], 1, fds, "x");
	close(pipes[1]);
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	TRY(read(pipes[0], buffer, 1));
	close(pair[0]);
	TRY(read(pipes[0], buffer, 1));
	close(pipes[0]);
	close(pair[1]);

	puts("-- credentials");
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		socketpair(AF_UNIX, type, 0, pair);
		int on = 1;
		send(pair[1], "before", 6, 0);
		TRY(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
		send(pair[1], "after", 5, 0);
		receive(pair[0], 100, 100, 0);
		receive(pair[0], 100, 100, MSG_DONTWAIT);
		struct { struct cmsghdr head; struct ucred cred; } own = {{.cmsg_len = CMSG_LEN(sizeof(struct ucred)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS}, {getpid(), 5, 6}};
		struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &own, .msg_controllen = sizeof own};
		TRY(sendmsg(pair[1], &message, 0));
		receive(pair[0], 100, 100, 0);
		own.cred.pid = 1;
		TRY(sendmsg(pair[1], &message, 0));
		receive(pair[0], 100, 100, 0);
		own.cred.pid = 999999;
		TRY(sendmsg(pair[1], &message, 0));
		own.head.cmsg_len = CMSG_LEN(4);
		TRY(sendmsg(pair[1], &message, 0));
		fds[0] = fd;
		send_fds(pair[1], 1, fds, "x");
		close(receive(pair[0], 100, 1000, MSG_DONTWAIT));
		struct ucred peer;
		socklen_t len = sizeof peer;
		TRY(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &len));
		printf("   %s %d %d %d\n", peer.pid == getpid() ? "me" : peer.pid ? "other" : "0", peer.uid, peer.gid, (int)len);
		close(pair[0]); close(pair[1]);
	}
	close(fd);
}

static void options(void) {
	puts("-- options");
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	int value = 5;
	static const int settable[] = {SO_DEBUG, SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_DONTROUTE, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE,
		SO_OOBINLINE, SO_NO_CHECK, SO_PRIORITY, SO_REUSEPORT, SO_PASSCRED, SO_RCVLOWAT, SO_SNDLOWAT, 
		SO_ACCEPTCONN, SO_PASSSEC, SO_MARK, SO_PROTOCOL, SO_DOMAIN, SO_PEEK_OFF, SO_NOFCS, 200};
	for (unsigned i = 0; i < sizeof settable / sizeof *settable; i++) {
		value = 5;
		int result = setsockopt(pair[0], SOL_SOCKET, settable[i], &value, sizeof value), after = -1;
		socklen_t len = sizeof after;
		printf("set %d: %s", settable[i], result ? (errno == ENOPROTOOPT ? "ENOPROTOOPT" : errno == EOPNOTSUPP ? "EOPNOTSUPP" : error_name(errno)) : "ok");
		if (!getsockopt(pair[0], SOL_SOCKET, settable[i], &after, &len))
			printf(" -> %d", after);
		puts("");
	}
	TRY(setsockopt(pair[0], SOL_SOCKET, SO_KEEPALIVE, &value, 3));
	TRY(setsockopt(pair[0], SOL_SOCKET, SO_KEEPALIVE, NULL, 4));
	TRY(setsockopt(pair[0], SOL_SOCKET, SO_KEEPALIVE, &value, -1));
	TRY(setsockopt(pair[0], 6, 1, &value, 4));
	TRY(setsockopt(0, SOL_SOCKET, 1, &value, 4));
	socklen_t len = 2;
	TRY(getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &value, &len));
	TRY(len);
	len = -1;
	TRY(getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &value, &len));
	TRY(getsockopt(pair[0], 1234, SO_TYPE, &value, &len));
	TRY(getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &value, NULL));
	puts("timeouts");
	struct timeval tv = {0, 10000};
	TRY(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	TRY(setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
	TRY(read(pair[0], buffer, 10));
	TRY(recv(pair[0], buffer, 10, 0));
	while (send(pair[0], buffer, 10000, MSG_DONTWAIT) > 0);
	while (send(pair[0], buffer, 1, MSG_DONTWAIT) > 0);
	TRY(write(pair[0], buffer, 10));
	TRY(send(pair[0], buffer, 10, 0));
	send(pair[1], "abc", 3, 0);
	TRY(recv(pair[0], buffer, 10, MSG_WAITALL));
	tv.tv_usec = 1000000;
	TRY(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	tv.tv_usec = -1;
	TRY(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	close(pair[0]); close(pair[1]);
}

static void datagrams(void) {
	puts("-- datagrams");
	struct sockaddr_un a, b, from;
	socklen_t as = name_of(&a, "dga", 1), bs = name_of(&b, "dgb", 1), len = sizeof from;
	int one = socket(AF_UNIX, SOCK_DGRAM, 0), two = socket(AF_UNIX, SOCK_DGRAM, 0), three = socket(AF_UNIX, SOCK_DGRAM, 0);
	TRY(write(one, "x", 1));
	TRY(sendto(one, "x", 1, 0, (void *)&b, bs));
	bind(one, (void *)&a, as);
	bind(two, (void *)&b, bs);
	TRY(sendto(one, "hello", 5, 0, (void *)&b, bs));
	TRY(recvfrom(two, buffer, 10, 0, (void *)&from, &len));
	TRY(len);
	TRY(sendto(three, "hi", 2, 0, (void *)&b, bs));
	len = sizeof from;
	TRY(recvfrom(two, buffer, 10, 0, (void *)&from, &len));
	TRY(len);
	TRY(connect(one, (void *)&b, bs));
	show_name("peer", one, getpeername);
	TRY(connect(two, (void *)&a, as));
	TRY(sendto(three, "hi", 2, MSG_DONTWAIT, (void *)&b, bs));
	TRY(connect(three, (void *)&b, bs));
	TRY(sendto(one, "self", 4, 0, (void *)&a, as));
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	TRY(connect(two, &none, sizeof none));
	TRY(connect(three, (void *)&b, bs));
	TRY(send(three, "x", 1, 0));
	for (int i = 0; send(three, "x", 1, MSG_DONTWAIT) == 1; i++)
		if (i > 100) break;
	struct pollfd it = {three, POLLOUT, 0};
	TRY(poll(&it, 1, 0));
	TRY(recv(two, buffer, 10, 0));
	TRY(poll(&it, 1, 0));
	close(two);
	TRY(send(three, "x", 1, 0));
	TRY(send(three, "x", 1, 0));
	TRY(listen(one, 1));
	TRY(accept(one, NULL, NULL));
	close(one); close(three);
	puts("many at once");
	socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	struct iovec iov[3] = {{"a", 1}, {"bb", 2}, {"ccc", 3}};
	struct mmsghdr many[3];
	memset(many, 0, sizeof many);
	for (int i = 0; i < 3; i++)
		many[i].msg_hdr.msg_iov = &iov[i], many[i].msg_hdr.msg_iovlen = 1;
	TRY(sendmmsg(pair[1], many, 3, 0));
	TRY(many[2].msg_len);
	char room[3][8];
	for (int i = 0; i < 3; i++)
		iov[i] = (struct iovec){room[i], 8};
	struct timespec ts = {0, 10000000};
	TRY(recvmmsg(pair[0], many, 2, 0, &ts));
	TRY(many[1].msg_len);
	TRY(recvmmsg(pair[0], many, 3, MSG_WAITFORONE, NULL));
	TRY(recvmmsg(pair[0], many, 3, MSG_DONTWAIT, NULL));
	ts.tv_nsec = 1000000000;
	TRY(recvmmsg(pair[0], many, 3, MSG_DONTWAIT, &ts));
	TRY(recvmmsg(pair[0], many, 0, 0, NULL));
	TRY(sendmmsg(pair[0], many, 0, 0));
	close(pair[0]); close(pair[1]);
}

int main(void) {
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	creation();
	names();
	streams();
	flags();
	beside();
	options();
	datagrams();
	return 0;
}
