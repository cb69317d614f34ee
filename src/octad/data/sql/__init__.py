"""Everything up to the cells as queries, for engines from which no user's row should come over."""
