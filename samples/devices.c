/* The devices that every program may count on. */
#include "show.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(void)
{
	unsigned char buf[64];
	int fd;

	puts("-- null");
	TRY(fd = open("/dev/null", O_RDWR));
	TRY(read(fd, buf, sizeof buf));
	TRY(write(fd, buf, sizeof buf));
	TRY(lseek(fd, 100, SEEK_SET));
	TRY(ftruncate(fd, 0));
	TRY(fsync(fd));
	close(fd);
	TRY(open("/dev/null", O_RDWR | O_CREAT | O_TRUNC, 0600));
	close(fd);
	puts("-- zero");
	TRY(fd = open("/dev/zero", O_RDWR));
	memset(buf, 'x', sizeof buf);
	TRY(read(fd, buf, 10));
	FACT(buf[0] == 0 && buf[9] == 0 && buf[10] == 'x');
	TRY(write(fd, buf, 10));
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	FACT(p != MAP_FAILED && p[0] == 0);
	close(fd);
	puts("-- full");
	TRY(fd = open("/dev/full", O_RDWR));
	TRY(read(fd, buf, 10));
	TRY(write(fd, buf, 10));
	close(fd);
	puts("-- random");
	for (int i = 0; i < 2; i++) {
		TRY(fd = open(i ? "/dev/random" : "/dev/urandom", O_RDONLY));
		TRY(read(fd, buf, sizeof buf));
		int bits = 0;
		for (unsigned k = 0; k < sizeof buf; k++)
			bits += __builtin_popcount(buf[k]);
		FACT(bits > 128 && bits < 384);
		close(fd);
	}
	puts("-- by number");
	put_file("f", "0123456789");
	TRY(fd = open("f", O_RDWR));
	TRY(read(fd, buf, 4));
	char name[32];
	snprintf(name, sizeof name, "/dev/fd/%d", fd);
	int again;
	TRY(again = open(name, O_RDONLY));
	TRY(read(again, buf, 4));
	printf("%.4s\n", buf);
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	char target[4096] = "", cwd[4096];
	FACT(readlink(name, target, sizeof target) > 0);
	getcwd(cwd, sizeof cwd);
	FACT(!strncmp(target, cwd, strlen(cwd)) && !strcmp(target + strlen(cwd), "/f"));
	FACT(readlink("/proc/self/exe", target, sizeof target) > 0);
	TRY(access("/dev/stdin", F_OK));
	struct stat st;
	TRY(lstat("/dev/stdout", &st));
	FACT(S_ISLNK(st.st_mode));
	return 0;
}
