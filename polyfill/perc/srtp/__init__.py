"""SRTP for PERC: profiles, key derivation, the inner and outer layers of double (RFC 3711, RFC 7714, RFC 8723).

This file imports nothing: the Media Distributor uses rooms of this package and must not meet `inner` or `double`.
"""
