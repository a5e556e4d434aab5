"""Tests of ivr/sandbox."""
