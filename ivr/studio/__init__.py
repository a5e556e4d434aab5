"""Twilio Studio, both ways and on one machine: its definitions read, judged and written. Pure."""
