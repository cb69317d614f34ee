"""The KPI and the eight readings: each says what it needs, then reads what it got."""
