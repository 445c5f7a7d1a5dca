"""The crypto provider: one Protocol, implemented by `cryptography` on CPython and by WebCrypto in a browser."""
