"""Encrypted Key Transport (RFC 8870): EKTKeys, their cipher, the key channel, sender and receiver state.

This file imports nothing, as in every room of the staircase.
"""
