# Runs a PostgreSQL server for as long as somebody holds the other end of the standard input. A process that is killed
# lets go of it, too. With the server goes its folder, unless the last word was "keep".
#
# $1: the folder with the programs; $2: the folder of the server; the rest: arguments for it.
set -u
programs=$1 folder=$2
shift 2

# Access: the socket is in a folder that only its owner and root may enter. Order of texts: not that of bytes, as in
# databases of users; a query that needs it has to say so. Messages: English, because readiness is read from the log.
initialise() {
    "$programs/initdb" -D "$folder/data" --username=guardhouse --auth=trust --no-sync --encoding=UTF8 \
        --locale=C.UTF-8 --lc-messages=C --locale-provider=icu --icu-locale=en-US >/dev/null
}

if ! [ -d "$folder/data" ] && ! initialise; then
    rm -rf "$folder"
    exit 1
fi

# The signal is for the case that this shell itself is killed.
setpriv --pdeathsig QUIT -- "$programs/postgres" -D "$folder/data" -k "$folder" "$@" &
server=$!
# Now only the server holds the log: its end is the end of the server.
exec 2>/dev/null

read -r word || word=remove
kill -QUIT "$server"
# A server that was paused does not hear the first signal before the second.
kill -CONT "$server"
wait "$server"
[ "$word" = keep ] || rm -rf "$folder"
