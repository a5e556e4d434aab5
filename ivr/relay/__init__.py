"""The rule: what a consumer writes reaches the desk, what an agent writes reaches the consumer. Only writes rows."""
