"""The local stack: runs the app, its storage and its Azure ML counterpart on one machine."""
