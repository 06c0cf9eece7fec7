"""Extended attributes (xattr(7), fs/xattr.c). Every function takes a resolved `Path`."""

from __future__ import annotations

from syscalls.abi.errno import E2BIG, EEXIST, EINVAL, ENODATA, ENOSPC, EOPNOTSUPP, EPERM, ERANGE, SysError
from syscalls.abi.fileattr import FS_APPEND_FL, FS_IMMUTABLE_FL
from syscalls.abi.poll import IN_ATTRIB
from syscalls.abi.stat import S_IFDIR, S_IFLNK, S_IFREG, S_ISVTX
from syscalls.fs import notify
from syscalls.fs.cred import CAP_SETFCAP, CAP_SYS_ADMIN, Credentials
from syscalls.fs.inode import Inode
from syscalls.fs.path import Caller, Path
from syscalls.fs.perm import MAY_READ, MAY_WRITE, owner_or_capable, permission

XATTR_CREATE, XATTR_REPLACE = 1, 2
XATTR_NAME_MAX, XATTR_SIZE_MAX, XATTR_LIST_MAX = 255, 65536, 65536
_NAMESPACES = (b"user.", b"trusted.", b"security.")
_ACLS = (b"system.posix_acl_access", b"system.posix_acl_default")
_INODE_LIMIT = 128 * 1024  # bytes of all attributes of one inode (SIMPLE_XATTR_MAX_SIZE of newer kernels)


def check_name(name: bytes) -> None:
    """ERANGE for a name that is empty or too long (import_xattr_name); checked before the path."""
    if not name or len(name) > XATTR_NAME_MAX:
        raise SysError(ERANGE)


def check_set(name: bytes, size: int, flags: int) -> None:
    """What setxattr(2) checks before the path (setxattr_copy): EINVAL, ERANGE, E2BIG."""
    if flags & ~(XATTR_CREATE | XATTR_REPLACE):
        raise SysError(EINVAL)
    check_name(name)
    if size > XATTR_SIZE_MAX:
        raise SysError(E2BIG)


def _may(inode: Inode, cred: Credentials, name: bytes, mask: int) -> None:
    """Permission by namespace (xattr_permission)."""
    refused = SysError(EPERM if mask & MAY_WRITE else ENODATA)
    if mask & MAY_WRITE and inode.flags & (FS_APPEND_FL | FS_IMMUTABLE_FL):
        raise SysError(EPERM)
    if name.startswith((b"security.", b"system.")):
        return
    if name.startswith(b"trusted."):
        if not cred.capable(CAP_SYS_ADMIN):
            raise refused
        return
    if name.startswith(b"user."):
        if inode.type not in {S_IFREG, S_IFDIR}:
            raise refused
        sticky = inode.type == S_IFDIR and inode.mode & S_ISVTX
        if sticky and mask & MAY_WRITE and not owner_or_capable(inode, cred):
            raise refused
    permission(inode, cred, mask)


def _resolve(inode: Inode, name: bytes) -> None:
    """Is there a handler for the name? EOPNOTSUPP, EINVAL for a bare prefix (xattr_resolve_name)."""
    if not inode.fs.has_xattrs:
        raise SysError(EOPNOTSUPP)
    if name in _NAMESPACES:
        raise SysError(EINVAL)
    if not name.startswith(_NAMESPACES):
        raise SysError(EOPNOTSUPP)


def _may_change_security(cred: Credentials, name: bytes) -> None:
    """security.* is for administrators, security.capability for CAP_SETFCAP (cap_inode_setxattr)."""
    if name.startswith(b"security."):
        needed = CAP_SETFCAP if name == b"security.capability" else CAP_SYS_ADMIN
        if not cred.capable(needed):
            raise SysError(EPERM)


def setxattr(caller: Caller, path: Path, name: bytes, value: bytes, flags: int = 0) -> None:
    """Set an attribute; EEXIST with XATTR_CREATE, ENODATA with XATTR_REPLACE (vfs_setxattr)."""
    check_set(name, len(value), flags)
    path.mount.want_write()
    inode = path.inode
    _may(inode, caller.cred, name, MAY_WRITE)
    _may_change_security(caller.cred, name)
    _resolve(inode, name)
    exists = name in inode.xattrs
    if flags & XATTR_CREATE and exists:
        raise SysError(EEXIST)
    if flags & XATTR_REPLACE and not exists:
        raise SysError(ENODATA)
    others = sum(len(key) + len(text) for key, text in inode.xattrs.items() if key != name)
    if others + len(name) + len(value) > _INODE_LIMIT:
        raise SysError(ENOSPC)
    inode.set_xattr(name, value)
    notify.on_dentry(path.dentry, IN_ATTRIB)


def getxattr(caller: Caller, path: Path, name: bytes) -> bytes:
    """The value; ENODATA. The handler compares its length with the buffer (ERANGE)."""
    check_name(name)
    inode = path.inode
    _may(inode, caller.cred, name, MAY_READ)
    if name in _ACLS and inode.fs.has_xattrs and inode.type != S_IFLNK:
        raise SysError(ENODATA)  # no file has any, and none can be given one (vfs_get_acl)
    _resolve(inode, name)
    if name not in inode.xattrs:
        raise SysError(ENODATA)
    return inode.xattrs[name]


def listxattr(caller: Caller, path: Path) -> bytes:
    """Names, each with a NUL behind it, in their order (simple_xattr_list); trusted.* only for administrators."""
    path.inode.refresh()
    trusted = caller.cred.capable(CAP_SYS_ADMIN)
    shown = (name for name in path.inode.xattrs if trusted or not name.startswith(b"trusted."))
    names = sorted(shown, reverse=True)  # the order of the tree that tmpfs keeps them in (rbtree_simple_xattr_cmp)
    return b"".join(name + b"\0" for name in names)


def removexattr(caller: Caller, path: Path, name: bytes) -> None:
    """Remove an attribute; ENODATA (vfs_removexattr)."""
    check_name(name)
    path.mount.want_write()
    inode = path.inode
    _may(inode, caller.cred, name, MAY_WRITE)
    _may_change_security(caller.cred, name)
    _resolve(inode, name)
    if name not in inode.xattrs:
        raise SysError(ENODATA)
    inode.set_xattr(name, None)
    notify.on_dentry(path.dentry, IN_ATTRIB)
