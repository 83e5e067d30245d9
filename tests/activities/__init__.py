"""Activities against the real Azurite and the Azure ML emulator."""
