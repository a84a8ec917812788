"""What the read side needs from the outside: a read model and a broadcaster; what it offers: the query service."""
