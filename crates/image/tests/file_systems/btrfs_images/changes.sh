#!/bin/sh
# Changes a mounted btrfs and synchronises single files and folders, so that they are in its log tree and not yet in a
# commit. After every step the image is copied as it is, which is what a snapshot of a running machine has; then Linux
# shows what it makes of each copy.
#
# Needs root and a mount namespace of its own (unshare -m). IMAGE is a file with an empty btrfs, AT a folder to mount it
# at, COPY what the copies are called before their numbers, SHOWN a folder for what Linux shows of them, OPTIONS are
# further options for mount. Ends with 77 when mounting is not possible here.
set -e
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C.UTF-8

mount -o "loop,commit=300$OPTIONS" "$IMAGE" "$AT" || exit 77

number=0
step() {
    number=$((number + 1))
    cp --sparse=always "$IMAGE" "$COPY.$number"
}

# Every kilobyte is another one, and still they pack well.
noise() { # seed, bytes
    awk -v "seed=$1" -v "bytes=$2" 'BEGIN { for (at = 0; at < bytes; at += 1024) printf "%-1023s\n", seed " " at }' |
        head -c "$2"
}

text() { # seed, lines
    seq "$1" $(($1 + $2))
}

# What the last commit has.
cd "$AT"
mkdir -p base many links/one links/two moved/inner gone deep/er/still
for file in overwritten cut regrown punched replaced; do noise $file 600000 >base/$file; done
text 1 60000 >base/packed
for file in renamed removed linked a b tail again mode; do echo $file >base/$file; done
truncate -s 1M base/holes
for file in $(seq 300); do echo $file >many/$file; done
for file in $(seq 60); do ln base/linked "links/one/$(printf '%0180d' "$file")"; done
ln base/linked links/two/name
echo inner >moved/inner/file
echo deep >deep/er/still/file
btrfs -q subvolume create sub
mkdir sub/folder
echo one >sub/folder/one
sync -f .

# Bytes of files.
dd if=/dev/zero of=base/overwritten bs=1000 seek=300 count=50 conv=notrunc status=none
noise more 70000 >>base/overwritten
sync base/overwritten
step
truncate -s 100000 base/cut
sync base/cut
truncate -s 5000 base/regrown
sync base/regrown
noise regrown 9000 | dd of=base/regrown bs=1000 seek=500 conv=notrunc status=none
sync base/regrown
step
fallocate -p -o 100000 -l 200000 base/punched
fallocate -l 400000 base/prepared
echo middle | dd of=base/prepared bs=1 seek=200000 conv=notrunc status=none
sync base/punched base/prepared
noise holes 5000 | dd of=base/holes bs=1000 seek=400 conv=notrunc status=none
sync base/holes
step
text 7 3000 | dd of=base/packed bs=1000 seek=50 conv=notrunc status=none
echo tail >>base/tail
sync base/packed base/tail
: >base/mode
chmod 4711 base/mode
touch -d '2001-02-03 04:05:06' base/mode
sync base/mode
step

# New names.
echo new >base/new
sync base/new
mkdir -p fresh/one/two
echo fresh >fresh/one/two/file
echo beside >fresh/one/beside
sync fresh/one/two/file
step
ln -s ../base/new fresh/link
mkfifo fresh/pipe
sync fresh
noise large 2000000 >base/large
sync base/large
step
ln base/linked base/linked-2
sync base/linked-2
echo one >sub/folder/two
sync sub/folder/two
step

# As package managers do it: written, synchronised, renamed over the old one.
noise new-one 300000 >base/replaced.new
sync base/replaced.new
step
mv base/replaced.new base/replaced
step
sync base/replaced
step

# Names that are gone, or lead elsewhere.
mv base/renamed base/renamed-2
sync base/renamed-2
step
mv base/a base/swap
mv base/b base/a
mv base/swap base/b
sync base/a base/b
step
rm base/removed
sync base
step
rm many/1*
for file in 1 10 400 401; do echo new $file >many/$file; done
sync many
step
rm "links/one/$(printf '%0180d' 7)" links/two/name
ln base/linked "links/two/$(printf '%0180d' 7)"
sync base/linked
step
rm base/again
echo again and again >base/again
sync base/again
mv moved/inner fresh/inner
sync fresh/inner
step
rmdir gone
echo no folder >gone
sync gone
rm -r deep/er
mkdir deep/er
echo other >deep/er/file
sync deep/er/file deep
step
rm sub/folder/one
sync sub/folder
step
cd /
umount "$AT"

for copy in $(seq $number); do
    cp --sparse=always "$COPY.$copy" "$COPY.kernel"
    mount -o loop "$COPY.kernel" "$AT"
    mkdir "$SHOWN/$copy"
    cp -a "$AT/." "$SHOWN/$copy/"
    umount "$AT"
done
rm "$COPY.kernel"
