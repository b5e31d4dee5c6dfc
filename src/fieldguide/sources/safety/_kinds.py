"""Kinds of files that can carry a program, by their names and by their first bytes."""

from __future__ import annotations

from pathlib import PurePosixPath

_PICKLE = "is in Python's pickle format, which runs code when it is read"
_ARCHIVE = "is an archive, which may hold pickles, and is never unpacked"
_PROGRAM = "is a program, and no program of a repository is ever run"
_HDF5 = "is a Keras or HDF5 file, whose layers may carry code"

_BY_ENDING = {
    **dict.fromkeys(
        (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".dill", ".npy", ".p", ".pk", ".pt2"), _PICKLE
    ),
    **dict.fromkeys(
        (".npz", ".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".nemo", ".mar", ".skops"),
        _ARCHIVE,
    ),
    **dict.fromkeys((".keras", ".h5", ".hdf5"), _HDF5),
    **dict.fromkeys(
        (
            ".py",
            ".pyc",
            ".pyd",
            ".so",
            ".dll",
            ".dylib",
            ".exe",
            ".sh",
            ".bat",
            ".cmd",
            ".ps1",
            ".jar",
            ".js",
            ".wasm",
            ".whl",
        ),
        _PROGRAM,
    ),
    **dict.fromkeys((".ipynb", ".llamafile"), _PROGRAM),
}
_BY_START = (
    (b"PK\x03\x04", _ARCHIVE),
    (b"PK\x05\x06", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"\x1f\x8b", _ARCHIVE),
    (b"BZh", _ARCHIVE),
    (b"\xfd7zXZ\x00", _ARCHIVE),
    (b"\x28\xb5\x2f\xfd", _ARCHIVE),
    (b"Rar!", _ARCHIVE),
    (b"\x89HDF\r\n\x1a\n", _HDF5),
    (b"\x93NUMPY", _PICKLE),
    (b"\x7fELF", _PROGRAM),
    (b"MZ", _PROGRAM),
    (b"#!", _PROGRAM),
    *((b"\x80" + bytes([protocol]), _PICKLE) for protocol in range(2, 6)),
)
_OLD_PICKLE = (b"cos\n", b"cposix\n", b"cnt\n", b"c__builtin__\n", b"cbuiltins\n", b"(dp0", b"(lp0", b"(i", b"cbuiltin")


def refused_kind(path: str) -> str | None:
    """Return why a file of this name is never loaded; None where its name says nothing against it."""
    return _BY_ENDING.get(PurePosixPath(path.lower()).suffix)


def refused_start(head: bytes) -> str | None:
    """Return why a file that begins like this is never loaded; None where its beginning says nothing against it.

    The first eight bytes of safetensors are a length, which may look like anything: ask of other files only.
    """
    for start, why in _BY_START:
        if head.startswith(start):
            return why
    return _PICKLE if head.startswith(_OLD_PICKLE) else None
