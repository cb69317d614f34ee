"""Words: tokens (English, Chinese), contrasts, bursts, redaction. Knows no launch."""
