"""One suite, every engine: the same product, the same review, the same numbers."""
