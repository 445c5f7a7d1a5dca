"""AES Key Wrap with Padding (RFC 5649) from single AES blocks, for platforms that only have those.

The block operation is an argument, so that the key can stay where it cannot be read.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from perc.errors import ApiMisuse, AuthenticationFailed

AesBlock = Callable[[bytes], Awaitable[bytes]]

_SEMIBLOCK = 8
_ROUNDS = 6
_ALTERNATIVE_INITIAL_VALUE = bytes.fromhex("a65959a6")
# RFC 5649 allows 2^32 octets; what is wrapped here is a key of some dozens.
_MAXIMUM_PLAINTEXT = 4096


async def wrap_with_padding(encrypt_block: AesBlock, plaintext: bytes) -> bytes:
    """8·⌈M/8⌉ + 8 octets that only the key's holders can have made; `ApiMisuse` for an empty or oversize plaintext."""
    if not 0 < len(plaintext) <= _MAXIMUM_PLAINTEXT:
        raise ApiMisuse(f"{len(plaintext)} octets to wrap")
    register = _ALTERNATIVE_INITIAL_VALUE + len(plaintext).to_bytes(4, "big")
    padded = plaintext + bytes(-len(plaintext) % _SEMIBLOCK)
    if len(padded) == _SEMIBLOCK:
        # "If the padded plaintext contains exactly eight octets, then prepend the AIV ... and encrypt the resulting
        # 128-bit block" (Section 4.1).
        return await encrypt_block(register + padded)
    blocks = _semiblocks(padded)
    for step in range(1, _ROUNDS * len(blocks) + 1):
        index = (step - 1) % len(blocks)
        block = await encrypt_block(register + blocks[index])
        register, blocks[index] = _add_step(block[:_SEMIBLOCK], step), block[_SEMIBLOCK:]
    return register + b"".join(blocks)


async def unwrap_with_padding(decrypt_block: AesBlock, ciphertext: bytes) -> bytes:
    """What was wrapped; `AuthenticationFailed` for anything that `wrap_with_padding` did not make."""
    if len(ciphertext) % _SEMIBLOCK or not 2 * _SEMIBLOCK <= len(ciphertext) <= _MAXIMUM_PLAINTEXT + _SEMIBLOCK:
        raise AuthenticationFailed(f"a wrapped key of {len(ciphertext)} octets")
    register, blocks = ciphertext[:_SEMIBLOCK], _semiblocks(ciphertext[_SEMIBLOCK:])
    if len(blocks) == 1:
        block = await decrypt_block(ciphertext)
        return _remove_padding(block[:_SEMIBLOCK], block[_SEMIBLOCK:])
    for step in range(_ROUNDS * len(blocks), 0, -1):
        index = (step - 1) % len(blocks)
        block = await decrypt_block(_add_step(register, step) + blocks[index])
        register, blocks[index] = block[:_SEMIBLOCK], block[_SEMIBLOCK:]
    return _remove_padding(register, b"".join(blocks))


def _remove_padding(register: bytes, padded: bytes) -> bytes:
    length = int.from_bytes(register[4:], "big")
    fits = len(padded) - _SEMIBLOCK < length <= len(padded)
    genuine = hmac.compare_digest(register[:4], _ALTERNATIVE_INITIAL_VALUE)
    # One error for every cause: which of the three checks of Section 3 failed is nobody's business.
    if not (fits and genuine) or any(padded[length:]):
        raise AuthenticationFailed("the wrapped key does not authenticate")
    return padded[:length]


def _semiblocks(data: bytes) -> list[bytes]:
    return [data[start : start + _SEMIBLOCK] for start in range(0, len(data), _SEMIBLOCK)]


def _add_step(register: bytes, step: int) -> bytes:
    return (int.from_bytes(register, "big") ^ step).to_bytes(_SEMIBLOCK, "big")
