"""Answers on their way to the Key Distributor and back (call flow, 4.1.3 (2) and (9))."""

from __future__ import annotations

import asyncio

from perc.tunnel.messages import MessageTooLarge, SignAnswer, SignAnswerAck, SignAnswerReject
from perc.tunnel.origin import origin_of
from perc_server.media_distributor.answer import Answer
from perc_server.media_distributor.refusal import Code, Refusal
from perc_server.media_distributor.tunnel import Tunnel

_IDENTITY = "a=identity:"


class Signatures:
    """The answers that wait for a signature. They come back in any order, known by their `o=` lines."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._pending: dict[str, asyncio.Future[str]] = {}

    async def sign(self, tunnel: Tunnel, offer: str, answer: Answer) -> str:
        """The answer with the Key Distributor's `a=identity`, and otherwise as it was; `Refusal` in its place."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._pending[answer.origin] = future
        try:
            tunnel.send(SignAnswer(offer.encode(), answer.sdp.encode()))
            async with asyncio.timeout(self._timeout):
                signed = await future
        except MessageTooLarge as error:
            raise Refusal(Code.TOO_LARGE, "offer and answer do not fit the tunnel together") from error
        except TimeoutError:
            tunnel.forget(answer.origin)
            raise Refusal(Code.TIMEOUT, "the Key Distributor did not sign in time") from None
        finally:
            del self._pending[answer.origin]
        # What is applied here must be what the endpoint reads.
        lines = signed.split("\r\n")
        kept = [line for line in lines if not line.startswith(_IDENTITY)]
        if len(lines) != len(kept) + 1 or "\r\n".join(kept) != answer.sdp:
            raise Refusal(Code.REFUSED, "the Key Distributor returned another answer than the one it was given")
        return signed

    def acknowledged(self, message: SignAnswerAck) -> None:
        """A signed answer came."""
        future = self._pending.get(origin_of(message.answer))
        if future is not None and not future.done():
            future.set_result(message.answer.decode(errors="replace"))

    def rejected(self, message: SignAnswerReject) -> None:
        """An answer will not be signed."""
        self._fail(message.origin, Refusal(Code.REFUSED, message.reason))

    def abandon(self, refusal: Refusal) -> None:
        """Nobody will sign any more."""
        for origin in self._pending:
            self._fail(origin, refusal)

    def _fail(self, origin: str, refusal: Refusal) -> None:
        future = self._pending.get(origin)
        if future is not None and not future.done():
            future.set_exception(refusal)
