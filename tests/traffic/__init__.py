"""What a call log says: read, counted, judged."""
