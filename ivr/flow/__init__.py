"""What we say: pure, no Flask, no database, no network."""
