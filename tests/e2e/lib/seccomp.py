# SPDX-License-Identifier: Apache-2.0
"""Makes one system call fail for a child, as container runtimes do."""

import ctypes
import platform
import struct

from .process import Skip

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_RET_ALLOW, _RET_ERRNO = 0x7FFF0000, 0x00050000
_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
IO_URING_SETUP = 425  # on every architecture that Linux has


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def deny(number, error):
    """A function to be called between fork and exec."""
    if platform.machine() not in ("x86_64", "aarch64"):
        raise Skip("no seccomp filter for this architecture")
    code = b"".join(struct.pack("HBBI", *row) for row in (
        (_LOAD, 0, 0, 0),  # seccomp_data.nr
        (_JUMP_EQUAL, 0, 1, number),
        (_RETURN, 0, 0, _RET_ERRNO | error),
        (_RETURN, 0, 0, _RET_ALLOW)))
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(4, ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)

    def apply():
        _ = buffer  # must live as long as the program that points to it
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
                _PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0):
            raise OSError(ctypes.get_errno(), "seccomp")
    return apply
