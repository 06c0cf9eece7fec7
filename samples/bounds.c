/*
 * setrlimit(2): what each limit does when it is reached; priorities and scheduling.
 */
#include "show.h"
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>

static void apart(void (*function)(void))
{
	int status;
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		function();
		exit(0);
	}
	waitpid(pid, &status, 0);
	printf("ends %#x\n", status);
}

static int limit(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit both = {soft, hard};
	return setrlimit(resource, &both);
}

static void become_user(void)
{
	if (setresgid(43210, 43210, 43210) || setresuid(43210, 43210, 43210))
		printf("cannot become a user\n");
}

static volatile int caught;
static void handler(int signo) { caught = signo; }

static void checks(void)
{
	struct rlimit both;
	TRY(syscall(SYS_prlimit64, 0, 16, NULL, &both));
	TRY(syscall(SYS_prlimit64, 0, -1, NULL, &both));
	TRY(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, NULL));
	TRY(syscall(SYS_prlimit64, 0, RLIMIT_CORE, 1L, NULL));
	TRY(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, 1L));
	TRY(syscall(SYS_prlimit64, 1 << 22, RLIMIT_CORE, NULL, NULL));
	TRY(syscall(SYS_prlimit64, -1, RLIMIT_CORE, NULL, NULL));
	TRY(limit(RLIMIT_FSIZE, 2, 1));
	TRY(limit(99, 1, 1));
	become_user();
	TRY(limit(RLIMIT_FSIZE, 100, 1000));
	TRY(limit(RLIMIT_FSIZE, 1000, 1000));
	TRY(limit(RLIMIT_FSIZE, 1000, 1001));
	TRY(limit(RLIMIT_FSIZE, 1001, 1000));
	TRY(limit(RLIMIT_NOFILE, 10, (1 << 20) + 1));
	TRY(limit(RLIMIT_NICE, 5, 10));
	TRY(syscall(SYS_prlimit64, getppid(), RLIMIT_FSIZE, NULL, &both));
}

static void file_size(void)
{
	static char data[3000];
	int fd = open("big", O_RDWR | O_CREAT | O_TRUNC, 0666);
	signal(SIGXFSZ, handler);
	limit(RLIMIT_FSIZE, 5000, RLIM_INFINITY);
	TRY(write(fd, data, 3000));
	TRY(write(fd, data, 3000));
	printf("caught %d\n", caught);
	TRY(write(fd, data, 3000));
	printf("caught %d\n", caught);
	caught = 0;
	TRY(pwrite(fd, data, 10, 4995));
	TRY(pwrite(fd, data, 10, 5000));
	printf("caught %d\n", caught);
	caught = 0;
	TRY(ftruncate(fd, 5000));
	TRY(ftruncate(fd, 5001));
	printf("caught %d\n", caught);
	caught = 0;
	TRY(posix_fallocate(fd, 0, 6000) == EFBIG);
	printf("caught %d\n", caught);
	caught = 0;
	TRY(truncate("big", 6000));
	printf("caught %d\n", caught);
	signal(SIGXFSZ, SIG_IGN);
	TRY(write(fd, data, 1));
	signal(SIGXFSZ, SIG_DFL);
	fflush(stdout);
	write(fd, data, 1);
}

static void descriptors(void)
{
	int ends[2];
	limit(RLIMIT_NOFILE, 10, 20);
	TRY(dup2(1, 9));
	TRY(dup2(1, 10));
	TRY(fcntl(1, F_DUPFD, 10));
	TRY(fcntl(1, F_DUPFD, 9));
	while (dup(1) >= 0)
		;
	TRY(dup(1));
	TRY(open("/", O_RDONLY));
	TRY(pipe(ends));
	close(5);
	TRY(pipe(ends));
	TRY(dup(1));
	limit(RLIMIT_NOFILE, 5, 20);
	TRY(fcntl(9, F_GETFD));
	close(3);
	TRY(dup(1));
	TRY(dup(1));
	TRY(dup2(1, 8));
	limit(RLIMIT_NOFILE, 0, 20);
	TRY(open("/", O_RDONLY));
	TRY(dup2(1, 0));
}

static void *area(size_t length, int flags)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void memory(void)
{
	limit(RLIMIT_AS, 64 << 20, RLIM_INFINITY);
	TRYP(area(80 << 20, 0));
	void *some = TRYP(area(32 << 20, 0));
	TRYP(area(32 << 20, 0));
	TRYP(mremap(some, 32 << 20, 80 << 20, MREMAP_MAYMOVE));
	TRY(syscall(SYS_brk, 0) == syscall(SYS_brk, syscall(SYS_brk, 0) + (64 << 20)));
	limit(RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY);
	limit(RLIMIT_DATA, 16 << 20, RLIM_INFINITY);
	TRYP(area(20 << 20, 0));
	TRYP(mmap(NULL, 20 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	TRYP(mmap(NULL, 20 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	long now = syscall(SYS_brk, 0);
	TRY(syscall(SYS_brk, now + (20 << 20)) == now);
}

static void locks(void)
{
	become_user();
	limit(RLIMIT_MEMLOCK, 64 << 10, 64 << 10);
	char *some = area(1 << 20, 0);
	TRY(mlock(some, 64 << 10));
	TRY(mlock(some + (64 << 10), 4096));
	TRY(munlock(some, 4096));
	TRY(mlock(some + (64 << 10), 4096));
	TRY(mlockall(MCL_CURRENT));
	TRY(mlockall(MCL_FUTURE));
	TRYP(area(1 << 20, MAP_LOCKED));
	limit(RLIMIT_MEMLOCK, 0, 64 << 10);
	TRY(mlock(some, 4096));
	TRY(mlockall(MCL_FUTURE));
	TRYP(area(4096, MAP_LOCKED));
	TRY(munlockall());
}

static void processor(void)
{
	signal(SIGXCPU, handler);
	limit(RLIMIT_CPU, 1, 2);
	while (!caught)
		;
	printf("caught %d\n", caught);
	caught = 0;
	fflush(stdout);
	for (;;)
		;
}

static void processes(void)
{
	int children = 0;
	limit(RLIMIT_NPROC, 3, 3);
	become_user();
	pid_t pid;
	while ((pid = fork()) > 0 && children < 10)
		children++;
	if (!pid) {
		pause();
		_exit(0);
	}
	printf("children %d, %s\n", children, error_name(errno));
	signal(SIGTERM, SIG_IGN);
	kill(-1, SIGTERM);
	while (wait(NULL) > 0)
		;
	pid = fork();
	if (!pid)
		_exit(0);
	printf("again: %s\n", pid > 0 ? "ok" : error_name(errno));
	waitpid(pid, NULL, 0); /* a zombie counts too */
}

/* With more processes of the user than allowed, setuid goes on, but execve and fork do not. */
static void exceeded(void)
{
	char *argv[] = {"bounds", "quiet", NULL};
	int ends[2];
	pipe(ends);
	pid_t pid = fork();
	if (!pid) {
		become_user();
		write(ends[1], "x", 1);
		pause();
	}
	read(ends[0], argv + 1, 1);
	argv[1] = "quiet";
	limit(RLIMIT_NPROC, 0, 0);
	become_user();
	execv("/proc/self/exe", argv);
	printf("execve: %s\n", error_name(errno));
	TRY(fork());
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	fflush(stdout);
	execv("/proc/self/exe", argv);
	printf("execve: %s\n", error_name(errno));
}

/* Nobody counts before it has become the user: setuid and execve go on, fork does not. */
static void too_many(void)
{
	char *argv[] = {"bounds", "quiet", NULL};
	limit(RLIMIT_NPROC, 0, 0);
	become_user();
	TRY(fork());
	fflush(stdout);
	execv("/proc/self/exe", argv);
	printf("execve: %s\n", error_name(errno));
	TRY(fork());
}

static void pending(void)
{
	sigset_t set;
	union sigval value = {0};
	limit(RLIMIT_SIGPENDING, 3, 3);
	become_user();
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 5; i++)
		TRY(sigqueue(getpid(), 40, value));
	TRY(kill(getpid(), SIGUSR1));
	TRY(kill(getpid(), 41));
	TRY(sigqueue(getpid(), SIGUSR2, value));
	sigpending(&set);
	printf("pending: %d %d %d %d\n", sigismember(&set, 40), sigismember(&set, SIGUSR1), sigismember(&set, 41),
		sigismember(&set, SIGUSR2));
	timer_t timer;
	TRY(timer_create(CLOCK_MONOTONIC, NULL, &timer));
}

static void deep(int depth)
{
	volatile char here[4096];
	here[0] = (char)depth;
	if (depth)
		deep(depth - 1);
	here[1] = here[0];
}

static void stack(void)
{
	limit(RLIMIT_STACK, 1 << 20, RLIM_INFINITY);
	deep(100);
	printf("deep enough\n");
	fflush(stdout);
	deep(1000);
}

static void without(int capability)
{
	struct { struct __user_cap_header_struct head; struct __user_cap_data_struct data[2]; } caps = {
		.head = {_LINUX_CAPABILITY_VERSION_3, 0}};
	syscall(SYS_capget, &caps.head, caps.data);
	caps.data[0].effective &= ~(1u << capability);
	syscall(SYS_capset, &caps.head, caps.data);
}

static long scheduler(int policy, int priority)
{
	struct sched_param param = {.sched_priority = priority};
	return syscall(SYS_sched_setscheduler, 0, policy, &param);
}

static void priorities(void)
{
	struct timespec interval;
	TRY(getpriority(PRIO_PROCESS, 0));
	TRY(getpriority(9, 0));
	TRY(getpriority(PRIO_PROCESS, 1 << 22));
	TRY(getpriority(PRIO_USER, 4242));
	TRY(setpriority(PRIO_PROCESS, 0, 5));
	TRY(setpriority(PRIO_PROCESS, 0, 100));
	TRY(getpriority(PRIO_PROCESS, 0));
	TRY(syscall(SYS_getpriority, PRIO_PROCESS, 0));
	TRY(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, NULL));
	TRY(scheduler(SCHED_FIFO, 0));
	TRY(scheduler(SCHED_FIFO, 100));
	TRY(scheduler(SCHED_OTHER, 1));
	TRY(scheduler(77, 1));
	TRY(scheduler(-1, 1));
	TRY(scheduler(SCHED_BATCH, 0));
	TRY(syscall(SYS_sched_getscheduler, 0));
	TRY(scheduler(SCHED_IDLE, 0));
	TRY(syscall(SYS_sched_getscheduler, 0));
	TRY(scheduler(SCHED_OTHER | 0x40000000, 0));
	TRY(syscall(SYS_sched_getscheduler, 0) == 0x40000000);
	TRY(syscall(SYS_sched_getscheduler, -1));
	TRY(syscall(SYS_sched_getscheduler, 1 << 22));
	TRY(sched_get_priority_max(SCHED_FIFO));
	TRY(sched_get_priority_min(SCHED_RR));
	TRY(sched_get_priority_max(SCHED_OTHER));
	TRY(sched_get_priority_max(SCHED_IDLE));
	TRY(sched_get_priority_max(6));
	TRY(sched_get_priority_max(99));
	TRY(sched_get_priority_max(-1));
	TRY(sched_rr_get_interval(-1, &interval));
	TRY(sched_rr_get_interval(1 << 22, &interval));
	become_user();
	TRY(setpriority(PRIO_PROCESS, 0, 5));
	TRY(nice(-1));
	TRY(scheduler(SCHED_FIFO, 1));
	TRY(scheduler(SCHED_OTHER, 0));
	TRY(scheduler(SCHED_BATCH, 0));
	TRY(scheduler(SCHED_IDLE, 0));
	TRY(scheduler(SCHED_OTHER, 0));
	TRY(setpriority(PRIO_PROCESS, getppid(), 5));
	TRY(setpriority(PRIO_USER, 0, 19));
}

static void nice_limit(void)
{
	without(CAP_SYS_NICE);
	limit(RLIMIT_NICE, 0, 0);
	TRY(setpriority(PRIO_PROCESS, 0, 10));
	TRY(setpriority(PRIO_PROCESS, 0, 5));
	TRY(scheduler(SCHED_RR, 5));
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 5;
	limit(RLIMIT_CORE, 0, 0);
	apart(checks);
	apart(file_size);
	apart(descriptors);
	apart(memory);
	apart(locks);
	apart(processor);
	apart(processes);
	apart(exceeded);
	apart(too_many);
	apart(pending);
	apart(stack);
	apart(priorities);
	apart(nice_limit);
	return 0;
}
