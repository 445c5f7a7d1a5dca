"""The check of private access finds what it is for, and lets pass what is not private. Samples have § for _."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from tests.check_privacy import check_javascript, check_python, check_tests, main

REWRITING = """
import re
async def serve(route):
    response = await route.fetch()
    source = await response.text()
    source = {rewritten}
    await route.fulfill(response=response, body=source)
"""


def found_in(source: str) -> list[tuple[int, str]]:
    return [(each.line, each.what) for each in check_python(Path("test.py"), dedent(source).replace("§", "_"))]


@pytest.mark.parametrize(
    "expression",
    [
        "kd.§session",
        "path.client.association.§records",
        "Machine().§state",
        "module.§LIMIT",
        "f(self)[0].§x",
        "vars(a.§b)",
    ],
)
def test_a_private_attribute_of_another_object_is_found(expression: str) -> None:
    ((line, what),) = found_in(f"def test(self):\n    assert {expression}\n")
    assert line == 2
    assert what.startswith("private attribute")


@pytest.mark.parametrize("statement", ["kd.§session = None", "del kd.§session", "kd.§session += 1", "kd.§end()"])
def test_a_private_attribute_is_found_however_it_is_used(statement: str) -> None:
    assert [line for line, _ in found_in(statement)] == [1]


@pytest.mark.parametrize(
    "source",
    [
        "self.§state = 1",
        "cls.§instances",
        "super().§routes()",
        "machine.__class__.__name__",
        "for _ in range(3): pass",
        "§FOLDER = 1\ndef §helper(): return §FOLDER",
        "os.§exit(1)",
        "re.compile(r'§x')",
    ],
)
def test_own_and_public_names_are_not_reported(source: str) -> None:
    assert found_in(source) == []


SUBCLASS = """
from perc.tls.record_layer import RecordLayer
class Observed(RecordLayer):
    def {name}(self):
        return self.{used}
"""


def test_a_private_member_of_the_products_class_is_found_in_its_subclass() -> None:
    assert found_in(SUBCLASS.format(name="held", used="§received")) == [
        (5, "private member _received of a class of the product")
    ]
    assert found_in(SUBCLASS.format(name="§take_record", used="octets_held")) == [
        (4, "private member _take_record of a class of the product")
    ]


def test_a_private_member_of_a_base_of_the_products_class_is_found() -> None:
    source = SUBCLASS.replace("perc.tls.record_layer", "perc.dtls").replace("RecordLayer", "DtlsServer")
    assert found_in(source.format(name="held", used="§reassembler")) != []


def test_members_that_a_subclass_adds_are_not_reported() -> None:
    assert found_in(SUBCLASS.format(name="§watch", used="§watched")) == []


@pytest.mark.parametrize("source", ["from perc.tls import §client", "from perc.§tls import x", "import perc.§tls"])
def test_a_private_import_is_found(source: str) -> None:
    assert [what.split(" ")[:2] for _, what in found_in(source)] == [["private", "import"]]


def test_public_imports_are_not_reported() -> None:
    assert found_in("from __future__ import annotations\nfrom perc.tls import client\nimport perc") == []


@pytest.mark.parametrize(
    "call",
    [
        "monkeypatch.setattr(module, '§LIMIT', 2)",
        "monkeypatch.setattr('perc.tls.client.§LIMIT', 2)",
        "patch.object(kd, '§session')",
        "patch('perc.tls.client.§LIMIT')",
        "setattr(kd, '§session', None)",
        "getattr(kd, '§session')",
    ],
)
def test_a_private_name_as_a_string_is_found(call: str) -> None:
    assert "private name" in {what[:12] for _, what in found_in(call)}


def test_public_names_as_strings_are_not_reported() -> None:
    assert found_in("monkeypatch.setattr(module, 'LIMIT', 2)\nusefixtures('§traced')\ngetattr(a, '__name__')") == []


@pytest.mark.parametrize(
    "script",
    [
        "session.§sets",
        "stream?.§bound",
        "(await open()).§key",
        "senders[0].§active",
        "a.b.§c = 1",
        "this.session.§sets",
    ],
)
def test_a_private_member_in_javascript_is_found(script: str) -> None:
    octets = script.replace("§", "_")
    assert [each.line for each in check_javascript(Path("probe.js"), f"// probe\n{octets};\n")] == [2]
    assert [line for line, _ in found_in(f"await page.evaluate('''() => {{ {script} }}''')")] == [1]
    assert len(found_in(f"await page.evaluate(f'{{name}} => {script}')")) == 1


@pytest.mark.parametrize(
    "script", ["this.§sets", "this.#sets", "const §unused = 1", "a.b_c", "{ a, ...§rest }", "'./§x.js'"]
)
def test_own_members_and_other_names_in_javascript_are_not_reported(script: str) -> None:
    octets = script.replace("§", "_")
    assert check_javascript(Path("probe.js"), octets) == []
    assert found_in(f'await page.evaluate("""{script}""")') == []


@pytest.mark.parametrize(
    "rewritten",
    ["source.replace('a', 'b')", "re.sub('a', 'b', source)", "PATTERN.sub('b', source)", "re.subn('a', 'b')[0]"],
)
def test_a_rewritten_module_is_found(rewritten: str) -> None:
    assert found_in(REWRITING.format(rewritten=rewritten)) == [(6, "the source of a served module is rewritten")]


def test_a_module_that_is_rewritten_by_another_function_is_found() -> None:
    helper = "def opened(source):\n    return source.replace('a', 'b')\n"
    assert len(found_in(REWRITING.format(rewritten="opened(source)") + helper)) == 1


@pytest.mark.parametrize(
    "source",
    [
        REWRITING.format(rewritten="source + more"),
        "async def serve(route):\n    await route.fulfill(body=TEMPLATE.replace('BODY', 'x'))",
        "async def read(response):\n    return (await response.text()).replace('a', 'b')",
    ],
)
def test_unchanged_modules_and_templates_of_the_test_are_not_reported(source: str) -> None:
    assert found_in(source) == []


def test_a_foreign_library_is_excused_by_a_comment_that_names_it() -> None:
    imported, use = "from aiortc import RTCSctpTransport\n", "await sctp.§handle_data(b'')"
    assert found_in(f"{imported}{use}  # foreign private: aiortc has no public way") == []
    assert found_in(f"{imported}# foreign private: aiortc has no public way\n{use}") == []
    assert len(found_in(f"{imported}# foreign private: aiortc has no public way\n\n{use}")) == 1
    assert len(found_in(f"{imported}{use}  # foreign private: it has no public way")) == 1
    assert len(found_in(f"{imported}{use}  # foreign private:")) == 1
    assert len(found_in(f"from perc import kd\n{use}  # foreign private: perc has no public way")) == 1


def test_all_files_of_a_folder_are_checked(tmp_path: Path) -> None:
    (tmp_path / "tests" / "deep").mkdir(parents=True)
    (tmp_path / "tests" / "deep" / "test_kd.py").write_text("\nkd." + "_session")
    (tmp_path / "tests" / "probe.js").write_text("session." + "_sets")
    (tmp_path / "tests" / "good.py").write_text("kd.session")
    assert [str(each).split(": ")[0] for each in check_tests(tmp_path / "tests")] == [
        "tests/deep/test_kd.py:2",
        "tests/probe.js:1",
    ]


def test_violations_are_printed_and_make_the_check_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tests").mkdir()
    main(tmp_path / "tests")
    (tmp_path / "tests" / "test_kd.py").write_text("assert kd." + "_session")
    with pytest.raises(SystemExit, match="1 violation"):
        main(tmp_path / "tests")
    assert capsys.readouterr().out == "tests/test_kd.py:1: private attribute kd." + "_session\n"
