"""The exception that users see."""

import re


class UserError(Exception):
    """An error that the user can fix.

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
    """Another process of a training on several machines stopped; a restart resumes from the last checkpoint."""


def wrapped_user_error(error: Exception) -> UserError | None:
    """The `UserError` that an input pipeline raised and TensorFlow wrapped; None for other errors."""
    sentence = re.search(r"UserError: (.+)", str(error))
    return UserError(sentence[1].strip()) if sentence else None
