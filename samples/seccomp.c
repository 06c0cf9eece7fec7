/* seccomp(2): verdicts, precedence, inheritance, TSYNC, strict mode, and what programs are refused. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#ifndef __NR_seccomp
#error
#endif
#if defined __x86_64__
#define A AUDIT_ARCH_X86_64
#elif defined __i386__
#define A AUDIT_ARCH_I386
#else
#define A 0xC00000B7
#endif
#define S(c, k) BPF_STMT(c, k)
#define J(c, k, t, f) BPF_JUMP(c, k, t, f)
static int install(struct sock_filter *f, int n, unsigned flags) {
    struct sock_fprog p = {n, f};
    return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}
#define LOADNR S(BPF_LD | BPF_W | BPF_ABS, 0)
static int one(int nr, unsigned verdict) {
    struct sock_filter f[] = {LOADNR, J(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), S(BPF_RET | BPF_K, verdict),
                              S(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    return install(f, 4, 0);
}
static void on(int s, siginfo_t *i, void *u) {
    (void)s, (void)u;
    printf("SIGSYS code %d errno %d nr %d arch %d addr %d\n", i->si_code, i->si_errno, i->si_syscall == __NR_getppid,
           i->si_arch == A, i->si_call_addr != 0);
    fflush(stdout);
}
static void child(const char *name, void (*f)(void)) {
    fflush(stdout);
    pid_t p = fork();
    if (!p) {
        f();
        fflush(stdout);
        _exit(0);
    }
    int st;
    waitpid(p, &st, 0);
    if (WIFSIGNALED(st))
        printf("%s: killed by %d\n", name, WTERMSIG(st));
    else
        printf("%s: exit %d\n", name, WEXITSTATUS(st));
}
static void nnp(void) { prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
static void e_errno(void) {
    nnp();
    printf("install %d\n", one(__NR_getppid, SECCOMP_RET_ERRNO | 13));
    long r = syscall(__NR_getppid);
    printf("getppid %ld %d\n", r, errno);
    printf("mode %d\n", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
    one(__NR_getppid, SECCOMP_RET_ERRNO | 38);
    r = syscall(__NR_getppid);
    printf("stacked %ld %d\n", r, errno);
    one(__NR_getppid, SECCOMP_RET_ERRNO | 0xffff);
    errno = 0;
    r = syscall(__NR_getppid);
    printf("big %ld %d\n", r, errno);
    one(__NR_getppid, SECCOMP_RET_TRACE | 1);
    r = syscall(__NR_getppid);
    printf("weaker %ld %d\n", r, errno);
    one(__NR_getuid, SECCOMP_RET_TRACE | 1);
    r = syscall(__NR_getuid);
    printf("trace %ld %d\n", r, errno);
    one(__NR_getgid, SECCOMP_RET_LOG);
    printf("log %d\n", syscall(__NR_getgid) >= 0);
    pid_t p = fork();
    if (!p) {
        r = syscall(__NR_getppid);
        printf("inherited %ld %d\n", r, errno);
        fflush(stdout);
        _exit(0);
    }
    int st;
    waitpid(p, &st, 0);
    FILE *f = fopen("/proc/self/status", "r");
    char l[256];
    while (fgets(l, 256, f))
        if (!strncmp(l, "Seccomp", 7))
            printf("%s", l);
}
static void e_trap(void) {
    nnp();
    struct sigaction a = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &a, 0);
    one(__NR_getppid, SECCOMP_RET_TRAP | 77);
    syscall(__NR_getppid);
    printf("after\n");
}
static void e_trap_kill(void) {
    nnp();
    one(__NR_getppid, SECCOMP_RET_TRAP);
    syscall(__NR_getppid);
    printf("not reached\n");
}
static void e_kill(void) {
    nnp();
    struct sigaction a = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &a, 0);
    one(__NR_getppid, SECCOMP_RET_KILL_PROCESS);
    syscall(__NR_getppid);
    printf("not reached\n");
}
static void e_killt(void) {
    nnp();
    one(__NR_getppid, SECCOMP_RET_KILL);
    syscall(__NR_getppid);
    printf("not reached\n");
}
static void e_unknown(void) {
    nnp();
    one(__NR_getppid, 0x12340000);
    syscall(__NR_getppid);
    printf("not reached\n");
}
static void *th(void *x) {
    if (x)
        syscall(__NR_getppid);
    else {
        usleep(400000);
        errno = 0;
        long r = syscall(__NR_getppid);
        printf("other thread %ld %d\n", r > 0 ? 1 : r, errno);
    }
    return 0;
}
static void e_thread(void) {
    nnp();
    pthread_t t;
    one(__NR_getppid, SECCOMP_RET_KILL_THREAD);
    pthread_create(&t, 0, th, (void *)1);
    usleep(200000);
    printf("thread gone, process lives\n");
    fflush(stdout);
    _exit(3);
}
static void e_tsync(void) {
    nnp();
    pthread_t t;
    pthread_create(&t, 0, th, 0);
    usleep(100000);
    struct sock_filter f[] = {LOADNR, J(BPF_JMP | BPF_JEQ | BPF_K, __NR_getppid, 0, 1),
                              S(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 9), S(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    printf("tsync %d\n", install(f, 4, SECCOMP_FILTER_FLAG_TSYNC));
    pthread_join(t, 0);
}
static void e_strict(void) {
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
    write(1, "strict\n", 7);
    syscall(__NR_exit, 5);
}
static void e_strict_kill(void) {
    syscall(__NR_seccomp, SECCOMP_SET_MODE_STRICT, 0, 0);
    syscall(__NR_getpid);
    write(1, "not reached\n", 12);
}
static void e_args(void) {
    nnp();
    struct sock_filter f[] = {S(BPF_LD | BPF_W | BPF_ABS, 4),
                              J(BPF_JMP | BPF_JEQ | BPF_K, A, 1, 0),
                              S(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
                              LOADNR,
                              J(BPF_JMP | BPF_JEQ | BPF_K, __NR_setuid, 0, 4),
                              S(BPF_LD | BPF_W | BPF_ABS, 16),
                              J(BPF_JMP | BPF_JGE | BPF_K, 1000, 0, 1),
                              S(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 7),
                              S(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 8),
                              S(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    printf("args %d\n", install(f, 10, 0));
    syscall(__NR_setuid, 1000);
    printf("%d\n", errno);
    syscall(__NR_setuid, 999);
    printf("%d\n", errno);
    syscall(__NR_setuid, -1);
    printf("%d\n", errno);
}
static void bad(const char *n, struct sock_filter *f, int c) {
    errno = 0;
    int r = install(f, c, 0);
    printf("%s %d %d\n", n, r, errno);
}
static void e_bad(void) {
    nnp();
    struct sock_filter r[] = {S(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    bad("empty", r, 0);
#define B(name, ...)                                                                                                   \
    {                                                                                                                  \
        struct sock_filter f[] = {__VA_ARGS__};                                                                        \
        bad(name, f, sizeof f / sizeof *f);                                                                            \
    }
    B("no ret", LOADNR)
    B("offset", S(BPF_LD | BPF_W | BPF_ABS, 64), r[0]) B("unaligned", S(BPF_LD | BPF_W | BPF_ABS, 2), r[0])
        B("half", S(BPF_LD | BPF_H | BPF_ABS, 0), r[0]) B("mod", S(BPF_ALU | BPF_MOD | BPF_K, 3), r[0])
            B("div0", S(BPF_ALU | BPF_DIV | BPF_K, 0), r[0]) B("lsh32", S(BPF_ALU | BPF_LSH | BPF_K, 32), r[0])
                B("jump", J(BPF_JMP | BPF_JA, 1, 0, 0), r[0])
                    B("jump cond", J(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 0), r[0])
                        B("mem unset", S(BPF_LD | BPF_MEM, 0), r[0]) B("mem 16", S(BPF_ST, 16), r[0])
                            B("ret x", S(BPF_RET | BPF_X, 0))
                                B("len", S(BPF_LD | BPF_W | BPF_LEN, 0), S(BPF_RET | BPF_A, 0))
}
static void e_len(void) {
    nnp();
    struct sock_filter f[] = {S(BPF_LD | BPF_W | BPF_LEN, 0), J(BPF_JMP | BPF_JEQ | BPF_K, 64, 0, 1),
                              S(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), S(BPF_RET | BPF_K, SECCOMP_RET_KILL)};
    printf("%d\n", install(f, 4, 0));
    struct sock_filter g[] = {S(BPF_LD | BPF_IMM, 7),
                              S(BPF_MISC | BPF_TAX, 0),
                              S(BPF_ALU | BPF_MUL | BPF_X, 0),
                              S(BPF_ST, 3),
                              S(BPF_LDX | BPF_MEM, 3),
                              S(BPF_MISC | BPF_TXA, 0),
                              S(BPF_ALU | BPF_NEG, 0),
                              S(BPF_ALU | BPF_ADD | BPF_K, 50),
                              S(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
                              S(BPF_STX, 1),
                              S(BPF_ST, 2),
                              LOADNR,
                              J(BPF_JMP | BPF_JEQ | BPF_K, __NR_getppid, 0, 2),
                              S(BPF_LD | BPF_MEM, 2),
                              S(BPF_RET | BPF_A, 0),
                              S(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    printf("%d\n", install(g, 16, 0));
    long r = syscall(__NR_getppid);
    printf("%ld %d\n", r, errno);
}
static void e_ops(void) {
    errno = 0;
    printf("%ld", syscall(__NR_seccomp, 99, 0, 0));
    printf(" %d\n", errno);
    printf("%ld", syscall(__NR_seccomp, SECCOMP_SET_MODE_STRICT, 1, 0));
    printf(" %d\n", errno);
    unsigned a = SECCOMP_RET_ERRNO;
    printf("%ld\n", syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &a));
    a = 0x1230000;
    printf("%ld", syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &a));
    printf(" %d\n", errno);
    printf("%ld", syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, 1));
    printf(" %d\n", errno);
    printf("%ld", syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0x1000, 1));
    printf(" %d\n", errno);
    if (setuid(1000)) {
    }
    struct sock_filter f[] = {S(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    printf("%d", install(f, 1, 0));
    printf(" %d\n", errno);
    printf("%d", prctl(PR_SET_SECCOMP, 9, 0, 0, 0));
    printf(" %d\n", errno);
}
int main() {
    child("errno", e_errno);
    child("trap", e_trap);
    child("trap kill", e_trap_kill);
    child("kill", e_kill);
    child("kill thread", e_killt);
    child("unknown", e_unknown);
    child("thread", e_thread);
    child("tsync", e_tsync);
    child("strict", e_strict);
    child("strict kill", e_strict_kill);
    child("args", e_args);
    child("bad", e_bad);
    child("len", e_len);
    child("ops", e_ops);
    return 0;
}
