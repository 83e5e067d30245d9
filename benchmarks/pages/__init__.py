"""Tables and plots of what was measured, made of the kept JSON alone."""
