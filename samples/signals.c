/* The bookkeeping of signals, without a handler: sigaction(2), sigprocmask(2), sigpending(2). */
#include "show.h"
#include <signal.h>
#include <unistd.h>

int main(void)
{
	struct sigaction old, ignore = { .sa_handler = SIG_IGN };
	sigset_t set, was;

	TRY(sigaction(SIGUSR1, NULL, &old));
	FACT(old.sa_handler == SIG_DFL);
	ignore.sa_flags = SA_RESTART;
	sigaddset(&ignore.sa_mask, SIGHUP);
	TRY(sigaction(SIGUSR1, &ignore, &old));
	TRY(sigaction(SIGUSR1, NULL, &old));
	FACT(old.sa_handler == SIG_IGN && (old.sa_flags & SA_RESTART) && sigismember(&old.sa_mask, SIGHUP));
	TRY(sigaction(SIGKILL, &ignore, NULL));
	TRY(sigaction(SIGKILL, NULL, &old));
	TRY(sigaction(99, &ignore, NULL));
	TRY(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
	TRY(raise(SIGUSR1));
	TRY(raise(SIGCHLD));
	TRY(raise(SIGURG));
	TRY(raise(SIGCONT));
	TRY(kill(getpid(), 0));
	TRY(kill(getpid(), 99));
	TRY(syscall(SYS_tgkill, getpid(), getpid(), 0));
	TRY(syscall(SYS_tgkill, -1, getpid(), 0));
	TRY(syscall(SYS_tkill, getpid(), 0));

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGKILL);
	TRY(sigprocmask(SIG_BLOCK, &set, &was));
	FACT(!sigismember(&was, SIGTERM));
	TRY(sigprocmask(SIG_BLOCK, NULL, &was));
	FACT(sigismember(&was, SIGTERM) && !sigismember(&was, SIGKILL));
	TRY(raise(SIGTERM));
	TRY(sigpending(&was));
	FACT(sigismember(&was, SIGTERM));
	ignore.sa_flags = 0;
	TRY(sigaction(SIGTERM, &ignore, NULL));  /* to ignore a signal throws the pending one away */
	TRY(sigpending(&was));
	FACT(!sigismember(&was, SIGTERM));
	TRY(sigprocmask(SIG_SETMASK, &was, NULL));
	TRY(sigprocmask(77, &set, NULL));
	TRY(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4));

	stack_t stack = { 0 };
	TRY(sigaltstack(NULL, &stack));
	FACT(stack.ss_flags == SS_DISABLE);
	static char area[65536];
	stack = (stack_t){ .ss_sp = area, .ss_size = sizeof area };
	TRY(sigaltstack(&stack, NULL));
	TRY(sigaltstack(NULL, &stack));
	FACT(stack.ss_sp == area && stack.ss_size == sizeof area && stack.ss_flags == 0);
	stack.ss_size = 100;
	TRY(sigaltstack(&stack, NULL));
	return 0;
}
