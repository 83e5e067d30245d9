"""What the real client is made to do. Run in its own environment: no part of the tests' own may be imported here."""
