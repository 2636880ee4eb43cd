#!/bin/sh
# Makes the images in this folder anew: unshare -m ./make.sh as root. They are what changes.sh and devices.sh leave
# behind, for machines on which nothing can be mounted.
set -e
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/at" "$work/shown" "$work/source"

# A line for each file: kind, mode, length and digest of files or target of links, path.
list() {
    (
        cd "$1"
        find . -mindepth 1 -printf '%y %m %P\n' | while read -r kind mode path; do
            case $kind in
                f) echo "$kind $mode $(stat -c %s "$path") $(sha256sum <"$path" | cut -d ' ' -f 1) $path" ;;
                l) echo "$kind $(readlink "$path") $path" ;;
                *) echo "$kind $mode $path" ;;
            esac
        done | sort
    )
}

truncate -s 128M "$work/image"
mkfs.btrfs -q "$work/image"
IMAGE=$work/image AT=$work/at COPY=$work/copy SHOWN=$work/shown OPTIONS='' sh "$here/changes.sh"
last=$(find "$work/shown" -mindepth 1 -maxdepth 1 | wc -l)
zstd -q -f -19 --long "$work/copy.$last" -o "$here/log.zst"
list "$work/shown/$last" >"$here/log.expected"

cd "$work/source"
mkdir -p folder/inner
seq 100000 >numbers
seq 7 >folder/few
seq 30000 60000 >folder/inner/some
ln -s folder/few link
list . >"$here/devices.expected"
for profile in raid0 raid1; do
    rm -f "$work/1" "$work/2"
    truncate -s 128M "$work/1" "$work/2"
    ARGUMENTS="-d $profile -m raid1" IMAGES="$work/1 $work/2" SOURCE=. AT=$work/at sh "$here/devices.sh"
    for device in 1 2; do
        zstd -q -f -19 --long "$work/$device" -o "$here/$profile-$device.zst"
    done
done
