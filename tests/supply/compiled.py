"""A wheel of Stayline whose frame path is compiled, of the same source.

    python -m tests.supply.compiled [FOLDER]     build/compiled, unless told
    python -m tests.supply.compiled --ask        only say whether a C compiler and Python's headers are there

mypyc, which comes with mypy, makes C of the modules that pyproject.toml names; the other installations run them as
they are. It is silent where it leaves something out, so `faults` looks after what those modules must keep to:

1. No class takes keywords, as `frozen=True` of a Struct: they would be dropped. Values have modules of their own.
2. None of their classes has heirs elsewhere in the service: such a class could not be made.
3. Nothing of an object is called `_thread`: with mypyc's own underscore that is a word of C.
"""

import ast
import os
import shutil
import sys
import sysconfig
import tomllib
import warnings
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

from mypyc.build import mypycify
from setuptools import SetuptoolsDeprecationWarning, setup

ROOT = Path(__file__).parents[2]
FOLDER = Path("build/compiled")


def named() -> list[Path]:
    """Return the modules that are compiled, from the repository's root."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [Path(one) for one in settings["tool"]["stayline"]["compiled"]]


def faults(source: str, heirs: Collection[str] = ()) -> list[str]:
    """Return what a compiled module may not have; `heirs` are the bases of classes elsewhere."""
    return list(_faults(ast.parse(source), heirs))


def _faults(tree: ast.Module, heirs: Collection[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.keywords:
            yield f"class {node.name} takes keywords"
        if isinstance(node, ast.ClassDef) and node.name in heirs:
            yield f"class {node.name} has heirs elsewhere"
        if isinstance(node, ast.Attribute) and node.attr == "_thread":
            yield "an attribute is called _thread"


@cache
def bases(paths: frozenset[Path]) -> frozenset[str]:
    """Return the names of all classes that others in these modules are made of."""
    return frozenset(
        name.id if isinstance(name, ast.Name) else name.attr
        for path in paths
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        for name in ast.walk(base)
        if isinstance(name, ast.Name | ast.Attribute)
    )


def missing() -> str:
    """Return what stands in the way here, "" for nothing."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"C compiler ({compiler})"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "Python.h"
    return ""


def build(folder: Path) -> None:
    """Build the wheel there. Ends the process with 1, and mypyc's or the compiler's words, where it can't."""
    # The command for wheels installs into a folder, and is itself warned of doing so.
    warnings.filterwarnings("ignore", category=SetuptoolsDeprecationWarning)
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    extensions = mypycify(
        ["--config-file", "pyproject.toml", *map(str, named())],
        opt_level="3",
        debug_level="0",
        target_dir=str(work),
    )
    setup(
        ext_modules=extensions,
        script_args=[
            *("--quiet", "egg_info", "--egg-base", str(work), "build", "--build-base", str(work)),
            *("bdist_wheel", "--bdist-dir", str(work / "wheel"), "--dist-dir", str(folder)),
        ],
    )


def main() -> int:
    """Build, in the folder that is named. Returns 1 where that can't be done here."""
    if what := missing():
        sys.stderr.write(f"Nothing is compiled: there is no {what}.\n")
        return 1
    if "--ask" not in sys.argv:
        os.chdir(ROOT)
        build(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
