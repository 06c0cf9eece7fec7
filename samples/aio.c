/* Linux's asynchronous input and output, by raw system calls. */
#include "show.h"
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <time.h>

#define FILE_NAME "/tmp/aio.txt"

static aio_context_t context;

static long submit(struct iocb *first, struct iocb *second)
{
	struct iocb *list[2] = {first, second};
	return syscall(SYS_io_submit, context, second ? 2L : 1L, list);
}

static void show_events(long least, long most, long nanoseconds)
{
	struct io_event events[8];
	long timeout[2] = {0, nanoseconds}; /* the struct timespec of the call, not of the C library */
	long count = syscall(SYS_io_getevents, context, least, most, events, &timeout);
	printf("%ld events:", count);
	for (long i = 0; i < count; i++)
		printf(" %lld=%lld", (long long)events[i].data, (long long)events[i].res);
	putchar('\n');
}

static struct iocb request(int fd, int command, void *buffer, size_t size, long long offset)
{
	static int number;
	struct iocb iocb = {.aio_data = ++number, .aio_fildes = fd, .aio_lio_opcode = command};
	iocb.aio_buf = (unsigned long)buffer, iocb.aio_nbytes = size, iocb.aio_offset = offset;
	return iocb;
}

static void contexts(void)
{
	TRY(syscall(SYS_io_setup, 0, &context));
	TRY(syscall(SYS_io_setup, -1, &context));
	TRY(syscall(SYS_io_setup, 1 << 20, &context));
	TRY(syscall(SYS_io_setup, 8, 0));
	context = 1;
	TRY(syscall(SYS_io_setup, 8, &context));
	TRY(syscall(SYS_io_destroy, context));
	TRY(syscall(SYS_io_submit, context, 0L, 0));
	TRY(syscall(SYS_io_getevents, context, 0L, 1L, 0, 0));
	context = 0;
	TRY(syscall(SYS_io_setup, 8, &context));
	FACT(context != 0);
	TRY(syscall(SYS_io_submit, context, 0L, 0));
	TRY(syscall(SYS_io_submit, context, -1L, 0));
	TRY(syscall(SYS_io_submit, context, 1L, 0));
	TRY(syscall(SYS_io_getevents, context, 2L, 1L, 0, 0));
	TRY(syscall(SYS_io_getevents, context, -1L, 1L, 0, 0));
	show_events(0, 8, 0);
	show_events(1, 8, 1000000);
}

static void transfers(int fd)
{
	char text[32] = "";
	struct iocb one = request(fd, IOCB_CMD_PWRITE, "asynchronous", 12, 0), two = request(fd, IOCB_CMD_PWRITE, "AS", 2, 3);
	TRY(submit(&one, &two));
	show_events(2, 8, 999999999);
	one = request(fd, IOCB_CMD_PREAD, text, 31, 2);
	TRY(submit(&one, 0));
	show_events(1, 8, 999999999);
	puts(text);
	struct iovec parts[2] = {{text, 3}, {text + 10, 3}};
	one = request(fd, IOCB_CMD_PREADV, parts, 2, 0), two = request(fd, IOCB_CMD_PWRITEV, parts, 1, 20);
	TRY(submit(&one, &two));
	show_events(2, 2, 999999999);
	printf("%.3s %.3s\n", text, text + 10);
	one = request(fd, IOCB_CMD_FSYNC, 0, 0, 0), two = request(fd, IOCB_CMD_FDSYNC, 0, 0, 0);
	TRY(submit(&one, 0));
	show_events(1, 8, 999999999);
	TRY(submit(&two, 0));
	show_events(1, 8, 999999999);
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(lseek(fd, 0, SEEK_END));
}

static void refusals(int fd)
{
	char text[8];
	struct iocb one = request(99, IOCB_CMD_PREAD, text, 8, 0), two = request(fd, IOCB_CMD_PREAD, text, 8, 0);
	TRY(submit(&one, 0));
	TRY(submit(&two, &one)); /* one of them */
	show_events(1, 8, 999999999);
	one = request(fd, 77, text, 8, 0);
	TRY(submit(&one, 0));
	one = request(fd, IOCB_CMD_PREAD, text, 8, -1);
	TRY(submit(&one, 0));
	one = request(fd, IOCB_CMD_PREAD, text, 0, 0), one.aio_nbytes = -1;
	TRY(submit(&one, 0));
	one = request(fd, IOCB_CMD_PREAD, text, 8, 0), one.aio_reserved2 = 1;
	TRY(submit(&one, 0));
	one = request(fd, IOCB_CMD_PREAD, text, 8, 0), one.aio_rw_flags = 1 << 20;
	TRY(submit(&one, 0));
	one = request(fd, IOCB_CMD_FSYNC, text, 8, 0);
	TRY(submit(&one, 0));
	one = request(fd, IOCB_CMD_PREAD, (void *)16, 8, 0);
	TRY(submit(&one, 0)); /* the event says it */
	show_events(1, 8, 999999999);
	int reader = open(FILE_NAME, O_RDONLY);
	one = request(reader, IOCB_CMD_PWRITE, text, 8, 0);
	TRY(submit(&one, 0));
	one = request(fd, IOCB_CMD_PREAD, text, 8, 0), one.aio_flags = IOCB_FLAG_RESFD, one.aio_resfd = fd;
	TRY(submit(&one, 0));
	one.aio_resfd = 99;
	TRY(submit(&one, 0));
	close(reader);
	show_events(0, 8, 0);
}

static void notifications(int fd)
{
	char text[8];
	unsigned long long count;
	int event = eventfd(0, EFD_NONBLOCK);
	struct iocb one = request(fd, IOCB_CMD_PREAD, text, 8, 0), two = request(fd, IOCB_CMD_PREAD, text, 8, 0);
	one.aio_flags = two.aio_flags = IOCB_FLAG_RESFD, one.aio_resfd = two.aio_resfd = event;
	TRY(submit(&one, &two));
	struct pollfd ready = {event, POLLIN, 0};
	TRY(poll(&ready, 1, 1000));
	show_events(2, 8, 999999999);
	TRY(read(event, &count, 8));
	printf("counted %llu\n", count);
	close(event);
}

static void polls(void)
{
	int fds[2];
	struct io_event event;
	if (pipe(fds))
		return;
	struct iocb one = {.aio_data = 1, .aio_fildes = fds[0], .aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = POLLIN};
	TRY(submit(&one, 0));
	show_events(0, 8, 0);
	TRY(write(fds[1], "x", 1));
	show_events(1, 8, 999999999);
	struct iocb two = {.aio_data = 2, .aio_fildes = fds[1], .aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = POLLOUT};
	TRY(submit(&one, &two)); /* both are ready */
	show_events(2, 8, 999999999);
	char text[4];
	TRY(read(fds[0], text, 4));
	TRY(submit(&one, 0));
	TRY(syscall(SYS_io_cancel, context, &two, &event));
	TRY(syscall(SYS_io_cancel, context, &one, &event));
	show_events(1, 8, 999999999);
	TRY(syscall(SYS_io_cancel, context, &one, &event));
	TRY(syscall(SYS_io_cancel, context, 0, &event));
	one.aio_buf = 1 << 16;
	TRY(submit(&one, 0));
	one = request(fds[1], IOCB_CMD_PWRITE, "pipe", 4, 77), two = request(fds[0], IOCB_CMD_PREAD, text, 4, 5);
	TRY(submit(&one, &two)); /* a pipe has no position */
	show_events(2, 8, 999999999);
	printf("%.4s\n", text);
	one = request(fds[1], IOCB_CMD_FSYNC, 0, 0, 0);
	TRY(submit(&one, 0));
	close(fds[0]), close(fds[1]);
}

int main(void)
{
	contexts();
	int fd = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
	transfers(fd);
	refusals(fd);
	notifications(fd);
	polls();
	TRY(syscall(SYS_io_destroy, context));
	TRY(syscall(SYS_io_destroy, context));
	close(fd);
	unlink(FILE_NAME);
	return 0;
}
