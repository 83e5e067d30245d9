"""What dropscore costs beside others that do the same, measured on this machine. Never imported by the app."""
