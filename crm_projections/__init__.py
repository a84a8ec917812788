"""The read side: folds streams, maps them, keeps the read model, tells the downstream systems."""
