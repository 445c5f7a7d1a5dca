"""Metrics: what a scraper reads, and that their address shows nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from enum import StrEnum

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from perc_server.observability.listener import MAXIMUM_CONNECTIONS, MAXIMUM_HEAD, MetricsAddress, shown
from perc_server.observability.metrics import Metrics
from tests.observability.observing import labels_of, value


class Fruit(StrEnum):
    APPLE = "apple"
    PEAR = "pear"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    metrics = Metrics()
    metrics.total("perc_test_total", "Of a test.", lambda: 7)
    async with shown(metrics, MetricsAddress("127.0.0.1", 0)) as port:
        assert port is not None
        yield port


def test_every_label_is_shown_from_the_start_and_counted_as_it_is_read() -> None:
    metrics, eaten = Metrics(), Counter[Fruit]()
    metrics.totals("perc_eaten_total", "Fruit.", "fruit", eaten, Fruit)
    assert value(metrics, "perc_eaten_total", fruit="pear") == 0
    eaten[Fruit.PEAR] += 2
    assert value(metrics, "perc_eaten_total", fruit="pear") == 2
    assert labels_of(metrics, "perc_eaten_total") == {"apple", "pear"}


def test_gauges_totals_and_counts_of_numbers_are_read_by_the_parser() -> None:
    metrics, left = Metrics(), [5]
    metrics.gauge("perc_left", "What is left.", lambda: left[0])
    metrics.gauges("perc_rooms", "Rooms.", "state", {"live": lambda: 2})
    metrics.totals("perc_answers_total", "Answers.", "status", Counter({404: 3}))
    left[0] = 4
    assert value(metrics, "perc_left") == 4
    assert value(metrics, "perc_rooms", state="live") == 2
    assert value(metrics, "perc_answers_total", status="404") == 3


def test_two_servers_in_one_process_have_metrics_of_their_own() -> None:
    first, second = Metrics(), Metrics()
    for metrics, number in ((first, 1), (second, 2)):
        metrics.total("perc_test_total", "Of a test.", lambda number=number: number)
    assert (value(first, "perc_test_total"), value(second, "perc_test_total")) == (1, 2)


async def test_a_scraper_reads_the_metrics(port: int) -> None:
    async with httpx2.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    [family] = text_string_to_metric_families(answer.text)
    assert (family.name, family.samples[0].value) == ("perc_test", 7)


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET / HTTP/1.1", 404),
        ("GET /metrics/ HTTP/1.1", 404),
        ("GET //metrics HTTP/1.1", 404),
        ("POST /metrics HTTP/1.1", 405),
        ("HEAD /metrics HTTP/1.1", 405),
        ("GET /metrics", 400),
        ("GET  /metrics HTTP/1.1", 400),
        ("GET /metrics HTTP/2.0", 400),
        ("\x16\x03\x01", 400),
        ("GET /" + "x" * MAXIMUM_HEAD + " HTTP/1.1", 431),
    ],
)
async def test_another_request_is_refused(port: int, request_line: str, status: int) -> None:
    assert (await exchange(port, f"{request_line}\r\n\r\n")).startswith(f"HTTP/1.1 {status} ")


async def exchange(port: int, text: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode())
    answer = await reader.read()
    writer.close()
    return answer.decode()


async def test_connections_beyond_the_maximum_are_closed_and_the_address_serves_again(port: int) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MAXIMUM_CONNECTIONS)]
    assert await answered(port) == ""
    for _, writer in idle:
        writer.close()
        await writer.wait_closed()
    async with asyncio.timeout(5):
        while not await answered(port):
            await asyncio.sleep(0.01)


async def answered(port: int) -> str:
    with contextlib.suppress(ConnectionResetError):  # closed before the request was read
        return await exchange(port, "GET /metrics HTTP/1.1\r\n\r\n")
    return ""


async def test_without_an_address_nothing_is_shown() -> None:
    async with shown(Metrics(), None) as port:
        assert port is None


@pytest.mark.parametrize(
    ("text", "host", "port"), [("127.0.0.1:9100", "127.0.0.1", 9100), ("[::1]:9100", "::1", 9100), ("md:0", "md", 0)]
)
def test_an_address_is_read_and_written_alike(text: str, host: str, port: int) -> None:
    address = MetricsAddress.parse(text)
    assert (address.host, address.port, str(address)) == (host, port, text)
    assert address.later(2).port == port + 2


@pytest.mark.parametrize("text", ["", "9100", ":9100", "md:", "md:x", "md:-1", "md:65536", "::1:9100", "md:9١00"])
def test_an_invalid_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST:PORT|brackets"):
        MetricsAddress.parse(text)
