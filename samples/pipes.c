/* pipe(7), fifo(7): capacity, atomic writes, packets, ends that come and go, splice(2) and tee(2). */
#include "show.h"
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

static char buffer[1 << 21];
static int pair[2];

static int held(int fd) { int n = -1; ioctl(fd, FIONREAD, &n); return n; }

int main(void) {
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	puts("-- making");
	TRY(pipe2(pair, 1));
	TRY(pipe2((void *)16, 0));
	TRY(pipe2(pair, O_NONBLOCK | O_CLOEXEC));
	TRY(fcntl(pair[0], F_GETFL) & (O_ACCMODE | O_NONBLOCK));
	TRY(fcntl(pair[1], F_GETFL) & (O_ACCMODE | O_NONBLOCK));
	TRY(write(pair[0], "x", 1));
	TRY(read(pair[1], buffer, 1));
	TRY(read(pair[0], buffer, 1));
	TRY(read(pair[0], buffer, 0));
	TRY(write(pair[1], buffer, 0));
	TRY(lseek(pair[0], 0, SEEK_CUR));
	TRY(pread(pair[0], buffer, 1, 0));
	TRY(ftruncate(pair[1], 0));
	TRY(fsync(pair[1]));
	puts("-- capacity");
	TRY(fcntl(pair[0], F_GETPIPE_SZ));
	static const int sizes[] = {0, 1, 4096, 4097, 8191, 70000, 1048576, -1};
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
		TRY(fcntl(pair[1], F_SETPIPE_SZ, sizes[i]));
	TRY(fcntl(pair[1], F_SETPIPE_SZ, 8192));
	TRY(write(pair[1], buffer, 100000));
	TRY(held(pair[0]));
	TRY(fcntl(pair[1], F_SETPIPE_SZ, 4096));
	TRY(fcntl(pair[1], F_SETPIPE_SZ, 16384));
	TRY(write(pair[1], buffer, 4097));
	TRY(write(pair[1], buffer, 4096));
	TRY(write(pair[1], buffer, 4096));
	TRY(read(pair[0], buffer, 1));
	TRY(write(pair[1], buffer, 1));
	TRY(read(pair[0], buffer, 4095));
	TRY(write(pair[1], buffer, 5000));
	TRY(held(pair[0]));
	TRY(read(pair[0], buffer, sizeof buffer));
	for (int i = 0; i < 10; i++)
		write(pair[1], buffer, 1500);
	TRY(held(pair[0]));
	TRY(read(pair[0], buffer, sizeof buffer));
	close(pair[0]);
	close(pair[1]);
	puts("-- packets");
	pipe2(pair, O_DIRECT | O_NONBLOCK);
	TRY(!!(fcntl(pair[1], F_GETFL) & O_DIRECT));
	TRY(!!(fcntl(pair[0], F_GETFL) & O_DIRECT));
	write(pair[1], "abc", 3);
	write(pair[1], "defgh", 5);
	TRY(write(pair[1], buffer, 5000));
	TRY(held(pair[0]));
	TRY(read(pair[0], buffer, 2));
	TRY(read(pair[0], buffer, 100));
	TRY(read(pair[0], buffer, 5000));
	TRY(read(pair[0], buffer, 5000));
	TRY(read(pair[0], buffer, 5000));
	TRY(fcntl(pair[1], F_SETFL, O_NONBLOCK));
	write(pair[1], "abc", 3);
	write(pair[1], "def", 3);
	TRY(read(pair[0], buffer, 100));
	close(pair[0]);
	TRY(write(pair[1], "x", 1));
	TRY(write(pair[1], "x", 0));
	signal(SIGPIPE, SIG_DFL);
	fflush(stdout);
	int status;
	if (!fork()) { write(pair[1], "x", 1); _exit(0); }
	wait(&status);
	TRY(WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	signal(SIGPIPE, SIG_IGN);
	close(pair[1]);
	puts("-- opened again");
	pipe2(pair, O_NONBLOCK);
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", pair[0]);
	int again = open(path, O_WRONLY | O_NONBLOCK);
	close(pair[1]);
	TRY(read(pair[0], buffer, 1));
	TRY(write(again, "x", 1));
	TRY(read(pair[0], buffer, 1));
	close(again);
	TRY(read(pair[0], buffer, 1));
	again = open(path, O_RDWR | O_NONBLOCK);
	TRY(write(again, "xyz", 3));
	TRY(read(pair[0], buffer, 10));
	close(again); close(pair[0]);
	puts("-- FIFO");
	TRY(mkfifo("fifo", 0600));
	TRY(open("fifo", O_WRONLY | O_NONBLOCK));
	int reader = open("fifo", O_RDONLY | O_NONBLOCK);
	TRY(read(reader, buffer, 1));
	int writer = open("fifo", O_WRONLY | O_NONBLOCK);
	TRY(read(reader, buffer, 1));
	TRY(write(writer, "abc", 3));
	close(writer);
	TRY(read(reader, buffer, 2));
	TRY(read(reader, buffer, 2));
	TRY(read(reader, buffer, 2));
	close(reader);
	fflush(stdout);
	if (!fork()) {
		writer = open("fifo", O_WRONLY);
		write(writer, "hello", 5);
		_exit(0);
	}
	reader = open("fifo", O_RDONLY);
	TRY(read(reader, buffer, 10));
	wait(NULL);
	TRY(read(reader, buffer, 10));
	close(reader);
	again = open("fifo", O_RDWR | O_NONBLOCK);
	TRY(read(again, buffer, 10));
	TRY(write(again, "self", 4));
	TRY(read(again, buffer, 10));
	close(again);
	puts("-- several writers");
	pipe(pair);
	for (int w = 0; w < 3; w++)
		if (!fork()) {
			char text[4096];
			memset(text, 'a' + w, sizeof text);
			for (int i = 0; i < 8; i++)
				write(pair[1], text, 3000);
			_exit(0);
		}
	close(pair[1]);
	int mixed = 0, total = 0;
	for (;;) {
		int n = 0, got;
		while (n < 3000 && (got = read(pair[0], buffer + n, 3000 - n)) > 0)
			n += got;
		if (!n)
			break;
		total += n;
		for (int i = 1; i < n; i++)
			mixed += buffer[i] != buffer[0];
	}
	printf("total %d, mixed %d\n", total, mixed);
	while (wait(NULL) > 0);
	close(pair[0]);
	puts("-- splice");
	int to[2];
	pipe2(pair, O_NONBLOCK);
	pipe2(to, O_NONBLOCK);
	put_file("in", "0123456789");
	int in = open("in", O_RDWR), out = open("out", O_RDWR | O_CREAT, 0600);
	loff_t at = 2, none = -1;
	TRY(splice(in, &at, pair[1], NULL, 5, 0));
	TRY(at);
	TRY(splice(in, NULL, pair[1], NULL, 4, 0));
	TRY(lseek(in, 0, SEEK_CUR));
	TRY(held(pair[0]));
	TRY(tee(pair[0], to[1], 100, 0));
	TRY(held(pair[0]));
	TRY(held(to[0]));
	TRY(tee(pair[0], pair[1], 100, 0));
	TRY(tee(in, to[1], 100, 0));
	TRY(tee(pair[0], to[1], 100, 16));
	TRY(tee(pair[1], to[0], 100, 0));
	TRY(splice(pair[0], NULL, to[1], NULL, 3, 0));
	TRY(held(to[0]));
	TRY(splice(pair[0], NULL, out, NULL, 100, 0));
	at = 20;
	TRY(splice(to[0], NULL, out, &at, 100, 0));
	TRY(at);
	TRY(lseek(out, 0, SEEK_END));
	TRY(splice(pair[0], NULL, out, NULL, 100, SPLICE_F_NONBLOCK));
	TRY(splice(pair[0], &at, out, NULL, 100, 0));
	TRY(splice(in, &none, pair[1], NULL, 100, 0));
	TRY(splice(in, NULL, out, NULL, 100, 0));
	TRY(splice(in, NULL, pair[1], NULL, 0, 0));
	TRY(splice(-1, NULL, pair[1], NULL, 0, 0));
	TRY(splice(-1, NULL, pair[1], NULL, 1, 0));
	TRY(splice(in, NULL, pair[1], NULL, 1, 16));
	TRY(splice(in, NULL, pair[0], NULL, 1, 0));
	TRY(splice(pair[0], NULL, pair[1], NULL, 1, 0));
	TRY(splice(in, (void *)16, pair[1], NULL, 1, 0));
	int append = open("out", O_WRONLY | O_APPEND);
	write(pair[1], "x", 1);
	TRY(splice(pair[0], NULL, append, NULL, 1, 0));
	int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
	TRY(splice(pair[0], NULL, null, NULL, 1, 0));
	TRY(splice(zero, NULL, pair[1], NULL, 10, 0));
	TRY(splice(null, NULL, pair[1], NULL, 10, 0));
	struct iovec iov[2] = {{"abc", 3}, {"de", 2}};
	TRY(vmsplice(to[1], iov, 2, 0));
	TRY(held(to[0]));
	iov[0] = (struct iovec){buffer, 4};
	TRY(vmsplice(to[0], iov, 1, 0));
	TRY(vmsplice(in, iov, 1, 0));
	TRY(vmsplice(to[1], iov, 1, 16));
	TRY(vmsplice(to[1], iov, 2000, 0));
	TRY(vmsplice(to[1], (void *)16, 1, 0));
	TRY(vmsplice(to[1], NULL, 0, 0));
	close(to[0]);
	TRY(splice(in, NULL, to[1], NULL, 1, 0));
	TRY(vmsplice(to[1], iov, 1, 0));
	return 0;
}
