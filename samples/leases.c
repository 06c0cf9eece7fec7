/* fcntl(2): leases on files (F_SETLEASE) and notifications of directories (F_NOTIFY). */
#include "show.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static sigset_t set;
static int fd, fd2;

/* What signals there are now. */
static void signals(void)
{
	siginfo_t info;
	struct timespec none = {0, 0};
	int signo;
	while ((signo = sigtimedwait(&set, &info, &none)) > 0) {
		if (signo == SIGIO)
			printf("   SIGIO code %#x\n", info.si_code);
		else
			printf("   SIGRTMIN+%d code %d fd %d band %#lx\n", signo - SIGRTMIN, info.si_code, info.si_fd, info.si_band);
	}
}
#define RUN(call) do { TRY(call); signals(); } while (0)

static void leases(void)
{
	put_file("f", "text");
	fd = open("f", O_RDONLY);
	puts("--- taking leases");
	RUN(fcntl(fd, F_GETLEASE));
	RUN(fcntl(fd, F_SETLEASE, 99));
	RUN(fcntl(fd, F_SETLEASE, F_UNLCK));
	RUN(fcntl(fd, F_SETLEASE, F_RDLCK));
	RUN(fcntl(fd, F_GETLEASE));
	RUN(fcntl(fd, F_GETOWN) == getpid());
	RUN(fcntl(fd, F_SETLEASE, F_WRLCK));
	RUN(fcntl(fd, F_GETLEASE));
	RUN(fcntl(fd, F_SETLEASE, F_UNLCK));
	RUN(fcntl(fd, F_GETOWN) == getpid());
	RUN(fcntl(fd, F_GETLEASE));
	fd2 = open("f", O_RDONLY);
	RUN(fcntl(fd, F_SETLEASE, F_WRLCK));
	RUN(fcntl(fd, F_SETLEASE, F_RDLCK));
	RUN(fcntl(fd2, F_GETLEASE));
	RUN(fcntl(fd2, F_SETLEASE, F_UNLCK));
	RUN(fcntl(fd2, F_SETLEASE, F_RDLCK));
	RUN(fcntl(fd2, F_SETLEASE, F_WRLCK));
	close(fd2);
	RUN(fcntl(fd, F_SETLEASE, F_WRLCK));
	close(fd);
	fd = open("f", O_RDWR);
	RUN(fcntl(fd, F_SETLEASE, F_RDLCK));
	RUN(fcntl(fd, F_SETLEASE, F_WRLCK));
	RUN(fcntl(fd, F_GETLEASE));
	close(fd);
	fd = open(".", O_RDONLY);
	RUN(fcntl(fd, F_SETLEASE, F_WRLCK));
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	RUN(fcntl(fd, F_SETLEASE, F_RDLCK));
	RUN(fcntl(fd, F_SETLEASE, F_UNLCK));
	close(fd);
	fd = open("f", O_PATH);
	RUN(fcntl(fd, F_SETLEASE, F_RDLCK));
	close(fd);

	puts("--- breaking without waiting");
	fd = open("f", O_RDONLY);
	fcntl(fd, F_SETSIG, SIGRTMIN + 3);
	RUN(fcntl(fd, F_SETLEASE, F_RDLCK));
	RUN(open("f", O_RDONLY | O_NONBLOCK) > 0);
	RUN(open("f", O_RDWR | O_NONBLOCK));
	RUN(fcntl(fd, F_GETLEASE));
	RUN(open("f", O_WRONLY | O_NONBLOCK | O_TRUNC));
	RUN(open("f", O_RDONLY | O_NONBLOCK) > 0);
	RUN(fcntl(fd, F_SETLEASE, F_RDLCK));
	RUN(fcntl(fd, F_SETLEASE, F_UNLCK));
	RUN(fcntl(fd, F_GETSIG));
	RUN((fd2 = open("f", O_RDWR | O_NONBLOCK)) > 0);
	close(fd2);
	close(fd);
	for (int i = 3; i < 20; i++)
		close(i);
	fd = open("f", O_RDONLY);
	fcntl(fd, F_SETSIG, SIGRTMIN + 3);
	RUN(fcntl(fd, F_SETLEASE, F_WRLCK));
	RUN(open("f", O_RDONLY | O_NONBLOCK));
	RUN(fcntl(fd, F_GETLEASE));
	RUN(open("f", O_WRONLY | O_NONBLOCK));
	RUN(fcntl(fd, F_GETLEASE));
	RUN(chmod("f", 0600));
	RUN(rename("f", "g"));
	RUN(link("g", "f"));
	RUN(unlink("g"));
	RUN(fcntl(fd, F_SETLEASE, F_UNLCK));
	RUN(fcntl(fd, F_SETLEASE, F_WRLCK));
	RUN(open("f", O_RDONLY | O_NONBLOCK));
	RUN(fcntl(fd, F_SETLEASE, F_RDLCK));
	RUN((fd2 = open("f", O_RDONLY | O_NONBLOCK)) > 0);
	RUN(fcntl(fd, F_GETLEASE));
	close(fd2);
	RUN(open("f", O_PATH) > 0);
	close(fd);
	for (int i = 3; i < 20; i++)
		close(i);

	puts("--- waiting");
	fd = open("f", O_RDONLY);
	RUN(fcntl(fd, F_SETLEASE, F_WRLCK));
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		close(fd);
		int mine = open("f", O_RDONLY);
		_exit(mine > 0 ? 7 : 8);
	}
	siginfo_t info;
	TRY(sigwaitinfo(&set, &info) == SIGIO);
	TRY(fcntl(fd, F_GETLEASE));
	TRY(fcntl(fd, F_SETLEASE, F_RDLCK));
	int status;
	waitpid(child, &status, 0);
	TRY(WEXITSTATUS(status));
	signals();
	fflush(stdout);
	child = fork();
	if (!child) {
		close(fd);
		_exit(truncate("f", 2) == 0 ? 7 : 8);
	}
	TRY(sigwaitinfo(&set, &info) == SIGIO);
	TRY(fcntl(fd, F_GETLEASE));
	close(fd);
	waitpid(child, &status, 0);
	TRY(WEXITSTATUS(status));
	signals();
	fd = open("f", O_RDONLY);
	void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	fd = open("f", O_RDONLY);
	RUN(fcntl(fd, F_SETLEASE, F_WRLCK));
	munmap(map, 4096);
	RUN(fcntl(fd, F_SETLEASE, F_WRLCK));
	close(fd);
	unlink("f");
}

static void directories(void)
{
	puts("--- directories");
	mkdir("d", 0700);
	put_file("d/f", "text");
	fd = open("d/f", O_RDONLY);
	RUN(fcntl(fd, F_NOTIFY, DN_CREATE));
	close(fd);
	fd = open("d", O_RDONLY);
	RUN(fcntl(fd, F_NOTIFY, 0));
	RUN(fcntl(fd, F_NOTIFY, DN_CREATE));
	RUN(fcntl(fd, F_GETOWN) == getpid());
	put_file("d/a", "text");
	signals();
	put_file("d/b", "text");
	signals();
	fcntl(fd, F_SETSIG, SIGRTMIN + 4);
	RUN(fcntl(fd, F_NOTIFY, DN_CREATE | DN_DELETE | DN_MULTISHOT));
	put_file("d/c", "text");
	signals();
	RUN(unlink("d/c"));
	RUN(chmod("d/a", 0600));
	RUN(rename("d/a", "d/c"));
	RUN(fcntl(fd, F_NOTIFY, DN_RENAME | DN_ATTRIB));
	RUN(chmod("d/c", 0644));
	RUN(chmod("d", 0750));
	RUN(rename("d/c", "d/a"));
	RUN(rename("d/a", "x"));
	RUN(rename("x", "d/a"));
	RUN(mkdir("d/sub", 0700));
	RUN(rmdir("d/sub"));
	RUN(fcntl(fd, F_NOTIFY, DN_ACCESS | DN_MODIFY | DN_MULTISHOT));
	fd2 = open("d/a", O_RDWR);
	signals();
	char c;
	RUN(read(fd2, &c, 1));
	RUN(write(fd2, &c, 1));
	RUN(ftruncate(fd2, 1));
	close(fd2);
	signals();
	RUN(fcntl(fd, F_NOTIFY, 0));
	RUN(unlink("d/a"));
	RUN(fcntl(fd, F_NOTIFY, DN_DELETE | DN_MULTISHOT));
	fd2 = dup(fd);
	close(fd);
	RUN(unlink("d/b"));
	RUN(fcntl(fd2, F_NOTIFY, DN_DELETE | DN_MULTISHOT));
	fflush(stdout);
	if (!fork()) {
		close(fd2);
		unlink("d/f");
		_exit(0);
	}
	wait(NULL);
	signals();
	rmdir("d");
	signals();
	close(fd2);
}

int main(void)
{
	umask(022);
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	for (int i = 3; i < 6; i++)
		sigaddset(&set, SIGRTMIN + i);
	sigprocmask(SIG_BLOCK, &set, NULL);
	leases();
	directories();
	return 0;
}
