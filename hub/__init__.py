from hub.connecting.old_paths import keep_old_paths

keep_old_paths()
