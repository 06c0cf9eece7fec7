"""linux/filter.h, linux/bpf_common.h: classic BPF, the language of socket filters and of seccomp(2) filters.

An instruction is a 16-bit code, two 8-bit jump offsets and a 32-bit constant. There are an accumulator A, an index
register X and 16 words of scratch memory, all of 32 bits.
"""

from __future__ import annotations

# Classes: bits 0 to 2.
BPF_LD, BPF_LDX, BPF_ST, BPF_STX, BPF_ALU, BPF_JMP, BPF_RET, BPF_MISC = range(8)
# Sizes of a load: bits 3 and 4.
BPF_W, BPF_H, BPF_B = 0x00, 0x08, 0x10
# Modes of a load: bits 5 to 7.
BPF_IMM, BPF_ABS, BPF_IND, BPF_MEM, BPF_LEN, BPF_MSH = 0x00, 0x20, 0x40, 0x60, 0x80, 0xA0
# Operations of BPF_ALU and BPF_JMP: bits 4 to 7.
BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR, BPF_AND, BPF_LSH, BPF_RSH, BPF_NEG, BPF_MOD, BPF_XOR = range(0, 0xB0, 0x10)
BPF_JA, BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET = range(0, 0x50, 0x10)
# Their operand, and what BPF_RET returns: bit 3 (BPF_A: bit 4).
BPF_K, BPF_X, BPF_A = 0x00, 0x08, 0x10
# BPF_MISC: copy between A and X.
BPF_TAX, BPF_TXA = 0x00, 0x80

BPF_MAXINSNS = 4096
BPF_MEMWORDS = 16
INSTRUCTION_BYTES = 8  # struct sock_filter
