/*
 * wait4(2) and waitid(2), SIGCHLD, orphans and their new parents, process groups and sessions, pidfds.
 */
#include "show.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef __WCLONE
#define __WCLONE 0x80000000
#define __WALL 0x40000000
#define __WNOTHREAD 0x20000000
#endif

static volatile int *shared;

/* Without the library: options and pointers as they are. */
static long wait_id(int type, long id, siginfo_t *info, int options, struct rusage *usage)
{
	return syscall(SYS_waitid, type, id, info, options, usage);
}

static long wait_4(long pid, int *status, int options, struct rusage *usage)
{
	return syscall(SYS_wait4, pid, status, options, usage);
}

static pid_t child(int exit_code)
{
	fflush(stdout);
	pid_t pid = fork();
	if (!pid)
		_exit(exit_code);
	return pid;
}

static pid_t sleeper(void)
{
	fflush(stdout);
	pid_t pid = fork();
	if (!pid)
		for (;;)
			pause();
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
}

static void show_info(const char *text, long result, const siginfo_t *info, pid_t pid)
{
	if (result == -1)
		printf("%s: %s\n", text, error_name(errno));
	else
		printf("%s: %ld, signo %d errno %d code %d pid %s uid %d status %d\n", text, result, info->si_signo, info->si_errno,
			info->si_code, info->si_pid == pid ? "right" : info->si_pid ? "WRONG" : "0", info->si_uid, info->si_status);
}

static void arguments(void)
{
	siginfo_t info;
	int status;
	TRY(wait_4(-1, &status, 0, NULL));
	TRY(wait_4(-1, &status, WNOHANG, NULL));
	TRY(wait_4(getpid(), &status, 0, NULL));
	TRY(wait_4(1, &status, 0, NULL));
	TRY(wait_4(-2147483647L - 1, &status, 0, NULL));
	TRY(wait_4(-99999, &status, 0, NULL));
	TRY(wait_4(0, &status, 0, NULL));
	for (int bit = 0; bit < 32; bit++) {
		long result = wait_4(-1, &status, (int)(1u << bit), NULL);
		int first = result == -1 ? errno : 0;
		result = wait_id(P_ALL, 0, &info, (int)(1u << bit), NULL);
		int second = result == -1 ? errno : 0;
		result = wait_id(P_ALL, 0, &info, (int)(1u << bit | WEXITED), NULL);
		printf("option %#x: %s", 1u << bit, error_name(first));
		printf(" %s", error_name(second));
		printf(" %s\n", error_name(result == -1 ? errno : 0));
	}
	TRY(wait_id(P_ALL, 0, &info, 0, NULL));
	TRY(wait_id(9, 0, &info, WEXITED, NULL));
	TRY(wait_id(-1, 0, &info, WEXITED, NULL));
	TRY(wait_id(P_PID, 0, &info, WEXITED, NULL));
	TRY(wait_id(P_PID, -1, &info, WEXITED, NULL));
	TRY(wait_id(P_PGID, 0, &info, WEXITED, NULL));
	TRY(wait_id(P_PGID, -1, &info, WEXITED, NULL));
	TRY(wait_id(P_PIDFD, -1, &info, WEXITED, NULL));
	TRY(wait_id(P_PIDFD, 99, &info, WEXITED, NULL));
	TRY(wait_id(P_PIDFD, 1, &info, WEXITED, NULL));
	TRY(wait_id(P_ALL, -5, &info, WEXITED, NULL));
}

static void waiting(void)
{
	siginfo_t info;
	struct rusage usage;
	int status;
	pid_t pid = child(3);
	memset(&info, 0x55, sizeof info);
	TRY(wait_id(P_PID, pid, &info, WEXITED | WNOWAIT, NULL));
	show_info("WNOWAIT", 0, &info, pid);
	show_info("again", wait_id(P_PID, pid, &info, WEXITED | WNOHANG, &usage), &info, pid);
	show_info("and again", wait_id(P_PID, pid, &info, WEXITED | WNOHANG, NULL), &info, pid);
	/* NULL and bad pointers. */
	pid = child(4);
	TRY(wait_id(P_ALL, 0, NULL, WEXITED, NULL) == pid);
	pid = child(5);
	TRY(wait_4(pid, (int *)1, 0, NULL));
	TRY(wait_4(pid, NULL, 0, NULL));
	pid = child(6);
	TRY(wait_4(pid, NULL, 0, (struct rusage *)1));
	TRY(wait_4(pid, NULL, 0, NULL));
	pid = child(6);
	TRY(wait_id(P_PID, pid, (siginfo_t *)1, WEXITED, NULL));
	TRY(wait_id(P_PID, pid, NULL, WEXITED, NULL));
	pid = child(6);
	TRY(wait_id(P_PID, pid, NULL, WEXITED, (struct rusage *)1));
	TRY(wait_id(P_PID, pid, NULL, WEXITED, NULL));
	/* Nothing yet: waitid clears its siginfo, wait4 leaves its status. */
	pid = sleeper();
	memset(&info, 0x55, sizeof info);
	status = 77;
	show_info("nothing yet", wait_id(P_PID, pid, &info, WEXITED | WNOHANG, NULL), &info, pid);
	TRY(wait_4(pid, &status, WNOHANG, NULL));
	printf("status %d\n", status);
	/* Stop and continue. */
	TRY(kill(pid, SIGSTOP));
	show_info("stopped, NOWAIT", wait_id(P_PID, pid, &info, WSTOPPED | WNOWAIT, NULL), &info, pid);
	show_info("stopped", wait_id(P_PID, pid, &info, WSTOPPED, NULL), &info, pid);
	memset(&info, 0, sizeof info);
	show_info("no more", wait_id(P_PID, pid, &info, WSTOPPED | WNOHANG, NULL), &info, pid);
	TRY(kill(pid, SIGTSTP));
	TRY(kill(pid, SIGCONT));
	show_info("continued, NOWAIT", wait_id(P_PID, pid, &info, WCONTINUED | WNOWAIT, NULL), &info, pid);
	show_info("continued", wait_id(P_PID, pid, &info, WCONTINUED | WSTOPPED, NULL), &info, pid);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	printf("wait4: %#x\n", status);
	kill(pid, SIGCONT);
	waitpid(pid, &status, WCONTINUED);
	printf("wait4: %#x\n", status);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGTERM);
	TRY(wait_4(pid, &status, WNOHANG, NULL));
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	printf("wait4: %#x\n", status);
	pid = sleeper();
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGKILL);
	show_info("killed", wait_id(P_PID, pid, &info, WEXITED, NULL), &info, pid);
	/* Process groups. */
	pid = sleeper();
	setpgid(pid, pid);
	TRY(wait_4(0, &status, WNOHANG, NULL));
	TRY(wait_4(-pid, &status, WNOHANG, NULL));
	TRY(wait_id(P_PGID, pid, &info, WEXITED | WNOHANG, NULL));
	TRY(wait_id(P_PGID, 0, &info, WEXITED | WNOHANG, NULL));
	kill(-pid, SIGUSR1);
	show_info("by group", wait_id(P_PGID, pid, &info, WEXITED, NULL), &info, pid);
	/* Exit statuses. */
	static const int codes[] = {0, 1, 127, 128, 255, 256, 257, -1};
	for (int i = 0; i < 8; i++) {
		pid = child(codes[i]);
		wait_id(P_PID, pid, &info, WEXITED | WNOWAIT, NULL);
		waitpid(pid, &status, 0);
		printf("exit %d: %#x, si_status %d\n", codes[i], status, info.si_status);
	}
	static const int signals[] = {SIGABRT, SIGSEGV, SIGQUIT, SIGALRM, SIGKILL, SIGPIPE, 34, 64};
	for (int i = 0; i < 8; i++) {
		pid = sleeper();
		kill(pid, signals[i]);
		wait_id(P_PID, pid, &info, WEXITED | WNOWAIT, NULL);
		waitpid(pid, &status, 0);
		printf("signal %d: %#x, si_code %d, si_status %d\n", signals[i], status, info.si_code, info.si_status);
	}
}

static volatile int caught;
static siginfo_t last;
static void handler(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	caught++;
	last = *info;
}

static void on_child(int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART | flags};
	sigaction(SIGCHLD, &action, NULL);
	caught = 0;
	memset(&last, 0, sizeof last);
}

static void sigchld(void)
{
	int status;
	struct rusage before, after;
	for (int stop = 0; stop < 2; stop++) {
		on_child(stop ? SA_NOCLDSTOP : 0);
		pid_t pid = sleeper();
		kill(pid, SIGSTOP);
		waitpid(pid, &status, WUNTRACED);
		printf("NOCLDSTOP %d, stopped: caught %d\n", stop, caught);
		show_info("info", 0, &last, pid);
		kill(pid, SIGCONT);
		waitpid(pid, &status, WCONTINUED);
		usleep(20000); /* the child itself tells, when it runs */
		printf("continued: caught %d\n", caught);
		show_info("info", 0, &last, pid);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		printf("killed: caught %d\n", caught);
		show_info("info", 0, &last, pid);
	}
	on_child(SA_NOCLDWAIT);
	pid_t pid = child(1);
	TRY(waitpid(pid, &status, 0));
	printf("NOCLDWAIT: caught %d\n", caught);
	show_info("info", 0, &last, pid);
	signal(SIGCHLD, SIG_IGN);
	getrusage(RUSAGE_CHILDREN, &before);
	caught = 0;
	pid = child(1);
	TRY(waitpid(-1, &status, 0));
	pid = child(1);
	siginfo_t info;
	TRY(wait_id(P_ALL, 0, &info, WEXITED, NULL));
	getrusage(RUSAGE_CHILDREN, &after);
	FACT(before.ru_nvcsw + before.ru_nivcsw == after.ru_nvcsw + after.ru_nivcsw);
	signal(SIGCHLD, SIG_DFL);
	/* Set to be ignored when the child is a zombie already. */
	pid = child(2);
	wait_id(P_PID, pid, &info, WEXITED | WNOWAIT, NULL);
	signal(SIGCHLD, SIG_IGN);
	TRY(waitpid(pid, &status, 0) == pid);
	signal(SIGCHLD, SIG_DFL);
}

static void *waits_for(void *argument)
{
	int status;
	pid_t pid = *(pid_t *)argument;
	long all = wait_4(pid, &status, WNOHANG, NULL);
	int first = all == -1 ? errno : 0;
	long own = wait_4(pid, &status, WNOHANG | (int)__WNOTHREAD, NULL);
	printf("from another thread: %s %s\n", first ? error_name(first) : "ok", own == -1 ? error_name(errno) : "ok");
	return NULL;
}

static void *forks(void *argument)
{
	*(pid_t *)argument = sleeper();
	return NULL;
}

static void threads(void)
{
	pthread_t thread;
	pid_t pid = sleeper();
	pthread_create(&thread, NULL, waits_for, &pid);
	pthread_join(thread, NULL);
	end(pid);
	/* A child of a thread that has gone is its process's. */
	pthread_create(&thread, NULL, forks, &pid);
	pthread_join(thread, NULL);
	kill(pid, SIGKILL);
	TRY(wait_4(pid, NULL, (int)__WNOTHREAD, NULL) == pid);
}

/* Who is the parent of whom the parent has left? */
static void orphans(void)
{
	for (int reaper = 0; reaper < 2; reaper++) {
		int status, ends = 0;
		prctl(PR_SET_CHILD_SUBREAPER, reaper);
		shared[0] = shared[1] = 0;
		fflush(stdout);
		pid_t pid = fork();
		if (!pid) {
			prctl(PR_SET_CHILD_SUBREAPER, 0);
			pid_t self = getpid();
			if (!fork()) {
				while (getppid() == self)
					usleep(1000);
				shared[0] = getppid() == getpid() - 2 ? 2 : 1;
				shared[1] = getppid();
				_exit(9);
			}
			_exit(8);
		}
		int first = waitpid(pid, &status, 0) == pid;
		while (!shared[1])
			usleep(1000);
		while (wait_4(-1, &status, 0, NULL) > 0)
			ends += WEXITSTATUS(status);
		printf("subreaper %d: %d, new parent %s, reaped %d\n", reaper, first,
			shared[1] == getpid() ? "is me" : "is another", ends);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void *dies(void *argument)
{
	*(pid_t *)argument = fork();
	if (!*(pid_t *)argument) {
		prctl(PR_SET_PDEATHSIG, SIGUSR2);
		shared[0] = 1;
		for (;;)
			pause();
	}
	while (!shared[0])
		usleep(1000);
	return NULL;
}

static void death_signal(void)
{
	int status;
	pthread_t thread;
	pid_t pid;
	shared[0] = 0;
	fflush(stdout);
	pthread_create(&thread, NULL, dies, &pid);
	pthread_join(thread, NULL);
	waitpid(pid, &status, 0);
	printf("a thread's end: %#x\n", status);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	shared[0] = shared[1] = 0;
	pid = fork();
	if (!pid) {
		if (!fork()) {
			on_child(0);
			struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
			sigaction(SIGUSR1, &action, NULL);
			pid_t parent = getppid();
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			shared[0] = 1;
			while (!caught)
				usleep(1000);
			printf("signal %d, code %d, from %s\n", last.si_signo, last.si_code, last.si_pid == parent ? "the parent" : "another");
			exit(3);
		}
		while (!shared[0])
			usleep(1000);
		_exit(0);
	}
	while (waitpid(-1, &status, 0) > 0)
		;
	printf("a process's end: %#x\n", status);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void groups(void)
{
	pid_t pid = sleeper(), other = sleeper(), leader;
	TRY(setpgid(pid, -1));
	TRY(setpgid(-1, 0));
	TRY(setpgid(1 << 22, 0));
	TRY(setpgid(pid, 1 << 21));
	TRY(setpgid(pid, 1));
	TRY(setpgid(1, 1));
	TRY(setpgid(pid, pid));
	TRY(getpgid(pid) == pid);
	TRY(setpgid(other, pid));
	TRY(setpgid(other, other));
	TRY(setpgid(pid, other));
	TRY(getpgid(pid) == other);
	TRY(setpgid(pid, 0));
	TRY(getpgid(-1));
	TRY(getsid(-1));
	TRY(getpgid(1 << 22));
	TRY(getsid(pid) == getsid(0));
	TRY(getpgid(1) >= 0);
	end(pid);
	TRY(setpgid(other, pid));
	TRY(getpgid(pid));
	end(other);
	/* A zombie still has a group. */
	pid = child(0);
	siginfo_t info;
	wait_id(P_PID, pid, &info, WEXITED | WNOWAIT, NULL);
	TRY(getpgid(pid) == getpgrp());
	TRY(setpgid(pid, pid));
	TRY(kill(pid, 0));
	waitpid(pid, NULL, 0);
	TRY(kill(pid, 0));
	/* After execve, and in another session. */
	fflush(stdout);
	int ends[2];
	pipe(ends);
	pid = fork();
	if (!pid) {
		fcntl(ends[1], F_SETFD, FD_CLOEXEC);
		close(ends[0]);
		execl("/proc/self/exe", "waits", "sleep", NULL);
		_exit(1);
	}
	close(ends[1]);
	char byte;
	TRY(read(ends[0], &byte, 1));
	close(ends[0]);
	TRY(setpgid(pid, pid));
	end(pid);
	shared[0] = 0;
	pid = fork();
	if (!pid) {
		TRY(setsid() == getpid());
		TRY(setsid());
		TRY(setpgid(0, 0));
		TRY(getpgrp() == getpid());
		TRY(getsid(0) == getpid());
		fflush(stdout);
		shared[0] = 1;
		for (;;)
			pause();
	}
	while (!shared[0])
		usleep(1000);
	TRY(setpgid(pid, pid));
	TRY(getsid(pid) == pid);
	leader = child(0);
	TRY(setpgid(leader, pid));
	waitpid(leader, NULL, 0);
	end(pid);
	/* A leader of a group cannot begin a session; nor one whose id is still a group's. */
	pid = fork();
	if (!pid) {
		TRY(setpgid(0, 0));
		TRY(setsid());
		exit(0);
	}
	waitpid(pid, NULL, 0);
	shared[0] = shared[1] = 0;
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		pid = fork();
		if (!pid) {
			while (!shared[0])
				usleep(1000);
			_exit(0);
		}
		TRY(setpgid(0, getsid(0)) == -1);
		TRY(setsid());
		shared[0] = 1;
		waitpid(pid, NULL, 0);
		exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* A process group that nobody can continue any more gets SIGHUP and SIGCONT when a member is stopped. */
static void orphaned_group(void)
{
	for (int stopped = 0; stopped < 2; stopped++) {
		int status;
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		shared[0] = shared[1] = 0;
		fflush(stdout);
		pid_t pid = fork();
		if (!pid) {
			setsid();
			pid_t middle = fork();
			if (!middle) {
				struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
				setpgid(0, 0);
				sigaction(SIGHUP, &action, NULL);
				shared[0] = getpid();
				while (!shared[1])
					usleep(1000);
				usleep(20000);
				printf("group of a leader that left, %sstopped: %d signals, %d %d\n", stopped ? "" : "not ", caught, last.si_signo,
					last.si_code);
				kill(getpid(), SIGTSTP);
				printf("SIGTSTP does nothing\n");
				exit(7);
			}
			while (!shared[0])
				usleep(1000);
			if (stopped) {
				kill(middle, SIGSTOP);
				waitpid(middle, &status, WUNTRACED);
			}
			_exit(0);
		}
		caught = 0;
		waitpid(pid, &status, 0);
		shared[1] = 1;
		while (waitpid(-1, &status, 0) > 0)
			;
		printf("ends %#x\n", status);
		prctl(PR_SET_CHILD_SUBREAPER, 0);
	}
}

static int pidfd_open(long pid, unsigned flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }
static long pidfd_send(int fd, int signo, siginfo_t *info, unsigned flags)
{
	return syscall(SYS_pidfd_send_signal, fd, signo, info, flags);
}
static long pidfd_getfd(int fd, int target, unsigned flags) { return syscall(SYS_pidfd_getfd, fd, target, flags); }

static const char *events(int fd)
{
	static char text[40];
	struct pollfd item = {fd, POLLIN | POLLOUT | POLLPRI, 0};
	int count = poll(&item, 1, 0);
	snprintf(text, sizeof text, "%d %#x", count, item.revents);
	return text;
}

static void pidfds(void)
{
	char byte;
	siginfo_t info;
	pid_t pid = sleeper();
	TRY(pidfd_open(0, 0));
	TRY(pidfd_open(-1, 0));
	TRY(pidfd_open(1 << 22, 0));
	TRY(pidfd_open(pid, 1));
	TRY(pidfd_open(pid, O_CLOEXEC));
	int fd = (int)TRY(pidfd_open(pid, 0));
	int quick = (int)TRY(pidfd_open(pid, O_NONBLOCK));
	TRY(fcntl(fd, F_GETFD));
	printf("flags %#x %#x\n", (unsigned)fcntl(fd, F_GETFL) & ~0100000u, (unsigned)fcntl(quick, F_GETFL) & ~0100000u);
	TRY(read(fd, &byte, 1));
	TRY(write(fd, &byte, 1));
	TRY(lseek(fd, 0, SEEK_CUR));
	printf("poll %s\n", events(fd));
	TRY(pidfd_send(fd, 0, NULL, 0));
	TRY(pidfd_send(fd, 65, NULL, 0));
	TRY(pidfd_send(fd, -1, NULL, 0));
	TRY(pidfd_send(fd, SIGSTOP, NULL, 0x80));
	TRY(pidfd_send(fd, SIGSTOP, NULL, 3));
	TRY(pidfd_send(1, SIGSTOP, NULL, 0));
	TRY(pidfd_send(99, SIGSTOP, NULL, 0));
	memset(&info, 0, sizeof info);
	info.si_signo = SIGUSR1;
	TRY(pidfd_send(fd, SIGUSR2, &info, 0));
	TRY(pidfd_send(fd, SIGUSR1, &info, 0));
	info.si_code = SI_TKILL;
	TRY(pidfd_send(fd, SIGUSR1, &info, 0));
	TRY(pidfd_send(fd, SIGUSR1, (siginfo_t *)1, 0));
	TRY(pidfd_send(fd, SIGSTOP, NULL, 0));
	show_info("stopped", wait_id(P_PIDFD, fd, &info, WSTOPPED, NULL), &info, pid);
	TRY(pidfd_getfd(fd, 99, 0));
	TRY(pidfd_getfd(fd, 0, 1));
	TRY(pidfd_getfd(1, 0, 0));
	int copy = (int)pidfd_getfd(fd, 1, 0);
	TRY(fcntl(copy, F_GETFD));
	TRY(close(copy));
	TRY(wait_id(P_PIDFD, quick, &info, WEXITED, NULL));
	TRY(wait_id(P_PIDFD, quick, &info, WEXITED | WNOHANG, NULL));
	TRY(pidfd_send(fd, SIGKILL, NULL, 0));
	show_info("NOWAIT", wait_id(P_PIDFD, fd, &info, WEXITED | WNOWAIT, NULL), &info, pid);
	printf("poll of a zombie %s\n", events(fd));
	TRY(pidfd_send(fd, 0, NULL, 0));
	TRY(pidfd_getfd(fd, 1, 0));
	show_info("ended", wait_id(P_PIDFD, quick, &info, WEXITED, NULL), &info, pid);
	printf("poll of nobody %s\n", events(fd));
	TRY(pidfd_send(fd, 0, NULL, 0));
	TRY(pidfd_getfd(fd, 1, 0));
	TRY(wait_id(P_PIDFD, fd, &info, WEXITED, NULL));
	TRY(close(fd));
	TRY(close(quick));
	fd = pidfd_open(getpid(), 0);
	TRY(pidfd_send(fd, 0, NULL, 0));
	struct stat status;
	TRY(fstat(fd, &status));
	close(fd);
}

/* What a process has used is its parent's children's when it is waited for. */
static void usage(void)
{
	struct rusage before, after, own;
	getrusage(RUSAGE_CHILDREN, &before);
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		for (int i = 0; i < 3; i++) {
			pid = fork();
			if (!pid) {
				char *memory = mmap(NULL, 20 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
				for (int at = 0; at < 20 << 20; at += 4096)
					memory[at] = 1;
				usleep(1000);
				_exit(0);
			}
			if (i < 2)
				waitpid(pid, NULL, 0);
		}
		_exit(0);
	}
	wait4(pid, NULL, 0, &own);
	getrusage(RUSAGE_CHILDREN, &after);
	FACT(own.ru_minflt > 20);
	FACT(own.ru_maxrss >= 20 << 10);
	FACT(own.ru_nvcsw >= 2);
	FACT(after.ru_minflt - before.ru_minflt == own.ru_minflt);
	FACT(after.ru_maxrss >= own.ru_maxrss);
	FACT(own.ru_majflt == 0 && own.ru_nswap == 0 && own.ru_ixrss == 0);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "sleep"))
		for (;;)
			pause();
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	arguments();
	waiting();
	sigchld();
	threads();
	orphans();
	death_signal();
	groups();
	orphaned_group();
	pidfds();
	usage();
	return 0;
}
