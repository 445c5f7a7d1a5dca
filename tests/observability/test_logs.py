"""Log lines: their form, what they withhold, and that nobody forges or floods them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import sys

import pytest

from perc_server.observability.codes import LogCode
from perc_server.observability.identifying import Kind, Pseudonyms, identifying
from perc_server.observability.logs import BURST, Log, LogOptions
from tests.observability.observing import captured

NAME = "perc_server.test"
FORMATS = pytest.mark.parametrize("form", ["text", "json"])


def written(form: str = "text", *, identities: bool = False, level: str = "debug") -> LogOptions:
    return LogOptions(level, form, identities)


def test_a_text_line_has_time_level_logger_connection_code_and_message() -> None:
    with captured(written()) as stream:
        Log(NAME, "tunnel-7").info(LogCode.TUNNEL_CLOSED, "%s after %d", LogCode.TUNNEL_CLOSED, 3)
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(
        rf"{time} INFO perc_server\.test \[tunnel-7\] tunnel-closed: tunnel-closed after 3\n", stream.getvalue()
    )


def test_a_json_line_has_the_same_members() -> None:
    with captured(written("json")) as stream:
        Log(NAME, "tunnel-7").warning(LogCode.TUNNEL_CLOSED, "after %d", 3)
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": NAME,
        "connection": "tunnel-7",
        "code": "tunnel-closed",
        "message": "after 3",
    }


def test_each_connection_has_an_id_of_its_own() -> None:
    log = Log(NAME)
    first, second = log.of("conference"), log.of("conference")
    assert re.fullmatch(r"conference-\d+", first.connection)
    assert first.connection != second.connection
    assert re.fullmatch(rf"{first.connection}/endpoint-\d+", first.of("endpoint").connection)


@FORMATS
def test_identifying_values_are_pseudonyms_unless_identities_are_shown(form: str) -> None:
    for identities in (False, True):
        with captured(written(form, identities=identities)) as stream:
            Log(NAME).info(LogCode.SIGN_IN, "%s", identifying(Kind.ACCOUNT, "alice"))
        assert ("alice" in stream.getvalue()) is identities
        assert bool(re.search(r"account#[0-9a-f]{6}", stream.getvalue())) is not identities
        assert ("identities-shown" in stream.getvalue()) is identities


def test_a_pseudonym_is_the_same_within_a_process_and_differs_by_kind_and_process() -> None:
    process, another = Pseudonyms(shown=False), Pseudonyms(shown=False)
    room, account = identifying(Kind.ROOM, "salon"), identifying(Kind.ACCOUNT, "salon")
    assert process.render(room) == process.render(identifying(Kind.ROOM, "salon"))
    assert process.render(room) != another.render(room)
    assert process.render(room).partition("#")[2] != process.render(account).partition("#")[2]


def test_an_identifying_value_outside_the_formatter_shows_its_kind_alone() -> None:
    room = identifying(Kind.ROOM, "salon")
    assert f"{room} {room!r} {[room]}" == "room#… room#… [room#…]"


def test_a_function_is_shown_by_its_name() -> None:
    with captured(written()) as stream:
        Log(NAME).info(LogCode.STARTED, "by %s", Log(NAME).info)
    assert stream.getvalue().endswith("started: by Log.info\n")


@FORMATS
def test_a_value_that_is_neither_marked_nor_harmless_is_withheld(form: str) -> None:
    with captured(written(form)) as stream:
        Log(NAME).info(LogCode.STARTED, "for %s and %s", "alice", ["bob"])  # type: ignore[arg-type]
        logging.getLogger(NAME).warning("for %s", "carol")
    assert not re.search("alice|bob|carol", stream.getvalue())
    assert stream.getvalue().count("withheld") == 3


@FORMATS
@pytest.mark.parametrize("character", ["\n", "\r", "\x1b[2J", "\u2028", "\x85", "\u202e", "\0"])
def test_control_characters_in_a_name_forge_no_line(form: str, character: str) -> None:
    name = f"salon{character}2026-01-01T00:00:00.000Z ERROR perc_server started: forged"
    with captured(written(form, identities=True)) as stream:
        Log(NAME).info(LogCode.CONFERENCE_STARTED, "%s", identifying(Kind.ROOM, name))
    _warning, *lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    assert character not in lines[0]
    if form == "json":
        assert json.loads(lines[0])["message"] == name


def fail(name: str) -> None:
    try:
        dict[str, int]()[name]
    except KeyError as error:
        raise ConnectionRefusedError(111, f"cannot reach 192.0.2.7 for {name}\nforged") from error


@FORMATS
def test_an_exception_shows_its_frames_and_types_but_no_message(form: str) -> None:
    with captured(written(form)) as stream:
        try:
            fail("alice")
        except OSError as error:
            Log(NAME).exception(LogCode.REQUEST_FAILED, "because of %s", error)
    text = stream.getvalue()
    assert "ConnectionRefusedError ECONNREFUSED" in text
    assert "KeyError" in text
    assert "in fail" in text
    assert not re.search(r"alice|192\.0\.2|forged", text)
    if form == "json":
        assert json.loads(text)["exception"][-1] == "ConnectionRefusedError ECONNREFUSED"


def test_an_exception_shows_its_message_on_indented_lines_with_identities() -> None:
    with captured(written(identities=True)) as stream:
        try:
            fail("alice")
        except OSError:
            Log(NAME).exception(LogCode.REQUEST_FAILED, "an error")
    assert r"for alice\nforged" in stream.getvalue()
    assert all(line.startswith(("20", "    ")) for line in stream.getvalue().splitlines())


def test_a_librarys_record_is_cut_to_its_fixed_words() -> None:
    with captured(written()) as stream:
        logging.getLogger("asyncio").error("Exception in callback %s\n%s", "<Handle join('alice')>", "alice")
        logging.getLogger("uvicorn.error").error(OSError(98, "address 192.0.2.1 in use by alice"))
        logging.getLogger("uvicorn.error").warning("'%s' for alice", "192.0.2.1")
        logging.getLogger("uvicorn.error").info("192.0.2.1 - GET /perc/salon")
        logging.getLogger("websockets").debug("> GET /perc/salon")
    lines = [line.partition(" library: ")[2] for line in stream.getvalue().splitlines()]
    assert lines == ["Exception in callback", "OSError EADDRINUSE", "withheld"]


async def test_an_error_in_a_task_names_nobody() -> None:
    async def failing() -> None:
        raise ValueError("alice at 192.0.2.1")

    with captured(written()) as stream:
        loop = asyncio.get_running_loop()
        task = loop.create_task(failing())
        await asyncio.wait([task])
        loop.call_exception_handler({"message": "Task failed", "exception": task.exception(), "task": task})
    assert "ValueError" in stream.getvalue()
    assert not re.search(r"alice|192\.0", stream.getvalue())


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_a_level_leaves_out_what_is_below_it(level: str) -> None:
    levels = ["debug", "info", "warning", "error"]
    with captured(written("json", level=level)) as stream:
        log = Log(NAME)
        for write in (log.debug, log.info, log.warning, log.exception):
            write(LogCode.STARTED, "a line")
    assert [json.loads(line)["level"] for line in stream.getvalue().splitlines()] == levels[levels.index(level) :]


def test_a_flood_of_one_code_is_cut_and_leaves_other_codes_their_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with captured(written("json")) as stream:
        log = Log(NAME)
        for _ in range(BURST + 50):
            log.info(LogCode.REQUEST_REFUSED, "refused")
        log.info(LogCode.STARTED, "started")
        now[0] += 1
        log.info(LogCode.REQUEST_REFUSED, "refused")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == BURST + 2
    assert [line.get("suppressed", 0) for line in lines[-2:]] == [0, 50]


def test_a_line_that_cannot_be_written_shows_none_of_its_values(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("disk full")

    with captured(written()):
        handler = logging.getLogger().handlers[0]
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(Broken())
        Log(NAME).info(LogCode.SIGN_IN, "%s", identifying(Kind.ACCOUNT, "alice"))
        handler.setStream(sys.stderr)
    assert capsys.readouterr().err == "a log line of perc_server.test could not be written\n"


def test_options_are_passed_on_as_arguments() -> None:
    assert LogOptions().arguments == ["--log-level", "info", "--log-format", "text"]
    assert LogOptions("debug", "json", identities=True).arguments[-1] == "--log-identities"
