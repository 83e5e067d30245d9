"""What can go wrong, split by what the caller does about it.

DropscoreError
├── SettingsError    the app's settings are not usable: nothing starts
├── NotTheOwner      another app works on this ledger: nothing starts
├── RouteError       routes.toml is not usable: the last good one stays in force
│   └── NoSuchRoute  it names no such route
├── FileRejected     the file is at fault: it goes to `rejected` with the reason
├── StageFailed      our side or the model is at fault: the run fails, the input is kept
├── Unsettled        what must be known first cannot be asked at present: the run is taken up again later
└── Fenced           a newer launch of the same run has taken over: stop and do nothing more
"""


class DropscoreError(Exception):
    """Base of every error the app raises on purpose."""


class SettingsError(DropscoreError):
    """One or more settings are missing or malformed; the message lists them all by key."""


class NotTheOwner(DropscoreError):
    """Another task hub works on the ledger; the message names both and says what to do."""


class RouteError(DropscoreError):
    """The routes file cannot be used; the message lists every problem by route and key."""


class NoSuchRoute(RouteError):
    """There is no route of that name; the message lists those there are."""


class FileRejected(DropscoreError):
    """The file cannot be scored as it is; the message says where and what to do, never a row's values."""


class StageFailed(DropscoreError):
    """A stage cannot be completed and trying again would not help."""


class Unsettled(DropscoreError):
    """The run cannot go on before something is known that nobody answers at present."""


class Fenced(DropscoreError):
    """This launch of the run was superseded by a later one."""
