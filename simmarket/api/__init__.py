"""The HTTP server and the providers' APIs over a world."""
