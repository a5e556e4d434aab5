"""Who calls us: verify, write rows, answer."""
