"""The whole pipeline in one process, on a virtual clock, with every call to the outside a place to break it."""
