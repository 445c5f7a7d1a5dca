"""A Worker of `tests/` that answers one message."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page

ASK = """({ script, message }) => new Promise((resolve, reject) => {
  const worker = new Worker(script, { type: "module" });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.postMessage(message);
})"""


async def ask_worker(page: Page, script: str, message: Any) -> dict[str, Any]:
    """Its answer; a Worker that says `error` has failed."""
    answer: dict[str, Any] = await page.evaluate(ASK, {"script": f"/tests/browser/{script}", "message": message})
    assert "error" not in answer, answer
    return answer
