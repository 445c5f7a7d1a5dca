"""The identity provider: accounts, sign-in, consent, signed identity assertions and the IdP proxy that checks them.

The server half of WebRTC identity (RFC 8827; W3C webrtc-identity). It knows users and web origins; it knows nothing of
conferences, and treats the contents that it signs as an opaque string.

    person ── /register, /login ──► account ── /account ──► passkeys, password, consents, ways out
    page ── frame of this origin ── POST /sign ──► assertions      the frame attests who asks (event.origin)
    popup ── GET /login ──► sign-in, consent ──► one-time code ──► frame ── POST /session ──► cookie of that site alone
"""
