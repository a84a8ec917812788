"""What the write side does: takes deliveries in, brings them into the log, keeps failures and runs."""
