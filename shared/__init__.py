"""Values, pure functions and clients; the ledger lives here too."""
