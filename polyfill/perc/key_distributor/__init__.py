"""The Key Distributor (RFC 8871, Section 3.2.2): the only party that gives out keys, and only to whom it knows.

    tunnel ── connection ──┬── sign_answer ─▶ signing ── admissions     who may come: validated offers
                           │                                 │
                           └── tunneled_dtls ─▶ association ─┘          who has come: DTLS, SCTP, key channel
                                                    │
                                                conference              who holds which key: roster, EKTKeys

`distributor` ties them together. Nothing here waits for an identity provider: requests go out as events, verdicts come
in as calls. Nothing here knows a socket, a clock or a page.
"""
