"""Microsoft's own client against the emulator: what it sends is taken, what it reads must be there."""
