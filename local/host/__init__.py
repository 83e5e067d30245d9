"""A local Azure Functions host: runs a v2-model Python app and its Durable orchestrations in one process."""
