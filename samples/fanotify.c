/* fanotify(7): groups that report descriptors, and groups that report handles and names. */
#include "show.h"
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define FAN_CLASS_CONTENT 0x4
#define FAN_NONBLOCK 0x2
#define FAN_REPORT_TID 0x100
#define FAN_REPORT_FID 0x200
#define FAN_REPORT_DIR_FID 0x400
#define FAN_REPORT_NAME 0x800
#define FAN_REPORT_TARGET_FID 0x1000
#define ADD 1
#define REMOVE 2
#define ONLYDIR 8
#define MOUNT 0x10
#define IGNORED 0x20
#define SURVIVE 0x40
#define FLUSH 0x80
#define FILESYSTEM 0x100
#define IGNORE 0x400
#define ON_CHILD 0x08000000
#define RENAMED 0x10000000
#define ONDIR 0x40000000
#define ALL 0xfff

struct event { uint32_t length; uint8_t version, reserved; uint16_t head; uint64_t mask; int32_t fd, pid; };
struct info { uint8_t type, pad; uint16_t length; int32_t fsid[2]; uint32_t bytes; int32_t kind; uint8_t handle[]; };

static const struct { uint32_t bit; const char *name; } bits[] = {
	{0x1, "ACCESS"}, {0x2, "MODIFY"}, {0x4, "ATTRIB"}, {0x8, "CLOSE_WRITE"}, {0x10, "CLOSE_NOWRITE"}, {0x20, "OPEN"},
	{0x40, "MOVED_FROM"}, {0x80, "MOVED_TO"}, {0x100, "CREATE"}, {0x200, "DELETE"}, {0x400, "DELETE_SELF"},
	{0x800, "MOVE_SELF"}, {0x1000, "OPEN_EXEC"}, {0x4000, "Q_OVERFLOW"}, {RENAMED, "RENAME"}, {ONDIR, "ONDIR"},
};
static char known[16][128];
static int count;

/* Which object a handle is of, by the order of appearance. */
static int number(const struct info *info)
{
	for (int i = 0; i < count; i++)
		if (!memcmp(known[i], info->handle, info->bytes))
			return i;
	memcpy(known[count], info->handle, info->bytes);
	return count++;
}

static int group, fd;
static char buffer[8192] __attribute__((aligned(8)));

static void drain(void)
{
	ssize_t size;
	while ((size = read(group, buffer, sizeof buffer)) > 0)
		for (char *at = buffer; at < buffer + size;) {
			struct event *event = (void *)at;
			printf("  ");
			for (unsigned i = 0; i < sizeof bits / sizeof *bits; i++)
				if (event->mask & bits[i].bit)
					printf(" %s", bits[i].name);
			printf(" %s", event->pid == getpid() ? "ours" : event->pid ? "another's" : "nobody's");
			if (event->fd >= 0) {
				char name[64], path[256];
				sprintf(name, "/proc/self/fd/%d", event->fd);
				ssize_t length = readlink(name, path, sizeof path - 1);
				path[length < 0 ? 0 : length] = 0;
				char *last = strrchr(path, '/');
				printf(" file %s flags %#x", last ? last + 1 : path, fcntl(event->fd, F_GETFL) & 03);
				close(event->fd);
			}
			for (char *info = at + event->head; info < at + event->length; info += ((struct info *)info)->length) {
				struct info *one = (void *)info;
				printf(" [%d of %d", one->type, number(one));
				if (one->type != 1 && one->type != 3)
					printf(" %s", (char *)one->handle + one->bytes);
				printf("]");
			}
			puts("");
			at += event->length;
		}
	if (size == -1 && errno != EAGAIN)
		printf("   %s\n", error_name(errno));
}
#define RUN(call) do { TRY(call); drain(); } while (0)
#if defined(__i386__)
#define mark(flags, mask, dir, name) syscall(SYS_fanotify_mark, group, flags, (uint32_t)(mask), 0, dir, name)
#else
#define mark(flags, mask, dir, name) syscall(SYS_fanotify_mark, group, flags, (uint64_t)(uint32_t)(mask), dir, name)
#endif
#define init(flags, mode) syscall(SYS_fanotify_init, flags, mode)

static void errors(void)
{
	puts("--- errors");
	TRY(init(0x8000, 0));
	TRY(init(0xc, 0));
	TRY(init(FAN_REPORT_NAME, 0));
	TRY(init(FAN_REPORT_DIR_FID | FAN_REPORT_TARGET_FID, 0));
	TRY(init(FAN_CLASS_CONTENT | FAN_REPORT_DIR_FID | FAN_REPORT_TARGET_FID, 0));
	TRY(init(0, 3));
	TRY(init(0, O_CREAT));
	TRY(init(FAN_REPORT_TID | 0x80, 0));
	group = init(FAN_NONBLOCK, O_RDONLY);
	TRY(mark(0, 1, AT_FDCWD, "."));
	TRY(mark(ADD, 0, AT_FDCWD, "."));
	TRY(mark(ADD | REMOVE, 1, AT_FDCWD, "."));
	TRY(mark(ADD | 0x10000, 1, AT_FDCWD, "."));
	TRY(mark(ADD | MOUNT | FILESYSTEM, 1, AT_FDCWD, "."));
	TRY(mark(ADD, 0x2000, AT_FDCWD, "."));
	TRY(mark(ADD, 0x100, AT_FDCWD, "."));
	TRY(mark(ADD, RENAMED, AT_FDCWD, "."));
	TRY(mark(ADD, 0x20, AT_FDCWD, "nothing"));
	TRY(mark(ADD | ONLYDIR, 0x20, AT_FDCWD, "f"));
	TRY(mark(ADD, 0x20, 99, "f"));
	TRY(mark(ADD, 0x20, 99, NULL));
	TRY(mark(ADD | IGNORE, 0x20, AT_FDCWD, "."));
	TRY(mark(ADD | IGNORE | MOUNT, 0x20, AT_FDCWD, "."));
	TRY(mark(ADD | IGNORE | IGNORED, 0x20, AT_FDCWD, "."));
	TRY(mark(REMOVE, 0x20, AT_FDCWD, "."));
	TRY(mark(FLUSH, 0, AT_FDCWD, NULL));
	TRY(mark(FLUSH | ONLYDIR, 0, AT_FDCWD, NULL));
	TRY(read(group, buffer, 23));
	TRY(write(group, buffer, 4));
	int saved = group;
	group = 0;
	TRY(mark(ADD, 0x20, AT_FDCWD, "."));
	group = -1;
	TRY(mark(ADD, 0x20, AT_FDCWD, "."));
	group = saved;
}

static void use_file(const char *name)
{
	fd = open(name, O_RDWR);
	read(fd, buffer, 2);
	write(fd, "x", 1);
	close(fd);
}

static void descriptors(void)
{
	puts("--- descriptors");
	TRY(mark(ADD, 0x3b, AT_FDCWD, "f"));
	use_file("f");
	drain();
	RUN((fd = open("f", O_RDONLY)) > 0);
	RUN(fchmod(fd, 0600));
	RUN(close(fd));
	TRY(mark(REMOVE, 0x20, AT_FDCWD, "f"));
	use_file("f");
	drain();
	TRY(mark(REMOVE, 0x3b, AT_FDCWD, "f"));
	TRY(mark(REMOVE, 0x3b, AT_FDCWD, "f"));
	TRY(mark(ADD, 0x39 | ON_CHILD, AT_FDCWD, "d"));
	RUN((fd = open("d", O_RDONLY)) > 0);
	RUN(close(fd));
	put_file("d/new", "text");
	drain();
	TRY(mark(ADD, 0x38 | ON_CHILD | ONDIR, AT_FDCWD, "d"));
	RUN((fd = open("d", O_RDONLY)) > 0);
	RUN(close(fd));
	mkdir("d/sub", 0700);
	RUN((fd = open("d/sub", O_RDONLY)) > 0);
	RUN(close(fd));
	rmdir("d/sub");
	puts("- ignored");
	TRY(mark(ADD | IGNORED, 0x20, AT_FDCWD, "d/new"));
	RUN((fd = open("d/new", O_RDONLY)) > 0);
	RUN(close(fd));
	RUN((fd = open("d/new", O_RDWR)) > 0);
	RUN(write(fd, "x", 1));
	RUN(close(fd));
	RUN((fd = open("d/new", O_RDONLY)) > 0);
	RUN(close(fd));
	TRY(mark(ADD | IGNORED | SURVIVE, 0x20, AT_FDCWD, "d/new"));
	RUN((fd = open("d/new", O_RDWR)) > 0);
	RUN(write(fd, "x", 1));
	RUN(close(fd));
	RUN((fd = open("d/new", O_RDONLY)) > 0);
	RUN(close(fd));
	TRY(mark(FLUSH, 0, AT_FDCWD, NULL));
	use_file("d/new");
	drain();
	puts("- a mount");
	TRY(mark(ADD | MOUNT, 0x28, AT_FDCWD, "."));
	use_file("d/new");
	drain();
	TRY(mark(FLUSH, 0, AT_FDCWD, NULL));
	TRY(mark(FLUSH | MOUNT, 0, AT_FDCWD, NULL));
	use_file("d/new");
	drain();
	puts("- another process");
	TRY(mark(ADD, 0x20, AT_FDCWD, "f"));
	fflush(stdout);
	if (!fork()) {
		open("f", O_RDONLY);
		_exit(0);
	}
	wait(NULL);
	drain();
	close(group);
}

static void names(void)
{
	RUN((fd = open("d/f", O_CREAT | O_RDWR, 0600)) > 0);
	RUN(write(fd, "x", 1));
	RUN(fchmod(fd, 0644));
	RUN(close(fd));
	RUN(mkdir("d/sub", 0700));
	RUN(rename("d/f", "d/g"));
	RUN(rename("d/g", "g"));
	RUN(rename("g", "d/f"));
	RUN((fd = open("d", O_RDONLY)) > 0);
	RUN(close(fd));
	RUN((fd = open("d/sub", O_RDONLY)) > 0);
	RUN(close(fd));
	RUN(rmdir("d/sub"));
	RUN(unlink("d/f"));
	RUN(chmod("d", 0700));
}

static void handles(const char *what, int flags, long mask)
{
	printf("--- handles: %s\n", what);
	count = 0;
	group = init(FAN_NONBLOCK | flags, 0);
	TRY(mark(ADD, mask, AT_FDCWD, "d"));
	names();
	close(group);
}

static void others(void)
{
	puts("--- a file");
	count = 0;
	group = init(FAN_NONBLOCK | FAN_REPORT_FID | FAN_REPORT_DIR_FID | FAN_REPORT_NAME, 0);
	put_file("f", "x");
	TRY(mark(ADD, ALL, AT_FDCWD, "f"));
	use_file("f");
	drain();
	RUN(rename("f", "d/f"));
	RUN(chmod("d/f", 0600));
	RUN(link("d/f", "f"));
	RUN(unlink("d/f"));
	RUN(unlink("f"));
	put_file("f", "x");
	puts("--- a file system");
	TRY(mark(ADD | FILESYSTEM, ALL | ONDIR, AT_FDCWD, "."));
	RUN(mkdir("d/sub", 0700));
	use_file("f");
	drain();
	RUN(rename("f", "d/sub/f"));
	RUN(unlink("d/sub/f"));
	RUN(rmdir("d/sub"));
	RUN(chmod("d", 0755));
	close(group);
	puts("--- without privileges");
	if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		return;
	TRY(init(0, 0));
	TRY(init(FAN_CLASS_CONTENT | FAN_REPORT_FID, 0));
	TRY(init(0x10 | FAN_REPORT_FID, 0));
	TRY((group = init(FAN_NONBLOCK | FAN_REPORT_FID, 0)) > 0);
	TRY(mark(ADD | MOUNT, 0x20, AT_FDCWD, "."));
	TRY(mark(ADD | FILESYSTEM, 0x20, AT_FDCWD, "."));
	TRY(mark(ADD, 0x20, AT_FDCWD, "secret"));
	TRY(mark(ADD, 0x20 | ONDIR, AT_FDCWD, "d"));
	count = 0;
	RUN((fd = open("d", O_RDONLY)) > 0);
	fflush(stdout);
	if (!fork()) {
		open("d", O_RDONLY);
		_exit(0);
	}
	wait(NULL);
	drain();
}

int main(void)
{
	umask(022);
	chmod(".", 0755);
	mkdir("d", 0755);
	put_file("f", "some text");
	put_file("secret", "some text");
	chmod("secret", 0600);
	errors();
	descriptors();
	unlink("d/new");
	handles("objects", FAN_REPORT_FID, ALL | ONDIR | ON_CHILD);
	handles("directories", FAN_REPORT_DIR_FID, ALL | ONDIR | ON_CHILD);
	handles("both", FAN_REPORT_DIR_FID | FAN_REPORT_FID, ALL | ONDIR | ON_CHILD);
	handles("names", FAN_REPORT_DIR_FID | FAN_REPORT_NAME, ALL | ONDIR | ON_CHILD);
	handles("all", FAN_REPORT_FID | FAN_REPORT_DIR_FID | FAN_REPORT_NAME, ALL | ONDIR | ON_CHILD | RENAMED);
	handles("targets", FAN_REPORT_FID | FAN_REPORT_DIR_FID | FAN_REPORT_NAME | FAN_REPORT_TARGET_FID,
		ALL | ONDIR | ON_CHILD | RENAMED);
	handles("files only", FAN_REPORT_DIR_FID | FAN_REPORT_NAME, ALL | ON_CHILD);
	handles("no children", FAN_REPORT_DIR_FID | FAN_REPORT_NAME, ALL | ONDIR);
	others();
	return 0;
}
