"""Tests of ivr/web."""
