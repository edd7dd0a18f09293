"""What can be cut, and what it costs."""
