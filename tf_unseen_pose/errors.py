"""The one exception that users are meant to see."""


class UserError(Exception):
    """Something the user can put right.

    The message is one sentence that names the thing and the way out. The command line prints it without a
    traceback and exits with code 2; library callers may catch it.
    """
