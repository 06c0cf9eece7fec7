"""What the CPUs offer: nothing of the host, nothing that does not work or does not repeat."""

import pytest

from emu.engine.x86_cpuid import cpuid
from syscalls.abi.arch import ARM64, I386, X86_64


@pytest.fixture
def clock(guest):
    def start(arch, code):
        thread = guest(arch, code)
        thread.engine.counter = lambda: 0x1_2345_6789
        return thread

    return start


def test_cpuid_in_the_guest_is_the_table(guest):
    # cpuid; mov esi, eax; mov eax, 1; xor ecx, ecx; cpuid; ud2
    thread = guest(X86_64, "0fa2 89c6 b801000000 31c9 0fa2 0f0b")
    thread.run()
    assert thread.rsi == cpuid(0, 0)[0]
    assert (thread.rax, thread.rbx, thread.rcx, thread.rdx) == cpuid(1, 0)


def test_no_avx_xsave_rdrand_hypervisor():
    ecx = cpuid(1, 0)[2]
    assert not ecx & (1 << 26 | 1 << 27 | 1 << 28 | 1 << 30 | 1 << 31)
    assert cpuid(7, 0) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "code",
    [
        "f20f38f0c3",  # crc32 eax, bl
        "f30fb8c3",  # popcnt eax, ebx
        "660f3a44c100",  # pclmulqdq xmm0, xmm1, 0
        "660f38dcc1",  # aesenc xmm0, xmm1
        "660f3800c1",  # pshufb xmm0, xmm1
        "660f3840c1",  # pmulld xmm0, xmm1
        "660f3a63c10c",  # pcmpistri xmm0, xmm1, 12
        "0fc70c2500005000",  # cmpxchg8b [0x500000]
        "480fc70c2500005000",  # cmpxchg16b [0x500000]
        "f20fd0c1",  # addsubps
        "0fae042500005000",  # fxsave [0x500000]
    ],
)
def test_what_cpuid_offers_works(guest, code):
    thread = guest(X86_64, code + "0f0b")
    assert thread.run().address == 0x400000 + len(bytes.fromhex(code))


@pytest.mark.parametrize("arch", [X86_64, I386])
def test_time_stamp_counter_is_the_guests_clock(clock, arch):
    thread = clock(arch, "0f31 0f0b")
    thread.run()
    assert (thread.eax, thread.edx) == (0x2345_6789, 1)


def test_virtual_counter_is_the_guests_clock(clock):
    thread = clock(ARM64, "53e03bd5 14e03bd5")  # mrs x19, cntvct_el0; mrs x20, cntfrq_el0
    thread.run()
    assert (thread.x19, thread.x20) == (0x1_2345_6789, 10**9)


def test_arm64_id_registers(guest):
    # mrs x0, midr_el1; x1: id_aa64isar0_el1; x2: id_aa64pfr0_el1; x3: ctr_el0; x4: dczid_el0; x5: mpidr_el1
    thread = guest(ARM64, "000038d5 010638d5 020438d5 23003bd5 e4003bd5 a50038d5")
    assert thread.run().address == 0x400018
    assert thread.x1 >> 60 == 0  # no RNDR
    assert thread.x2 >> 32 & 15 == 0  # no SVE
    assert (thread.x2 & 0xFF, thread.x5, thread.x4) == (0x11, 1 << 31, 4)
    assert thread.x3 >> 16 & 15 == 4  # 64-byte lines of data


@pytest.mark.parametrize(
    ("bit", "code"),
    [
        (3, "2048284e"),  # aese v0.16b, v1.16b
        (4, "20e0e10e"),  # pmull v0.1q, v1.1d, v1.1d
        (5, "2000025e"),  # sha1c
        (6, "2040025e"),  # sha256h
        (7, "204cc29a"),  # crc32x w0, w1, x2
        (8, "e17fa2c8"),  # cas x2, x1, [sp]
        (12, "2084426e"),  # sqrdmlah v0.8h, v1.8h, v2.8h
        (13, "20007e1e"),  # fjcvtzs w0, d1
        (14, "20c4826e"),  # fcmla v0.4s, v1.4s, v2.4s, #0
        (15, "e0c3bff8"),  # ldapr x0, [sp]
        (20, "2094824e"),  # sdot v0.4s, v1.16b, v2.16b
        (21, "208062ce"),  # sha512h q0, q1, v2.2d
        (27, "1f4000d5"),  # cfinv
        (29, "ff3003d5"),  # sb
    ],
)
def test_what_hwcap_offers_works(guest, bit, code):
    thread = guest(ARM64, code)
    assert thread.engine.hwcap(ARM64)[0] >> bit & 1
    assert thread.run().address == 0x400004


def test_hwcap_hides_what_does_not_work(guest):
    hwcap, hwcap2 = guest(ARM64).engine.hwcap(ARM64)
    assert hwcap & (1 | 1 << 1 | 1 << 11) == 1 | 1 << 1 | 1 << 11  # FP ASIMD CPUID
    assert not hwcap & (1 << 2 | 1 << 22 | 1 << 30 | 1 << 31)  # EVTSTRM SVE PACA PACG
    assert not hwcap2 & (1 << 1 | 1 << 16 | 1 << 17 | 1 << 18)  # SVE2 RNG BTI MTE
    assert guest(X86_64).engine.hwcap(X86_64) == (cpuid(1, 0)[3], 0)
