/*
 * Sizes and offsets of the structs that cross the system-call boundary, as data in the section "abi".
 * layouts.py compiles this for each architecture and reads the section: nothing is ever run.
 *
 * The structs are those of Linux's UAPI headers. Where the kernel's own differ from what the headers show to a C
 * library (sigaction and sigset_t of i386), or are not in the headers at all, they are spelled out below with the
 * kernel's file that declares them.
 */
#include <linux/types.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/times.h>
#include <linux/timex.h>
#include <linux/utime.h>
#include <linux/resource.h>
#include <linux/utsname.h>
#include <linux/sysinfo.h>
#include <linux/uio.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/eventpoll.h>
#include <linux/inotify.h>
#include <linux/signalfd.h>
#include <linux/futex.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/capability.h>
#include <linux/mqueue.h>
#include <linux/aio_abi.h>
#include <linux/msg.h>
#include <linux/sem.h>
#include <linux/shm.h>
#include <linux/un.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/netlink.h>
#include <linux/if_packet.h>
#include <linux/fs.h>
#include <asm-generic/poll.h>
#include <asm-generic/termbits.h>
#include <asm-generic/termios.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/signal.h>
#include <asm/sigcontext.h>
#include <asm-generic/siginfo.h>
#if defined(__x86_64__) || defined(__i386__)
#include <asm/ldt.h>
#endif

#undef sa_handler /* i386's name for a member of a union */

/* --- not in the headers ------------------------------------------------------------------------------------------ */

typedef struct { unsigned char bytes[8]; } __attribute__((aligned(__alignof__(long)))) kernel_sigset; /* linux/signal.h */

struct rt_sigaction { /* struct sigaction of linux/signal_types.h and struct compat_sigaction of linux/compat.h */
	void *sa_handler;
	unsigned long sa_flags;
	void *sa_restorer;
	kernel_sigset sa_mask;
};
struct old_sigaction { /* linux/signal_types.h */
	void *sa_handler;
	unsigned long sa_mask;
	unsigned long sa_flags;
	void *sa_restorer;
};
struct kernel_ucontext { /* asm/ucontext.h, with the kernel's sigset_t; struct ucontext_ia32 of asm/ia32.h */
	unsigned long uc_flags;
	void *uc_link;
	stack_t uc_stack;
#ifdef __aarch64__
	kernel_sigset uc_sigmask;
	unsigned char __unused[1024 / 8 - sizeof(kernel_sigset)];
	struct sigcontext uc_mcontext;
#else
	struct sigcontext uc_mcontext;
	kernel_sigset uc_sigmask;
#endif
};
struct kernel_sigevent { /* asm-generic/siginfo.h: struct sigevent, without the names that C libraries give it */
	sigval_t sigev_value;
	int sigev_signo;
	int sigev_notify;
	int sigev_tid;
	int pad[(64 - sizeof(sigval_t)) / sizeof(int) - 3];
};
struct linux_dirent { /* fs/readdir.c */
	unsigned long d_ino;
	unsigned long d_off;
	unsigned short d_reclen;
	char d_name[1];
};
struct linux_dirent64 { /* linux/dirent.h */
	__u64 d_ino;
	__s64 d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};
struct old_linux_dirent { /* fs/readdir.c */
	unsigned long d_ino;
	unsigned long d_offset;
	unsigned short d_namlen;
	char d_name[1];
};
struct sched_param { int sched_priority; };                 /* linux/sched/types.h of the kernel */
struct ucred { __u32 pid, uid, gid; };                      /* linux/socket.h of the kernel */
struct linger { int l_onoff, l_linger; };                   /* linux/socket.h of the kernel */
struct user_msghdr {                                        /* linux/socket.h of the kernel */
	void *msg_name;
	int msg_namelen;
	struct iovec *msg_iov;
	__kernel_size_t msg_iovlen;
	void *msg_control;
	__kernel_size_t msg_controllen;
	unsigned int msg_flags;
};
struct mmsghdr { struct user_msghdr msg_hdr; unsigned int msg_len; };
struct cmsghdr { __kernel_size_t cmsg_len; int cmsg_level; int cmsg_type; };
struct sigset_argpack { void *p; __kernel_size_t size; };   /* fs/select.c */
struct sel_arg_struct { unsigned long n; void *inp, *outp, *exp, *tvp; }; /* fs/select.c */
struct mmap_arg_struct { unsigned long addr, len, prot, flags, fd, offset; }; /* mm/mmap.c */
struct linux_file_handle { __u32 handle_bytes; int handle_type; };

/* --- the table --------------------------------------------------------------------------------------------------- */

struct row {
	char structure[32];
	char field[40];
	unsigned int size, offset, field_size;
};
#define SIZEOF_FIELD(T, f) sizeof(((T *)0)->f)
#define ROW(T, N, f) {N, #f, sizeof(T), __builtin_offsetof(T, f), SIZEOF_FIELD(T, f)},
/* a union's member under the name that users know */
#define AS(T, N, f, name) {N, name, sizeof(T), __builtin_offsetof(T, f), SIZEOF_FIELD(T, f)},
/* a flexible array has no size */
#define TAIL(T, N, f) {N, #f, sizeof(T), __builtin_offsetof(T, f), 0},

#define PARENS ()
#define EXPAND(...) EXPAND2(EXPAND2(EXPAND2(EXPAND2(__VA_ARGS__))))
#define EXPAND2(...) EXPAND1(EXPAND1(EXPAND1(EXPAND1(EXPAND1(EXPAND1(EXPAND1(EXPAND1(__VA_ARGS__))))))))
#define EXPAND1(...) __VA_ARGS__
#define EACH(T, N, f, ...) ROW(T, N, f) __VA_OPT__(AGAIN PARENS (T, N, __VA_ARGS__))
#define AGAIN() EACH
#define LAYOUT(N, ...) EXPAND(EACH(struct N, #N, __VA_ARGS__))

__attribute__((section("abi"), used)) const struct row abi_rows[] = {
	LAYOUT(stat, st_dev, st_ino, st_mode, st_nlink, st_uid, st_gid, st_rdev, st_size, st_blksize, st_blocks, st_atime,
	       st_atime_nsec, st_mtime, st_mtime_nsec, st_ctime, st_ctime_nsec)
#ifdef __i386__
	LAYOUT(stat64, st_dev, __st_ino, st_mode, st_nlink, st_uid, st_gid, st_rdev, st_size, st_blksize, st_blocks, st_atime,
	       st_atime_nsec, st_mtime, st_mtime_nsec, st_ctime, st_ctime_nsec, st_ino)
	LAYOUT(__old_kernel_stat, st_dev, st_ino, st_mode, st_nlink, st_uid, st_gid, st_rdev, st_size, st_atime, st_mtime,
	       st_ctime)
	LAYOUT(old_sigaction, sa_handler, sa_mask, sa_flags, sa_restorer)
	LAYOUT(old_linux_dirent, d_ino, d_offset, d_namlen, d_name)
	LAYOUT(oldold_utsname, sysname, nodename, release, version, machine)
	LAYOUT(old_utsname, sysname, nodename, release, version, machine)
	LAYOUT(sel_arg_struct, n, inp, outp, exp, tvp)
	LAYOUT(mmap_arg_struct, addr, len, prot, flags, fd, offset)
#endif
	LAYOUT(statx_timestamp, tv_sec, tv_nsec)
	LAYOUT(statx, stx_mask, stx_blksize, stx_attributes, stx_nlink, stx_uid, stx_gid, stx_mode, stx_ino, stx_size,
	       stx_blocks, stx_attributes_mask, stx_atime, stx_btime, stx_ctime, stx_mtime, stx_rdev_major, stx_rdev_minor,
	       stx_dev_major, stx_dev_minor, stx_mnt_id, stx_dio_mem_align, stx_dio_offset_align, stx_subvol,
	       stx_atomic_write_unit_min, stx_atomic_write_unit_max, stx_atomic_write_segments_max,
	       stx_dio_read_offset_align, stx_atomic_write_unit_max_opt)
	LAYOUT(statfs, f_type, f_bsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_fsid, f_namelen, f_frsize, f_flags)
	LAYOUT(statfs64, f_type, f_bsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_fsid, f_namelen, f_frsize,
	       f_flags)
	LAYOUT(linux_dirent, d_ino, d_off, d_reclen, d_name)
	LAYOUT(linux_dirent64, d_ino, d_off, d_reclen, d_type) TAIL(struct linux_dirent64, "linux_dirent64", d_name)
	LAYOUT(open_how, flags, mode, resolve)
	LAYOUT(linux_file_handle, handle_bytes, handle_type)
	LAYOUT(utimbuf, actime, modtime)

	LAYOUT(timespec, tv_sec, tv_nsec)
	LAYOUT(__kernel_timespec, tv_sec, tv_nsec)
	LAYOUT(timeval, tv_sec, tv_usec)
	LAYOUT(timezone, tz_minuteswest, tz_dsttime)
	LAYOUT(itimerval, it_interval, it_value)
	LAYOUT(itimerspec, it_interval, it_value)
	LAYOUT(__kernel_itimerspec, it_interval, it_value)
	LAYOUT(tms, tms_utime, tms_stime, tms_cutime, tms_cstime)
	LAYOUT(timex, modes, offset, freq, maxerror, esterror, status, constant, precision, tolerance, time, tick, ppsfreq,
	       jitter, shift, stabil, jitcnt, calcnt, errcnt, stbcnt, tai)
	LAYOUT(__kernel_timex_timeval, tv_sec, tv_usec)
	LAYOUT(__kernel_timex, modes, offset, freq, maxerror, esterror, status, constant, precision, tolerance, time, tick,
	       ppsfreq, jitter, shift, stabil, jitcnt, calcnt, errcnt, stbcnt, tai)

	LAYOUT(rlimit, rlim_cur, rlim_max)
	LAYOUT(rlimit64, rlim_cur, rlim_max)
	LAYOUT(rusage, ru_utime, ru_stime, ru_maxrss, ru_ixrss, ru_idrss, ru_isrss, ru_minflt, ru_majflt, ru_nswap,
	       ru_inblock, ru_oublock, ru_msgsnd, ru_msgrcv, ru_nsignals, ru_nvcsw, ru_nivcsw)
	LAYOUT(new_utsname, sysname, nodename, release, version, machine, domainname)
	LAYOUT(sysinfo, uptime, loads, totalram, freeram, sharedram, bufferram, totalswap, freeswap, procs, totalhigh,
	       freehigh, mem_unit)
	LAYOUT(robust_list, next)
	LAYOUT(robust_list_head, list, futex_offset, list_op_pending)
	LAYOUT(futex_waitv, val, uaddr, flags)
	LAYOUT(rseq, cpu_id_start, cpu_id, rseq_cs, flags, node_id, mm_cid)
	LAYOUT(clone_args, flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size,
	       cgroup)
	LAYOUT(sched_param, sched_priority)
	LAYOUT(sched_attr, size, sched_policy, sched_flags, sched_nice, sched_priority, sched_runtime, sched_deadline,
	       sched_period, sched_util_min, sched_util_max)
	LAYOUT(__user_cap_header_struct, version, pid)
	LAYOUT(__user_cap_data_struct, effective, permitted, inheritable)
#if defined(__x86_64__) || defined(__i386__)
	LAYOUT(user_desc, entry_number, base_addr, limit)
#endif

	LAYOUT(iovec, iov_base, iov_len)
	LAYOUT(pollfd, fd, events, revents)
	LAYOUT(sigset_argpack, p, size)
	LAYOUT(epoll_event, events, data)
	LAYOUT(inotify_event, wd, mask, cookie, len)
	LAYOUT(flock, l_type, l_whence, l_start, l_len, l_pid)
#ifdef __i386__
	LAYOUT(flock64, l_type, l_whence, l_start, l_len, l_pid)
#endif
	LAYOUT(f_owner_ex, type, pid)
	LAYOUT(termios, c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_cc)
	LAYOUT(termios2, c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_cc, c_ispeed, c_ospeed)
	LAYOUT(winsize, ws_row, ws_col, ws_xpixel, ws_ypixel)
	LAYOUT(file_clone_range, src_fd, src_offset, src_length, dest_offset)
	LAYOUT(fsxattr, fsx_xflags, fsx_extsize, fsx_nextents, fsx_projid, fsx_cowextsize)
	LAYOUT(iocb, aio_data, aio_key, aio_rw_flags, aio_lio_opcode, aio_reqprio, aio_fildes, aio_buf, aio_nbytes,
	       aio_offset, aio_reserved2, aio_flags, aio_resfd)
	LAYOUT(io_event, data, obj, res, res2)
	LAYOUT(mq_attr, mq_flags, mq_maxmsg, mq_msgsize, mq_curmsgs)

	LAYOUT(rt_sigaction, sa_handler, sa_flags, sa_restorer, sa_mask)
	LAYOUT(sigaltstack, ss_sp, ss_flags, ss_size)
	LAYOUT(kernel_sigevent, sigev_value, sigev_signo, sigev_notify, sigev_tid)
	LAYOUT(signalfd_siginfo, ssi_signo, ssi_errno, ssi_code, ssi_pid, ssi_uid, ssi_fd, ssi_tid, ssi_band, ssi_overrun,
	       ssi_trapno, ssi_status, ssi_int, ssi_ptr, ssi_utime, ssi_stime, ssi_addr, ssi_addr_lsb, ssi_syscall,
	       ssi_call_addr, ssi_arch)
	ROW(siginfo_t, "siginfo", si_signo) ROW(siginfo_t, "siginfo", si_errno) ROW(siginfo_t, "siginfo", si_code)
#define SIGINFO(kind, member, name) AS(siginfo_t, "siginfo_" #kind, _sifields._##kind.member, name)
	SIGINFO(kill, _pid, "si_pid") SIGINFO(kill, _uid, "si_uid")
	SIGINFO(timer, _tid, "si_timerid") SIGINFO(timer, _overrun, "si_overrun") SIGINFO(timer, _sigval, "si_value")
	SIGINFO(rt, _pid, "si_pid") SIGINFO(rt, _uid, "si_uid") SIGINFO(rt, _sigval, "si_value")
	SIGINFO(sigchld, _pid, "si_pid") SIGINFO(sigchld, _uid, "si_uid") SIGINFO(sigchld, _status, "si_status")
	SIGINFO(sigchld, _utime, "si_utime") SIGINFO(sigchld, _stime, "si_stime")
	SIGINFO(sigfault, _addr, "si_addr") SIGINFO(sigfault, _addr_lsb, "si_addr_lsb")
	SIGINFO(sigfault, _addr_bnd._lower, "si_lower") SIGINFO(sigfault, _addr_bnd._upper, "si_upper")
	SIGINFO(sigpoll, _band, "si_band") SIGINFO(sigpoll, _fd, "si_fd")
	SIGINFO(sigsys, _call_addr, "si_call_addr") SIGINFO(sigsys, _syscall, "si_syscall") SIGINFO(sigsys, _arch, "si_arch")
	LAYOUT(kernel_ucontext, uc_flags, uc_link, uc_stack, uc_sigmask, uc_mcontext)
#if defined(__x86_64__)
	LAYOUT(sigcontext, r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags, cs, gs,
	       fs, ss, err, trapno, oldmask, cr2, fpstate)
	LAYOUT(_fpstate, cwd, swd, twd, fop, rip, rdp, mxcsr, mxcsr_mask, st_space, xmm_space, sw_reserved)
#elif defined(__i386__)
	LAYOUT(sigcontext, gs, fs, es, ds, edi, esi, ebp, esp, ebx, edx, ecx, eax, trapno, err, eip, cs, eflags,
	       esp_at_signal, ss, fpstate, oldmask, cr2)
	LAYOUT(_fpstate, cw, sw, tag, ipoff, cssel, dataoff, datasel, _st, status, magic, mxcsr, _fxsr_st, _xmm, sw_reserved)
#else
	LAYOUT(sigcontext, fault_address, regs, sp, pc, pstate, __reserved)
	LAYOUT(fpsimd_context, head, fpsr, fpcr, vregs)
	LAYOUT(esr_context, head, esr)
	LAYOUT(_aarch64_ctx, magic, size)
#endif
#if defined(__x86_64__) || defined(__i386__)
	LAYOUT(_fpx_sw_bytes, magic1, extended_size, xfeatures, xstate_size)
#endif

	LAYOUT(sockaddr_un, sun_family, sun_path)
	LAYOUT(sockaddr_in, sin_family, sin_port, sin_addr)
	LAYOUT(sockaddr_in6, sin6_family, sin6_port, sin6_flowinfo, sin6_addr, sin6_scope_id)
	LAYOUT(sockaddr_nl, nl_family, nl_pid, nl_groups)
	LAYOUT(sockaddr_ll, sll_family, sll_protocol, sll_ifindex, sll_hatype, sll_pkttype, sll_halen, sll_addr)
	LAYOUT(user_msghdr, msg_name, msg_namelen, msg_iov, msg_iovlen, msg_control, msg_controllen, msg_flags)
	LAYOUT(mmsghdr, msg_hdr, msg_len)
	LAYOUT(cmsghdr, cmsg_len, cmsg_level, cmsg_type)
	LAYOUT(ucred, pid, uid, gid)
	LAYOUT(linger, l_onoff, l_linger)
	LAYOUT(nlmsghdr, nlmsg_len, nlmsg_type, nlmsg_flags, nlmsg_seq, nlmsg_pid)
	LAYOUT(ip_mreq, imr_multiaddr, imr_interface)

	LAYOUT(ipc64_perm, key, uid, gid, cuid, cgid, mode, seq)
	LAYOUT(msqid64_ds, msg_perm, msg_stime, msg_rtime, msg_ctime, msg_cbytes, msg_qnum, msg_qbytes, msg_lspid, msg_lrpid)
	LAYOUT(semid64_ds, sem_perm, sem_otime, sem_ctime, sem_nsems)
	LAYOUT(shmid64_ds, shm_perm, shm_segsz, shm_atime, shm_dtime, shm_ctime, shm_cpid, shm_lpid, shm_nattch)
	LAYOUT(sembuf, sem_num, sem_op, sem_flg)
	LAYOUT(seminfo, semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz, semvmx, semaem)
	LAYOUT(msginfo, msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql, msgseg)
	LAYOUT(shminfo64, shmmax, shmmin, shmmni, shmseg, shmall)
	LAYOUT(shm_info, used_ids, shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes)
#ifdef __i386__
	LAYOUT(ipc_perm, key, uid, gid, cuid, cgid, mode, seq)
	LAYOUT(msqid_ds, msg_perm, msg_stime, msg_rtime, msg_ctime, msg_cbytes, msg_qnum, msg_qbytes, msg_lspid, msg_lrpid)
	LAYOUT(semid_ds, sem_perm, sem_otime, sem_ctime, sem_nsems)
	LAYOUT(shmid_ds, shm_perm, shm_segsz, shm_atime, shm_dtime, shm_ctime, shm_cpid, shm_lpid, shm_nattch)
	LAYOUT(shminfo, shmmax, shmmin, shmmni, shmseg, shmall)
#endif
};
