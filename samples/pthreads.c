/*
 * POSIX threads at work: every kind of mutex, condition variables, barriers, rwlocks, semaphores, spin locks,
 * cancellation, thread-local storage, 64 threads contending, signals to threads, jumps out of handlers, posix_spawn,
 * and a main thread that ends first.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 64

static pthread_mutex_t mutex;
static long counter;
static __thread int mine = 7;

static void *count(void *rounds)
{
	for (long i = 0; i < (long)rounds; i++) {
		pthread_mutex_lock(&mutex);
		long seen = counter;
		if (i % 16 == 0)
			sched_yield();
		counter = seen + 1;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void contend(const char *name, int type, int protocol, int robust, int shared)
{
	pthread_t thread[THREADS];
	pthread_mutexattr_t kind;
	pthread_mutexattr_init(&kind);
	pthread_mutexattr_settype(&kind, type);
	if (pthread_mutexattr_setprotocol(&kind, protocol) || pthread_mutexattr_setrobust(&kind, robust)) {
		printf("%s: not here\n", name);
		return;
	}
	pthread_mutexattr_setpshared(&kind, shared);
	pthread_mutex_init(&mutex, &kind);
	counter = 0;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, count, (void *)50L))
			abort();
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	pthread_mutex_lock(&mutex);
	int again = type == PTHREAD_MUTEX_NORMAL ? 0 : pthread_mutex_lock(&mutex);
	printf("%s: %ld, again: %s\n", name, counter, again ? again == EDEADLK ? "EDEADLK" : "?" : "fine");
	if (type == PTHREAD_MUTEX_RECURSIVE)
		pthread_mutex_unlock(&mutex);
	pthread_mutex_unlock(&mutex);
	int not_mine = type == PTHREAD_MUTEX_NORMAL ? EPERM : pthread_mutex_unlock(&mutex);
	printf("unlocked by a stranger: %s\n", not_mine == EPERM ? "EPERM" : "?");
	pthread_mutex_destroy(&mutex);
}

static void *die_holding(void *lock)
{
	pthread_mutex_lock(lock);
	return NULL;
}

static void robust(int protocol)
{
	pthread_mutexattr_t kind;
	pthread_mutex_t lock;
	pthread_t thread;
	pthread_mutexattr_init(&kind);
	pthread_mutexattr_setprotocol(&kind, protocol);
	pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&lock, &kind);
	pthread_create(&thread, NULL, die_holding, &lock);
	pthread_join(thread, NULL);
	int first = pthread_mutex_lock(&lock);
	printf("the owner died: %d", first == EOWNERDEAD);
	printf(", consistent: %d", pthread_mutex_consistent(&lock));
	printf(", unlocked: %d", pthread_mutex_unlock(&lock));
	printf(", locked: %d\n", pthread_mutex_lock(&lock));
	pthread_mutex_unlock(&lock);
	pthread_create(&thread, NULL, die_holding, &lock);
	pthread_join(thread, NULL);
	first = pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	printf("not made consistent: %d %d\n", first == EOWNERDEAD, pthread_mutex_lock(&lock) == ENOTRECOVERABLE);
}

static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
static int stage, woken;

static void *await(void *argument)
{
	pthread_mutex_lock(&plain);
	while (!stage)
		pthread_cond_wait(&condition, &plain);
	woken++;
	pthread_mutex_unlock(&plain);
	return argument;
}

static void conditions(void)
{
	pthread_t thread[16];
	struct timespec soon;
	for (int i = 0; i < 16; i++)
		pthread_create(&thread[i], NULL, await, NULL);
	usleep(5000);
	pthread_mutex_lock(&plain);
	stage = 1;
	pthread_cond_broadcast(&condition);
	pthread_mutex_unlock(&plain);
	for (int i = 0; i < 16; i++)
		pthread_join(thread[i], NULL);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 1000000;
	if (soon.tv_nsec >= 1000000000)
		soon.tv_sec++, soon.tv_nsec -= 1000000000;
	pthread_mutex_lock(&plain);
	int late = pthread_cond_timedwait(&condition, &plain, &soon);
	pthread_mutex_unlock(&plain);
	printf("condition: %d woken, then %s\n", woken, late == ETIMEDOUT ? "ETIMEDOUT" : "?");
}

static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static sem_t semaphore;
static _Atomic int serial, reading, most;
static long spun, written;

static void *meet(void *argument)
{
	for (int i = 0; i < 10; i++)
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			serial++;
	for (int i = 0; i < 20; i++) {
		pthread_spin_lock(&spin);
		spun++;
		pthread_spin_unlock(&spin);
		pthread_rwlock_wrlock(&rwlock);
		written++;
		pthread_rwlock_unlock(&rwlock);
		pthread_rwlock_rdlock(&rwlock);
		pthread_rwlock_unlock(&rwlock);
		sem_wait(&semaphore);
		int now = ++reading, before = most;
		while (now > before && !atomic_compare_exchange_weak(&most, &before, now))
			;
		sched_yield();
		reading--;
		sem_post(&semaphore);
	}
	mine += (int)(long)argument;
	return (void *)(long)mine;
}

static void meetings(void)
{
	pthread_t thread[THREADS];
	long sum = 0;
	void *result;
	pthread_barrier_init(&barrier, NULL, THREADS);
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	sem_init(&semaphore, 0, 3);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, meet, (void *)i);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &result);
		sum += (long)result;
	}
	printf("barrier %d, spin %ld, rwlock %ld, semaphore at most 3: %d, thread-local %ld %d\n", serial, spun, written,
	       most <= 3 && most > 0, sum, mine);
}

static void clean(void *what)
{
	printf("cleaned up: %s\n", (char *)what);
}

static void destroy(void *value)
{
	printf("destructor: %s\n", (char *)value);
}

static pthread_key_t key;
static _Atomic int ready;

static void until_ready(void)
{
	while (!ready)
		sched_yield();
	ready = 0;
}

static void *sleep_for_ever(void *argument)
{
	pthread_setspecific(key, "a value");
	pthread_cleanup_push(clean, "sleeper");
	ready = 1;
	for (;;)
		pause();
	pthread_cleanup_pop(0);
	return argument;
}

static void *compute_for_ever(void *argument)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	ready = 1;
	for (;;)
		;
	return argument;
}

static void unlock(void *lock)
{
	pthread_mutex_unlock(lock);
}

static void *wait_for_ever(void *argument)
{
	pthread_mutex_lock(&plain);
	pthread_cleanup_push(unlock, &plain);
	stage = 0;
	ready = 1;
	while (!stage)
		pthread_cond_wait(&condition, &plain);
	pthread_cleanup_pop(1);
	return argument;
}

static void cancellation(void)
{
	void *(*bodies[])(void *) = {sleep_for_ever, compute_for_ever, wait_for_ever};
	pthread_key_create(&key, destroy);
	for (int i = 0; i < 3; i++) {
		pthread_t thread;
		void *result;
		pthread_create(&thread, NULL, bodies[i], NULL);
		until_ready();
		int sent = pthread_cancel(thread);
		pthread_join(thread, &result);
		printf("cancelled %d: %d\n", sent, result == PTHREAD_CANCELED);
	}
	printf("the mutex is free: %d\n", !pthread_mutex_trylock(&plain));
	pthread_mutex_unlock(&plain);
}

static sigjmp_buf escape;
static _Atomic int caught;
static pthread_t catcher;

static void jump(int signo)
{
	siglongjmp(escape, signo);
}

static void note(int signo)
{
	if (pthread_equal(pthread_self(), catcher))
		caught = signo;
}

static void *catch(void *argument)
{
	sigset_t set;
	int signo;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	ready = 1;
	while (!caught)
		sched_yield();
	sigwait(&set, &signo);
	printf("sigwait: %d\n", signo == SIGUSR2);
	return argument;
}

static void signals(void)
{
	volatile int *nowhere = NULL;
	signal(SIGSEGV, jump);
	for (volatile int i = 0; i < 3; i++)
		if (!sigsetjmp(escape, 1))
			*nowhere = 1;
		else
			printf("out of the handler %d\n", i);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGUSR1, note);
	pthread_create(&catcher, NULL, catch, NULL);
	until_ready();
	pthread_kill(catcher, SIGUSR1);
	pthread_kill(catcher, SIGUSR2);
	pthread_join(catcher, NULL);
	printf("caught by that thread: %d\n", caught == SIGUSR1);
}

static void spawn(char *self)
{
	char *argv[] = {self, "child", NULL}, *envp[] = {"A=b", NULL};
	posix_spawn_file_actions_t actions;
	pid_t child;
	int status;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	fflush(stdout);
	printf("spawn: %d", posix_spawn(&child, self, &actions, NULL, argv, envp));
	waitpid(child, &status, 0);
	int nowhere = posix_spawn(&child, "/nowhere", NULL, NULL, argv, envp);
	printf(", status %d, nowhere: %s\n", WEXITSTATUS(status), nowhere == ENOENT ? "ENOENT" : "?");
}

static void across_processes(void)
{
	struct together {
		pthread_mutex_t lock;
		sem_t done;
		long count;
	} *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t kind;
	pthread_mutexattr_init(&kind);
	pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&shared->lock, &kind);
	sem_init(&shared->done, 1, 0);
	fflush(stdout);
	for (int i = 0; i < 4; i++)
		if (!fork()) {
			for (int n = 0; n < 100; n++) {
				pthread_mutex_lock(&shared->lock);
				long seen = shared->count;
				sched_yield();
				shared->count = seen + 1;
				pthread_mutex_unlock(&shared->lock);
			}
			sem_post(&shared->done);
			_exit(0);
		}
	for (int i = 0; i < 4; i++) {
		sem_wait(&shared->done);
		wait(NULL);
	}
	if (!fork()) {
		pthread_mutex_lock(&shared->lock);
		kill(getpid(), SIGKILL);
	}
	wait(NULL);
	printf("processes: %ld, one was killed: %d\n", shared->count, pthread_mutex_lock(&shared->lock) == EOWNERDEAD);
}

static void *last(void *leader)
{
	pthread_join((pthread_t)leader, NULL);
	printf("the main thread has ended\n");
	exit(5);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	if (argc > 1) {
		fprintf(stderr, "[%s %s]", argv[1], getenv("A"));
		return 9;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	contend("normal", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, 0);
	contend("recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, 0);
	contend("errorcheck", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, 0);
	contend("robust", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, 0);
	contend("shared", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, 1);
	contend("inheriting", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, 0);
	contend("inheriting, recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, 0);
	contend("inheriting, robust", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_ROBUST, 1);
	robust(PTHREAD_PRIO_NONE);
	robust(PTHREAD_PRIO_INHERIT);
	conditions();
	meetings();
	cancellation();
	signals();
	spawn(argv[0]);
	across_processes();
	pthread_create(&thread, NULL, last, (void *)pthread_self());
	pthread_exit(NULL);
}
