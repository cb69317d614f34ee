"""The one place that talks to an engine: connect, check, roll up, gather."""
