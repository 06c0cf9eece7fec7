/* Waiting for descriptors: poll(2), ppoll(2), select(2), pselect(2) on pipes and files. */
#include "show.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/select.h>
#include <time.h>

static void show_polled(int result, const struct pollfd *fds, int n)
{
	printf("  %d:", result);
	for (int i = 0; i < n; i++)
		printf(" %s%s%s%s%s", fds[i].revents & POLLIN ? "in" : "", fds[i].revents & POLLOUT ? "out" : "",
		       fds[i].revents & POLLHUP ? "hup" : "", fds[i].revents & POLLERR ? "err" : "",
		       fds[i].revents & POLLNVAL ? "nval" : fds[i].revents ? "" : "-");
	puts("");
}

static void polling(int r, int w)
{
	struct pollfd fds[] = { { r, POLLIN, 0 }, { w, POLLOUT, 0 }, { -1, POLLIN, 0 }, { 99, POLLIN, 0 } };
	struct timespec none = { 0, 0 }, wrong = { 0, 2000000000 };

	puts("-- poll");
	show_polled(poll(fds, 4, 0), fds, 4);
	show_polled(poll(fds, 1, 10), fds, 1);
	write(w, "x", 1);
	show_polled(poll(fds, 2, -1), fds, 2);
	show_polled(ppoll(fds, 2, &none, NULL), fds, 2);
	TRY(ppoll(fds, 2, &wrong, NULL));
	TRY(poll(NULL, 0, 1));
	TRY(poll((void *)8, 1, 1));
	static char big[65536];
	fcntl(w, F_SETFL, O_NONBLOCK);
	while (write(w, big, sizeof big) > 0)
		;
	show_polled(poll(fds, 2, 0), fds, 2);
	int file = open("f", O_CREAT | O_RDWR, 0600);
	struct pollfd plain = { file, POLLIN | POLLOUT | POLLPRI, 0 };
	show_polled(poll(&plain, 1, 0), &plain, 1);
	close(file);
}

static void selecting(int r, int w)
{
	fd_set in, out;
	struct timeval at_once = { 0, 0 }, soon = { 0, 1000 }, wrong = { 0, -1 };
	struct timespec never = { 0, 0 };

	puts("-- select");
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(r, &in);
	FD_SET(w, &out);
	TRY(select(w + 1, &in, &out, NULL, &at_once));  /* what is left of more would differ in every trace */
	printf("  in %d out %d\n", FD_ISSET(r, &in) != 0, FD_ISSET(w, &out) != 0);
	char byte[65536];
	while (read(r, byte, sizeof byte) == sizeof byte)
		;
	FD_SET(r, &in);
	FD_ZERO(&out);
	soon.tv_usec = 1000;
	TRY(select(w + 1, &in, &out, NULL, &soon));
	printf("  in %d left %ld\n", FD_ISSET(r, &in) != 0, (long)soon.tv_usec);
	FD_SET(w, &out);
	TRY(pselect(w + 1, NULL, &out, NULL, &never, NULL));
	TRY(select(-1, NULL, NULL, NULL, &soon));
	soon.tv_usec = 1;
	TRY(select(0, NULL, NULL, NULL, &soon));
	TRY(select(0, NULL, NULL, NULL, &wrong));
	FD_ZERO(&in);
	FD_SET(63, &in);
	TRY(select(64, &in, NULL, NULL, &soon));
}

static void hangup(int r, int w)
{
	struct pollfd reader = { r, POLLIN, 0 }, writer = { 0, POLLOUT, 0 };
	int p[2];

	puts("-- hangup");
	close(w);
	show_polled(poll(&reader, 1, -1), &reader, 1);
	pipe(p);
	close(p[0]);
	writer.fd = p[1];
	show_polled(poll(&writer, 1, -1), &writer, 1);
}

int main(void)
{
	int p[2];

	pipe(p);
	polling(p[0], p[1]);
	selecting(p[0], p[1]);
	hangup(p[0], p[1]);
	return 0;
}
