/*
 * Tasks that meet: what they do depends on who runs when, on limits, or on nobody ever waking them.
 *
 * together race | locks | pipe | child | file | bomb | threads | handler | execute
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER, two = PTHREAD_MUTEX_INITIALIZER;
static atomic_int spin, finished;
static char *self;

static void rest(long ns)
{
	struct timespec pause = {0, ns};
	nanosleep(&pause, NULL);
}

/* A mutex, a spin lock and a clock; who comes first is written down. */
static void *racer(void *name)
{
	for (int round = 0; round < 8; round++) {
		while (atomic_exchange(&spin, 1))
			;
		for (volatile int i = 0; i < 3000; i++)
			;
		atomic_store(&spin, 0);
		pthread_mutex_lock(&one);
		if (write(1, name, 1) != 1)
			abort();
		pthread_mutex_unlock(&one);
		if (round % 3 == 0)
			rest(1000000);
	}
	atomic_fetch_add(&finished, 1);
	return NULL;
}

static int race(void)
{
	pthread_t threads[4];
	unsigned char chance[4];
	struct timespec now;
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, racer, &"abcd"[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	rest(900000000);
	getrandom(chance, sizeof chance, 0);
	clock_gettime(CLOCK_REALTIME, &now);
	printf(" %d %02x%02x%02x%02x %lld.%09ld\n", atomic_load(&finished), chance[0], chance[1], chance[2], chance[3],
	       (long long)now.tv_sec, now.tv_nsec);
	return 0;
}

static void *crossed(void *unused)
{
	pthread_mutex_lock(&two);
	rest(1000000);
	pthread_mutex_lock(&one);
	return unused;
}

/* Two threads, two mutexes, in the wrong order. */
static int locks(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, crossed, NULL);
	pthread_mutex_lock(&one);
	rest(1000000);
	pthread_mutex_lock(&two);
	return 0;
}

/* A pipe whose only writer reads. */
static int empty_pipe(void)
{
	int ends[2];
	char byte;
	return pipe(ends) || read(ends[0], &byte, 1) != 1;
}

/* A parent waits for a child that never ends. */
static int child(void)
{
	int status;
	if (!fork())
		for (;;)
			pause();
	return wait(&status) < 0;
}

/* A lock that another description of the same process has. */
static int file(void)
{
	int first = open("/tmp/lock", O_CREAT | O_RDWR, 0600), second = open("/tmp/lock", O_RDWR);
	return flock(first, LOCK_EX) || flock(second, LOCK_EX);
}

static int bomb(void)
{
	for (;;)
		fork();
}

static void *sleeper(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* As many threads as there may be. */
static int threads(void)
{
	pthread_attr_t small;
	pthread_t thread;
	int count = 1, error;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 16384);
	while (!(error = pthread_create(&thread, &small, sleeper, NULL)))
		count++;
	printf("%d threads: %s\n", count, error == EAGAIN ? "EAGAIN" : strerror(error));
	return 0;
}

static void faulty(int signo)
{
	if (write(1, "handler\n", 8) != 8)
		abort();
	raise(signo); /* blocked: comes later, or never */
	*(volatile int *)8 = 0;
}

/* A handler of SIGSEGV that faults itself. */
static int handler(void)
{
	struct sigaction action = {.sa_handler = faulty};
	sigaction(SIGSEGV, &action, NULL);
	*(volatile int *)16 = 0;
	return 0;
}

static void *executor(void *unused)
{
	char *args[] = {self, "none", NULL};
	rest(1000000);
	execve(self, args, NULL);
	return unused;
}

/* Another thread than the first executes a program. */
static int execute(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, executor, NULL);
	pthread_join(thread, NULL);
	return 1;
}

static int none(void)
{
	return 7;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} parts[] = {{"race", race}, {"locks", locks}, {"pipe", empty_pipe}, {"child", child}, {"file", file},
		     {"bomb", bomb}, {"threads", threads}, {"handler", handler}, {"execute", execute}, {"none", none}};
	self = argv[0];
	for (size_t i = 0; argc > 1 && i < sizeof parts / sizeof *parts; i++)
		if (!strcmp(argv[1], parts[i].name))
			return parts[i].run();
	return 2;
}
