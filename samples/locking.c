/* flock(2), fcntl(2) locks: who waits for whom, who is woken, what a close or an exit gives up, deadlocks. */
#include "show.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/time.h>
#include <sys/wait.h>

static int fd;

static int lock(int file, int command, int type, int start, int length) {
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
	return fcntl(file, command, &l);
}

static void query(int file, int command, int type, int start, int length) {
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
	int result = fcntl(file, command, &l);
	printf("   query: %d type %d whence %d start %d length %d pid %s\n", result, l.l_type, l.l_whence, (int)l.l_start, (int)l.l_len,
	       !l.l_pid ? "0" : l.l_pid == getpid() ? "me" : l.l_pid == getppid() ? "parent" : l.l_pid == -1 ? "-1" : "other");
}

static void handler(int signo) { (void)signo; }

static pid_t child(void) { fflush(stdout); return fork(); }
static void reap(void) { while (wait(NULL) > 0); }

int main(void) {
	setvbuf(stdout, NULL, _IOLBF, 0);
	put_file("locked", "0123456789");
	fd = open("locked", O_RDWR);
	puts("-- checks");
	int read_only = open("locked", O_RDONLY), write_only = open("locked", O_WRONLY), path = open("locked", O_PATH);
	TRY(lock(read_only, F_SETLK, F_WRLCK, 0, 1));
	TRY(lock(write_only, F_SETLK, F_RDLCK, 0, 1));
	TRY(lock(path, F_SETLK, F_RDLCK, 0, 1));
	TRY(flock(path, LOCK_SH));
	TRY(lock(fd, F_SETLK, 7, 0, 1));
	TRY(lock(fd, F_SETLK, F_WRLCK, -1, 1));
	TRY(lock(fd, F_SETLK, F_WRLCK, 5, -5));
	TRY(lock(fd, F_SETLK, F_WRLCK, 5, -6));
	TRY(lock(fd, F_SETLK, F_UNLCK, 0, 0));
	TRY(fcntl(fd, F_SETLK, NULL));
	TRY(flock(fd, 0));
	TRY(flock(fd, LOCK_SH | LOCK_EX));
	TRY(flock(fd, 64));
	TRY(flock(-1, LOCK_SH));
	TRY(flock(read_only, LOCK_EX));
	TRY(flock(write_only, LOCK_SH | LOCK_NB));
	TRY(flock(read_only, LOCK_UN));
	struct flock ofd = {.l_type = F_WRLCK, .l_pid = 1};
	TRY(fcntl(fd, F_OFD_SETLK, &ofd));
	close(read_only); close(write_only);
	puts("-- queries");
	lock(fd, F_SETLK, F_WRLCK, 2, 3);
	lock(fd, F_SETLK, F_RDLCK, 8, 0);
	query(fd, F_GETLK, F_WRLCK, 0, 0);
	int other = open("locked", O_RDWR);
	query(other, F_OFD_GETLK, F_WRLCK, 0, 0);
	TRY(lock(other, F_OFD_SETLK, F_WRLCK, 3, 1));
	TRY(lock(other, F_OFD_SETLK, F_WRLCK, 5, 2));
	query(fd, F_GETLK, F_RDLCK, 0, 0);
	if (!child()) {
		query(fd, F_GETLK, F_WRLCK, 0, 0);
		query(fd, F_GETLK, F_WRLCK, 3, 1);
		query(fd, F_GETLK, F_RDLCK, 8, 1);
		query(fd, F_GETLK, F_WRLCK, 8, 1);
		query(fd, F_GETLK, F_WRLCK, 0, 2);
		query(fd, F_GETLK, F_UNLCK, 0, 2);
		TRY(lock(fd, F_SETLK, F_WRLCK, 2, 1));
		TRY(lock(fd, F_SETLK, F_RDLCK, 9, 1));
		close(open("locked", O_RDONLY));
		fflush(stdout);
		_exit(0);
	}
	reap();
	query(fd, F_GETLK, F_WRLCK, 8, 1);
	puts("a close gives them up");
	close(open("locked", O_RDONLY));
	if (!child()) { query(fd, F_GETLK, F_WRLCK, 0, 0); fflush(stdout); _exit(0); }
	reap();
	close(other);
	if (!child()) { query(fd, F_GETLK, F_WRLCK, 0, 0); fflush(stdout); _exit(0); }
	reap();
	puts("-- deadlock");
	lock(fd, F_SETLK, F_WRLCK, 0, 1);
	int tell[2];
	pipe(tell);
	if (!child()) {
		lock(fd, F_SETLK, F_WRLCK, 1, 1);
		write(tell[1], "x", 1);
		int result = lock(fd, F_SETLKW, F_WRLCK, 0, 1);
		usleep(20000);
		printf("   child: %d\n", result);
		fflush(stdout);
		_exit(0);
	}
	char c;
	read(tell[0], &c, 1);
	usleep(20000);
	TRY(lock(fd, F_SETLKW, F_WRLCK, 1, 1));
	TRY(lock(fd, F_SETLK, F_UNLCK, 0, 1));
	reap();
	puts("-- waiting and signals");
	if (!child()) {
		lock(fd, F_SETLK, F_WRLCK, 0, 0);
		write(tell[1], "x", 1);
		usleep(60000);
		_exit(0);
	}
	read(tell[0], &c, 1);
	struct sigaction action = {.sa_handler = handler};
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 10000}}, NULL);
	TRY(lock(fd, F_SETLKW, F_WRLCK, 0, 1));
	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 10000}}, NULL);
	TRY(lock(fd, F_SETLKW, F_WRLCK, 0, 1));
	reap();
	lock(fd, F_SETLK, F_UNLCK, 0, 0);
	puts("-- the order of waking");
	int order[2];
	pipe(order);
	lock(fd, F_SETLK, F_WRLCK, 0, 1);
	for (int i = 0; i < 4; i++) {
		if (!child()) {
			int mine = open("locked", O_RDWR);
			char name = '0' + i;
			lock(mine, F_SETLKW, F_WRLCK, 0, 1);
			write(order[1], &name, 1);
			_exit(0);
		}
		usleep(15000);
	}
	lock(fd, F_SETLK, F_UNLCK, 0, 1);
	reap();
	char text[8] = "";
	read(order[0], text, 4);
	puts(text);
	puts("-- flock");
	int one = open("locked", O_RDWR), two = open("locked", O_RDONLY), copy = dup(one);
	TRY(flock(one, LOCK_EX));
	TRY(flock(copy, LOCK_EX | LOCK_NB));
	TRY(flock(two, LOCK_SH | LOCK_NB));
	TRY(flock(copy, LOCK_SH));
	TRY(flock(two, LOCK_SH | LOCK_NB));
	TRY(flock(one, LOCK_EX | LOCK_NB));
	TRY(flock(two, LOCK_EX | LOCK_NB));
	close(one);
	TRY(flock(two, LOCK_EX | LOCK_NB));
	close(copy);
	TRY(flock(two, LOCK_EX | LOCK_NB));
	TRY(lock(two, F_SETLK, F_RDLCK, 0, 0));
	if (!child()) {
		TRY(flock(two, LOCK_SH | LOCK_NB));
		fflush(stdout);
		_exit(0);
	}
	reap();
	one = open("locked", O_RDWR);
	TRY(flock(one, LOCK_EX | LOCK_NB));
	if (!child()) { usleep(20000); flock(two, LOCK_UN); _exit(0); }
	TRY(flock(one, LOCK_EX));
	reap();
	if (!child()) { TRY(lock(one, F_SETLK, F_WRLCK, 0, 1)); fflush(stdout); _exit(0); }
	reap();
	close(two);
	if (!child()) { TRY(lock(one, F_SETLK, F_WRLCK, 0, 1)); fflush(stdout); _exit(0); }
	reap();
	puts("-- OFD locks");
	two = open("locked", O_RDWR);
	TRY(lock(one, F_OFD_SETLK, F_WRLCK, 0, 5));
	TRY(lock(two, F_OFD_SETLK, F_RDLCK, 4, 2));
	if (!child()) { TRY(lock(one, F_OFD_SETLK, F_UNLCK, 4, 1)); fflush(stdout); _exit(0); }
	reap();
	TRY(lock(two, F_OFD_SETLK, F_RDLCK, 4, 2));
	if (!child()) { usleep(20000); lock(one, F_OFD_SETLK, F_UNLCK, 0, 0); _exit(0); }
	TRY(lock(two, F_OFD_SETLKW, F_WRLCK, 0, 0));
	reap();
	query(one, F_OFD_GETLK, F_RDLCK, 0, 0);
	return 0;
}
