"""Commands that set up and serve."""
