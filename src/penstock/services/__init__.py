"""What all services share: listening, the limits of a connection, how they stop."""
