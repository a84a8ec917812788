"""Pure rules of the read side: how values compare and how texts fall into words."""
