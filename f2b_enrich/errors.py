"""One base and one leaf for each thing a caller does differently.

    F2bEnrichError
    ├── ConfigError       every problem found, each with file and key
    ├── WireError         a request that cannot be read as an event
    ├── StoreError        the store refused or is not ours; permanent or not
    ├── SpoolError        the spool cannot be read or written; retryable or not
    ├── ProviderError     a source of facts gave none; retryable or not
    ├── GeoError          a local database could not be fetched, opened or placed
    ├── ReportError       a report cannot be put where it was asked for
    ├── AddressError      a mail address that must not or cannot be used
    └── DeliveryError     a mail server did not take a message; permanent or not

A message is one line: what, which, and the limit; no full stop.
"""

from __future__ import annotations


class F2bEnrichError(Exception):
    """Anything this program reports as one line instead of a traceback."""


class ConfigError(F2bEnrichError):
    """All problems of a configuration at once."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class WireError(F2bEnrichError):
    """A request that cannot be read as an event."""


class StoreError(F2bEnrichError):
    """The store refused, is locked, or is of another version.

    `permanent` says that it will never take this write, others it may.
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class SpoolError(F2bEnrichError):
    """The spool cannot be read or written; `retryable` says that it may be soon."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class ProviderError(F2bEnrichError):
    """A source of facts gave none this time."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


class GeoError(F2bEnrichError):
    """A local database could not be fetched, opened or put in place."""


class ReportError(F2bEnrichError):
    """A report cannot be put where it was asked for."""


class AddressError(F2bEnrichError):
    """A mail address that must not or cannot be used."""


class DeliveryError(F2bEnrichError):
    """A mail server did not take a message.

    `unreachable` says that no server came to look at it: the next message will fare
    no better.
    """

    def __init__(
        self, message: str, *, permanent: bool, unreachable: bool = False
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.unreachable = unreachable
