"""Zip archives of .pyc files, for zipimport; runs in Pyodide, whose interpreter will load them.

The .pyc are hash-based and unchecked (PEP 552): nothing is compared with a source that is not there. Members are
stored, not deflated: the transfer is compressed as a whole, which is a third smaller, and the import inflates nothing.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from importlib.util import source_hash
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
    return write_zip(members)


def compile_package(sources: Mapping[str, Any]) -> bytes:
    """A zip of the modules in `sources`, which has the content by path."""
    return write_zip((path, bytes(content)) for path, content in sources.items())


def write_zip(members: Iterable[tuple[str, bytes]]) -> bytes:
    """The members as an archive, every .py replaced by its .pyc."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, content in members:
            if path.endswith(".py"):
                archive.writestr(zipfile.ZipInfo(path + "c", TIMESTAMP), compile_module(path, content))
            else:
                archive.writestr(zipfile.ZipInfo(path, TIMESTAMP), content)
    return buffer.getvalue()


def compile_module(path: str, source: bytes) -> bytes:
    """The .pyc of one module; SyntaxError names its path."""
    code = compile(source, path, "exec", dont_inherit=True, optimize=OPTIMIZE)
    return bytes(_code_to_hash_pyc(code, source_hash(source), checked=False))
