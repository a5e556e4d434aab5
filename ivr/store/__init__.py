"""What we remember: the rows, the only truth there is."""
