"""TLS 1.3 (RFC 8446): the Key Distributor's end of the tunnel, a client with a client certificate.

One suite, TLS_AES_128_GCM_SHA256; x25519, secp256r1 and secp384r1. It refuses to do: earlier versions, pre-shared keys,
resumption, early data, compression of anything, post-handshake authentication.
"""
