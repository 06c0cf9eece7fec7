"""Structs of ioctl_tty(2). Source: asm-generic/termbits.h, asm-generic/termios.h."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import U8, U16, U32, Chars, Struct
from syscalls.abi.termios import NCCS


class Termios(Struct):
    """struct termios, for TCGETS and TCSETS."""

    c_iflag: U32
    c_oflag: U32
    c_cflag: U32
    c_lflag: U32
    c_line: U8
    c_cc: Annotated[bytes, Chars(NCCS)]


class Termios2(Struct):
    """struct termios2, for TCGETS2: with speeds as numbers."""

    c_iflag: U32
    c_oflag: U32
    c_cflag: U32
    c_lflag: U32
    c_line: U8
    c_cc: Annotated[bytes, Chars(NCCS)]
    c_ispeed: U32
    c_ospeed: U32


class Winsize(Struct):
    """struct winsize."""

    ws_row: U16
    ws_col: U16
    ws_xpixel: U16
    ws_ypixel: U16
