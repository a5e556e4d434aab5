"""The IVR deflection server: a caller who would wait on hold goes on by text instead."""
