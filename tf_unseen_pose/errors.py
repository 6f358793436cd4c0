"""The one exception that users are meant to see."""

import re


class UserError(Exception):
    """Something the user can put right.

    The message is one sentence that names the thing and the way out. The command line prints it without a
    traceback and exits with code 2; library callers may catch it.

    Example:
        >>> from tf_unseen_pose import UserError, load_config
        >>> try:
        ...     load_config("tinny")
        ... except UserError as error:
        ...     print(error)
        There is no preset or file 'tinny'; presets are ...tiny...
    """


class WorkerLost(UserError):
    """Another process of a training on several machines has gone; beginning again goes on from the last checkpoint."""


def wrapped_user_error(error: Exception) -> UserError | None:
    """The `UserError` that was raised in an input pipeline and arrives in TensorFlow's words; None for other errors."""
    sentence = re.search(r"UserError: (.+)", str(error))
    return UserError(sentence[1].strip()) if sentence else None
