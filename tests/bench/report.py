"""What a bench found: a table on stdout, and JSON for whoever compares two runs."""

from __future__ import annotations

import argparse
import json
import operator
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_COMPARISONS = {"≤": operator.le, "≥": operator.ge}


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number; `target` is "≤ number" or "≥ number", or nothing where it only informs."""

    name: str
    value: float
    unit: str
    target: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the value keeps to its target; None without one."""
        if not self.target:
            return None
        comparison, bound = self.target.split()
        return bool(_COMPARISONS[comparison](self.value, float(bound)))


def publish(measurements: Sequence[Measurement], arguments: Sequence[str]) -> None:
    """Print the table; with `--json FILE` among the arguments, write the file too."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path, metavar="FILE")
    file: Path | None = parser.parse_args(arguments).json
    print(table(measurements))
    if file is not None:
        rows = [{**asdict(each), "met": each.is_met} for each in measurements]
        document = {"python": platform.python_version(), "machine": platform.machine(), "measurements": rows}
        file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def table(measurements: Sequence[Measurement]) -> str:
    """A line a measurement, in columns."""
    verdicts = {True: "met", False: "MISSED", None: ""}
    rows = [("measurement", "value", "unit", "target", "")]
    rows += [(each.name, f"{each.value:,.2f}", each.unit, each.target, verdicts[each.is_met]) for each in measurements]
    name, value, unit, target, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
    return "\n".join(
        f"{row[0]:<{name}}  {row[1]:>{value}} {row[2]:<{unit}}  {row[3]:<{target}}  {row[4]}".rstrip() for row in rows
    )
