"""What an operator can see of a running server: log lines with codes, and counters as Prometheus text.

    Log ── codes, numbers, identifying(…) ──► formatter ──► standard error, text or JSON
    counts (plain integers) ◄── read at each scrape ── Metrics ──► MetricsListener, GET /metrics

Nothing here identifies a person unless `--log-identities` is given, and no metric has a name or an address as a label.
"""
