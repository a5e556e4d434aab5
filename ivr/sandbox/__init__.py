"""A town to test in: a simulation of Twilio and its phones, never part of the server."""
