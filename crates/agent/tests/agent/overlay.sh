# An overlay over this machine, in which a script runs: $PLACE/script.sh. Everything that is written goes to memory, but
# for what is written to $PLACE.
mount --make-rprivate /
memory=/run
mount -t tmpfs tmpfs "$memory"
mkdir "$memory/upper" "$memory/work" "$memory/root"
mount -t overlay overlay -o "lowerdir=${GUARDHOUSE_TEST_ROOT:-/},upperdir=$memory/upper,workdir=$memory/work" "$memory/root"
cd "$memory/root"
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs srv
mkdir -p "./$PLACE"
mount --bind "$PLACE" "./$PLACE"
# The folder of the agent may be on a file system of its own, which the overlay does not show.
install -m 755 "$AGENT" srv/agent
cat >srv/prelude.sh <<'END'
set -eu
cd /srv
# Begins the run of that name and waits for its end.
run() { /srv/agent runner --run-dir "$PLACE/$1"; }
END
exec chroot . /bin/sh -c '. /srv/prelude.sh; . "$PLACE/script.sh"'
