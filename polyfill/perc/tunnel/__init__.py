"""The tunnel between Media Distributor and Key Distributor (RFC 9185), with this project's sign_answer messages.

The ends work on the plaintext of a TLS connection that somebody else keeps: they open nothing and hold no key longer
than it takes to pass it on. The Media Distributor imports this room, so nothing of `perc.ekt` may come in here.
"""
