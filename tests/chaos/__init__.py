"""Chaos: real processes, killed at every bad moment, and the four numbers that must hold."""
