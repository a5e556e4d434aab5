"""The brand's app: directory, push, line type."""
