"""Call processing, RFC 8871's name for the HTTP server: rooms, offers, events, the bridge to the tunnel, the page.

It never sees a key. Of the tunnel it sees ciphertext, of offers and answers what SDP says, of identities what their
assertions say without being able to change it.
"""
