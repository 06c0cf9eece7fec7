/* inotify(7): which call raises which events, in which order, with which names. */
#include "show.h"
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#define RENAME_WHITEOUT 4
#endif

static int rename2(const char *from, const char *to, unsigned flags) {
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static int in;
static unsigned cookies[64];
static int known;

static const struct { unsigned bit; const char *name; } bits[] = {
	{IN_ACCESS, "ACCESS"}, {IN_MODIFY, "MODIFY"}, {IN_ATTRIB, "ATTRIB"}, {IN_CLOSE_WRITE, "CLOSE_WRITE"},
	{IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"}, {IN_OPEN, "OPEN"}, {IN_MOVED_FROM, "MOVED_FROM"},
	{IN_MOVED_TO, "MOVED_TO"}, {IN_CREATE, "CREATE"}, {IN_DELETE, "DELETE"}, {IN_DELETE_SELF, "DELETE_SELF"},
	{IN_MOVE_SELF, "MOVE_SELF"}, {IN_UNMOUNT, "UNMOUNT"}, {IN_Q_OVERFLOW, "Q_OVERFLOW"}, {IN_IGNORED, "IGNORED"},
	{IN_ISDIR, "ISDIR"},
};

static int cookie(unsigned value) {
	if (!value)
		return 0;
	for (int i = 0; i < known; i++)
		if (cookies[i] == value)
			return i + 1;
	cookies[known++] = value;
	return known;
}

static void show(const char *buffer, ssize_t size) {
	for (const char *at = buffer; at < buffer + size;) {
		const struct inotify_event *event = (const void *)at;
		unsigned rest = event->mask;
		printf("   wd %d", event->wd);
		for (unsigned i = 0; i < sizeof bits / sizeof *bits; i++)
			if (rest & bits[i].bit) {
				printf(" %s", bits[i].name);
				rest &= ~bits[i].bit;
			}
		if (rest)
			printf(" %#x", rest);
		if (event->cookie)
			printf(" cookie %d", cookie(event->cookie));
		if (event->len) {
			if (event->name[0] == '#')
				printf(" #tmpfile(%u)", event->len);
			else
				printf(" %s(%u)", event->name, event->len);
		}
		puts("");
		at += sizeof *event + event->len;
	}
}

static void drain(void) {
	static char buffer[65536] __attribute__((aligned(8)));
	ssize_t size;
	while ((size = read(in, buffer, sizeof buffer)) > 0)
		show(buffer, size);
	if (size == -1 && errno != EAGAIN)
		printf("   read: %s\n", error_name(errno));
}

#define RUN(call)                                                                 \
	do {                                                                          \
		errno = 0;                                                                \
		long result_ = (long)(call);                                              \
		if (result_ == -1)                                                        \
			printf("%s = %s\n", #call, error_name(errno));                   \
		else                                                                      \
			printf("%s%s\n", #call, result_ ? "" : " = 0");                       \
		drain();                                                                  \
	} while (0)
#define VAL(call)                                                                 \
	do {                                                                          \
		errno = 0;                                                                \
		long result_ = (long)(call);                                              \
		printf("%s = %ld%s%s\n", #call, result_, result_ == -1 ? " " : "", result_ == -1 ? error_name(errno) : ""); \
		drain();                                                                  \
	} while (0)

static int fd, fd2;

static char buf[256];

static void errors(void) {
	puts("--- errors");
	VAL(inotify_init1(1));
	VAL(inotify_add_watch(-1, ".", IN_ALL_EVENTS));
	VAL(inotify_add_watch(0, ".", IN_ALL_EVENTS));
	VAL(inotify_add_watch(in, ".", 0));
	VAL(inotify_add_watch(in, ".", 0x1000));
	VAL(inotify_add_watch(in, ".", 0x00800000 | IN_OPEN));
	VAL(inotify_add_watch(in, "nothing", IN_OPEN));
	VAL(inotify_add_watch(in, "", IN_OPEN));
	VAL(inotify_add_watch(in, (char *)8, IN_OPEN));
	VAL(inotify_add_watch(in, ".", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE));
	VAL(inotify_rm_watch(in, 1));
	VAL(inotify_rm_watch(in, -1));
	VAL(inotify_rm_watch(0, 1));
	VAL(inotify_rm_watch(-1, 1));
	VAL(write(in, buf, 1));
	VAL(lseek(in, 5, SEEK_SET));
	VAL(pread(in, buf, 64, 0));
	VAL(ftruncate(in, 0));
	VAL(fcntl(in, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
}

static void one_file(void) {
	puts("--- a directory and a file in it");
	VAL(inotify_add_watch(in, ".", IN_ALL_EVENTS));
	RUN(fd = open("file", O_CREAT | O_RDWR, 0644));
	VAL(inotify_add_watch(in, "file", IN_ALL_EVENTS));
	VAL(read(fd, buf, 10));
	VAL(write(fd, "hello", 5));
	VAL(write(fd, "hello", 0));
	VAL(pwrite(fd, "x", 1, 100));
	VAL(pread(fd, buf, 10, 0));
	struct iovec v[2] = {{buf, 3}, {buf + 3, 3}};
	VAL(writev(fd, v, 2));
	VAL(readv(fd, v, 2));
	VAL(preadv(fd, v, 2, 0));
	VAL(preadv(fd, v, 2, 1000));
	VAL(readv(fd, v, 0));
	VAL(writev(fd, v, 0));
	VAL(ftruncate(fd, 50));
	VAL(ftruncate(fd, 50));
	VAL(truncate("file", 60));
	VAL(truncate("file", 60));
	VAL(fallocate(fd, 0, 0, 100));
	VAL(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 10));
	VAL(fchmod(fd, 0600));
	VAL(chmod("file", 0600));
	VAL(chown("file", 0, 0));
	VAL(chown("file", -1, -1));
	VAL(chown("file", 0, -1));
	struct timespec t[2] = {{1, 0}, {2, 0}};
	VAL(utimensat(AT_FDCWD, "file", t, 0));
	VAL(futimens(fd, NULL));
	t[0].tv_nsec = UTIME_OMIT;
	VAL(utimensat(AT_FDCWD, "file", t, 0));
	t[0].tv_nsec = 0, t[1].tv_nsec = UTIME_OMIT;
	VAL(utimensat(AT_FDCWD, "file", t, 0));
	t[0].tv_nsec = UTIME_OMIT;
	VAL(utimensat(AT_FDCWD, "file", t, 0));
	VAL(setxattr("file", "user.a", "1", 1, 0));
	VAL(getxattr("file", "user.a", buf, 10));
	VAL(fremovexattr(fd, "user.a"));
	VAL(removexattr("file", "user.a"));
	VAL(access("file", R_OK));
	struct stat st;
	VAL(stat("file", &st));
	VAL(fsync(fd));
	RUN(fd2 = dup(fd));
	VAL(close(fd2));
	VAL(lseek(fd, 0, SEEK_SET));
	VAL(flock(fd, 2));
	VAL(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED));
	RUN(close(fd));
	RUN(fd = open("file", O_RDONLY));
	RUN(close(fd));
	RUN(fd = open("file", O_WRONLY | O_TRUNC));
	RUN(close(fd));
	RUN(fd = open("file", O_WRONLY | O_CREAT | O_EXCL, 0600));
	RUN(fd = open("file", O_PATH));
	RUN(close(fd));
	RUN(fd = open("nothing", O_RDONLY));
	RUN(fd = open("file", O_RDONLY | O_DIRECTORY));
	RUN(fd = creat("file", 0600));
	RUN(close(fd));
}

static void set_id(void) {
	puts("--- set-user-ID");
	VAL(chmod("file", 04755));
	RUN(fd = open("file", O_RDWR));
	VAL(chown("file", 0, 0));
	VAL(chmod("file", 06775));
	VAL(write(fd, "a", 1));
	VAL(ftruncate(fd, 10));
	RUN(close(fd));
	VAL(chmod("file", 0644));
}

static void two_files(void) {
	puts("--- from file to file");
	put_file("a", "some text");
	put_file("b", "");
	drain();
	int p[2], a = open("a", O_RDONLY), b = open("b", O_WRONLY);
	pipe(p);
	drain();
	loff_t off = 0, off2 = 0;
	VAL(sendfile(b, a, NULL, 4));
	VAL(sendfile(b, a, NULL, 400));
	VAL(sendfile(b, a, NULL, 400));
	VAL(copy_file_range(a, &off, b, &off2, 5, 0));
	VAL(copy_file_range(a, NULL, b, NULL, 5, 0));
	off = 0;
	VAL(splice(a, &off, p[1], NULL, 6, 0));
	VAL(splice(p[0], NULL, b, NULL, 6, 0));
	write(p[1], "text", 4);
	VAL(splice(p[0], NULL, b, NULL, 6, 0));
	close(p[0]), close(p[1]);
	RUN(close(a));
	RUN(close(b));
	RUN(unlink("a"));
	RUN(unlink("b"));
}

static void names(void) {
	puts("--- names");
	RUN(mkdir("d", 0755));
	RUN(mknod("fifo", S_IFIFO | 0644, 0));
	RUN(mknod("plain", S_IFREG | 0644, 0));
	RUN(symlink("file", "sym"));
	VAL(readlink("sym", buf, 10));
	RUN(link("file", "hard"));
	RUN(fd = open("sym", O_RDONLY));
	RUN(close(fd));
	RUN(fd = open("hard", O_RDONLY));
	VAL(read(fd, buf, 4));
	RUN(close(fd));
	VAL(inotify_add_watch(in, "hard", IN_ALL_EVENTS));
	RUN(unlink("hard"));
	RUN(rename("plain", "plain2"));
	RUN(rename("plain2", "d/plain3"));
	VAL(inotify_add_watch(in, "d", IN_ALL_EVENTS));
	RUN(rename("d/plain3", "plain4"));
	RUN(rename("file", "d/file"));
	RUN(chmod("d/file", 0600));
	RUN(rename2("d/file", "plain4", RENAME_EXCHANGE));
	RUN(rename2("d/file", "plain4", RENAME_EXCHANGE));
	RUN(rename2("d/file", "plain4", RENAME_NOREPLACE));
	RUN(link("d/file", "same"));
	RUN(rename("d/file", "same"));
	RUN(unlink("same"));
	RUN(rename("plain4", "d/file"));
	RUN(rename("d", "e"));
	RUN(rename("nothing", "x"));
	RUN(mkdir("f", 0700));
	RUN(rename("f", "g"));
	RUN(rmdir("g"));
	RUN(mkdir("e", 0700));
	RUN(unlink("fifo"));
	RUN(unlink("sym"));
	RUN(rmdir("e"));
	RUN(unlink("e/file"));
	RUN(rmdir("e"));
	RUN(rename2("nothing", "x", RENAME_WHITEOUT));
}

static void replaced(void) {
	puts("--- replaced, removed, watched");
	put_file("one", "1");
	put_file("two", "2");
	drain();
	VAL(inotify_add_watch(in, "two", IN_ALL_EVENTS));
	RUN(rename("one", "two"));
	put_file("one", "1");
	drain();
	RUN(fd = open("two", O_RDWR));
	VAL(inotify_add_watch(in, "two", IN_ALL_EVENTS));
	RUN(rename("one", "two"));
	VAL(write(fd, "x", 1));
	VAL(fchmod(fd, 0600));
	RUN(close(fd));
	RUN(mkdir("one", 0700));
	RUN(mkdir("three", 0700));
	VAL(inotify_add_watch(in, "three", IN_ALL_EVENTS));
	VAL(inotify_add_watch(in, "one", IN_ALL_EVENTS));
	RUN(rename("one", "three"));
	RUN(fd = open("three", O_RDONLY));
	RUN(rmdir("three"));
	VAL(syscall(SYS_getdents64, fd, buf, sizeof buf));
	RUN(close(fd));
	VAL(inotify_add_watch(in, "two", IN_ALL_EVENTS));
	RUN(fd = open("two", O_RDONLY));
	RUN(unlink("two"));
	VAL(fchmod(fd, 0600));
	RUN(link("/proc/self/fd/0", "nowhere"));
	RUN(close(fd));
	put_file("one", "1");
	link("one", "two");
	drain();
	VAL(inotify_add_watch(in, "one", IN_ALL_EVENTS));
	RUN(fd = open("one", O_RDWR));
	RUN(unlink("one"));
	VAL(write(fd, "x", 1));
	RUN(unlink("two"));
	VAL(write(fd, "x", 1));
	RUN(close(fd));
	put_file("one", "1");
	drain();
	VAL(inotify_add_watch(in, "one", IN_DELETE_SELF));
	RUN(unlink("one"));
}

static void directories(void) {
	puts("--- directories");
	mkdir("d", 0755);
	drain();
	VAL(inotify_add_watch(in, "d", IN_ALL_EVENTS));
	RUN(fd = open("d", O_RDONLY | O_DIRECTORY));
	VAL(syscall(SYS_getdents64, fd, buf, sizeof buf) > 0);
	VAL(syscall(SYS_getdents64, fd, buf, sizeof buf));
	VAL(fchmod(fd, 0700));
	VAL(fchdir(fd));
	RUN(mkdir("sub", 0700));
	RUN(rmdir("sub"));
	VAL(chdir(".."));
	RUN(close(fd));
	RUN(fd = open(".", O_TMPFILE | O_RDWR, 0600));
	VAL(write(fd, "x", 1));
	sprintf(buf, "/proc/self/fd/%d", fd);
	RUN(linkat(AT_FDCWD, buf, AT_FDCWD, "linked", AT_SYMLINK_FOLLOW));
	VAL(write(fd, "x", 1));
	RUN(close(fd));
	RUN(unlink("linked"));
	RUN(fd = open(".", O_TMPFILE | O_RDWR, 0600));
	RUN(close(fd));
	RUN(rmdir("d"));
}

static void flags(void) {
	puts("--- flags");
	put_file("f", "1");
	symlink("f", "l");
	mkdir("d", 0755);
	put_file("d/x", "1");
	drain();
	VAL(inotify_add_watch(in, "f", IN_OPEN | IN_ONLYDIR));
	VAL(inotify_add_watch(in, "l", IN_ATTRIB | IN_DONT_FOLLOW));
	int wd;
	VAL(wd = inotify_add_watch(in, "f", IN_OPEN | IN_MASK_CREATE));
	VAL(inotify_add_watch(in, "f", IN_OPEN | IN_MASK_CREATE));
	VAL(inotify_add_watch(in, "f", IN_CLOSE | IN_MASK_ADD));
	RUN(fd = open("l", O_RDONLY));
	RUN(close(fd));
	VAL(inotify_add_watch(in, "f", IN_CLOSE));
	RUN(fd = open("f", O_RDONLY));
	RUN(close(fd));
	VAL(inotify_rm_watch(in, wd));
	VAL(inotify_rm_watch(in, wd));
	VAL(inotify_add_watch(in, "f", IN_OPEN | IN_ONESHOT));
	RUN(fd = open("f", O_RDONLY));
	RUN(close(fd));
	RUN(fd = open("f", O_RDONLY));
	RUN(close(fd));
	RUN(unlink("l"));
	VAL(inotify_add_watch(in, "d", IN_ALL_EVENTS | IN_EXCL_UNLINK));
	RUN(fd = open("d/x", O_RDWR));
	RUN(unlink("d/x"));
	VAL(write(fd, "1", 1));
	VAL(fchmod(fd, 0644));
	RUN(close(fd));
	VAL(inotify_add_watch(in, "d", IN_UNMOUNT));
	VAL(inotify_add_watch(in, "d", IN_ISDIR));
	put_file("d/x", "1");
	unlink("d/x");
	drain();
	RUN(rmdir("d"));
	RUN(unlink("f"));
}

static void merging(void) {
	puts("--- merging and reading");
	put_file("a", "1");
	put_file("b", "1");
	drain();
	int a = open("a", O_RDWR), b = open("b", O_RDWR), size;
	drain();
	write(a, "1", 1), write(a, "2", 1), write(b, "1", 1), write(a, "3", 1), write(a, "4", 1);
	VAL(ioctl(in, FIONREAD, &size));
	puts("");
	write(a, "1", 1), write(b, "1", 1);
	ioctl(in, FIONREAD, &size);
	printf("FIONREAD %d\n", size);
	VAL(read(in, buf, 15));
	write(a, "1", 1), write(b, "1", 1);
	VAL(read(in, buf, 31));
	write(a, "1", 1), write(b, "1", 1);
	ssize_t got = read(in, buf, 32);
	printf("read %zd\n", got);
	show(buf, got);
	ioctl(in, FIONREAD, &size);
	printf("FIONREAD %d\n", size);
	got = read(in, buf, 40);
	printf("read %zd\n", got);
	write(a, "1", 1), write(b, "1", 1);
	got = read(in, (void *)8, 100);
	printf("read at a bad address: %zd %s\n", got, error_name(errno));
	drain();
	close(a), close(b);
	drain();
	put_file("a-name-of-exactly-15-characters...", "1");
	put_file("123456789012345", "");
	put_file("1234567890123456", "");
	unlink("a-name-of-exactly-15-characters..."), unlink("123456789012345"), unlink("1234567890123456");
	drain();
	unlink("a"), unlink("b");
	drain();
	VAL(read(in, buf, 0));
	VAL(ioctl(in, FIONREAD, &size));
	printf("FIONREAD %d\n", size);
	VAL(ioctl(in, 0x5401, buf));
}

static volatile sig_atomic_t got_io;
static void on_io(int signo) { got_io = signo; }

static void waiting(void) {
	puts("--- waiting");
	struct pollfd p = {in, POLLIN | POLLOUT, 0};
	poll(&p, 1, 0), printf("poll %#x\n", p.revents);
	int ep = epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN | EPOLLET}, out;
	VAL(epoll_ctl(ep, EPOLL_CTL_ADD, in, &e));
	printf("epoll %d\n", epoll_wait(ep, &out, 1, 0));
	mkdir("w", 0700);
	poll(&p, 1, 0), printf("poll %#x\n", p.revents);
	epoll_wait(ep, &out, 1, 0), printf("epoll %#x\n", out.events);
	printf("epoll %d\n", epoll_wait(ep, &out, 1, 0));
	rmdir("w");
	epoll_wait(ep, &out, 1, 0), printf("epoll %#x\n", out.events);
	drain();
	close(ep);
	fcntl(in, F_SETFL, 0);
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		usleep(50000);
		mkdir("from-child", 0700);
		_exit(0);
	}
	ssize_t got = read(in, buf, sizeof buf);
	printf("blocking read %zd\n", got);
	show(buf, got);
	waitpid(child, NULL, 0);
	signal(SIGIO, on_io);
	fcntl(in, F_SETOWN, getpid());
	VAL(fcntl(in, F_SETFL, O_ASYNC | O_NONBLOCK));
	rmdir("from-child");
	printf("SIGIO %d\n", got_io == SIGIO);
	drain();
	fcntl(in, F_SETFL, O_NONBLOCK);
}

static void mapped(void) {
	puts("--- mappings and programs");
	put_file("m", "some text");
	drain();
	RUN(fd = open("m", O_RDWR));
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	drain();
	map[0] = 'S';
	VAL(msync(map, 4096, MS_SYNC));
	RUN(close(fd));
	VAL(munmap(map, 4096));
	unlink("m");
	drain();
}

static void info(void) {
	puts("--- fdinfo");
	char name[64], line[64];
	sprintf(name, "/proc/self/fd/%d", in);
	ssize_t size = readlink(name, line, sizeof line - 1);
	line[size < 0 ? 0 : size] = 0;
	puts(line);
	put_file("i", "1");
	VAL(inotify_add_watch(in, "i", IN_OPEN | IN_CLOSE_WRITE | IN_EXCL_UNLINK | IN_ONESHOT));
	sprintf(name, "/proc/self/fdinfo/%d", in);
	int f = open(name, O_RDONLY);
	static char text[1024];
	text[read(f, text, sizeof text - 1)] = 0;
	close(f);
	for (char *at = strstr(text, "inotify"); at; at = strstr(at + 1, "inotify")) {
		unsigned wd, mask, ignored;
		unsigned long ino, dev;
		struct stat st;
		if (sscanf(at, "inotify wd:%x ino:%lx sdev:%lx mask:%x ignored_mask:%x", &wd, &ino, &dev, &mask, &ignored) == 5) {
			stat("i", &st);
			printf("wd %u mask %#x ignored %u ours %d\n", wd, mask, ignored, st.st_ino == ino);
		}
	}
	unlink("i");
	drain();
}

static void several(void) {
	puts("--- two instances");
	int other = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), first = in;
	printf("cloexec %d\n", fcntl(other, F_GETFD));
	VAL(inotify_add_watch(other, ".", IN_CREATE | IN_DELETE));
	put_file("s", "1");
	puts("first");
	drain();
	puts("second");
	in = other;
	drain();
	unlink("s");
	VAL(inotify_rm_watch(other, 1));
	VAL(inotify_add_watch(other, ".", IN_CREATE));
	in = first;
	close(other);
	drain();
}

int main(void) {
	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(022);
	mkdir("inotify.dir", 0700);
	chdir("inotify.dir");
	in = inotify_init1(IN_NONBLOCK);
	errors();
	one_file();
	set_id();
	two_files();
	names();
	replaced();
	directories();
	flags();
	merging();
	waiting();
	mapped();
	info();
	several();
	chdir("..");
	rmdir("inotify.dir");
	drain();
	return 0;
}
