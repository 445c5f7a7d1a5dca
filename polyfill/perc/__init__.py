"""PERC in Python: the Key Distributor and the protocols it speaks.

A staircase of rooms, each importing only those below it; no I/O, no clock, no randomness of its own:

    wire → crypto → x509 → tls → srtp → ekt → dtls → sctp → tunnel → identity → key_distributor → runtime

Runs on CPython 3.11 and later with `cryptography`, and in a browser under Pyodide on WebCrypto.
"""
