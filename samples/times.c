/* Clocks and sleeping: clock_gettime(2), nanosleep(2) and their relations, never their values. */
#include "show.h"
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static long long ns(struct timespec t)
{
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long now(clockid_t clock)
{
	struct timespec t = { 0, -1 };
	clock_gettime(clock, &t);
	return t.tv_nsec < 0 || t.tv_nsec > 999999999 ? -1 : ns(t);
}

int main(void)
{
	struct timespec t;
	struct timeval tv;
	struct rusage usage;
	struct tms tms;

	puts("-- clocks");
	FACT(now(CLOCK_REALTIME) > 1700000000LL * 1000000000);
	FACT(now(CLOCK_MONOTONIC) >= 0);
	FACT(now(CLOCK_BOOTTIME) >= now(CLOCK_MONOTONIC) - 1000000);
	FACT(now(CLOCK_PROCESS_CPUTIME_ID) >= 0);
	FACT(now(CLOCK_THREAD_CPUTIME_ID) >= 0);
	FACT(now(CLOCK_REALTIME_COARSE) <= now(CLOCK_REALTIME));
	FACT(now(CLOCK_TAI) > 0);
	long long before = now(CLOCK_MONOTONIC);
	FACT(now(CLOCK_MONOTONIC) >= before);
	TRY(clock_gettime(77, &t));
	TRY(clock_getres(CLOCK_MONOTONIC, &t));
	FACT(ns(t) == 1);
	TRY(clock_getres(CLOCK_MONOTONIC_COARSE, &t));
	FACT(ns(t) > 1);
	TRY(clock_getres(CLOCK_MONOTONIC, NULL));
	TRY(clock_getres(77, &t));
	TRY(gettimeofday(&tv, NULL));
	time_t seconds = time(NULL);
	FACT(seconds >= tv.tv_sec && seconds <= tv.tv_sec + 1);
	FACT(tv.tv_usec >= 0 && tv.tv_usec < 1000000);

	puts("-- sleeping");
	before = now(CLOCK_MONOTONIC);
	t = (struct timespec){ 0, 20000000 };
	TRY(nanosleep(&t, NULL));
	long long slept = now(CLOCK_MONOTONIC) - before;
	FACT(slept >= 20000000 && slept < 2000000000);
	t = (struct timespec){ 0, 1000000000 };
	TRY(nanosleep(&t, NULL));
	t = (struct timespec){ -1, 0 };
	TRY(nanosleep(&t, NULL));
	t = (struct timespec){ 0, 0 };
	TRY(nanosleep(&t, NULL));
	TRY(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
	long long wake = now(CLOCK_MONOTONIC) + 10000000;
	t = (struct timespec){ (time_t)(wake / 1000000000), (long)(wake % 1000000000) };
	TRY(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
	FACT(now(CLOCK_MONOTONIC) >= wake);
	TRY(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL));
	TRY(clock_nanosleep(77, 0, &t, NULL));
	TRY(usleep(1000));

	puts("-- alarm");
	TRY(alarm(100));
	FACT(alarm(0) >= 99);
	TRY(alarm(0));

	puts("-- usage");
	TRY(getrusage(RUSAGE_SELF, &usage));
	FACT(usage.ru_utime.tv_sec < 100 && usage.ru_utime.tv_usec < 1000000);
	FACT(usage.ru_maxrss > 0);
	TRY(getrusage(RUSAGE_CHILDREN, &usage));
	FACT(usage.ru_utime.tv_sec == 0 && usage.ru_utime.tv_usec == 0);
	TRY(getrusage(77, &usage));
	FACT(times(&tms) != (clock_t)-1);
	FACT(tms.tms_cutime == 0);

	puts("-- a calendar");
	time_t moment = 1234567890;
	char text[64];
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime(&moment));
	puts(text);
	return 0;
}
