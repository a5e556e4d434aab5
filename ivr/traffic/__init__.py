"""What a call log says before the first offer, pure: read, count, judge, expect, and write the branches to paste."""
