"""The write side: takes in events, keeps them in the log, folds records."""
