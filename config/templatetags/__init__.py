"""What the console's templates say things with."""
