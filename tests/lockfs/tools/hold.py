"""Takes a lock as an app in Python does, says "ready", and gives it back when its standard input ends.

    hold.py TOOL    in the lock directory; status 3 where the lock cannot be had
"""
import sys

import filelock
import lockfile
import lockfile.linklockfile
import lockfile.mkdirlockfile
import lockfile.pidlockfile
import lockfile.symlinklockfile

SECONDS = 0.3  # How long to try.

LOCKS = {
    "lockfile": lambda: lockfile.LockFile("updates", timeout=SECONDS),
    "lockfile-link": lambda: lockfile.linklockfile.LinkLockFile("updates", timeout=SECONDS),
    "lockfile-mkdir": lambda: lockfile.mkdirlockfile.MkdirLockFile("updates", timeout=SECONDS),
    "lockfile-symlink": lambda: lockfile.symlinklockfile.SymlinkLockFile("updates", timeout=SECONDS),
    "lockfile-pid": lambda: lockfile.pidlockfile.PIDLockFile("updates.lock", timeout=SECONDS),
    "filelock": lambda: filelock.FileLock("updates.lock", timeout=SECONDS),
    "filelock-soft": lambda: filelock.SoftFileLock("updates.lock", timeout=SECONDS),
}

try:
    with LOCKS[sys.argv[1]]():
        print("ready", flush=True)
        sys.stdin.read()
except (lockfile.LockError, filelock.Timeout, PermissionError) as error:
    print(repr(error), file=sys.stderr)
    sys.exit(3)
