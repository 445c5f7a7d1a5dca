"""SCTP under a browser's data channel (RFC 9260, RFC 8261): the responder that a Key Distributor needs, no more.

This file imports nothing, as in every room of the staircase.
"""
