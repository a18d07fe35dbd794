"""read/published."""
