"""The whole stack: Azurite, the Azure ML emulator, the Functions host and the app."""
