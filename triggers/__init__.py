"""What starts things. Triggers look, note and return; they never wait."""
