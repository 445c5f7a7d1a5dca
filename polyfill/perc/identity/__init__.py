"""Identity of WebRTC peers inside a conference (RFC 8827; W3C webrtc-identity), short of asking identity providers.

What stands in an SDP, what an assertion must say, and whether a verdict fits: loading and asking identity providers is
the page's work, deciding is done here.
"""
