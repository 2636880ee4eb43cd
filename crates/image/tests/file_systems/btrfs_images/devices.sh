#!/bin/sh
# Makes a btrfs over several devices, and fills it with what lies in a folder.
#
# Needs root and a mount namespace of its own (unshare -m). IMAGES are the devices, files of zeros, separated by spaces;
# ARGUMENTS are for mkfs.btrfs, SOURCE is the folder, AT a folder to mount at. Ends with 77 when mounting is not possible
# here.
set -e
PATH=$PATH:/usr/sbin:/sbin

# shellcheck disable=SC2086 # They are lists.
mkfs.btrfs -q $ARGUMENTS $IMAGES >&2

loops=
trap 'umount "$AT" 2>/dev/null || true; for loop in $loops; do losetup -d "$loop"; btrfs -q device scan --forget "$loop" 2>/dev/null || true; done' EXIT
options=
for image in $IMAGES; do
    loop=$(losetup -f --show "$image") || exit 77
    loops="$loops $loop"
    options="$options,device=$loop"
done
mount -t btrfs -o "rw$options" "${loops##* }" "$AT" || exit 77
cp -a "$SOURCE/." "$AT/"
umount "$AT"
