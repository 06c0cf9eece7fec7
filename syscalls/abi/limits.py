"""limits.h: sizes that calls check. Sources: linux/limits.h, linux/utsname.h, linux/binfmts.h, linux/fs.h."""

from __future__ import annotations

PATH_MAX = 4096
NAME_MAX = 255
PIPE_BUF = 4096
NGROUPS_MAX = 65536
ARG_MAX = 131072
MAX_ARG_STRLEN = 131072  # the longest argument or environment string of execve(2)
MAX_ARG_STRINGS = 0x7FFFFFFF
UTSNAME_LENGTH = 64  # __NEW_UTS_LEN: the longest host name, without its NUL
PID_MAX = 4194304  # ids are below it (/proc/sys/kernel/pid_max)
TASK_COMM_LEN = 16  # a thread's name, with its NUL
MAXSYMLINKS = 40  # symbolic links that one path resolution follows
MAX_LFS_FILESIZE = (1 << 63) - 1
PIPE_DEF_BUFFERS = 16  # pages in a new pipe
PIPE_MAX_SIZE = 1048576  # /proc/sys/fs/pipe-max-size
INT_MAX = 0x7FFFFFFF
LONG64_MAX = (1 << 63) - 1
