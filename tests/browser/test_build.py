"""The build, on a copy of the repository's sources: what it makes, and how little it does when little has changed."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.browser.site import REPOSITORY, built_assets

CACHE = REPOSITORY / "browser" / "dist" / ".cache"


class Repository:
    """A copy in which a test may edit; Pyodide's part of the cache is linked, as it takes seconds to make."""

    def __init__(self, root: Path) -> None:
        self.browser = root / "browser"
        self.perc = root / "polyfill" / "perc"
        ignored = shutil.ignore_patterns("dist", "__pycache__")
        shutil.copytree(REPOSITORY / "browser", self.browser, ignore=ignored)
        shutil.copytree(REPOSITORY / "polyfill", root / "polyfill", ignore=ignored)
        shutil.copy(REPOSITORY / "package.json", root)
        (root / "node_modules").symlink_to(REPOSITORY / "node_modules")
        for layer in CACHE.glob("pyodide-*"):
            shutil.copytree(layer, self.browser / "dist" / ".cache" / layer.name, copy_function=os.link)

    def build(self) -> Path:
        """Where the assets are."""
        subprocess.run(["node", self.browser / "build" / "build.js"], check=True, stdout=subprocess.DEVNULL)
        manifest = json.loads((self.browser / "dist" / "manifest.json").read_text())
        return self.browser / "dist" / manifest["assets"]

    def written(self) -> dict[Path, int]:
        """When what builds have made was written last."""
        return {path: path.stat().st_mtime_ns for path in (self.browser / "dist").rglob("*")}

    def refuse(self) -> str:
        """What a build that fails says."""
        result = subprocess.run(
            ["node", self.browser / "build" / "build.js"], check=False, capture_output=True, text=True
        )
        assert result.returncode != 0
        return result.stderr


@pytest.fixture
def repository(assets: None, tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_has_the_layout_of_the_repository_with_python_beside_it(assets: None) -> None:
    built = built_assets()
    for path in ("key-distributor/worker.js", "pyodide/pyodide.asm.wasm", "pyodide/python_stdlib.zip", "perc.zip"):
        assert (built / path).is_file(), path
    assert not list(built.rglob("*.d.ts"))
    assert not (built / "build").exists()


def test_what_can_be_compressed_has_siblings_with_the_same_content(assets: None) -> None:
    built = built_assets()
    for path in ("key-distributor/worker.js", "pyodide/pyodide.asm.wasm", "pyodide/python_stdlib.zip", "perc.zip"):
        content = (built / path).read_bytes()
        assert gzip.decompress((built / f"{path}.gz").read_bytes()) == content
        assert (built / f"{path}.br").stat().st_size < 0.6 * len(content)


def test_python_is_compiled_and_has_no_provider_of_another_platform(assets: None) -> None:
    for archive in ("perc.zip", "pyodide/python_stdlib.zip"):
        names = zipfile.ZipFile(built_assets() / archive).namelist()
        assert not [name for name in names if name.endswith(".py")]
    modules = zipfile.ZipFile(built_assets() / "perc.zip").namelist()
    assert "perc/crypto/webcrypto.pyc" in modules
    assert "perc/crypto/pyca.pyc" not in modules


IMPORT_PERC = """
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
const [assets] = process.argv.slice(1);
const { loadPyodide } = await import(pathToFileURL(`${assets}/pyodide/pyodide.mjs`));
const archive = await readFile(`${assets}/perc.zip`);
const fsInit = (fileSystem) => fileSystem.writeFile("/perc.zip", archive);
const pyodide = await loadPyodide({ indexURL: `${assets}/pyodide/`, env: { PYTHONPATH: "/perc.zip" }, fsInit });
console.log(pyodide.runPython(`
import sys
from perc.runtime import kept_methods
kept_methods.use()
import perc.runtime.browser
modules = [module for name, module in sys.modules.items() if name.startswith("perc.")]
classes = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
made = [each for each in classes if "__dataclass_fields__" in vars(each)]
compiled = [each.__name__ for each in made if each.__init__.__code__.co_filename != kept_methods.FILENAME]
f"{len(made)} {compiled}"
`));
process.exit(0);
"""


def test_no_dataclass_is_compiled_when_the_package_is_imported(assets: None) -> None:
    command = ["node", "--input-type=module", "--eval", IMPORT_PERC, str(built_assets())]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split(maxsplit=1)
    assert int(said[0]) > 100
    assert said[1].strip() == "[]"


def test_the_lock_file_offers_no_package_to_load(assets: None) -> None:
    lock = json.loads((built_assets() / "pyodide" / "pyodide-lock.json").read_text())
    assert lock["packages"] == {}


def test_an_edit_makes_another_url_and_building_again_does_not(repository: Repository) -> None:
    first = repository.build()
    made = repository.written()
    assert repository.build() == first
    assert repository.written() == made

    worker = repository.browser / "key-distributor" / "worker.js"
    worker.write_text(worker.read_text() + "// edited\n")
    second = repository.build()
    assert second != first
    assert (second / "key-distributor" / "worker.js").read_text().endswith("// edited\n")
    assert (second / "perc.zip").stat().st_ino == (first / "perc.zip").stat().st_ino
    assert first.is_dir(), "a server that still runs may be asked for it"


def test_an_edit_of_perc_compiles_perc_and_nothing_else(repository: Repository) -> None:
    first = repository.build()
    module = repository.perc / "errors.py"
    module.write_text(module.read_text() + "EDITED = True\n")
    second = repository.build()
    assert (second / "perc.zip").read_bytes() != (first / "perc.zip").read_bytes()
    library = "pyodide/python_stdlib.zip"
    assert (second / library).stat().st_ino == (first / library).stat().st_ino


def test_a_module_that_does_not_compile_fails_the_build_and_is_named(repository: Repository) -> None:
    (repository.perc / "broken.py").write_text("def (:\n")
    assert "perc/broken.py" in repository.refuse()
    assert not (repository.browser / "dist" / "manifest.json").exists()
