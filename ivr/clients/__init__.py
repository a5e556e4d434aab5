"""Whom we call: the only code that uses the network."""
