"""Notes on the step's meter that a provider has answered: a step is given up after a
silence, not after a duration.
"""

from discovery.clients.usage import CurrentMeter
from discovery.providers.errors import ProviderError, Unreachable
from discovery.providers.http import Observer


class AnswersNoted(Observer):
    """An Observer that notes answers for the current step and tells another observer."""

    def __init__(self, observer: Observer, meter: CurrentMeter) -> None:
        self._observer = observer
        self._meter = meter

    def request_succeeded(self, provider: str) -> None:
        """A response arrived."""
        self._meter.note_answer()
        self._observer.request_succeeded(provider)

    def request_failed(self, provider: str, error: ProviderError) -> None:
        """The request ended with that error. One that nobody answered is silence."""
        if not isinstance(error, Unreachable):
            self._meter.note_answer()
        self._observer.request_failed(provider, error)

    def circuit_opened(self, provider: str, seconds: float) -> None:
        """The provider's circuit opened for that many seconds."""
        self._observer.circuit_opened(provider, seconds)

    def circuit_closed(self, provider: str) -> None:
        """The provider's circuit closed."""
        self._observer.circuit_closed(provider)
