# Keeps the private Postgres: makes its cluster, runs it, and stops it when nobody claims it any more.
# src/db/local/server.rs starts this in the folder that holds everything, with
#   $1 the folder of the Postgres programs, $2 the folder of the socket, $3 "durable" or "fleeting",
#   input: the reading end of the FIFO `claims`; each process that uses the server holds a writing
#   end, so the input ends when the last of them is gone, however it went;
#   output: the lock, held as long as this shell lives; error output: the log.
bin=$1 run=$2 kind=$3
exec 3<&0 4>&1 </dev/null >&2
# Ctrl-C and a closed terminal are for the app. The server hears of them by the end of the claims.
trap '' HUP INT TERM

if [ "$kind" = durable ]; then
  sync='' flags='' stop=INT
else
  sync=--no-sync flags='-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=400'
  stop=QUIT
fi

# A cluster becomes `data` only when it is whole: a start that was cut short leaves nothing to trip over.
if [ ! -e data ]; then
  # Not every system knows C.UTF-8. Sorting is by code point in all three.
  for locale in C.UTF-8 en_US.UTF-8 C; do
    rm -rf data.new
    "$bin/initdb" -D data.new -U heartlist -A trust -E UTF8 --locale "$locale" --lc-collate C $sync \
      3<&- 4>&- && break
  done
  # createdb is not among the bundled programs; a server in single-user mode does the same.
  echo 'create database heartlist' | "$bin/postgres" --single -D data.new postgres 3<&- 4>&- &&
    mv data.new data || exit 1
fi

# shellcheck disable=SC2086  # flags are several words
"$bin/postgres" -D data -k "$run" -p 5432 -c listen_addresses= -c unix_socket_permissions=0700 \
  -c logging_collector=off $flags 3<&- 4>&- &
server=$!

(
  while read -r _; do :; done
  # From here nobody new can join. Who joined just before still keeps the server up: the second
  # reading waits for them, and ends at once when there are none.
  rm -f claims
  while read -r _; do :; done
  # One signal can be lost while the server starts, so it is repeated; after ten seconds less gently.
  # Normally the end of this is the KILL below. Alone, this shell must not wait for a zombie for ever.
  tries=0
  while [ "$tries" -lt 150 ] && kill -"$stop" "$server" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || stop=QUIT
    sleep 0.1
  done
) <&3 3<&- 4>&- &
watcher=$!
exec 3<&-

wait "$server"
ended=$?
kill -KILL "$watcher" 2>/dev/null
rm -f claims
# Only a short folder in /tmp can be empty now.
rmdir "$run" 2>/dev/null
exit "$ended"
