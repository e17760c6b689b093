# Supervisor of the server: creates the cluster, runs the server, and stops it after the last claim.
# src/process.rs starts it in the data folder, with
#   $1  folder of the PostgreSQL programs
#   $2  folder of the socket
#   $3  "durable" or "volatile"
#   $4  name of the database and of its role
#   $5  "root", if root started it and the server runs as another OS user; else empty
#   input         reading end of the FIFO `claims`. Each process that uses the server has a writing end, so the
#                 input ends when the last of them closes it or dies.
#   output        the lock, held until this shell ends
#   error output  the log
bin=$1 socket_dir=$2 durability=$3 database=$4 admitted=$5
exec 3<&0 4>&1 </dev/null >&2
# Ctrl-C and a closed terminal are for the program. The server stops when the claims are closed.
trap '' HUP INT TERM

if [ "$durability" = durable ]; then
  initdb_flags='' flags='' signal=INT
else
  initdb_flags=--no-sync signal=QUIT
  flags='-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=400'
fi

# The cluster is renamed to `data` when it is complete, so that an interrupted start leaves nothing half-made.
if [ ! -e data ]; then
  # Some systems do not have C.UTF-8. All three sort by code point.
  for locale in C.UTF-8 en_US.UTF-8 C; do
    rm -rf data.new
    "$bin/initdb" -D data.new -U "$database" -A trust -E UTF8 --locale "$locale" --lc-collate C $initdb_flags \
      3<&- 4>&- && break
  done
  # The bundled programs have no createdb. A server in single-user mode does the same.
  echo "create database $database" | "$bin/postgres" --single -D data.new postgres 3<&- 4>&- &&
    mv data.new data || exit 1
fi

# The socket's folder admits the server's OS user alone, which is enough if nobody else uses that account. `nobody` and
# `postgres` may have other programs: then only root, whose program this is, is admitted.
if [ -n "$admitted" ]; then
  echo "local all all peer map=program" >hba.conf
  echo "program $admitted $database" >ident.conf
  flags="$flags -c hba_file=hba.conf -c ident_file=ident.conf"
fi

# shellcheck disable=SC2086  # flags are several words
"$bin/postgres" -D data -k "$socket_dir" -p 5432 -c listen_addresses= -c unix_socket_permissions=0700 \
  -c logging_collector=off $flags 3<&- 4>&- &
server=$!

(
  while read -r _; do :; done
  # Without the FIFO, no claim can be opened any more. One that was opened just before still keeps the server:
  # the second loop waits until it is closed, and ends at once if there is none.
  rm -f claims
  while read -r _; do :; done
  # The signal is repeated, because a server that is starting can miss it, and after ten seconds it is QUIT. The
  # KILL below normally ends this loop. The limit is for a supervisor that was killed: nobody may reap the server
  # then, and a zombie can be signalled forever.
  attempts=0
  while [ "$attempts" -lt 150 ] && kill -"$signal" "$server" 2>/dev/null; do
    attempts=$((attempts + 1))
    [ "$attempts" -lt 100 ] || signal=QUIT
    sleep 0.1
  done
) <&3 3<&- 4>&- &
watcher=$!
exec 3<&-

wait "$server"
status=$?
kill -KILL "$watcher" 2>/dev/null
rm -f claims
# Succeeds only for a folder in /tmp. The data folder is not empty.
rmdir "$socket_dir" 2>/dev/null
exit "$status"
