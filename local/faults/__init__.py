"""What goes wrong on purpose: plans of faults, for the Azure ML emulator and for a proxy before the storage."""
