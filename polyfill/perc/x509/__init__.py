"""X.509 certificates (RFC 5280): strict DER, fingerprints, self-signed certificates and server path validation.

Refuses what it cannot honour rather than to ignore it: unknown critical extensions and constraints, SHA-1, small
RSA keys, everything that is not DER.
"""
