/* Ways to end: exit status, abort(3), signals. The first argument selects one. */
#include "show.h"
#include <signal.h>
#include <stdlib.h>

static void farewell(void)
{
	puts("atexit");
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	int number = argc > 2 ? atoi(argv[2]) : 0;

	atexit(farewell);
	puts(how);
	fflush(stdout);
	if (!strcmp(how, "exit"))
		exit(number);
	if (!strcmp(how, "_exit"))
		_exit(number);
	if (!strcmp(how, "thread-exit"))
		syscall(SYS_exit, number);
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "raise"))
		printf("raise %d\n", raise(number));
	if (!strcmp(how, "kill"))
		printf("kill %d\n", kill(getpid(), number));
	if (!strcmp(how, "ignore")) {
		signal(number, SIG_IGN);
		printf("raise %d\n", raise(number));
	}
	if (!strcmp(how, "block")) {
		sigset_t set, pending;
		sigemptyset(&set);
		sigaddset(&set, number);
		sigprocmask(SIG_BLOCK, &set, NULL);
		printf("raise %d\n", raise(number));
		sigpending(&pending);
		printf("pending %d\n", sigismember(&pending, number));
		fflush(stdout);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		puts("unblocked");
	}
	return 42;
}
