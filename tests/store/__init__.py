"""Tests of ivr/store."""
