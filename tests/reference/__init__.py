"""Our numbers beside somebody else's: published ones, or another package run on the same input."""
