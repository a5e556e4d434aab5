"""`make bench`: what the server costs, measured over real HTTP between real processes on this machine."""
