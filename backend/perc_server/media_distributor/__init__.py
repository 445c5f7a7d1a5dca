"""The Media Distributor: forwards what it cannot read (RFC 8871, Section 3.1).

Tunnel to Key Distributors, ICE-lite, SDP answers, hop-by-hop SRTP, forwarding by MID, RTCP. It holds hop-by-hop keys
and nothing else: the rooms of perc that know end-to-end keys or identities are closed to it, by import contract.
"""
