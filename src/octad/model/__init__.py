"""What is stored or exchanged: plans, metrics, needs, inputs, findings, answers, verdicts."""
