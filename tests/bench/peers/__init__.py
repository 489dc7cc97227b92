"""The same documents by other means. Each takes values that are ready: nothing is checked, nothing is derived."""
