/* Moving bytes: readv(2), preadv2(2), sendfile(2), splice(2), tee(2), copy_file_range(2), pipes. */
#include "show.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static void vectors(void)
{
	char a[4] = "", b[8] = "";
	static struct iovec iov[64] = { { "one ", 4 }, { "", 0 }, { "two ", 4 }, { "three", 5 } };
	struct iovec in[] = { { a, 3 }, { b, 7 } };
	static struct iovec many[1025];
	int fd;

	puts("-- vectors");
	TRY(fd = open("v", O_CREAT | O_RDWR, 0644));
	TRY(writev(fd, iov, 4));
	TRY(writev(fd, iov, 0));
	TRY(writev(fd, iov, -1));
	TRY(writev(fd, many, 1025));
	TRY(lseek(fd, 0, SEEK_SET));
	TRY(readv(fd, in, 2));
	printf("[%s] [%s]\n", a, b);
	TRY(pwritev(fd, iov, 1, 20));
	TRY(preadv(fd, in, 2, 18));
	printf("[%.3s] %d\n", b, a[0]);
	TRY(preadv(fd, in, 2, -1));
	TRY(syscall(SYS_preadv2, fd, in, 2, -1L, -1L, 0));
	TRY(syscall(SYS_preadv2, fd, in, 2, 0L, 0L, 0x8000));
	iov[1].iov_base = NULL;
	TRY(writev(1, iov, 2));
	puts("");
	iov[1].iov_len = (size_t)-1;
	TRY(writev(fd, iov, 2));
	TRY(close(fd));
}

static void copying(void)
{
	char buf[32] = "";
	int from, to, through[2];
	off_t offset = 4, other;

	puts("-- sendfile and copy_file_range");
	put_file("from", "0123456789abcdef");
	from = open("from", O_RDONLY);
	TRY(to = open("to", O_CREAT | O_TRUNC | O_RDWR, 0644));
	TRY(sendfile(to, from, NULL, 3));
	TRY(sendfile(to, from, &offset, 100));
	printf("offset %d, position %d\n", (int)offset, (int)lseek(from, 0, SEEK_CUR));
	TRY(pread(to, buf, sizeof buf, 0));
	puts(buf);
	TRY(sendfile(from, to, NULL, 1));
	TRY(sendfile(to, 99, NULL, 1));
	offset = 10;
	other = 0;
	TRY(copy_file_range(from, &offset, to, &other, 100, 0));
	printf("offsets %d %d\n", (int)offset, (int)other);
	TRY(copy_file_range(from, NULL, to, NULL, 2, 0));
	memset(buf, 0, sizeof buf);
	TRY(pread(to, buf, sizeof buf, 0));
	puts(buf);
	TRY(copy_file_range(from, NULL, to, NULL, 2, 1));
	offset = 0;
	other = 4;
	TRY(copy_file_range(to, &offset, to, &other, 8, 0));
	TRY(copy_file_range(to, NULL, from, NULL, 8, 0));

	puts("-- splice, tee, vmsplice");
	TRY(pipe(through));
	offset = 2;
	TRY(splice(from, &offset, through[1], NULL, 5, 0));
	other = 0;
	TRY(splice(through[0], NULL, to, &other, 3, 0));
	TRY(read(through[0], buf, sizeof buf));
	printf("%.2s\n", buf);
	TRY(splice(from, &offset, to, NULL, 5, 0));
	TRY(splice(from, NULL, through[1], &offset, 5, 0));
	struct iovec iov = { "vmsplice", 8 };
	TRY(vmsplice(through[1], &iov, 1, 0));
	int second[2];
	TRY(pipe(second));
	TRY(tee(through[0], second[1], 4, 0));
	memset(buf, 0, sizeof buf);
	TRY(read(second[0], buf, sizeof buf));
	puts(buf);
	TRY(read(through[0], buf, sizeof buf));
	puts(buf);
	TRY(tee(from, second[1], 4, 0));
}

static void pipes(void)
{
	static char buf[8192];
	int p[2], n = 0, waiting;
	long total = 0;

	puts("-- pipes");
	TRY(pipe2(p, O_NONBLOCK | O_CLOEXEC));
	TRY(pipe2(p, 0x1));
	FACT(fcntl(p[0], F_GETFD) == FD_CLOEXEC);
	TRY(read(p[0], buf, 1));
	TRY(write(p[0], "x", 1));
	TRY(read(p[1], buf, 1));
	TRY(write(p[1], "hello", 5));
	TRY(ioctl(p[0], FIONREAD, &waiting));
	printf("waiting %d\n", waiting);
	TRY(read(p[0], buf, 2));
	TRY(read(p[0], buf, 100));
	TRY(lseek(p[0], 0, SEEK_SET));
	TRY(pread(p[0], buf, 1, 0));
	TRY(ftruncate(p[1], 0));
	TRY(fcntl(p[0], F_GETPIPE_SZ));
	while ((n = write(p[1], buf, sizeof buf)) > 0)
		total += n;
	printf("holds %ld, then %s\n", total, error_name(errno));
	TRY(read(p[0], buf, 4095));
	TRY(write(p[1], buf, 1));  /* a page is free only when it is empty: pipe(7) */
	TRY(read(p[0], buf, 1));
	TRY(write(p[1], buf, 1));
	TRY(fcntl(p[1], F_SETPIPE_SZ, 4096));
	TRY(close(p[1]));
	while (read(p[0], buf, sizeof buf) > 0)
		;
	TRY(read(p[0], buf, 1));
	TRY(close(p[0]));
	TRY(pipe(p));
	TRY(fcntl(p[1], F_SETPIPE_SZ, 5000));
	TRY(close(p[0]));
	signal(SIGPIPE, SIG_IGN);
	TRY(write(p[1], "x", 1));
	TRY(write(p[1], "x", 0));
}

int main(void)
{
	vectors();
	copying();
	pipes();
	return 0;
}
