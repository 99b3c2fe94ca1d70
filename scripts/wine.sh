#!/usr/bin/env bash
# Runs a program for Windows in the current directory with wine, from the chroot that scripts/sid-build.sh
# keeps. The program sees this machine's /tmp and the repository below Z:\; it gets the variables of this
# machine, and %HOME% and %PATH% from WINEHOME and WINEPATH. Root.
#
#   scripts/wine.sh PROGRAM [ARGUMENT...]
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."
. scripts/common.sh

root=$(sid_chroot)
[ -L "$root/usr/bin/wine" ] || die "failed to run $1: wine is missing; make windows installs it"
# Wine's own words go nowhere, and it makes no windows.
export WINEPREFIX=/var/wine WINEDEBUG=-all DISPLAY='' XDG_RUNTIME_DIR=/tmp LANG=C.UTF-8
# shellcheck disable=SC2016
exec unshare --mount --propagation private bash -euo pipefail -c '
    root=$1 repository=$2 here=$3
    shift 3
    mkdir -p "$root$repository" "$root/var/wine"
    mount --rbind /tmp "$root/tmp"
    [[ $repository == /tmp/* ]] || mount --bind "$repository" "$root$repository"
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    exec chroot "$root" bash -euo pipefail -c "cd \"\$1\"; shift; exec wine \"\$@\"" - "$here" "$@"
' - "$root" "$PWD" "$here" "$@"
