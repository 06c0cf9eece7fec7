/* Permission bits, as a user who is not root meets them. */
#include "show.h"
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

static void tries(const char *path)
{
	char what[4] = "---";
	if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0)
		what[0] = 'r';
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0)
		what[1] = 'w';
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
		what[2] = 'x';
	printf("%s: %s\n", path, what);
}

static void make(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	put_file(path, "text");
	chown(path, uid, gid);
	chmod(path, mode);
}

int main(void)
{
	gid_t groups[] = { 3000, 4000 };

	if (getuid()) {
		puts("this sample starts as root");
		return 2;
	}
	chmod(".", 0777);
	make("none", 0000, 0, 0);
	make("mine", 0640, 1000, 1000);
	make("ours", 0460, 0, 3000);
	make("theirs", 0604, 0, 5000);
	make("odd", 0077, 1000, 1000);  /* the owner's bits count alone, even when they give less */
	make("tool", 0111, 0, 0);
	mkdir("closed", 0700);
	make("closed/file", 0666, 0, 0);
	mkdir("blind", 0711);
	make("blind/file", 0666, 0, 0);
	mkdir("sticky", 0777);
	chmod("sticky", 01777);
	make("sticky/root", 0666, 0, 0);
	make("sticky/user", 0666, 1000, 1000);
	mkdir("readonly", 0755);
	make("readonly/file", 0666, 0, 0);

	puts("-- root");
	tries("none");
	tries("tool");
	tries("closed");
	TRY(open("none", O_RDWR | O_CLOEXEC) > 0);
	close(3);

	puts("-- user 1000");
	TRY(setgroups(2, groups));
	TRY(setresgid(1000, 1000, 1000));
	TRY(setresuid(1000, 1000, 0));
	tries("none");
	tries("mine");
	tries("ours");
	tries("theirs");
	tries("odd");
	tries("tool");
	tries("closed");
	tries("closed/file");
	tries("blind");
	tries("blind/file");
	TRY(open("none", O_RDONLY));
	TRY(open("odd", O_RDONLY));
	TRY(open("closed/file", O_RDONLY));
	TRY(open("closed", O_RDONLY));
	TRY(open("blind", O_RDONLY));
	TRY(open("readonly/new", O_CREAT | O_RDWR, 0600));
	TRY(unlink("readonly/file"));
	TRY(mkdir("readonly/d", 0700));
	TRY(rename("readonly/file", "x"));
	TRY(link("readonly/file", "hard"));
	TRY(unlink("sticky/root"));
	TRY(rename("sticky/root", "sticky/r"));
	TRY(unlink("sticky/user"));
	TRY(chdir("closed"));
	TRY(chmod("none", 0777));
	TRY(chmod("mine", 0666));
	TRY(chmod("mine", 04666));
	TRY(chown("mine", 1000, 3000));
	TRY(chown("mine", 1000, 5000));
	TRY(chown("mine", 1001, -1));
	TRY(truncate("theirs", 0));
	TRY(utimensat(AT_FDCWD, "theirs", NULL, 0));
	TRY(utimensat(AT_FDCWD, "ours", NULL, 0));
	TRY(open("theirs", O_RDONLY | O_NOATIME));
	TRY(mknod("device", S_IFCHR | 0666, 0x103));
	TRY(setgroups(0, NULL));
	TRY(chroot("."));
	TRY(setuid(2000));
	TRY(sethostname("x", 1));
	FACT(access("mine", R_OK) == 0);

	puts("-- and back");
	TRY(setresuid(-1, 0, -1));
	TRY(access("none", R_OK));  /* access(2) asks for the real user */
	TRY(faccessat(AT_FDCWD, "none", R_OK, AT_EACCESS));
	TRY(syscall(SYS_faccessat2, AT_FDCWD, "none", R_OK, AT_EACCESS));
	TRY(syscall(SYS_faccessat2, AT_FDCWD, "none", R_OK, 0x4000));
	TRY(access("none", 8));
	return 0;
}
