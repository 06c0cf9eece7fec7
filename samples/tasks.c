/*
 * Processes, threads, pipes and signals at work, as often as asked: what a fork, a switch between threads, a byte
 * through a pipe and a signal cost.
 *
 * tasks fork N | switch N | pipe KIB | storm N
 */
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* fork, exit and wait, one child after the other. */
static long forks(long count)
{
	long sum = 0;
	for (long i = 0; i < count; i++) {
		int status;
		pid_t pid = fork();
		if (pid < 0)
			return -1;
		if (!pid)
			_exit((int)(i & 7));
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
			return -1;
		sum += WEXITSTATUS(status);
	}
	return sum;
}

/* Two threads hand a number to each other through a futex: 2 * N switches. */
static _Atomic int turn;
static long rounds;

static void futex(int operation, int value)
{
	syscall(SYS_futex, &turn, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void *player(void *argument)
{
	int mine = (int)(long)argument;
	for (long i = 0; i < rounds; i++) {
		while (atomic_load(&turn) != mine)
			futex(FUTEX_WAIT, !mine);
		atomic_store(&turn, !mine);
		futex(FUTEX_WAKE, 1);
	}
	return NULL;
}

static long switches(long count)
{
	pthread_t other;
	rounds = count;
	if (pthread_create(&other, NULL, player, (void *)1))
		return -1;
	player((void *)0);
	pthread_join(other, NULL);
	return 2 * count;
}

/* A child writes, we read, 64 KB at a time. */
static long piped(long kib)
{
	static char buffer[65536];
	int ends[2];
	long total = 0;
	ssize_t got;
	if (pipe(ends))
		return -1;
	if (!fork()) {
		close(ends[0]);
		for (long left = kib * 1024; left > 0; left -= got) {
			size_t part = left < (long)sizeof buffer ? (size_t)left : sizeof buffer;
			got = write(ends[1], buffer, part);
			if (got <= 0)
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	while ((got = read(ends[0], buffer, sizeof buffer)) > 0)
		total += got;
	wait(NULL);
	return total / 1024;
}

/* A signal to ourselves, handled, N times. */
static volatile sig_atomic_t handled;

static void handler(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	handled += info->si_pid == getpid();
}

static long storm(long count)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	sigaction(SIGUSR1, &action, NULL);
	for (long i = 0; i < count; i++)
		kill(getpid(), SIGUSR1);
	return handled;
}

int main(int argc, char **argv)
{
	static const struct { const char *name; long (*run)(long); } modes[] = {
		{"fork", forks}, {"switch", switches}, {"pipe", piped}, {"storm", storm},
	};
	for (size_t i = 0; argc == 3 && i < sizeof modes / sizeof *modes; i++)
		if (!strcmp(argv[1], modes[i].name)) {
			printf("%s %s: %ld\n", argv[1], argv[2], modes[i].run(atol(argv[2])));
			return 0;
		}
	fprintf(stderr, "usage: tasks fork|switch|pipe|storm N\n");
	return 2;
}
