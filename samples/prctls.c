/*
 * prctl(2), capabilities and the setuid family: every operation with wrong and with right arguments.
 */
#include "show.h"
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif

static long ctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	return syscall(SYS_prctl, option, a, b, c, d);
}
#define CTL(...) show_value("prctl " #__VA_ARGS__, ctl(__VA_ARGS__))

/* In a child, so that nothing of it stays. */
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
	if (status)
		printf("ends %#x\n", status);
}

static void names(void)
{
	char name[17] = "................";
	CTL(PR_SET_NAME, 0, 0, 0, 0);
	CTL(PR_GET_NAME, 0, 0, 0, 0);
	CTL(PR_SET_NAME, (unsigned long)"a name that is longer than it may be", 1, 2, 3);
	CTL(PR_GET_NAME, (unsigned long)name, 1, 2, 3);
	printf("[%s]\n", name);
	CTL(PR_SET_NAME, (unsigned long)"", 0, 0, 0);
	ctl(PR_GET_NAME, (unsigned long)name, 0, 0, 0);
	printf("[%s] %d\n", name, name[1]);
	CTL(PR_SET_NAME, (unsigned long)"x\ny", 0, 0, 0);
	int value = 77;
	CTL(PR_SET_PDEATHSIG, 65, 0, 0, 0);
	CTL(PR_SET_PDEATHSIG, -1UL, 0, 0, 0);
	CTL(PR_SET_PDEATHSIG, SIGUSR1, 1, 1, 1);
	CTL(PR_GET_PDEATHSIG, (unsigned long)&value, 0, 0, 0);
	printf("%d\n", value);
	CTL(PR_GET_PDEATHSIG, 0, 0, 0, 0);
	CTL(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	CTL(PR_GET_DUMPABLE, 1, 2, 3, 4);
	CTL(PR_SET_DUMPABLE, 2, 0, 0, 0);
	CTL(PR_SET_DUMPABLE, 3, 0, 0, 0);
	CTL(PR_SET_DUMPABLE, -1UL, 0, 0, 0);
	CTL(PR_SET_DUMPABLE, 0, 1, 1, 1);
	CTL(PR_GET_DUMPABLE, 0, 0, 0, 0);
	CTL(PR_SET_DUMPABLE, 1, 0, 0, 0);
	CTL(PR_GET_TIMERSLACK, 0, 0, 0, 0);
	CTL(PR_SET_TIMERSLACK, 12345, 1, 1, 1);
	CTL(PR_GET_TIMERSLACK, 0, 0, 0, 0);
	CTL(PR_SET_TIMERSLACK, 0, 0, 0, 0);
	CTL(PR_GET_TIMERSLACK, 0, 0, 0, 0);
	CTL(PR_SET_CHILD_SUBREAPER, 5, 1, 1, 1);
	CTL(PR_GET_CHILD_SUBREAPER, (unsigned long)&value, 0, 0, 0);
	printf("%d\n", value);
	CTL(PR_GET_CHILD_SUBREAPER, 1, 0, 0, 0);
	CTL(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	CTL(PR_GET_TID_ADDRESS, 0, 0, 0, 0);
	CTL(PR_GET_TIMING, 0, 0, 0, 0);
	CTL(PR_SET_TIMING, 0, 0, 0, 0);
	CTL(PR_SET_TIMING, 1, 0, 0, 0);
	CTL(PR_TASK_PERF_EVENTS_DISABLE, 0, 0, 0, 0);
	CTL(PR_TASK_PERF_EVENTS_ENABLE, 0, 0, 0, 0);
	CTL(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
	CTL(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0);
	CTL(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0);
	CTL(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 1);
	CTL(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CTL(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	CTL(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CTL(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	CTL(PR_SET_THP_DISABLE, 1, 1, 0, 0);
	CTL(PR_SET_THP_DISABLE, 1, 0, 0, 1);
	CTL(PR_GET_THP_DISABLE, 1, 0, 0, 0);
	CTL(PR_GET_THP_DISABLE, 0, 0, 0, 0);
	CTL(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	CTL(PR_GET_THP_DISABLE, 0, 0, 0, 0);
	CTL(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	CTL(PR_MCE_KILL, 2, 0, 0, 0);
	CTL(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 1, 0, 0);
	CTL(PR_MCE_KILL, PR_MCE_KILL_SET, 3, 0, 0);
	CTL(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 1, 0);
	CTL(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
	CTL(PR_MCE_KILL_GET, 1, 0, 0, 0);
	CTL(PR_MCE_KILL_GET, 0, 0, 0, 0);
	CTL(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0);
	CTL(PR_MCE_KILL_GET, 0, 0, 0, 0);
	CTL(PR_GET_SECCOMP, 0, 0, 0, 0);
	CTL(PR_SET_SECCOMP, 0, 0, 0, 0);
	CTL(PR_SET_SECCOMP, 3, 0, 0, 0);
	CTL(PR_SET_PTRACER, 0, 0, 0, 0);
	CTL(PR_SET_VMA, 1, 0, 0, 0);
	CTL(PR_SET_VMA, 0, 1, 4096, 0);
	CTL(PR_SET_MM, PR_SET_MM_BRK, 0, 1, 0);
	CTL(PR_SET_MM, PR_SET_MM_BRK, 0, 0, 1);
	CTL(PR_GET_AUXV, 0, 0, 1, 0);
	CTL(PR_GET_AUXV, 0, 8, 0, 0);
	CTL(PR_GET_AUXV, 0, 0, 0, 1);
	CTL(0, 0, 0, 0, 0);
	CTL(1000, 0, 0, 0, 0);
	CTL(-1, 0, 0, 0, 0);
}

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#define PR_GET_MEMORY_MERGE 68
#endif

static void mdwe(void)
{
	CTL(PR_GET_MDWE, 0, 0, 0, 0);
	CTL(PR_GET_MDWE, 1, 0, 0, 0);
	CTL(PR_SET_MDWE, 0, 0, 0, 0);
	CTL(PR_SET_MDWE, 8, 0, 0, 0);
	CTL(PR_SET_MDWE, 2, 0, 0, 0);
	CTL(PR_SET_MDWE, 1, 1, 0, 0);
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CTL(PR_SET_MDWE, 1, 0, 0, 0);
	CTL(PR_SET_MDWE, 1, 0, 0, 0);
	CTL(PR_SET_MDWE, 3, 0, 0, 0);
	CTL(PR_SET_MDWE, 0, 0, 0, 0);
	CTL(PR_GET_MDWE, 0, 0, 0, 0);
	TRYP(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	TRYP(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	TRY(mprotect(page, 4096, PROT_READ | PROT_EXEC));
	TRY(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
	TRY(mprotect(page, 4096, PROT_READ | PROT_WRITE));
	TRY(mprotect(code, 4096, PROT_READ));
	TRY(mprotect(code, 4096, PROT_READ | PROT_EXEC));
	fflush(stdout);
	if (!fork()) {
		CTL(PR_GET_MDWE, 0, 0, 0, 0);
		exit(0);
	}
	wait(NULL);
}

static void mdwe_not_inherited(void)
{
	CTL(PR_SET_MDWE, 3, 0, 0, 0);
	CTL(PR_SET_MDWE, 1, 0, 0, 0);
	CTL(PR_GET_MDWE, 0, 0, 0, 0);
	fflush(stdout);
	if (!fork()) {
		CTL(PR_GET_MDWE, 0, 0, 0, 0);
		exit(0);
	}
	wait(NULL);
}

struct caps { struct __user_cap_header_struct head; struct __user_cap_data_struct data[2]; };

static int get_caps(struct caps *caps)
{
	caps->head.version = _LINUX_CAPABILITY_VERSION_3;
	caps->head.pid = 0;
	return (int)syscall(SYS_capget, &caps->head, caps->data);
}

static int set_caps(struct caps *caps)
{
	return (int)syscall(SYS_capset, &caps->head, caps->data);
}

/* Capabilities of the machine that it was recorded on may lack some: only these are shown. */
#define SHOWN (1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_KILL | 1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_SETPCAP | \
	1u << CAP_SYS_ADMIN | 1u << CAP_FOWNER)

static void show_caps(const char *text)
{
	struct caps caps;
	unsigned ambient = 0;
	get_caps(&caps);
	for (unsigned bit = 0; bit < 32; bit++)
		if (SHOWN & 1u << bit && ctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, bit, 0, 0) == 1)
			ambient |= 1u << bit;
	printf("%s: effective %#x, permitted %#x, inheritable %#x, ambient %#x, keep %ld, secure %#lx, dumpable %ld\n", text,
		caps.data[0].effective & SHOWN, caps.data[0].permitted & SHOWN, caps.data[0].inheritable & SHOWN, ambient,
		ctl(PR_GET_KEEPCAPS, 0, 0, 0, 0), ctl(PR_GET_SECUREBITS, 0, 0, 0, 0), ctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
}

static void ids(const char *text)
{
	uid_t a, b, c;
	gid_t d, e, f;
	getresuid(&a, &b, &c);
	getresgid(&d, &e, &f);
	printf("%s: %d %d %d fs %ld, %d %d %d fs %ld; ", text, a, b, c, syscall(SYS_setfsuid, -1), d, e, f, syscall(SYS_setfsgid, -1));
	show_caps("");
}
#define STEP(call) do { errno = 0; long result = call; if (result) printf("%s = %ld %s\n", #call, result, error_name(errno)); ids(#call); } while (0)

static void capability_calls(void)
{
	struct caps caps;
	memset(&caps, 0, sizeof caps);
	caps.head.version = 0x12345678;
	TRY(syscall(SYS_capget, &caps.head, NULL));
	printf("%#x\n", caps.head.version);
	caps.head.version = 1;
	TRY(syscall(SYS_capget, &caps.head, caps.data));
	TRY(syscall(SYS_capset, &caps.head, caps.data));
	caps.head.version = _LINUX_CAPABILITY_VERSION_1;
	TRY(syscall(SYS_capget, &caps.head, caps.data));
	caps.head.version = _LINUX_CAPABILITY_VERSION_2;
	TRY(syscall(SYS_capget, &caps.head, NULL));
	TRY(syscall(SYS_capget, NULL, NULL));
	TRY(syscall(SYS_capget, &caps.head, 1L));
	TRY(syscall(SYS_capset, &caps.head, 1L));
	caps.head.pid = -1;
	TRY(syscall(SYS_capget, &caps.head, caps.data));
	TRY(syscall(SYS_capset, &caps.head, caps.data));
	caps.head.pid = 1 << 22;
	TRY(syscall(SYS_capget, &caps.head, caps.data));
	TRY(syscall(SYS_capset, &caps.head, caps.data));
	caps.head.pid = getppid();
	TRY(syscall(SYS_capset, &caps.head, caps.data));
	show_caps("at first");
	get_caps(&caps);
	caps.data[0].inheritable = 1u << CAP_KILL;
	TRY(set_caps(&caps));
	show_caps("inheritable");
	caps.data[0].effective &= ~(1u << CAP_KILL);
	TRY(set_caps(&caps));
	caps.data[0].permitted &= ~(1u << CAP_KILL);
	TRY(set_caps(&caps));
	show_caps("KILL dropped");
	caps.data[0].permitted |= 1u << CAP_KILL;
	TRY(set_caps(&caps));
	caps.data[0].permitted &= ~(1u << CAP_KILL);
	caps.data[0].effective |= 1u << CAP_KILL;
	TRY(set_caps(&caps));
	caps.data[0].effective &= ~(1u << CAP_KILL);
	caps.data[0].effective &= ~(1u << CAP_SETPCAP);
	caps.data[1].effective = caps.data[1].permitted |= 0;
	TRY(set_caps(&caps));
	CTL(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0);
	CTL(PR_SET_SECUREBITS, 1, 0, 0, 0);
	caps.data[0].effective |= 1u << CAP_SETPCAP;
	set_caps(&caps);
	CTL(PR_CAPBSET_READ, CAP_CHOWN, 1, 2, 3);
	CTL(PR_CAPBSET_READ, 41, 0, 0, 0);
	CTL(PR_CAPBSET_READ, -1UL, 0, 0, 0);
	CTL(PR_CAPBSET_DROP, 41, 0, 0, 0);
	CTL(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0);
	CTL(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0);
	show_caps("bounding set without CHOWN");
	caps.data[0].inheritable |= 1u << CAP_CHOWN;
	TRY(set_caps(&caps));
	caps.data[0].inheritable = 1u << CAP_SETUID | 1u << CAP_SETGID;
	TRY(set_caps(&caps));
	CTL(PR_CAP_AMBIENT, 0, 0, 0, 0);
	CTL(PR_CAP_AMBIENT, 9, CAP_SETUID, 0, 0);
	CTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 41, 0, 0);
	CTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 1, 0);
	CTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 1);
	CTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0);
	CTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETGID, 0, 0);
	CTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0);
	CTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SETGID, 0, 0);
	CTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_SETGID, 0, 0);
	CTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SETGID, 0, 0);
	CTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0);
	show_caps("ambient");
	caps.data[0].inheritable = 0;
	TRY(set_caps(&caps));
	show_caps("inheritable gone");
	CTL(PR_SET_KEEPCAPS, 2, 0, 0, 0);
	CTL(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	CTL(PR_GET_KEEPCAPS, 5, 5, 5, 5);
	CTL(PR_SET_SECUREBITS, 0x100, 0, 0, 0);
	CTL(PR_SET_SECUREBITS, 0x1000, 0, 0, 0);
	CTL(PR_SET_SECUREBITS, 0x30, 0, 0, 0);
	CTL(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	CTL(PR_SET_SECUREBITS, 0x20, 0, 0, 0);
	CTL(PR_SET_SECUREBITS, 0x10, 0, 0, 0);
	CTL(PR_SET_SECUREBITS, 0x31, 0, 0, 0);
	CTL(PR_GET_SECUREBITS, 1, 1, 1, 1);
	CTL(PR_SET_SECUREBITS, 0x70, 0, 0, 0);
	CTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0);
}

static void transitions(void)
{
	ids("root");
	STEP(seteuid(1000));
	STEP(seteuid(0));
	STEP(setresuid(-1, 1000, -1));
	STEP(setresuid(-1, 0, -1));
	STEP(setreuid(500, -1));
	STEP(setreuid(-1, 600));
	STEP(setreuid(0, 0));
	STEP(setuid(1000));
	STEP(setuid(0));
	STEP(seteuid(500));
	STEP(setgid(5));
}

static void keeping(void)
{
	ctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	STEP(setresgid(7, 8, 9));
	STEP(setregid(8, 7));
	STEP(setegid(9));
	STEP(setgid(10));
	STEP(setresuid(1000, 1000, 1000));
	STEP(seteuid(1000));
	struct caps caps;
	get_caps(&caps);
	caps.data[0].effective = caps.data[0].permitted;
	STEP(set_caps(&caps));
	STEP(setuid(2000));
	STEP(setresuid(3000, 3001, 3002));
	STEP(setresuid(0, 0, 0));
	STEP(setresuid(5, 5, 5));
}

static void fixing(void)
{
	STEP((int)ctl(PR_SET_SECUREBITS, 4, 0, 0, 0));
	STEP(setresuid(1000, 1000, 1000));
	STEP(seteuid(1));
}

static void file_ids(void)
{
	TRY(syscall(SYS_setfsuid, 1000));
	ids("fsuid");
	TRY(syscall(SYS_setfsuid, 0));
	ids("fsuid");
	TRY(syscall(SYS_setfsgid, 1000));
	TRY(syscall(SYS_setfsuid, 1001));
	STEP(seteuid(0));
	STEP(setresuid(500, 501, 502));
	TRY(syscall(SYS_setfsuid, 500));
	TRY(syscall(SYS_setfsuid, 502));
	TRY(syscall(SYS_setfsuid, 7));
	TRY(syscall(SYS_setfsuid, -1));
	STEP(setuid(502));
	STEP(setuid(-1));
	STEP(setreuid(501, -1));
	STEP(setreuid(502, 500));
	STEP(setreuid(-1, -1));
	STEP(setresuid(-1, -1, -1));
	STEP(setregid(5, -1));
	STEP(setgroups(0, NULL));
	TRY(setgroups(70000, NULL));
	TRY(getgroups(-1, NULL));
	TRY(getgroups(0, NULL));
}

static void noroot(void)
{
	char *argv[] = {"prctls", "caps", NULL};
	ctl(PR_SET_SECUREBITS, 1, 0, 0, 0);
	fflush(stdout);
	execv("/proc/self/exe", argv);
}

static void ambient(void)
{
	char *argv[] = {"prctls", "caps", NULL};
	struct caps caps;
	get_caps(&caps);
	caps.data[0].inheritable = 1u << CAP_SETUID | 1u << CAP_KILL;
	set_caps(&caps);
	ctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	setresuid(1000, 1000, 1000);
	ctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0);
	show_caps("before exec");
	fflush(stdout);
	execv("/proc/self/exe", argv);
}

static void real_root(void)
{
	char *argv[] = {"prctls", "caps", NULL};
	setresuid(0, 1000, 1000);
	fflush(stdout);
	execv("/proc/self/exe", argv);
}

static void personalities(void)
{
	TRY(personality(0xffffffff));
	TRY(personality(PER_LINUX32) & 0xff00ffff);
	TRY(personality(ADDR_NO_RANDOMIZE));
	TRY(personality(0xffffffff));
	TRY(personality(0x0ffffff0));
	TRY(personality(0xffffffff));
	TRY(personality(PER_LINUX));
}

static void memory_map(void)
{
	/* Without CAP_SYS_RESOURCE, which the recording machine did not have. */
	struct caps caps;
	get_caps(&caps);
	caps.data[0].effective &= ~(1u << CAP_SYS_RESOURCE);
	set_caps(&caps);
	CTL(PR_SET_MM, 0, 0, 0, 0);
	CTL(PR_SET_IO_FLUSHER, 1, 1, 0, 0);
	CTL(PR_GET_IO_FLUSHER, 1, 0, 0, 0);
	CTL(PR_SET_MM, PR_SET_MM_START_CODE, 0, 0, 0);
	CTL(PR_SET_MM, PR_SET_MM_BRK, 4096, 0, 0);
	CTL(PR_SET_MM, PR_SET_MM_EXE_FILE, 0, 0, 0);
	CTL(PR_SET_MM, 99, 0, 0, 0);
	CTL(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
	CTL(PR_GET_IO_FLUSHER, 0, 0, 0, 0);
	CTL(PR_GET_MEMORY_MERGE, 1, 0, 0, 0);
	CTL(PR_GET_MEMORY_MERGE, 0, 0, 0, 0);
	CTL(PR_SET_MEMORY_MERGE, 1, 1, 0, 0);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "caps")) {
		show_caps("executed");
		return 0;
	}
	apart(names);
	apart(mdwe);
	apart(mdwe_not_inherited);
	apart(capability_calls);
	apart(transitions);
	apart(keeping);
	apart(fixing);
	apart(file_ids);
	apart(noroot);
	apart(ambient);
	apart(real_root);
	apart(personalities);
	apart(memory_map);
	return 0;
}
