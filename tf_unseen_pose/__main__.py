"""`python -m tf_unseen_pose`; see `cli`."""

from tf_unseen_pose.cli import main

main()
