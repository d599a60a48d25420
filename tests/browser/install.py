"""Make sure that a Chromium is there for the browser tests (called by ``make test``).

The browser is the one thing that no wheel carries, so it comes from the system's packages. Where it cannot be had, the
browser tests are skipped with that reason, and this says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

PACKAGES = ("--no-install-recommends", "chromium", "fonts-dejavu-core")


def main() -> None:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found:
        print(f"Browser tests use {found}.")
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print("No Chromium, and none can be installed from here (needs root and apt-get): browser tests are skipped.")
        return
    print("Installing Chromium for the browser tests …", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", *PACKAGES]):
        done = subprocess.run(["apt-get", *arguments], env=quiet, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"Chromium could not be installed, browser tests are skipped: {done.stderr.strip()[-300:]}")
            return
    print(f"Browser tests use {shutil.which('chromium')}.")


if __name__ == "__main__":
    main()
