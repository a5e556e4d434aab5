"""One row, one attempt, and what came of it. No database connection is held while the network is used."""
