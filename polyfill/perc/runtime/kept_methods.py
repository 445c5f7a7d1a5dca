"""A quick start in WebAssembly: the methods of dataclasses, compiled when the package is built.

A dataclass writes the source of its methods and compiles it when its module is imported, half of the time that the
import of perc takes in a Worker. The build (`browser/build/compile_zip.py`) imports perc once and keeps what was
compiled; `worker.js` calls `use` before its own import. Source that was not kept is compiled as ever.
"""

from __future__ import annotations

import dataclasses
import marshal
from collections.abc import Callable
from types import CodeType
from typing import Any, cast
from zipimport import zipimporter

MEMBER = "perc/runtime/kept_methods.marshal"
"""In the archive of the package."""

FILENAME = "<kept dataclass>"
"""Of the code, as tracebacks have it."""


def keep(import_package: Callable[[], object]) -> bytes:
    """What is compiled for dataclasses while `import_package` runs."""
    kept: dict[str, CodeType] = {}

    def compile_and_run(source: str, names: dict[str, Any], made: dict[str, Any]) -> None:
        kept[source] = compile(source, FILENAME, "exec", dont_inherit=True)
        exec(kept[source], names, made)  # noqa: S102 - what dataclasses would have done

    _take_the_place_of_exec(compile_and_run)
    import_package()
    return marshal.dumps(kept)


def use() -> None:
    """From here on dataclasses take what was kept in the archive that this module was loaded from."""
    install(cast(zipimporter, __spec__.loader).get_data(MEMBER))


def install(octets: bytes) -> None:
    """From here on dataclasses take what `keep` returned, in the same version of Python."""
    kept: dict[str, CodeType] = marshal.loads(octets)  # noqa: S302 - from the archive that has this code, too

    def run(source: str, names: dict[str, Any], made: dict[str, Any]) -> None:
        exec(kept.get(source, source), names, made)  # noqa: S102 - what dataclasses would have done

    _take_the_place_of_exec(run)


def _take_the_place_of_exec(run: Callable[[str, dict[str, Any], dict[str, Any]], None]) -> None:
    """A global name of their module is found before the builtin."""
    dataclasses.exec = run  # type: ignore[attr-defined]
