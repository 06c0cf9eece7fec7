/* Who a process is: users, groups, process group and session; and its limits. */
#include "show.h"
#include <grp.h>
#include <sys/resource.h>
#include <sys/fsuid.h>

static void show_ids(void)
{
	uid_t r, e, s;
	getresuid(&r, &e, &s);
	printf("uid %d %d %d", r, e, s);
	getresgid(&r, &e, &s);
	printf(" gid %d %d %d\n", r, e, s);
}

static void limits(void)
{
	struct rlimit limit;

	puts("-- limits");
	limit = (struct rlimit){ 10, 64 };
	TRY(setrlimit(RLIMIT_NOFILE, &limit));
	TRY(getrlimit(RLIMIT_NOFILE, &limit));
	printf("%d %d\n", (int)limit.rlim_cur, (int)limit.rlim_max);
	int last = -1;
	for (int fd; (fd = dup(1)) >= 0;)
		last = fd;
	printf("last descriptor %d, then %s\n", last, error_name(errno));
	TRY(dup2(1, 10));
	for (int fd = 3; fd <= last; fd++)
		close(fd);
	TRY(getrlimit(77, &limit));
	limit.rlim_cur = 11;
	limit.rlim_max = 10;
	TRY(setrlimit(RLIMIT_CORE, &limit));
	limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
	TRY(setrlimit(RLIMIT_CORE, &limit));
	TRY(getrlimit(RLIMIT_CORE, &limit));
	FACT(limit.rlim_cur == RLIM_INFINITY);
	struct rlimit old, new = { 123456, 234567 };
	TRY(prlimit(0, RLIMIT_CPU, &new, &old));
	TRY(prlimit(0, RLIMIT_CPU, NULL, &old));
	printf("%lld %lld\n", (long long)old.rlim_cur, (long long)old.rlim_max);
	TRY(getrlimit(RLIMIT_STACK, &limit));
	FACT(limit.rlim_cur >= 1 << 20);
	errno = 0;
	TRY(getpriority(PRIO_PROCESS, 0));
	TRY(setpriority(PRIO_PROCESS, 0, 5));
	TRY(getpriority(PRIO_PROCESS, 0));
	TRY(getpriority(9, 0));
	TRY(nice(3));
}

int main(void)
{
	gid_t groups[16], wanted[] = { 7, 5, 6 };

	puts("-- processes");
	FACT(getpid() > 0);
	FACT(getppid() >= 0);
	FACT(syscall(SYS_gettid) == getpid());
	FACT(getpgid(0) == getpgrp());
	FACT(getsid(0) >= 0);
	TRY(getpgid(-1));
	TRY(getsid(999999));

	puts("-- users and groups");
	show_ids();
	TRY(setgroups(3, wanted));
	int n = getgroups(16, groups);
	printf("groups");
	for (int i = 0; i < n; i++)
		printf(" %d", groups[i]);
	puts("");
	TRY(getgroups(0, NULL));
	TRY(getgroups(1, groups));
	limits();
	TRY(setfsuid(5));
	TRY(setfsuid(-1));
	TRY(setfsuid(0));
	TRY(setregid(10, 20));
	TRY(setresuid(1, 2, 3));
	show_ids();
	TRY(setuid(3));
	show_ids();
	TRY(setuid(4));
	TRY(setreuid(3, 1));
	show_ids();
	TRY(setresuid(3, 3, 3));
	TRY(setresuid(0, 0, 0));
	TRY(setgid(10));
	show_ids();
	TRY(setresgid(-1, 30, -1));
	TRY(setgroups(1, wanted));
	struct rlimit more = { 20, 1 << 30 };
	TRY(setrlimit(RLIMIT_NOFILE, &more));
	TRY(setpriority(PRIO_PROCESS, 0, -1));
	return 0;
}
