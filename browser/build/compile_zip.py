"""Zip archives of .pyc files, for zipimport; runs in Pyodide, whose interpreter will load them.

The .pyc are hash-based and unchecked (PEP 552): nothing is compared with a source that is not there. Members are
stored, not deflated: the transfer is compressed as a whole, which is a third smaller, and the import inflates nothing.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.util import source_hash
from pathlib import Path
from typing import Any

# CPython's own writer of hash-based .pyc; py_compile wants files.
from importlib._bootstrap_external import _code_to_hash_pyc  # type: ignore[attr-defined]  # isort: skip

# Docstrings and asserts are left out; nothing in perc guards with an assert.
OPTIMIZE = 2
# Builds of the same sources have the same bytes.
TIMESTAMP = (1980, 1, 1, 0, 0, 0)


def compile_standard_library(archive: Any) -> bytes:
    """Pyodide's python_stdlib.zip, with its modules compiled."""
    with zipfile.ZipFile(io.BytesIO(archive.to_bytes())) as stock:
        members = [(info.filename, stock.read(info)) for info in stock.infolist() if not info.is_dir()]
    return write_zip(compiled(members))


def compile_package(sources: Mapping[str, Any]) -> bytes:
    """A zip of the modules in `sources`, which has the content by path, and of what their dataclasses compile."""
    members = list(compiled((path, bytes(content)) for path, content in sources.items()))
    archive = Path("perc.zip").resolve()
    archive.write_bytes(write_zip(members))
    sys.path.insert(0, str(archive))
    kept_methods = import_module("perc.runtime.kept_methods")
    kept = kept_methods.keep(lambda: import_module("perc.runtime.browser"))
    return write_zip([*members, (kept_methods.MEMBER, kept)])


def compiled(members: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """The members, every .py replaced by its .pyc."""
    for path, content in members:
        if path.endswith(".py"):
            yield path + "c", compile_module(path, content)
        else:
            yield path, content


def write_zip(members: Iterable[tuple[str, bytes]]) -> bytes:
    """The members as an archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, content in members:
            archive.writestr(zipfile.ZipInfo(path, TIMESTAMP), content)
    return buffer.getvalue()


def compile_module(path: str, source: bytes) -> bytes:
    """The .pyc of one module; SyntaxError names its path."""
    code = compile(source, path, "exec", dont_inherit=True, optimize=OPTIMIZE)
    return bytes(_code_to_hash_pyc(code, source_hash(source), checked=False))
