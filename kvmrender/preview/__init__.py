"""A page for guests and templates that are being edited, served to a browser on the same machine."""
