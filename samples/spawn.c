/*
 * posix_spawn(3) with its attributes and actions, and daemon(3), as a C library makes them of system calls.
 */
#include "show.h"
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char *argv_report[] = {"spawn", "report", NULL};
static char *environment[] = {"X=1", NULL};

static void report(void)
{
	sigset_t mask;
	struct sigaction action;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigaction(SIGUSR1, NULL, &action);
	char path[64];
	printf("leads group %d, leads session %d, mask %d, USR1 %s, policy %ld, fd 7 %d, cwd %s, X=%s, ids %d %d\n",
		getpgrp() == getpid(), getsid(0) == getpid(), sigismember(&mask, SIGHUP),
		action.sa_handler == SIG_IGN ? "ignored" : "default", syscall(SYS_sched_getscheduler, 0), fcntl(7, F_GETFD),
		strcmp(getcwd(path, sizeof path), "/dev") ? "inherited" : path, getenv("X"), geteuid(), getegid());
}

static void spawn(const char *text, const char *path, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes)
{
	pid_t pid = 0;
	int status = 0;
	printf("%s: ", text);
	fflush(stdout);
	int error = posix_spawn(&pid, path, actions, attributes, argv_report, environment);
	if (error) {
		printf("%s\n", error_name(error));
		return;
	}
	waitpid(pid, &status, 0);
	if (status)
		printf("ends %#x\n", status);
}

static void attributes(void)
{
	static const struct { const char *name; short flag; } flags[] = {
		{"nothing", 0}, {"RESETIDS", POSIX_SPAWN_RESETIDS}, {"SETPGROUP", POSIX_SPAWN_SETPGROUP},
		{"SETSIGMASK", POSIX_SPAWN_SETSIGMASK}, {"SETSIGDEF", POSIX_SPAWN_SETSIGDEF}, {"SETSID", 128},
	};
	posix_spawnattr_t attributes;
	sigset_t mask, defaults;
	sigemptyset(&mask);
	sigaddset(&mask, SIGHUP);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		posix_spawnattr_init(&attributes);
		posix_spawnattr_setflags(&attributes, flags[i].flag);
		posix_spawnattr_setsigmask(&attributes, &mask);
		posix_spawnattr_setsigdefault(&attributes, &defaults);
		spawn(flags[i].name, "/proc/self/exe", NULL, &attributes);
		posix_spawnattr_destroy(&attributes);
	}
	signal(SIGUSR1, SIG_DFL);
}

static void actions(void)
{
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, 1, 7);
	posix_spawn_file_actions_addopen(&actions, 8, "made", O_WRONLY | O_CREAT, 0644);
	posix_spawn_file_actions_addclose(&actions, 8);
	posix_spawn_file_actions_addchdir_np(&actions, "/dev");
	spawn("actions", "/proc/self/exe", &actions, NULL);
	FACT(!access("made", F_OK));
	posix_spawn_file_actions_addopen(&actions, 8, "/missing", O_RDONLY, 0);
	spawn("a file that is not there", "/proc/self/exe", &actions, NULL);
	posix_spawn_file_actions_destroy(&actions);
	spawn("a program that is not there", "/missing", NULL, NULL);
	spawn("a directory", "/tmp", NULL, NULL);
	TRY(waitpid(-1, NULL, WNOHANG));
}

static void daemons(void)
{
	volatile int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		char path[64];
		if (daemon(0, 0))
			_exit(1);
		shared[1] = getpgrp() != getpid() || getsid(0) != getpid() ? 1 : 2;
		shared[2] = !strcmp(getcwd(path, sizeof path), "/");
		shared[3] = readlink("/proc/self/fd/1", path, sizeof path) == 9 && !memcmp(path, "/dev/null", 9);
		shared[0] = 1;
		_exit(0);
	}
	int status;
	waitpid(pid, &status, 0);
	while (!shared[0])
		usleep(1000);
	printf("daemon: parent ends %#x, leads %d, in / %d, output to /dev/null %d\n", status, shared[1] == 2, shared[2], shared[3]);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "report")) {
		report();
		return 0;
	}
	attributes();
	actions();
	daemons();
	return 0;
}
