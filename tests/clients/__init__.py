"""Tests of ivr/clients."""
