"""`python -m tf_unseen_pose`; see `cli.app`."""

import sys


def main() -> None:
    """Runs the command line, or names the package that it lacks."""
    try:
        from tf_unseen_pose.cli.app import main as run
    except ModuleNotFoundError as error:
        if str(error.name).startswith("tf_unseen_pose"):
            raise
        print(
            f"unseen-pose: The package '{error.name}' is not installed; install tf_unseen_pose with its dependencies, "
            "or use 'python -m tf_unseen_pose.on_device', which needs few.",
            file=sys.stderr,
        )
        sys.exit(2)
    run()


if __name__ == "__main__":
    main()
