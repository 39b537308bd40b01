# SPDX-License-Identifier: Apache-2.0
"""A compiled model, asked about recorded rows as profile_judge() asks it."""
import ctypes
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def features_of(row):
    return [name for name in row if not name.startswith("_") and
            name not in ("class", "group", "weight")]


def source_number(path, name):
    """A number of the C source, which is the only place where it stands."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return int(re.search(rf"#define {name} (\d+)", file.read()).group(1))


def compile_builtin(folder, source=os.path.join(
        ROOT, "profiler/model_default.c")):
    """The model that is checked in, as a file."""
    if not os.path.exists(source):
        raise SystemExit("this source has no built-in model")
    path = os.path.join(folder, "builtin.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-I", ROOT,
                    "-Dmodel_default=braid_model", source, "-o", path],
                   check=True)
    return path


class _Abi(ctypes.Structure):
    """struct braid_model of profiler/model_abi.h."""
    _fields_ = [("magic", ctypes.c_uint32), ("abi", ctypes.c_uint32),
                ("features_hash", ctypes.c_uint64),
                ("n_features", ctypes.c_uint32),
                ("n_classes", ctypes.c_uint32),
                ("name", ctypes.c_char_p),
                ("classes", ctypes.POINTER(ctypes.c_char_p)),
                ("classify", ctypes.CFUNCTYPE(
                    ctypes.c_uint32, ctypes.POINTER(ctypes.c_int32)))]


class CompiledModel:
    """Of a file; a path that was loaded before gives the model of then."""

    def __init__(self, path):
        self.abi = _Abi.in_dll(ctypes.CDLL(path), "braid_model")
        self.name = self.abi.name.decode()
        header = "profiler/profile.h"
        self.sure = source_number(header, "PROFILE_SURE")
        self.sure_first = source_number(header, "PROFILE_SURE_FIRST")

    def ask(self, row):
        """The class, and whether the model is as sure as a verdict needs."""
        values = [int(row[name]) for name in features_of(row)]
        if len(values) != self.abi.n_features:
            raise SystemExit(f"the rows have {len(values)} features, the "
                             f"model {self.abi.n_features}")
        answer = self.abi.classify((ctypes.c_int32 * len(values))(*values))
        sure = self.sure_first if row["_checkpoint"] == "first" else self.sure
        return (self.abi.classes[answer >> 16].decode(),
                answer & 0xffff >= sure)
