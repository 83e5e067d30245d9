"""What a user would take instead, each for real: the same steps over the same storage and the same emulator.

Nothing of the app is imported: each runs in an environment of its own, `python -m benchmarks.peers.script` and so on.
Names come on standard input, one a line; for each, a line of JSON says when it came to which step.
"""
