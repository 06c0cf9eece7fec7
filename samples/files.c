/* open(2), read(2), write(2), lseek(2), truncation, holes, and their errors. */
#include "show.h"
#include <fcntl.h>
#include <sys/stat.h>

static void show_file(const char *path)
{
	char text[256] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof text);
	close(fd);
	printf("%s: [", path);
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == 0)
			fputs("\\0", stdout);
		else
			putchar(text[i]);
	puts("]");
}

static long long size_of(int fd)
{
	struct stat st;
	return fstat(fd, &st) ? -1 : (long long)st.st_size;
}

static void open_flags(void)
{
	char buf[16];
	int fd, dir;

	puts("-- open flags");
	TRY(open("missing", O_RDONLY));
	TRY(fd = open("a", O_CREAT | O_EXCL | O_RDWR, 0644));
	TRY(open("a", O_CREAT | O_EXCL | O_RDWR, 0644));
	TRY(write(fd, "hello\n", 6));
	TRY(read(fd, buf, sizeof buf));
	TRY(lseek(fd, 0, SEEK_SET));
	TRY(read(fd, buf, sizeof buf));
	TRY(read(fd, buf, 0));
	TRY(close(fd));
	TRY(close(fd));
	TRY(fd = open("a", O_WRONLY | O_APPEND));
	TRY(lseek(fd, 0, SEEK_SET));
	TRY(write(fd, "world\n", 6));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(read(fd, buf, 1));
	TRY(pwrite(fd, "!", 1, 0));  /* O_APPEND wins over the offset: pwrite(2), BUGS */
	close(fd);
	show_file("a");
	TRY(fd = open("a", O_RDONLY));
	TRY(write(fd, "x", 1));
	TRY(ftruncate(fd, 0));
	close(fd);
	TRY(fd = open("a", O_RDWR | O_TRUNC));
	TRY(size_of(fd));
	close(fd);
	TRY(open(".", O_WRONLY));
	TRY(open(".", O_RDONLY | O_CREAT, 0644));
	TRY(dir = open(".", O_RDONLY | O_DIRECTORY));
	TRY(read(dir, buf, 1));
	TRY(open("a", O_RDONLY | O_DIRECTORY));
	TRY(open("a/b", O_RDONLY));
	TRY(open("", O_RDONLY));
	TRY(openat(dir, "a", O_RDONLY));
	TRY(openat(3, "a", O_RDONLY | O_CLOEXEC));
	TRY(openat(99, "a", O_RDONLY));
	for (int i = 4; i < 8; i++)
		close(i);
	close(dir);
	TRY(symlink("a", "link"));
	TRY(open("link", O_RDONLY | O_NOFOLLOW));
	TRY(fd = open("link", O_PATH | O_NOFOLLOW));
	TRY(read(fd, buf, 1));
	TRY(fchmod(fd, 0600));
	TRY(size_of(fd));
	close(fd);
	TRY(symlink("nowhere", "dangling"));
	TRY(open("dangling", O_RDONLY));
	TRY(open("dangling", O_CREAT | O_EXCL | O_RDWR, 0600));
	TRY(fd = open("dangling", O_CREAT | O_RDWR, 0600));
	close(fd);
	TRY(access("nowhere", F_OK));
	TRY(creat("made", 0600));
	close(3);
	TRY(fd = open("a", O_RDWR | 3));
	TRY(read(fd, buf, 1));
	close(fd);
}

static void offsets(void)
{
	char buf[16] = "";
	int fd;

	puts("-- offsets and holes");
	TRY(fd = open("b", O_CREAT | O_RDWR, 0644));
	TRY(pwrite(fd, "end", 3, 10));
	TRY(lseek(fd, 0, SEEK_CUR));
	show_file("b");
	TRY(pread(fd, buf, 4, 9));
	FACT(!memcmp(buf, "\0end", 4));
	TRY(pread(fd, buf, 4, 100));
	TRY(pread(fd, buf, 4, -1));
	TRY(lseek(fd, -1, SEEK_SET));
	TRY(lseek(fd, -20, SEEK_END));
	TRY(lseek(fd, -3, SEEK_END));
	TRY(lseek(fd, 5, SEEK_CUR));
	TRY(lseek(fd, 0, 77));
	TRY(lseek(fd, 5000000000LL, SEEK_SET));
	TRY(read(fd, buf, 1));
	TRY(write(fd, "far", 3));
	TRY(size_of(fd));
	TRY(pread(fd, buf, 3, 5000000000LL));
	FACT(!memcmp(buf, "far", 3));
	TRY(ftruncate(fd, 1 << 20));
	TRY(size_of(fd));
	TRY(lseek(fd, 0, SEEK_HOLE));
	TRY(lseek(fd, 4096, SEEK_DATA));
	TRY(lseek(fd, 1 << 20, SEEK_DATA));
	TRY(lseek(fd, 5000, SEEK_HOLE));
	TRY(ftruncate(fd, -1));
	TRY(ftruncate(fd, 4));
	TRY(ftruncate(fd, 8));
	show_file("b");
	TRY(truncate("b", 2));
	TRY(truncate("missing", 2));
	TRY(truncate(".", 2));
	TRY(size_of(fd));
	close(fd);
}

static void space(void)
{
	char buf[8] = "";
	int fd;

	puts("-- fallocate");
	TRY(fd = open("c", O_CREAT | O_RDWR, 0644));
	TRY(fallocate(fd, 0, 0, 8192));
	TRY(size_of(fd));
	TRY(fallocate(fd, FALLOC_FL_KEEP_SIZE, 8192, 4096));
	TRY(size_of(fd));
	TRY(pwrite(fd, "12345678", 8, 4096));
	TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4098, 4));
	TRY(pread(fd, buf, 8, 4096));
	FACT(!memcmp(buf, "12\0\0\0\0" "78", 8));
	TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4));
	TRY(fallocate(fd, 0, 0, 0));
	TRY(fallocate(fd, 0, -1, 5));
	TRY(posix_fallocate(fd, 0, 10000));
	TRY(size_of(fd));
	TRY(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
	TRY(posix_fadvise(fd, 0, 0, 99));
	TRY(fsync(fd));
	TRY(fdatasync(fd));
	TRY(syncfs(fd));
	TRY(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
	TRY(readahead(fd, 0, 4096));
	TRY(fsync(99));
	close(fd);
}

static void unlinked(void)
{
	char buf[8] = "";
	struct stat st;
	int fd, named;

	puts("-- files without a name");
	TRY(fd = open("d", O_CREAT | O_RDWR, 0644));
	TRY(write(fd, "still", 5));
	TRY(unlink("d"));
	TRY(access("d", F_OK));
	TRY(pread(fd, buf, 5, 0));
	FACT(!strcmp(buf, "still"));
	fstat(fd, &st);
	printf("links %d\n", (int)st.st_nlink);
	close(fd);
	TRY(fd = open(".", O_TMPFILE | O_RDWR, 0640));
	TRY(write(fd, "temp", 4));
	fstat(fd, &st);
	printf("links %d mode %o\n", (int)st.st_nlink, (unsigned)st.st_mode);
	TRY(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH));
	show_file("named");
	TRY(named = open("named", O_RDONLY));
	close(named);
	close(fd);
}

int main(void)
{
	open_flags();
	offsets();
	space();
	unlinked();
	return 0;
}
