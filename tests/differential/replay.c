/* Replays sequences of system calls and says what each did: the machine under both sides of tests/differential.
 *
 * Standard input is an array of 64-bit words (tests/differential/encode.py writes it, and says what they mean); for
 * every sequence a record goes to standard output. A sequence runs in a process and a directory of its own, with
 * descriptors 0, 1 and 2 open on an empty file, default dispositions and no blocked signals. A native run as root must
 * not be able to touch the machine: before the first step the process is confined to its directory (chroot; no
 * descriptor leads out, and scripts cannot call chroot), loses the capabilities that reach further than files, and gets
 * a limit on its memory. Where that fails the sequence does not run. What a step did goes into a
 * slot of memory that all its processes share, so that the order of writers does not matter and nothing is lost when
 * one of them dies.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARENA 0x20000000UL /* what the calls point at: one mapping, a hole behind it */
#define EDGES 0x21000000UL /* every second page is mapped: buffers that end at a hole */
#define CONSTS 0x23000000UL /* one page that cannot be written to */
#define SLOTS 0x24000000UL /* results, shared by all processes of a sequence */
#define SLOTS_SIZE 0x100000UL
#define PAGE 4096UL
#define MEMORY (512UL << 20) /* bytes of address space */

enum { CALL = 1, STORE, FORK, PROBE };
enum { CONST, RESULT, LOAD32, LOAD64, SYMBOL, PID, MINUS_PID };
enum { NOT_REACHED, STARTED, DONE };

struct step {
	int64_t op, slot, nr;
	struct {
		int64_t address, length;
	} dumps[2]; /* memory to keep, as the call left it */
	struct {
		int64_t kind, value;
	} args[6];
};

struct slot {
	int64_t state, result, signals, signal[8];
	unsigned char dump[];
};

static struct slot *current;
static sigjmp_buf probing;
extern void __restore_rt(void);

static struct slot *slot_of(int64_t offset) { return (struct slot *)(SLOTS + offset); }

static void handler(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (current->signals < 8)
		current->signal[current->signals] =
			(signal & 0xff) | (int64_t)(info->si_code & 0xffffff) << 8 | (int64_t)info->si_value.sival_int << 32;
	current->signals++;
}

static void fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	siglongjmp(probing, signal << 8 | (info->si_code & 0xff));
}

static int64_t value_of(int64_t kind, int64_t value)
{
	static void *const symbols[] = {(void *)handler, (void *)__restore_rt};
	int64_t pid;
	switch (kind) {
	case RESULT:
		return slot_of(value)->result;
	case LOAD32:
		return *(int32_t *)(uintptr_t)value;
	case LOAD64:
		return *(int64_t *)(uintptr_t)value;
	case SYMBOL:
		return (uintptr_t)symbols[value];
	case PID: /* never 0, 1 or -1: a failed fork must not become "everybody" */
	case MINUS_PID:
		pid = slot_of(value)->result;
		pid = pid > 1 ? pid : 0x3ffffff0;
		return kind == PID ? pid : -pid;
	}
	return value;
}

/* Touch an address: 0 and the byte read, or minus (signal << 8 | code). */
static int64_t probe(unsigned char *address, int write)
{
	struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO}, old[2];
	sigset_t faults, mask;
	int64_t result;
	int caught;
	sigemptyset(&action.sa_mask);
	sigaction(SIGSEGV, &action, &old[0]);
	sigaction(SIGBUS, &action, &old[1]);
	sigemptyset(&faults);
	sigaddset(&faults, SIGSEGV);
	sigaddset(&faults, SIGBUS);
	sigprocmask(SIG_UNBLOCK, &faults, &mask);
	caught = sigsetjmp(probing, 0);
	if (caught)
		result = -caught - 0x10000;
	else if (write)
		result = (*(volatile unsigned char *)address = (unsigned char)write);
	else
		result = *(volatile unsigned char *)address;
	sigaction(SIGSEGV, &old[0], NULL);
	sigaction(SIGBUS, &old[1], NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return result;
}

static void run(const struct step *step, int64_t count)
{
	for (const struct step *end = step + count; step < end; step++) {
		long a[6];
		long result;
		pid_t pid;
		siginfo_t info;
		for (int i = 0; i < 6; i++)
			a[i] = (long)value_of(step->args[i].kind, step->args[i].value);
		if (step->op == STORE) {
			int64_t value = value_of(step->args[1].kind, step->args[1].value);
			memcpy((void *)a[0], &value, (size_t)step->nr);
			continue;
		}
		current = slot_of(step->slot);
		current->state = STARTED;
		switch (step->op) {
		case CALL:
			result = syscall((long)step->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
			current->result = result == -1 ? -errno : result;
			break;
		case PROBE:
			current->result = probe((unsigned char *)a[0], (int)a[1]);
			break;
		case FORK: /* the child runs its steps to their end, and is not waited for */
			pid = fork();
			if (pid == 0) {
				run(step + 1, step->nr);
				_exit(0);
			}
			current->result = pid < 0 ? -errno : pid;
			while (pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
				;
			step += step->nr;
			break;
		}
		if (step->op == CALL) {
			memcpy(current->dump, (void *)(uintptr_t)step->dumps[0].address, (size_t)step->dumps[0].length);
			memcpy(current->dump + step->dumps[0].length, (void *)(uintptr_t)step->dumps[1].address,
			       (size_t)step->dumps[1].length);
		}
		current->state = DONE;
	}
}

static void map(uintptr_t address, size_t size, int protection, int flags)
{
	if (mmap((void *)address, size, protection, flags | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		_exit(99);
}

static void limit(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit limits = {soft, hard};
	setrlimit(resource, &limits);
}

struct sequence {
	int64_t words, id, arena_size, slots_size, edges, steps, timeout_ms, init_words;
	int64_t init[]; /* (address, length, bytes padded to words)..., then the steps */
};

/* Leave only what a sequence may do to its own files and processes; the same on both sides. */
static void confine(void)
{
	static const unsigned kept = CAP_TO_MASK(CAP_CHOWN) | CAP_TO_MASK(CAP_DAC_OVERRIDE) | CAP_TO_MASK(CAP_FOWNER) |
		CAP_TO_MASK(CAP_FSETID) | CAP_TO_MASK(CAP_SETGID) | CAP_TO_MASK(CAP_SETUID) | CAP_TO_MASK(CAP_SETPCAP);
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct sets[2] = {{0}, {0}};
	if (chroot("."))
		_exit(96);
	for (int capability = 0; capability < 64; capability++)
		if (capability > 31 || !(kept & CAP_TO_MASK(capability)))
			prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	sets[0].effective = sets[0].permitted = kept;
	if (syscall(SYS_capset, &header, sets))
		_exit(95);
	limit(RLIMIT_AS, MEMORY, MEMORY);
	limit(RLIMIT_CORE, 0, 0);
	limit(RLIMIT_NOFILE, 64, 128);
}

static void child(const struct sequence *sequence, const char *name)
{
	const int64_t *word = sequence->init, *end = word + sequence->init_words;
	int null;
	sigset_t none;
	setsid();
	if (mkdir(name, 0777) || chdir(name) || mkdir("w", 0777))
		_exit(98);
	null = open("null", O_RDWR | O_CREAT, 0666);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close(null);
	confine();
	if (chdir("w"))
		_exit(98);
	umask(022);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	map(ARENA, (size_t)sequence->arena_size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	map(CONSTS, PAGE, PROT_READ, MAP_PRIVATE);
	for (int64_t i = 0; i < sequence->edges; i++)
		map(EDGES + 2 * PAGE * (uintptr_t)i, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	memset((void *)ARENA, 0xaa, (size_t)sequence->arena_size);
	while (word < end) {
		memcpy((void *)(uintptr_t)word[0], word + 2, (size_t)word[1]);
		word += 2 + (word[1] + 7) / 8;
	}
	run((const struct step *)end, sequence->steps);
	_exit(0);
}

static void put(const void *data, size_t size)
{
	for (const char *at = data; size;) {
		ssize_t count = write(1, at, size);
		if (count <= 0)
			_exit(97);
		at += count;
		size -= (size_t)count;
	}
}

/* Kill every process of a sequence that does not end: its group, and those that its forks recorded. */
static void kill_all(const struct sequence *sequence, pid_t pid)
{
	const struct step *step = (const struct step *)(sequence->init + sequence->init_words);
	kill(-pid, SIGKILL);
	for (int64_t i = 0; i < sequence->steps; i++)
		if (step[i].op == FORK && slot_of(step[i].slot)->result > 1)
			kill((pid_t)slot_of(step[i].slot)->result, SIGKILL);
}

static void play(const struct sequence *sequence, const char *name)
{
	struct timespec timeout = {sequence->timeout_ms / 1000, sequence->timeout_ms % 1000 * 1000000};
	struct timespec start, now;
	int64_t record[5] = {sequence->id, 0, 0, 0, sequence->slots_size};
	sigset_t child_signal;
	int status = 0, any;
	pid_t pid, ended;
	memset((void *)SLOTS, 0, (size_t)sequence->slots_size);
	sigemptyset(&child_signal);
	sigaddset(&child_signal, SIGCHLD);
	pid = fork();
	if (pid == 0)
		child(sequence, name);
	clock_gettime(CLOCK_MONOTONIC, &start);
	while ((ended = waitpid(-1, &any, WNOHANG)) >= 0) { /* orphans are ours too: PR_SET_CHILD_SUBREAPER */
		if (ended == pid)
			status = any;
		if (ended > 0)
			continue;
		sigtimedwait(&child_signal, NULL, &timeout);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < sequence->timeout_ms)
			continue;
		record[2] = 1;
		kill(pid, SIGKILL);
		kill_all(sequence, pid);
	}
	record[1] = status;
	record[3] = pid;
	put(record, sizeof record);
	put((void *)SLOTS, (size_t)sequence->slots_size);
}

/* Whoever started us may ignore some: make(1) does 32 and 33, which no libc lets us ask about. */
static void default_signals(void)
{
	const unsigned char zero[64] = { 0 };
	for (int signal = 1; signal <= 64; signal++)
		syscall(SYS_rt_sigaction, signal, zero, NULL, 8);
}

int main(void)
{
	size_t size = 0, room = 1 << 20;
	char *script = malloc(room);
	sigset_t child_signal;
	ssize_t count;
	while ((count = read(0, script + size, room - size)) > 0) {
		size += (size_t)count;
		if (size == room)
			script = realloc(script, room *= 2);
	}
	default_signals();
	umask(0);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	sigemptyset(&child_signal);
	sigaddset(&child_signal, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child_signal, NULL);
	map(SLOTS, SLOTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED);
	for (char *at = script; at < script + size;) {
		const struct sequence *sequence = (const struct sequence *)at;
		char name[24] = "s", *digit = name + 20;
		int64_t id = sequence->id;
		do
			*--digit = (char)('0' + id % 10);
		while (id /= 10);
		memmove(name + 1, digit, (size_t)(name + 21 - digit));
		play(sequence, name);
		at += sequence->words * 8;
	}
	return 0;
}
