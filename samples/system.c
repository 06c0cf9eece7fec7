/* The machine and the process at large: uname(2), sysinfo(2), getrandom(2), prctl(2), getcpu(2). */
#include "show.h"
#include <ctype.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#if defined(__x86_64__)
#define MACHINES "x86_64"
#elif defined(__i386__)
#define MACHINES "i686 x86_64"  /* the kernel may be of either kind */
#else
#define MACHINES "aarch64"
#endif

int main(void)
{
	struct utsname name;
	struct sysinfo info;
	unsigned char bytes[64] = { 0 };
	char text[16] = "";
	unsigned cpu = 99999, node = 99999;

	puts("-- uname");
	TRY(uname(&name));
	puts(name.sysname);
	FACT(isdigit(name.release[0]) && strchr(name.release, '.'));
	FACT(name.machine[0] && strstr(MACHINES, name.machine));
	FACT(name.nodename[0] && name.version[0]);
	TRY(uname((void *)8));

	puts("-- sysinfo");
	TRY(sysinfo(&info));
	FACT(info.uptime >= 0 && info.procs > 0 && info.mem_unit > 0);
	FACT(info.totalram > 0 && info.freeram <= info.totalram);

	puts("-- statfs and fchmodat2");
	struct statfs fs;
	struct stat st;
	TRY(statfs(".", &fs));
	FACT(fs.f_bsize == 4096 && fs.f_namelen == 255);
	FACT(fs.f_blocks >= fs.f_bfree && fs.f_bfree >= fs.f_bavail);
	put_file("f", "");
	symlink("f", "s");
	int fd = open("f", O_RDONLY);
	TRY(syscall(SYS_fchmodat2, AT_FDCWD, "s", 0600, AT_SYMLINK_NOFOLLOW));
	TRY(syscall(SYS_fchmodat2, fd, "", 0611, AT_EMPTY_PATH));
	TRY(syscall(SYS_fchmodat2, fd, "", 0611, 0x4000));
	TRY(fstat(fd, &st));
	printf("mode %o\n", (unsigned)st.st_mode);

	struct rlimit limit;
	TRY(getrlimit(RLIMIT_NOFILE, &limit));
	FACT(limit.rlim_cur <= limit.rlim_max && limit.rlim_cur >= 256);

	puts("-- getrandom");
	TRY(getrandom(bytes, sizeof bytes, 0));
	int bits = 0;
	for (unsigned i = 0; i < sizeof bytes; i++)
		bits += __builtin_popcount(bytes[i]);
	FACT(bits > 128 && bits < 384);
	TRY(getrandom(bytes, 8, GRND_NONBLOCK));
	TRY(getrandom(bytes, 8, GRND_RANDOM));
	TRY(getrandom(bytes, 8, 0x80));
	TRY(getrandom((void *)8, 8, 0));

	puts("-- prctl");
	TRY(prctl(PR_SET_NAME, "a name that is too long"));
	TRY(prctl(PR_GET_NAME, text));
	puts(text);
	TRY(prctl(PR_GET_DUMPABLE));
	TRY(prctl(PR_SET_DUMPABLE, 0));
	TRY(prctl(PR_GET_DUMPABLE));
	TRY(prctl(PR_SET_DUMPABLE, 7));
	TRY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	TRY(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	TRY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	TRY(prctl(PR_SET_PDEATHSIG, SIGTERM));
	int sig = 0;
	TRY(prctl(PR_GET_PDEATHSIG, &sig));
	printf("signal %d\n", sig);
	TRY(prctl(PR_SET_PDEATHSIG, 99));
	TRY(prctl(PR_GET_KEEPCAPS));
	TRY(prctl(PR_SET_TIMERSLACK, 12345));
	TRY(prctl(PR_GET_TIMERSLACK));
	TRY(prctl(9999));

	puts("-- processors");
	TRY(syscall(SYS_getcpu, &cpu, &node, NULL));
	FACT(cpu < 4096 && node < 1024);
	cpu_set_t set;
	TRY(sched_getaffinity(0, sizeof set, &set));
	FACT(CPU_COUNT(&set) > 0);
	TRY(sched_yield());
	TRY(syscall(SYS_sched_getscheduler, 0));
	TRY(sched_get_priority_max(SCHED_FIFO));
	TRY(sched_get_priority_min(SCHED_OTHER));
	TRY(sched_get_priority_min(99));

	puts("-- calls that do not exist");
	TRY(syscall(9999));
	TRY(syscall(-1));
	return 0;
}
