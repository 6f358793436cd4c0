from tf_unseen_pose.cli import main

main()
