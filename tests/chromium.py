"""The Chromium that tests and benches start: PERC_CHROMIUM, else an installed one, else Playwright's own.

Where it is installed, Chromium's headless shell is preferred, as Playwright does with its own: the same engine without
a browser around it takes half the processor time. What needs the whole browser (tabs, a profile on disk, a measurement
of what people have) asks for it.
"""

from __future__ import annotations

import os
import shutil
from typing import Any

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    # Chromium's own sandbox does not start as root, which a container usually is.
    *(("--no-sandbox",) if os.geteuid() == 0 else ()),
)

_SHELLS = ("chromium-headless-shell",)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def launch_options(*extra_flags: str, is_whole: bool = False) -> dict[str, Any]:
    """Arguments for Playwright's `launch`; `is_whole` for a browser that has tabs and profiles."""
    args = [*FLAGS, *extra_flags]
    names = _BROWSERS if is_whole else (*_SHELLS, *_BROWSERS)
    path = os.environ.get("PERC_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is not None:
        return {"executable_path": path, "args": args}
    return {"channel": "chromium", "args": args} if is_whole else {"args": args}
