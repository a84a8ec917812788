"""Commands of the read side: rebuild and replay."""
