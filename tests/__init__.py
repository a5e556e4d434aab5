"""The tests: the trips first, then each rule, then what the house itself must be."""
