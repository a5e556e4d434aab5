"""Every command: thin, each calls one room. Results go to stdout, everything else to stderr."""
