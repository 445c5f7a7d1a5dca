"""A conference of fifty on the Key Distributor's machine, in memory: memory, joining at once, rekeying.

Only the Key Distributor's own time counts, as the CPU spends it; what the schedule makes people wait is the clock's.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from typing import Any

from perc.key_distributor.distributor import KeyDistributor
from perc.key_distributor.ekt_keys import EKT_TTL
from perc.key_distributor.rekey import JOIN_INTERVAL, RekeyPolicy
from tests.bench.report import Measurement
from tests.key_distributor.site import Endpoint, Site

ENDPOINTS = 50
# Frames deep enough to reach this project's from the standard library's (dataclasses, deque, hmac).
FRAMES = 12


class Stopwatch:
    """Adds up the CPU time that awaiting a Key Distributor's coroutines takes."""

    def __init__(self) -> None:
        self.seconds = 0.0

    async def time(self, coroutine: Any) -> Any:
        started = time.process_time()
        try:
            return await coroutine
        finally:
            self.seconds += time.process_time() - started


class TimedKeyDistributor:
    """A Key Distributor whose coroutines a stopwatch times."""

    def __init__(self, kd: KeyDistributor, stopwatch: Stopwatch) -> None:
        self._kd = kd
        self._stopwatch = stopwatch

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._kd, name)
        if name not in {"receive_data", "handle_timeout", "validated", "asserted"}:
            return attribute
        return lambda *arguments: self._stopwatch.time(attribute(*arguments))


def _join(site: Site, endpoints: list[Endpoint]) -> None:
    """All at once: each step for everyone before the next."""
    for number, endpoint in enumerate(endpoints):
        site.admit(endpoint, f"member-{number}@idp-a.localhost")
    for endpoint in endpoints:
        site.endpoints[endpoint.id] = endpoint
        endpoint.dtls.start_as_client()
    site.settle()
    for endpoint in endpoints:
        endpoint.sctp.start()
    site.settle()


def _acknowledge(site: Site, endpoints: list[Endpoint]) -> None:
    for endpoint in endpoints:
        endpoint.acknowledge()
    site.settle()


def _expect_one_key(endpoints: list[Endpoint]) -> None:
    if len({endpoint.keys[-1].spi for endpoint in endpoints}) != 1:
        raise RuntimeError("not everybody has the same EKTKey")


def _announce(site: Site, endpoints: list[Endpoint]) -> float:
    """Two announcements in a row, so that the second has to wait for its roster; how long, by the clock."""
    started = site.now
    for ssrc, endpoint in enumerate(endpoints[:2], start=1):
        endpoint.announce(ssrc)
        site.settle()
    while any(sum(len(member.sources) for member in endpoint.roster.members) < 2 for endpoint in endpoints):
        site.wait(0.01)
    return site.now - started


def measure_time() -> list[Measurement]:
    """Fifty joins at once, a rekey of fifty, and a roster for fifty."""
    site, stopwatch = Site(RekeyPolicy.ON_MEMBERSHIP), Stopwatch()
    site.kd = TimedKeyDistributor(site.kd, stopwatch)  # type: ignore[assignment]
    endpoints = [Endpoint() for _ in range(ENDPOINTS)]
    started = site.now
    _join(site, endpoints)
    site.wait(JOIN_INTERVAL)
    _expect_one_key(endpoints)
    _acknowledge(site, endpoints)
    joining, waiting = stopwatch.seconds, site.now - started
    stopwatch.seconds = 0.0
    before = endpoints[0].keys[-1].spi
    site.wait(EKT_TTL / 2)
    _expect_one_key(endpoints)
    if endpoints[0].keys[-1].spi == before:
        raise RuntimeError("there was no rekey")
    _acknowledge(site, endpoints)
    rekeying, stopwatch.seconds = stopwatch.seconds, 0.0
    waiting_for_roster = _announce(site, endpoints)
    return [
        Measurement(f"{ENDPOINTS} joins at once, until all are keyed", joining + waiting, "s", "≤ 2"),
        Measurement("of that, the Key Distributor's own time", joining, "s"),
        Measurement(f"rekey of {ENDPOINTS} endpoints, all acknowledged", rekeying * 1000, "ms", "≤ 500"),
        Measurement(
            f"a source announced, until the roster of all {ENDPOINTS} has it",
            (stopwatch.seconds + waiting_for_roster) * 1000,
            "ms",
            "≤ 500",
        ),
    ]


def measure_memory() -> list[Measurement]:
    """Python's memory only: OpenSSL's objects, two AES-GCM contexts an association, are some kilobytes more."""
    site = Site(RekeyPolicy.ON_MEMBERSHIP)
    endpoints = [Endpoint() for _ in range(ENDPOINTS)]
    _join(site, [Endpoint()])  # what is made once is made now
    ours = tracemalloc.Filter(True, "*/polyfill/perc/*", all_frames=True)
    tracemalloc.start(FRAMES)
    try:
        _join(site, endpoints)
        site.wait(JOIN_INTERVAL)
        _acknowledge(site, endpoints)
        site.wait(1)
        site.events.clear()
        site.told.clear()
        gc.collect()
        traces = tracemalloc.take_snapshot().filter_traces([ours]).statistics("filename")
    finally:
        tracemalloc.stop()
    kibibytes = sum(trace.size for trace in traces) / 1024 / ENDPOINTS
    return [Measurement("Key Distributor's memory for each endpoint", kibibytes, "KiB", "≤ 64")]
