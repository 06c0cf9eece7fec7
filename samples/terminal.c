/* Terminal requests where there is no terminal: ENOTTY, and the errors that come before it. */
#include "show.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

int main(void)
{
	struct winsize size = { 0 };
	struct termios settings = { 0 };
	int p[2], fd, group = 0;

	pipe(p);
	TRY(isatty(p[0]));
	FACT(errno == ENOTTY);
	TRY(ioctl(p[0], TIOCGWINSZ, &size));
	TRY(tcgetattr(p[0], &settings));
	TRY(ioctl(p[0], TCGETS, (void *)8));
	TRY(ioctl(p[0], TIOCGPGRP, &group));
	TRY(fd = open("f", O_CREAT | O_RDWR, 0600));
	TRY(isatty(fd));
	TRY(ioctl(fd, TIOCSWINSZ, &size));
	TRY(ioctl(fd, 0x12345678, 0));
	TRY(tcsetattr(fd, TCSANOW, &settings));
	TRY(tcflush(fd, TCIOFLUSH));
	TRY(tcgetsid(fd));
	TRY(fd = open("/dev/null", O_RDWR));
	TRY(ioctl(fd, TCGETS, &settings));
	TRY(fd = open(".", O_RDONLY));
	TRY(ioctl(fd, TCGETS, &settings));
	TRY(fd = open("f", O_PATH));
	TRY(ioctl(fd, TCGETS, &settings));
	TRY(ioctl(99, TCGETS, &settings));
	TRY(isatty(99));
	return 0;
}
