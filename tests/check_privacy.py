"""Check that tests use public members only, and run the product's source as it is.

    python -m tests.check_privacy        prints each violation with its place; part of `./run check`

Five things are violations in tests:

1. an attribute with one leading underscore of anything but `self`, `cls` and `super()`, or of these where the product's
   class has it;
2. an import of such a name;
3. such a name as a string for `setattr`, `getattr`, `monkeypatch.setattr`, `patch.object` and their like;
4. a member of such a name in JavaScript, in files and in strings, of anything but `this`;
5. a function that reads the text of a fetched module, rewrites it, and answers a request with the result.

Where somebody else's library has no public way, its private member may be used, with a comment on the line or above it
that names the library and gives the reason: `# foreign private: aiortc …`.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests"
PRODUCT = (ROOT / "polyfill", ROOT / "backend")

_OWN = {"self", "cls"}
_DOCUMENTED = {("os", "_exit")}
"""Public, in spite of their names."""
_TAKE_NAMES = {"setattr", "getattr", "delattr", "hasattr", "object", "patch"}
_READ_TEXT = {"text", "body", "read_text"}
_REWRITE = {"replace", "sub", "subn"}
_FOREIGN = re.compile(r"#\s*foreign private: (\S.*)")
_JAVASCRIPT_MEMBER = re.compile(r"([\w$]+|[)\]])\??\.(_[a-zA-Z]\w*)")


@dataclass(frozen=True, order=True)
class Violation:
    """What a test should not do, and where."""

    path: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def is_private(name: str) -> bool:
    """Whether a name has one leading underscore; `_` alone is a name for what is not used."""
    return name.startswith("_") and not name.startswith("__") and name != "_"


def check_python(path: Path, source: str) -> list[Violation]:
    """The violations in a Python file, in the order of its lines."""
    tree = ast.parse(source)
    found = [
        *_attributes(tree),
        *_inherited_attributes(tree),
        *_imports(tree),
        *_names_in_strings(tree),
        *_javascript_in_strings(tree),
        *_rewritten_sources(tree),
    ]
    excused = _excused_lines(tree, source)
    return sorted({Violation(path, line, what) for line, what in found if line not in excused})


def check_javascript(path: Path, source: str) -> list[Violation]:
    """The violations in a JavaScript file."""
    lines = enumerate(source.splitlines(), start=1)
    return [Violation(path, number, f"member {name}") for number, line in lines for name in _javascript_members(line)]


def check_tests(folder: Path = TESTS) -> list[Violation]:
    """The violations in all tests."""
    found: list[Violation] = []
    for path in sorted(folder.rglob("*.py")):
        found += check_python(path.relative_to(folder.parent), path.read_text("utf-8"))
    for path in sorted(folder.rglob("*.js")):
        found += check_javascript(path.relative_to(folder.parent), path.read_text("utf-8"))
    return found


Found = Iterator[tuple[int, str]]


def _attributes(tree: ast.Module) -> Found:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=value, attr=name) if is_private(name) and not _is_own(value):
                if (ast.unparse(value), name) not in _DOCUMENTED:
                    yield node.lineno, f"private attribute {ast.unparse(node)}"


def _is_own(value: ast.expr) -> bool:
    match value:
        case ast.Name(id=name):
            return name in _OWN
        case ast.Call(func=ast.Name(id="super")):
            return True
    return False


def _inherited_attributes(tree: ast.Module) -> Found:
    """A subclass in a test that uses or overrides a private member of the product's class."""
    imported = _imported_from_product(tree)
    for class_ in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        bases = [imported[base.id] for base in class_.bases if isinstance(base, ast.Name) and base.id in imported]
        hidden = {name for module, base in bases for name in _private_members(module, base)}
        for line, name in _own_members(class_):
            if name in hidden:
                yield line, f"private member {name} of a class of the product"


def _imported_from_product(tree: ast.Module) -> dict[str, tuple[str, str]]:
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in {"perc", "perc_server"}
        for alias in node.names
    }


@cache
def _private_members(module: str, name: str) -> frozenset[str]:
    """The private members of a class of the product, and of its bases there."""
    for folder in PRODUCT:
        for path in (folder / f"{module.replace('.', '/')}.py", folder / module.replace(".", "/") / "__init__.py"):
            if path.exists():
                return _members_in(ast.parse(path.read_text("utf-8")), name)
    return frozenset()


def _members_in(tree: ast.Module, name: str) -> frozenset[str]:
    imported = _imported_from_product(tree)
    if name in imported:
        return _private_members(*imported[name])
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            own = frozenset(member for _, member in _own_members(node))
            bases = (base.id for base in node.bases if isinstance(base, ast.Name))
            return own.union(*(_members_in(tree, base) for base in bases))
    return frozenset()


def _own_members(class_: ast.ClassDef) -> Found:
    """The private methods that a class defines, and the private attributes that it has of itself."""
    for node in ast.walk(class_):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_private(node.name):
            yield node.lineno, node.name
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and _is_own(node.value):
            yield node.lineno, node.attr


def _imports(tree: ast.Module) -> Found:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            for name in [module, *(alias.name for alias in node.names)]:
                if any(map(is_private, name.split("."))):
                    yield node.lineno, f"private import {name}"


def _names_in_strings(tree: ast.Module) -> Found:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name_of(node.func) in _TAKE_NAMES:
            for argument in node.args:
                match argument:
                    case ast.Constant(value=str(text)) if is_private(text.split(".")[-1]):
                        yield argument.lineno, f"private name {text!r} as a string"


def _name_of(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _javascript_in_strings(tree: ast.Module) -> Found:
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)):
                for name in _javascript_members(text):
                    yield node.lineno, f"member {name} in a string"


def _javascript_members(text: str) -> list[str]:
    return [name for owner, name in _JAVASCRIPT_MEMBER.findall(text) if owner != "this"]


def _rewritten_sources(tree: ast.Module) -> Found:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    # Also where the rewriting is done by another function of the file.
    rewriting = {function.name for function in functions if _calls(function, _REWRITE)} | _REWRITE
    for function in functions:
        rewrites = _calls(function, rewriting - {function.name})
        if _calls(function, _READ_TEXT) and rewrites and _calls(function, {"fulfill"}):
            yield rewrites[0], "the source of a served module is rewritten"


def _calls(function: ast.FunctionDef | ast.AsyncFunctionDef, names: set[str]) -> list[int]:
    """The lines of the calls in a function, of methods and functions with these names."""
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
    return [call.lineno for call in calls if _name_of(call.func) in names]


def _excused_lines(tree: ast.Module, source: str) -> set[int]:
    """The lines with a reason why they use a private member of a library that the file imports."""
    libraries = _foreign_libraries(tree)
    excused: set[int] = set()
    for number, line in enumerate(source.splitlines(), start=1):
        comment = _FOREIGN.search(line)
        if comment and any(library in comment[1].lower() for library in libraries):
            excused |= {number, number + 1} if line.lstrip().startswith("#") else {number}
    return excused


def _foreign_libraries(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.split(".")[0].lower() for name in names} - {"perc", "perc_server", "tests"}


def main(folder: Path = TESTS) -> None:
    """Print all violations; exit with an error if there are any."""
    violations = check_tests(folder)
    for violation in violations:
        print(violation)
    if violations:
        sys.exit(f"{len(violations)} violations: tests use public members only (see {Path(__file__).name})")


if __name__ == "__main__":
    main()
