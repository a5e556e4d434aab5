"""Tests of ivr/flow."""
