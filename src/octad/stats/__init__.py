"""Statistics as plain functions: numpy in, frozen dataclasses out. Knows no launch, no engine."""
