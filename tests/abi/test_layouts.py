"""Every declared struct has the size and the offsets that a C compiler gives it on each architecture."""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from typing import Any

import pytest

from syscalls.abi import generate, layouts, structs
from syscalls.abi.arch import ARCHES, X86_64
from syscalls.abi.cstruct import Struct, layout

#: Class -> the C struct's tag, where it is not the class's name in lower case.
TAGS = {
    "CapData": "__user_cap_data_struct",
    "CapHeader": "__user_cap_header_struct",
    "CloneArgs": "clone_args",
    "ContextRecord": "_aarch64_ctx",
    "Dirent": "linux_dirent",
    "Dirent64": "linux_dirent64",
    "EpollEvent": "epoll_event",
    "EsrContext": "esr_context",
    "FOwnerEx": "f_owner_ex",
    "FileCloneRange": "file_clone_range",
    "FileHandle": "linux_file_handle",
    "FpsimdContext": "fpsimd_context",
    "Fpstate": "_fpstate",
    "FpxSwBytes": "_fpx_sw_bytes",
    "FutexWaitv": "futex_waitv",
    "IoEvent": "io_event",
    "InotifyEvent": "inotify_event",
    "IpMreq": "ip_mreq",
    "IpcPerm": "ipc64_perm",
    "Itimerspec64": "__kernel_itimerspec",
    "MmapArguments": "mmap_arg_struct",
    "MqAttr": "mq_attr",
    "Msghdr": "user_msghdr",
    "Msqid": "msqid64_ds",
    "OldDirent": "old_linux_dirent",
    "OldIpcPerm": "ipc_perm",
    "OldMsqid": "msqid_ds",
    "OldOldUtsname": "oldold_utsname",
    "OldSemid": "semid_ds",
    "OldShmid": "shmid_ds",
    "OldShminfo": "shminfo",
    "OldSigaction": "old_sigaction",
    "OldStat": "__old_kernel_stat",
    "OldUtsname": "old_utsname",
    "OpenHow": "open_how",
    "RobustList": "robust_list",
    "RobustListHead": "robust_list_head",
    "SchedAttr": "sched_attr",
    "SchedParam": "sched_param",
    "SelectArguments": "sel_arg_struct",
    "Semid": "semid64_ds",
    "ShmInfo": "shm_info",
    "Shmid": "shmid64_ds",
    "Shminfo": "shminfo64",
    "KernelSigaction": "rt_sigaction",
    "SigaltStack": "sigaltstack",
    "Sigevent": "kernel_sigevent",
    "SiginfoChild": "siginfo_sigchld",
    "SiginfoFault": "siginfo_sigfault",
    "SiginfoKill": "siginfo_kill",
    "SiginfoPoll": "siginfo_sigpoll",
    "SiginfoQueue": "siginfo_rt",
    "SiginfoSys": "siginfo_sigsys",
    "SiginfoTimer": "siginfo_timer",
    "SignalfdSiginfo": "signalfd_siginfo",
    "SigsetArgpack": "sigset_argpack",
    "SockaddrIn": "sockaddr_in",
    "SockaddrIn6": "sockaddr_in6",
    "SockaddrLl": "sockaddr_ll",
    "SockaddrNl": "sockaddr_nl",
    "SockaddrUn": "sockaddr_un",
    "StatxTimestamp": "statx_timestamp",
    "Timespec64": "__kernel_timespec",
    "Timeval64": "__kernel_timex_timeval",
    "Timex64": "__kernel_timex",
    "Ucontext": "kernel_ucontext",
    "UserDesc": "user_desc",
    "Utsname": "new_utsname",
}
#: Fields that stand for something that C cannot take the offset of, or calls by another name.
FIELDS = {
    **{
        (name, field): f"sa_{field}"
        for name in ("KernelSigaction", "OldSigaction")
        for field in ("handler", "flags", "mask", "restorer")
    },
    ("UserDesc", "bits"): None,
    ("Sigcontext", "records"): "__reserved",
    ("Fpstate", "st"): "_st",
    ("Fpstate", "fxsr_env"): None,
    ("Fpstate", "reserved"): None,
    ("Fpstate", "fxsr_st"): "_fxsr_st",
    ("Fpstate", "xmm"): "_xmm",
}
#: Classes that are only the beginning of their C struct.
HEADS = {"Dirent", "Dirent64", "OldDirent", "Rseq"} | {tag for tag in TAGS if tag.startswith("Siginfo")} | {"Siginfo"}


def _declared() -> list[type[Struct]]:
    found: list[type[Struct]] = []
    for module in pkgutil.iter_modules(structs.__path__):
        names = vars(importlib.import_module(f"syscalls.abi.structs.{module.name}")).values()
        found += [name for name in names if isinstance(name, type) and issubclass(name, Struct) and name is not Struct]
    variants = {variant for class_ in found for variant in class_.variants.values()}
    return sorted({class_ for class_ in found if class_ not in variants}, key=lambda class_: class_.__name__)


def _table() -> dict[tuple[str, str], dict[str, tuple[int, int, int]]]:
    table: dict[tuple[str, str], dict[str, tuple[int, int, int]]] = defaultdict(dict)
    for line in layouts.TABLE.read_text(encoding="ascii").splitlines():
        if line.startswith(("#", "arch\t")):
            continue
        arch, tag, size, field, offset, field_size = line.split("\t")
        table[arch, tag][field] = (int(size), int(offset), int(field_size))
    return table


DECLARED = _declared()
OFFSETS = _table()


def _tag(class_: type[Struct]) -> str:
    return TAGS.get(class_.__name__, class_.__name__.lower())


@pytest.mark.parametrize("class_", DECLARED, ids=lambda class_: class_.__name__)
def test_layout_is_the_compilers(class_: type[Struct]) -> None:
    checked = 0
    for arch in ARCHES.values():
        expected = OFFSETS.get((arch.name, _tag(class_)))
        if expected is None:
            continue  # the struct exists on other architectures only
        checked += 1
        actual = layout(class_, arch)
        if class_.__name__ not in HEADS:
            assert {size for size, _, _ in expected.values()} == {actual.size}, arch
        for field in actual.fields:
            name = FIELDS.get((class_.__name__, field.name), field.name)
            if field.name.startswith("_") or name is None:
                continue
            if name not in expected and class_.__name__.startswith("Siginfo"):
                assert (128, field.offset, field.size) == OFFSETS[arch.name, "siginfo"][name]
                continue
            assert (field.offset, field.size) == expected[name][1:], (arch, field)
    assert checked, f"layouts.c has no struct {_tag(class_)}"


def test_table_is_what_the_compiler_makes() -> None:
    package = generate.package_dir()
    if package is None:
        pytest.skip("the package ziglang, the compiler that makes the table, is not installed")
    committed = layouts.TABLE.read_text(encoding="ascii")
    if generate.kernel_release(package) not in committed:
        pytest.skip("another release of the package ziglang is installed than the table was made with")
    assert committed == layouts.generate(package)


@pytest.mark.parametrize("arch", ARCHES.values(), ids=str)
@pytest.mark.parametrize("class_", DECLARED, ids=lambda class_: class_.__name__)
def test_bytes_survive_unpacking_and_packing(class_: type[Struct], arch: Any) -> None:
    place = layout(class_, arch)
    data = bytearray(place.size)
    for field in place.fields:
        if not field.name.startswith("_"):
            data[field.offset : field.offset + field.size] = bytes(range(1, 200))[: field.size].ljust(field.size, b"\1")
    again = place.pack(place.unpack(bytes(data)))
    for field in place.fields:
        if not field.name.startswith("_") and not hasattr(field.ctype, "fields"):
            span = slice(field.offset, field.offset + field.size)
            assert again[span] == data[span], field


def test_a_new_struct_is_all_zeros() -> None:
    for class_ in DECLARED:
        place = layout(class_, X86_64)
        assert place.pack(class_()) == bytes(place.size), class_
