"""The error that ends `make run` with a message instead of a traceback."""


class QuickstartError(Exception):
    """A failure that the operator can fix; the message gives the cause and the remedy."""
