"""IS IT SET UP RIGHT: what `doctor` looks at, and what `numbers` lists and changes."""
