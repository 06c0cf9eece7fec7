/*
 * clone(2) and clone3(2): which flags go together, in which order arguments are checked, and what the child has.
 */
#include "show.h"
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define F(flag) {#flag, flag}

static const struct { const char *name; unsigned long long flag; } bits[] = {
	F(CLONE_VM), F(CLONE_FS), F(CLONE_FILES), F(CLONE_SIGHAND), F(CLONE_PIDFD), F(CLONE_PTRACE),
	F(CLONE_SYSVSEM), F(CLONE_UNTRACED), F(CLONE_DETACHED), F(CLONE_IO), F(CLONE_CLEAR_SIGHAND), F(CLONE_PARENT_SETTID),
	F(CLONE_CHILD_SETTID), F(CLONE_CHILD_CLEARTID),
};

static struct { int pidfd, parent_tid, child_tid; } *shared;

/* What became of a child, without its id. */
static void show_end(const char *text, long pid, int options)
{
	int status = 0;
	if (pid == -1) {
		printf("%s = -1 %s\n", text, error_name(errno));
		return;
	}
	long waited = waitpid((pid_t)pid, &status, options);
	if (waited == -1)
		printf("%s: child; wait %s\n", text, error_name(errno));
	else if (WIFEXITED(status))
		printf("%s: child exits %d\n", text, WEXITSTATUS(status));
	else
		printf("%s: child is killed by %d%s\n", text, WTERMSIG(status), WCOREDUMP(status) ? " (core)" : "");
}

/* A call without a call: a child that shares our stack must not write there. */
static inline __attribute__((always_inline)) long raw(long number, long a, long b, long c, long d, long e)
{
	long result;
#if defined __x86_64__
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
		: "rcx", "r11", "memory");
#elif defined __i386__
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
#else
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
		x3 __asm__("x3") = d, x4 __asm__("x4") = e;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	result = x0;
#endif
	return result;
}

static inline __attribute__((always_inline)) long answer(long result)
{
	if (result < 0) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

static inline __attribute__((always_inline)) void leave(int status)
{
	raw(SYS_exit_group, status, 0, 0, 0, 0);
}

static inline __attribute__((always_inline)) long old_clone(unsigned long flags)
{
#ifdef __x86_64__
	return answer(raw(SYS_clone, (long)flags, 0, (long)&shared->parent_tid, (long)&shared->child_tid, 0));
#else
	return answer(raw(SYS_clone, (long)flags, 0, (long)&shared->parent_tid, 0, (long)&shared->child_tid));
#endif
}

/* A child in a copy of our memory, or one that we let run alone: CLONE_VM comes with CLONE_VFORK. */
static void try_old(const char *text, unsigned long flags)
{
	if (flags & CLONE_VM)
		flags |= CLONE_VFORK;
	fflush(stdout);
	long pid = old_clone(flags);
	if (!pid)
		leave(7);
	show_end(text, pid, __WALL);
	if (pid > 0 && flags & CLONE_PIDFD)
		close(shared->parent_tid);
}
#define OLD(flags) try_old("clone " #flags, flags)

static inline __attribute__((always_inline)) long clone3(struct clone_args *args, size_t size)
{
	return answer(raw(SYS_clone3, (long)args, (long)size, 0, 0, 0));
}

static void try_new(const char *text, struct clone_args args, size_t size)
{
	if (args.flags & CLONE_VM)
		args.flags |= CLONE_VFORK;
	fflush(stdout);
	long pid = clone3(&args, size);
	if (!pid)
		leave(8);
	show_end(text, pid, __WALL);
}
#define NEW(...) try_new("clone3 " #__VA_ARGS__, (struct clone_args){__VA_ARGS__}, sizeof(struct clone_args))
#define SIZED(size, ...) try_new("clone3 size " #size " " #__VA_ARGS__, (struct clone_args){__VA_ARGS__}, size)

/* Every pair of flags, as far as a lone child shows whether it is allowed. */
static void pairs(void)
{
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
		for (size_t j = i; j < sizeof bits / sizeof *bits; j++) {
			struct clone_args args = {.flags = bits[i].flag | bits[j].flag, .exit_signal = SIGCHLD,
				.pidfd = (uintptr_t)&shared->pidfd, .parent_tid = (uintptr_t)&shared->parent_tid,
				.child_tid = (uintptr_t)&shared->child_tid};
			char text[64];
			snprintf(text, sizeof text, "%s|%s", bits[i].name, bits[j].name);
			try_new(text, args, sizeof args);
			if (args.flags & CLONE_PIDFD)
				close(shared->pidfd);
		}
}

static void combinations(void)
{
	OLD(SIGCHLD);
	OLD(0);
	OLD(SIGURG);
	OLD(65);
	OLD(255);
	OLD(CLONE_THREAD | SIGCHLD);
	OLD(CLONE_THREAD | CLONE_VM | SIGCHLD);
	OLD(CLONE_THREAD | CLONE_SIGHAND | SIGCHLD);
	OLD(CLONE_SIGHAND | SIGCHLD);
	OLD(CLONE_SIGHAND | CLONE_VM | SIGCHLD);
	OLD(CLONE_NEWNS | CLONE_FS | SIGCHLD);
	OLD(CLONE_NEWUSER | CLONE_FS | SIGCHLD);
	OLD(CLONE_PIDFD | SIGCHLD);
	OLD(CLONE_PIDFD | CLONE_DETACHED | SIGCHLD);
	OLD(CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD);
	OLD(CLONE_DETACHED | SIGCHLD);
	OLD(CLONE_VFORK | SIGCHLD);
	OLD(CLONE_VFORK | CLONE_VM | SIGCHLD);
	OLD(CLONE_SYSVSEM | SIGCHLD);
	OLD(CLONE_IO | SIGCHLD);
	OLD(CLONE_UNTRACED | CLONE_PTRACE | SIGCHLD);
	OLD(CLONE_FILES | CLONE_FS | SIGCHLD);
}

static void structs(void)
{
	TRY(clone3(NULL, 0));
	TRY(clone3(NULL, 63));
	TRY(clone3(NULL, 64));
	TRY(clone3(NULL, 4096));
	TRY(clone3(NULL, 4097));
	TRY(clone3((void *)1, sizeof(struct clone_args)));
	static union { struct clone_args args; char bytes[4200]; } large;
	large.args.exit_signal = SIGCHLD;
	for (size_t at = 64; at <= 88; at += 8) {
		char text[32];
		snprintf(text, sizeof text, "clone3 of %zu bytes", at);
		try_new(text, large.args, at);
	}
	large.bytes[100] = 1;
	TRY(clone3(&large.args, 104));
	large.bytes[100] = 0;
	fflush(stdout);
	long pid = clone3(&large.args, 4096);
	if (!pid)
		_exit(9);
	show_end("clone3 of a page of zeros", pid, 0);
	SIZED(65, .exit_signal = SIGCHLD);
	SIZED(71, .exit_signal = SIGCHLD);
	SIZED(72, .exit_signal = SIGCHLD, .set_tid = 5);
	SIZED(64, .exit_signal = SIGCHLD, .set_tid = 5, .set_tid_size = 1);
	NEW(.exit_signal = 0);
	NEW(.exit_signal = 65);
	NEW(.exit_signal = 255);
	NEW(.exit_signal = 256);
	NEW(.exit_signal = 1ULL << 32 | SIGCHLD);
	NEW(.flags = SIGCHLD);
	NEW(.flags = 1, .exit_signal = SIGCHLD);
	NEW(.flags = CLONE_DETACHED, .exit_signal = SIGCHLD);
	NEW(.flags = 1ULL << 40, .exit_signal = SIGCHLD);
	NEW(.flags = 1ULL << 63, .exit_signal = SIGCHLD);
	NEW(.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD);
	NEW(.flags = CLONE_PARENT, .exit_signal = SIGCHLD);
	NEW(.flags = CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD);
	NEW(.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = 99);
	NEW(.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = 0x80000000);
	NEW(.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = 1);
	SIZED(80, .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD);
	NEW(.exit_signal = SIGCHLD, .cgroup = 99);
	NEW(.exit_signal = SIGCHLD, .stack = 4096);
	NEW(.exit_signal = SIGCHLD, .stack_size = 4096);
	NEW(.exit_signal = SIGCHLD, .stack = ~4095ULL, .stack_size = 4096);
	NEW(.exit_signal = SIGCHLD, .stack = 1ULL << 63, .stack_size = 4096);
	NEW(.exit_signal = SIGCHLD, .stack = 4096, .stack_size = ~0ULL);
	NEW(.exit_signal = SIGCHLD, .pidfd = 1);
	NEW(.flags = CLONE_PIDFD, .exit_signal = SIGCHLD);
	NEW(.flags = CLONE_PIDFD, .exit_signal = SIGCHLD, .pidfd = 1);
	NEW(.flags = CLONE_PARENT_SETTID, .exit_signal = SIGCHLD, .parent_tid = 1);
	NEW(.flags = CLONE_CHILD_SETTID, .exit_signal = SIGCHLD, .child_tid = 1);
	NEW(.flags = CLONE_CHILD_CLEARTID, .exit_signal = SIGCHLD, .child_tid = 1);
	NEW(.flags = CLONE_PIDFD | CLONE_PARENT_SETTID, .exit_signal = SIGCHLD, .pidfd = (uintptr_t)shared,
		.parent_tid = (uintptr_t)shared);
}

/* set_tid: checks, and an id that is taken. */
static void chosen_ids(void)
{
	int ids[40] = {0};
	NEW(.exit_signal = SIGCHLD, .set_tid = (uintptr_t)ids);
	NEW(.exit_signal = SIGCHLD, .set_tid_size = 1);
	NEW(.exit_signal = SIGCHLD, .set_tid = (uintptr_t)ids, .set_tid_size = 33);
	NEW(.exit_signal = SIGCHLD, .set_tid = (uintptr_t)ids, .set_tid_size = 32);
	NEW(.exit_signal = SIGCHLD, .set_tid = 1, .set_tid_size = 1);
	NEW(.exit_signal = SIGCHLD, .set_tid = (uintptr_t)ids, .set_tid_size = 1);
	ids[0] = -1;
	NEW(.exit_signal = SIGCHLD, .set_tid = (uintptr_t)ids, .set_tid_size = 1);
	ids[0] = 1;
	NEW(.exit_signal = SIGCHLD, .set_tid = (uintptr_t)ids, .set_tid_size = 1);
	ids[0] = getpid();
	NEW(.exit_signal = SIGCHLD, .set_tid = (uintptr_t)ids, .set_tid_size = 1);
	ids[0] = 1 << 30;
	NEW(.exit_signal = SIGCHLD, .set_tid = (uintptr_t)ids, .set_tid_size = 1);
	struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)ids, .set_tid_size = 1};
	ids[0] = 31999;
	fflush(stdout);
	long pid = clone3(&args, sizeof args);
	if (!pid)
		_exit(getpid() == 31999 ? 3 : 4);
	FACT(pid == 31999);
	show_end("a chosen id", pid, 0);
	pid = fork();
	if (!pid) {
		setresuid(1000, 1000, 1000);
		NEW(.exit_signal = SIGCHLD, .set_tid = (uintptr_t)ids, .set_tid_size = 1);
		ids[0] = -1;
		NEW(.exit_signal = SIGCHLD, .set_tid = (uintptr_t)ids, .set_tid_size = 1);
		NEW(.flags = CLONE_NEWPID, .exit_signal = SIGCHLD);
		NEW(.flags = CLONE_NEWUTS, .exit_signal = SIGCHLD);
		exit(0);
	}
	show_end("without privilege", pid, 0);
}

/* Where ids and descriptors are stored, and what a pidfd looks like. */
static void results(void)
{
	memset(shared, 0xff, sizeof *shared);
	struct clone_args args = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID, .exit_signal = SIGCHLD,
		.pidfd = (uintptr_t)&shared->pidfd, .parent_tid = (uintptr_t)&shared->parent_tid,
		.child_tid = (uintptr_t)&shared->child_tid};
	fflush(stdout);
	long pid = clone3(&args, sizeof args);
	if (!pid)
		_exit(shared->child_tid == getpid() ? 1 : 2);
	FACT(shared->parent_tid == pid);
	FACT(shared->pidfd > 2);
	TRY(fcntl(shared->pidfd, F_GETFD));
	printf("flags %#o\n", (unsigned)fcntl(shared->pidfd, F_GETFL) & ~0100000u);
	siginfo_t info = {0};
	TRY(waitid(P_PIDFD, (id_t)shared->pidfd, &info, WEXITED));
	printf("info %d %d %d\n", info.si_signo, info.si_code, info.si_status);
	FACT(info.si_pid == pid);
	FACT(shared->child_tid == pid);
	close(shared->pidfd);
	/* CHILD_CLEARTID: the id goes only when somebody else shares the memory. */
	shared->child_tid = 77;
	OLD(CLONE_CHILD_CLEARTID | SIGCHLD);
	printf("child_tid %d\n", shared->child_tid);
	OLD(CLONE_CHILD_CLEARTID | CLONE_VM | SIGCHLD);
	printf("child_tid %d\n", shared->child_tid);
}

static volatile int caught;
static void handler(int signo) { caught = signo; }

static const char *disposition(int signo)
{
	struct sigaction action;
	sigaction(signo, NULL, &action);
	return action.sa_handler == SIG_DFL ? "default" : action.sa_handler == SIG_IGN ? "ignored" : "caught";
}

static char stack[65536] __attribute__((aligned(16)));

static int ignores(void *argument)
{
	signal(SIGUSR1, SIG_IGN);
	return *(int *)argument;
}

/* What the child inherits, and what not. */
static void inheritance(void)
{
	struct sigaction action = {.sa_handler = handler};
	sigset_t mask, old, pending;
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&mask);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, &old);
	raise(SIGHUP);
	alarm(1000);
	for (int clear = 0; clear < 2; clear++) {
		struct clone_args args = {.exit_signal = SIGCHLD, .flags = clear ? CLONE_CLEAR_SIGHAND : 0};
		fflush(stdout);
		long pid = clone3(&args, sizeof args);
		if (!pid) {
			sigpending(&pending);
			sigprocmask(SIG_BLOCK, NULL, &mask);
			printf("child: USR1 %s, USR2 %s, HUP pending %d, blocked %d %d, alarm %u\n", disposition(SIGUSR1),
				disposition(SIGUSR2), sigismember(&pending, SIGHUP), sigismember(&mask, SIGHUP),
				sigismember(&mask, SIGTERM), alarm(0));
			struct rusage used;
			getrusage(RUSAGE_CHILDREN, &used);
			printf("child: children used %s\n", used.ru_maxrss ? "something" : "nothing");
			exit(0);
		}
		show_end("inherits", pid, 0);
	}
	FACT(alarm(0) > 0);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	/* Shared or not: working directory, umask, descriptors. */
	for (int share = 0; share < 2; share++) {
		umask(022);
		chdir("/tmp");
		fflush(stdout);
		long pid = old_clone((unsigned long)((share ? CLONE_FS | CLONE_FILES : 0) | SIGCHLD));
		if (!pid) {
			umask(077);
			chdir("/");
			dup2(1, 50);
			_exit(0);
		}
		show_end("shares", pid, 0);
		char path[64];
		printf("umask %03o, cwd %s\n", umask(022), getcwd(path, sizeof path));
		TRY(fcntl(50, F_GETFD));
		close(50);
	}
	chdir("/tmp");
	fflush(stdout);
	static int number = 0;
	long pid = clone(ignores, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_SIGHAND | SIGCHLD, &number);
	show_end("sighand", pid, 0);
	printf("USR1 %s\n", disposition(SIGUSR1));
	signal(SIGUSR1, SIG_DFL);
}

static int ours(void *argument)
{
	char here;
	int inside = &here >= stack && &here < stack + sizeof stack;
	return inside ? *(int *)argument : 1;
}

/* CLONE_PARENT, a stack of its own, other exit signals. */
static void relations(void)
{
	int number = 42;
	long pid = clone(ours, stack + sizeof stack, SIGCHLD, &number);
	show_end("own stack", pid, 0);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		long sibling = old_clone(CLONE_PARENT);
		if (!sibling)
			_exit(11);
		show_end("sibling", sibling, __WALL);
		exit(12);
	}
	int status, seen = 0;
	while (waitpid(-1, &status, __WALL) > 0)
		seen += WEXITSTATUS(status);
	printf("ends of both: %d\n", seen);
	signal(SIGUSR1, handler);
	signal(SIGCHLD, handler);
	static const int signals[] = {0, SIGUSR1, SIGCHLD};
	for (int i = 0; i < 3; i++) {
		caught = 0;
		fflush(stdout);
		pid = old_clone((unsigned long)signals[i]);
		if (!pid)
			_exit(1);
		int plain = waitpid((pid_t)pid, &status, 0) == -1 ? errno : 0;
		int other = waitpid((pid_t)pid, &status, __WCLONE) == -1 ? errno : 0;
		printf("exit signal %d: plain %s, __WCLONE %s, caught %d\n", signals[i], plain ? error_name(plain) : "ok",
			other ? error_name(other) : "ok", caught);
	}
	signal(SIGUSR1, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
}

/* semop's undo list is the child's own, or shared with CLONE_SYSVSEM. */
static void undo(void)
{
	for (int share = 0; share < 2; share++) {
		int set = semget(IPC_PRIVATE, 1, 0600);
		struct sembuf up = {0, 3, SEM_UNDO};
		fflush(stdout);
		long pid = old_clone((share ? CLONE_SYSVSEM : 0) | SIGCHLD);
		if (!pid) {
			semop(set, &up, 1);
			_exit(0);
		}
		show_end("semop", pid, 0);
		printf("value after %s: %d\n", share ? "a shared undo" : "its undo", semctl(set, 0, GETVAL));
		semctl(set, 0, IPC_RMID);
	}
}

int main(void)
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	combinations();
	pairs();
	structs();
	chosen_ids();
	results();
	inheritance();
	relations();
	undo();
	return 0;
}
