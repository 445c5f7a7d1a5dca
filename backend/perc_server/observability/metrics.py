"""Metrics of one server instance: plain integers elsewhere, read when they are asked for.

Each instance has a registry of its own; the library's global one is not used, so that several servers can run in one
process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

L = TypeVar("L", bound=str | int)


class Metrics(Collector):
    """The metric families of one server, in the order in which they were added."""

    def __init__(self) -> None:
        self._families: list[Callable[[], Metric]] = []
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Read every family (see `Collector`)."""
        return (family() for family in self._families)

    def total(self, name: str, documentation: str, read: Callable[[], int]) -> None:
        """Add a counter; its name ends in `_total`."""
        self._families.append(lambda: CounterMetricFamily(name, documentation, value=read()))

    def gauge(self, name: str, documentation: str, read: Callable[[], int]) -> None:
        """Add a value that also falls."""
        self._families.append(lambda: GaugeMetricFamily(name, documentation, value=read()))

    def gauges(self, name: str, documentation: str, label: str, reads: Mapping[str, Callable[[], int]]) -> None:
        """Add values that also fall, with one label."""

        def family() -> Metric:
            metric = GaugeMetricFamily(name, documentation, labels=(label,))
            for value, read in reads.items():
                metric.add_metric([value], read())
            return metric

        self._families.append(family)

    def totals(
        self, name: str, documentation: str, label: str, counts: Mapping[L, int], values: Iterable[L] | None = None
    ) -> None:
        """Add a counter with one label. With `values`, each of them is shown from the start, at zero."""
        known = None if values is None else tuple(values)

        def family() -> Metric:
            metric = CounterMetricFamily(name, documentation, labels=(label,))
            for value in sorted(counts) if known is None else known:
                metric.add_metric([str(value)], counts.get(value, 0))
            return metric

        self._families.append(family)

    def exposition(self) -> tuple[bytes, str]:
        """Return all metrics in Prometheus's text format 0.0.4, and its content type."""
        encode, content_type = choose_encoder("")
        return encode(self._registry), content_type
