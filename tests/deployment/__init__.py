"""Deployment: the doctor, and pointing numbers, against a simulated account."""
