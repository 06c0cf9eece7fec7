/* Descriptors and open file descriptions: dup(2), fcntl(2), close_range(2), locks. */
#include "show.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static void show_flags(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	printf("access %d append %d nonblock %d cloexec %d\n", flags & O_ACCMODE, !!(flags & O_APPEND),
	       !!(flags & O_NONBLOCK), fcntl(fd, F_GETFD));
}

static void copies(void)
{
	int fd, copy;

	puts("-- copies share the offset, not the flags of the descriptor");
	put_file("f", "0123456789");
	TRY(fd = open("f", O_RDWR | O_CLOEXEC));
	TRY(copy = dup(fd));
	TRY(lseek(fd, 4, SEEK_SET));
	TRY(lseek(copy, 0, SEEK_CUR));
	show_flags(fd);
	show_flags(copy);
	TRY(fcntl(copy, F_SETFL, O_APPEND | O_NONBLOCK));
	show_flags(fd);
	TRY(fcntl(copy, F_SETFL, O_WRONLY));
	show_flags(fd);
	TRY(dup2(fd, 20));
	TRY(dup2(20, 20));
	TRY(dup2(99, 20));
	TRY(dup2(fd, -1));
	TRY(dup3(fd, 21, O_CLOEXEC));
	TRY(dup3(fd, fd, 0));
	TRY(dup3(fd, 21, O_APPEND));
	TRY(fcntl(fd, F_DUPFD, 10));
	TRY(fcntl(fd, F_DUPFD_CLOEXEC, 10));
	TRY(fcntl(11, F_GETFD));
	TRY(fcntl(fd, F_DUPFD, -1));
	TRY(fcntl(fd, F_SETFD, 0));
	TRY(fcntl(fd, F_GETFD));
	TRY(fcntl(fd, 9999));
	TRY(fcntl(99, F_GETFL));
	TRY(dup(99));
	TRY(ioctl(fd, FIOCLEX));
	TRY(fcntl(fd, F_GETFD));
	int one = 0;
	TRY(ioctl(fd, FIONBIO, &one));
	TRY(ioctl(fd, FIONREAD, &one));
	printf("rest %d\n", one);
	TRY(syscall(SYS_close_range, 10, 30, 0));
	TRY(fcntl(20, F_GETFD));
	TRY(syscall(SYS_close_range, 30, 10, 0));
	TRY(syscall(SYS_close_range, 3, ~0U, 4));
	TRY(fcntl(copy, F_GETFD));
	TRY(syscall(SYS_close_range, 3, ~0U, 0));
	TRY(open("f", O_RDONLY));
	TRY(close(3));
}

static void locks(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 4 };
	int fd, other, ro;

	puts("-- locks");
	TRY(fd = open("f", O_RDWR));
	TRY(other = open("f", O_RDWR));
	TRY(ro = open("f", O_RDONLY));
	TRY(fcntl(fd, F_SETLK, &lock));
	TRY(fcntl(other, F_SETLK, &lock));  /* the same process: no conflict with itself */
	TRY(fcntl(other, F_GETLK, &lock));
	printf("type %d\n", lock.l_type);
	TRY(fcntl(ro, F_SETLK, &(struct flock){ .l_type = F_WRLCK }));
	TRY(fcntl(ro, F_SETLK, &(struct flock){ .l_type = F_RDLCK }));
	TRY(fcntl(fd, F_SETLK, &(struct flock){ .l_type = 9 }));
	TRY(fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_start = -1 }));
	TRY(fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_UNLCK }));
	TRY(fcntl(fd, F_OFD_SETLK, &(struct flock){ .l_type = F_WRLCK }));
	TRY(fcntl(other, F_OFD_SETLK, &(struct flock){ .l_type = F_WRLCK }));
	struct flock probe = { .l_type = F_RDLCK };
	TRY(fcntl(other, F_OFD_GETLK, &probe));
	printf("type %d pid %d\n", probe.l_type, probe.l_pid);
	TRY(fcntl(fd, F_OFD_SETLK, &(struct flock){ .l_type = F_UNLCK }));
	TRY(flock(fd, LOCK_EX));
	TRY(flock(other, LOCK_SH | LOCK_NB));
	TRY(flock(fd, LOCK_SH));
	TRY(flock(other, LOCK_SH | LOCK_NB));
	TRY(flock(fd, LOCK_EX | LOCK_NB));
	TRY(flock(fd, LOCK_UN));
	TRY(flock(fd, 16));
	TRY(flock(99, LOCK_EX));
	close(other);
	TRY(flock(fd, LOCK_EX | LOCK_NB));
}

static void sealed(void)
{
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING);

	puts("-- seals");
	TRY(write(fd, "12345678", 8));
	TRY(fcntl(fd, F_GET_SEALS));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	TRY(ftruncate(fd, 4));
	TRY(ftruncate(fd, 16));
	TRY(pwrite(fd, "x", 1, 0));
	TRY(pwrite(fd, "x", 1, 8));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL));
	TRY(pwrite(fd, "x", 1, 0));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	TRY(memfd_create("x", 0x8000));
	int plain = memfd_create("plain", 0);
	TRY(fcntl(plain, F_ADD_SEALS, F_SEAL_WRITE));
}

int main(void)
{
	copies();
	locks();
	sealed();
	return 0;
}
