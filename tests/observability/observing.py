"""What an operator has: the lines of a process's log, and the values of its metrics."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from perc_server.observability.formats import OWN
from perc_server.observability.logs import LogOptions, set_up_logging
from perc_server.observability.metrics import Metrics


@contextlib.contextmanager
def captured(options: LogOptions) -> Iterator[io.StringIO]:
    """The lines that a process with these options would write; afterwards logging is as it was."""
    root, own = logging.getLogger(), logging.getLogger(OWN)
    before = root.handlers[:], root.level, own.level
    stream = io.StringIO()
    set_up_logging(options, stream)
    try:
        yield stream
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        own.setLevel(before[2])


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """One sample, as a scraper reads it."""
    [found] = [
        sample.value
        for family in text_string_to_metric_families(metrics.exposition()[0].decode())
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    ]
    return found


def labels_of(metrics: Metrics, name: str) -> set[str]:
    """The values that a metric's label has."""
    return {
        label
        for family in text_string_to_metric_families(metrics.exposition()[0].decode())
        for sample in family.samples
        if sample.name == name
        for label in sample.labels.values()
    }
