"""Plan, seal, review, decide, reflect."""
