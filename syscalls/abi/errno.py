"""Error numbers (errno(3)): asm-generic/errno.h, the same on every architecture Trapeze knows."""

from __future__ import annotations

EPERM = 1
ENOENT = 2
ESRCH = 3
EINTR = 4
EIO = 5
ENXIO = 6
E2BIG = 7
ENOEXEC = 8
EBADF = 9
ECHILD = 10
EAGAIN = 11
ENOMEM = 12
EACCES = 13
EFAULT = 14
ENOTBLK = 15
EBUSY = 16
EEXIST = 17
EXDEV = 18
ENODEV = 19
ENOTDIR = 20
EISDIR = 21
EINVAL = 22
ENFILE = 23
EMFILE = 24
ENOTTY = 25
ETXTBSY = 26
EFBIG = 27
ENOSPC = 28
ESPIPE = 29
EROFS = 30
EMLINK = 31
EPIPE = 32
EDOM = 33
ERANGE = 34
EDEADLK = 35
ENAMETOOLONG = 36
ENOLCK = 37
ENOSYS = 38
ENOTEMPTY = 39
ELOOP = 40
ENOMSG = 42
EIDRM = 43
ECHRNG = 44
EL2NSYNC = 45
EL3HLT = 46
EL3RST = 47
ELNRNG = 48
EUNATCH = 49
ENOCSI = 50
EL2HLT = 51
EBADE = 52
EBADR = 53
EXFULL = 54
ENOANO = 55
EBADRQC = 56
EBADSLT = 57
EBFONT = 59
ENOSTR = 60
ENODATA = 61
ETIME = 62
ENOSR = 63
ENONET = 64
ENOPKG = 65
EREMOTE = 66
ENOLINK = 67
EADV = 68
ESRMNT = 69
ECOMM = 70
EPROTO = 71
EMULTIHOP = 72
EDOTDOT = 73
EBADMSG = 74
EOVERFLOW = 75
ENOTUNIQ = 76
EBADFD = 77
EREMCHG = 78
ELIBACC = 79
ELIBBAD = 80
ELIBSCN = 81
ELIBMAX = 82
ELIBEXEC = 83
EILSEQ = 84
ERESTART = 85
ESTRPIPE = 86
EUSERS = 87
ENOTSOCK = 88
EDESTADDRREQ = 89
EMSGSIZE = 90
EPROTOTYPE = 91
ENOPROTOOPT = 92
EPROTONOSUPPORT = 93
ESOCKTNOSUPPORT = 94
EOPNOTSUPP = 95
EPFNOSUPPORT = 96
EAFNOSUPPORT = 97
EADDRINUSE = 98
EADDRNOTAVAIL = 99
ENETDOWN = 100
ENETUNREACH = 101
ENETRESET = 102
ECONNABORTED = 103
ECONNRESET = 104
ENOBUFS = 105
EISCONN = 106
ENOTCONN = 107
ESHUTDOWN = 108
ETOOMANYREFS = 109
ETIMEDOUT = 110
ECONNREFUSED = 111
EHOSTDOWN = 112
EHOSTUNREACH = 113
EALREADY = 114
EINPROGRESS = 115
ESTALE = 116
EUCLEAN = 117
ENOTNAM = 118
ENAVAIL = 119
EISNAM = 120
EREMOTEIO = 121
EDQUOT = 122
ENOMEDIUM = 123
EMEDIUMTYPE = 124
ECANCELED = 125
ENOKEY = 126
EKEYEXPIRED = 127
EKEYREVOKED = 128
EKEYREJECTED = 129
EOWNERDEAD = 130
ENOTRECOVERABLE = 131
ERFKILL = 132
EWOULDBLOCK = EAGAIN
EDEADLOCK = EDEADLK
ENOTSUP = EOPNOTSUPP

MAX_ERRNO = 4095

#: Number -> (name, the message of strerror(3)).
TABLE: dict[int, tuple[str, str]] = {
    EPERM: ("EPERM", "Operation not permitted"),
    ENOENT: ("ENOENT", "No such file or directory"),
    ESRCH: ("ESRCH", "No such process"),
    EINTR: ("EINTR", "Interrupted system call"),
    EIO: ("EIO", "Input/output error"),
    ENXIO: ("ENXIO", "No such device or address"),
    E2BIG: ("E2BIG", "Argument list too long"),
    ENOEXEC: ("ENOEXEC", "Exec format error"),
    EBADF: ("EBADF", "Bad file descriptor"),
    ECHILD: ("ECHILD", "No child processes"),
    EAGAIN: ("EAGAIN", "Resource temporarily unavailable"),
    ENOMEM: ("ENOMEM", "Cannot allocate memory"),
    EACCES: ("EACCES", "Permission denied"),
    EFAULT: ("EFAULT", "Bad address"),
    ENOTBLK: ("ENOTBLK", "Block device required"),
    EBUSY: ("EBUSY", "Device or resource busy"),
    EEXIST: ("EEXIST", "File exists"),
    EXDEV: ("EXDEV", "Invalid cross-device link"),
    ENODEV: ("ENODEV", "No such device"),
    ENOTDIR: ("ENOTDIR", "Not a directory"),
    EISDIR: ("EISDIR", "Is a directory"),
    EINVAL: ("EINVAL", "Invalid argument"),
    ENFILE: ("ENFILE", "Too many open files in system"),
    EMFILE: ("EMFILE", "Too many open files"),
    ENOTTY: ("ENOTTY", "Inappropriate ioctl for device"),
    ETXTBSY: ("ETXTBSY", "Text file busy"),
    EFBIG: ("EFBIG", "File too large"),
    ENOSPC: ("ENOSPC", "No space left on device"),
    ESPIPE: ("ESPIPE", "Illegal seek"),
    EROFS: ("EROFS", "Read-only file system"),
    EMLINK: ("EMLINK", "Too many links"),
    EPIPE: ("EPIPE", "Broken pipe"),
    EDOM: ("EDOM", "Numerical argument out of domain"),
    ERANGE: ("ERANGE", "Numerical result out of range"),
    EDEADLK: ("EDEADLK", "Resource deadlock avoided"),
    ENAMETOOLONG: ("ENAMETOOLONG", "File name too long"),
    ENOLCK: ("ENOLCK", "No locks available"),
    ENOSYS: ("ENOSYS", "Function not implemented"),
    ENOTEMPTY: ("ENOTEMPTY", "Directory not empty"),
    ELOOP: ("ELOOP", "Too many levels of symbolic links"),
    ENOMSG: ("ENOMSG", "No message of desired type"),
    EIDRM: ("EIDRM", "Identifier removed"),
    ECHRNG: ("ECHRNG", "Channel number out of range"),
    EL2NSYNC: ("EL2NSYNC", "Level 2 not synchronized"),
    EL3HLT: ("EL3HLT", "Level 3 halted"),
    EL3RST: ("EL3RST", "Level 3 reset"),
    ELNRNG: ("ELNRNG", "Link number out of range"),
    EUNATCH: ("EUNATCH", "Protocol driver not attached"),
    ENOCSI: ("ENOCSI", "No CSI structure available"),
    EL2HLT: ("EL2HLT", "Level 2 halted"),
    EBADE: ("EBADE", "Invalid exchange"),
    EBADR: ("EBADR", "Invalid request descriptor"),
    EXFULL: ("EXFULL", "Exchange full"),
    ENOANO: ("ENOANO", "No anode"),
    EBADRQC: ("EBADRQC", "Invalid request code"),
    EBADSLT: ("EBADSLT", "Invalid slot"),
    EBFONT: ("EBFONT", "Bad font file format"),
    ENOSTR: ("ENOSTR", "Device not a stream"),
    ENODATA: ("ENODATA", "No data available"),
    ETIME: ("ETIME", "Timer expired"),
    ENOSR: ("ENOSR", "Out of streams resources"),
    ENONET: ("ENONET", "Machine is not on the network"),
    ENOPKG: ("ENOPKG", "Package not installed"),
    EREMOTE: ("EREMOTE", "Object is remote"),
    ENOLINK: ("ENOLINK", "Link has been severed"),
    EADV: ("EADV", "Advertise error"),
    ESRMNT: ("ESRMNT", "Srmount error"),
    ECOMM: ("ECOMM", "Communication error on send"),
    EPROTO: ("EPROTO", "Protocol error"),
    EMULTIHOP: ("EMULTIHOP", "Multihop attempted"),
    EDOTDOT: ("EDOTDOT", "RFS specific error"),
    EBADMSG: ("EBADMSG", "Bad message"),
    EOVERFLOW: ("EOVERFLOW", "Value too large for defined data type"),
    ENOTUNIQ: ("ENOTUNIQ", "Name not unique on network"),
    EBADFD: ("EBADFD", "File descriptor in bad state"),
    EREMCHG: ("EREMCHG", "Remote address changed"),
    ELIBACC: ("ELIBACC", "Can not access a needed shared library"),
    ELIBBAD: ("ELIBBAD", "Accessing a corrupted shared library"),
    ELIBSCN: ("ELIBSCN", ".lib section in a.out corrupted"),
    ELIBMAX: ("ELIBMAX", "Attempting to link in too many shared libraries"),
    ELIBEXEC: ("ELIBEXEC", "Cannot exec a shared library directly"),
    EILSEQ: ("EILSEQ", "Invalid or incomplete multibyte or wide character"),
    ERESTART: ("ERESTART", "Interrupted system call should be restarted"),
    ESTRPIPE: ("ESTRPIPE", "Streams pipe error"),
    EUSERS: ("EUSERS", "Too many users"),
    ENOTSOCK: ("ENOTSOCK", "Socket operation on non-socket"),
    EDESTADDRREQ: ("EDESTADDRREQ", "Destination address required"),
    EMSGSIZE: ("EMSGSIZE", "Message too long"),
    EPROTOTYPE: ("EPROTOTYPE", "Protocol wrong type for socket"),
    ENOPROTOOPT: ("ENOPROTOOPT", "Protocol not available"),
    EPROTONOSUPPORT: ("EPROTONOSUPPORT", "Protocol not supported"),
    ESOCKTNOSUPPORT: ("ESOCKTNOSUPPORT", "Socket type not supported"),
    EOPNOTSUPP: ("EOPNOTSUPP", "Operation not supported"),
    EPFNOSUPPORT: ("EPFNOSUPPORT", "Protocol family not supported"),
    EAFNOSUPPORT: ("EAFNOSUPPORT", "Address family not supported by protocol"),
    EADDRINUSE: ("EADDRINUSE", "Address already in use"),
    EADDRNOTAVAIL: ("EADDRNOTAVAIL", "Cannot assign requested address"),
    ENETDOWN: ("ENETDOWN", "Network is down"),
    ENETUNREACH: ("ENETUNREACH", "Network is unreachable"),
    ENETRESET: ("ENETRESET", "Network dropped connection on reset"),
    ECONNABORTED: ("ECONNABORTED", "Software caused connection abort"),
    ECONNRESET: ("ECONNRESET", "Connection reset by peer"),
    ENOBUFS: ("ENOBUFS", "No buffer space available"),
    EISCONN: ("EISCONN", "Transport endpoint is already connected"),
    ENOTCONN: ("ENOTCONN", "Transport endpoint is not connected"),
    ESHUTDOWN: ("ESHUTDOWN", "Cannot send after transport endpoint shutdown"),
    ETOOMANYREFS: ("ETOOMANYREFS", "Too many references: cannot splice"),
    ETIMEDOUT: ("ETIMEDOUT", "Connection timed out"),
    ECONNREFUSED: ("ECONNREFUSED", "Connection refused"),
    EHOSTDOWN: ("EHOSTDOWN", "Host is down"),
    EHOSTUNREACH: ("EHOSTUNREACH", "No route to host"),
    EALREADY: ("EALREADY", "Operation already in progress"),
    EINPROGRESS: ("EINPROGRESS", "Operation now in progress"),
    ESTALE: ("ESTALE", "Stale file handle"),
    EUCLEAN: ("EUCLEAN", "Structure needs cleaning"),
    ENOTNAM: ("ENOTNAM", "Not a XENIX named type file"),
    ENAVAIL: ("ENAVAIL", "No XENIX semaphores available"),
    EISNAM: ("EISNAM", "Is a named type file"),
    EREMOTEIO: ("EREMOTEIO", "Remote I/O error"),
    EDQUOT: ("EDQUOT", "Disk quota exceeded"),
    ENOMEDIUM: ("ENOMEDIUM", "No medium found"),
    EMEDIUMTYPE: ("EMEDIUMTYPE", "Wrong medium type"),
    ECANCELED: ("ECANCELED", "Operation canceled"),
    ENOKEY: ("ENOKEY", "Required key not available"),
    EKEYEXPIRED: ("EKEYEXPIRED", "Key has expired"),
    EKEYREVOKED: ("EKEYREVOKED", "Key has been revoked"),
    EKEYREJECTED: ("EKEYREJECTED", "Key was rejected by service"),
    EOWNERDEAD: ("EOWNERDEAD", "Owner died"),
    ENOTRECOVERABLE: ("ENOTRECOVERABLE", "State not recoverable"),
    ERFKILL: ("ERFKILL", "Operation not possible due to RF-kill"),
}


class SysError(Exception):
    """A system call fails with `errno`; dispatch turns it into -errno in one place."""

    def __init__(self, errno: int) -> None:
        super().__init__(errno)
        self.errno = errno

    @property
    def message(self) -> str:
        """The words of strerror(3)."""
        return TABLE.get(self.errno, ("", f"errno {self.errno}"))[1]

    def __str__(self) -> str:
        name, message = TABLE.get(self.errno, (f"errno {self.errno}", "Unknown error"))
        return f"{name} ({message})"
