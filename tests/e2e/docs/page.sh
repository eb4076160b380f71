# Runs the commands of a page in a separate folder. Its servers listen on $ADDRESS.
set -u
# The output of the last command, the log of the last server, and the newer of both.
output=$PWD/.output
log=$PWD/.log
shown=$output
server=
missing=

stop() {
  [[ -z $server ]] && return
  kill "$server"
  wait "$server"
  server=
} 2>/dev/null
trap stop EXIT

# The following blocks depend on the failed one, so the script ends.
fail() {
  sed 's/^/# /' "$shown"
  echo "not ok - $1"
  exit 1
}

left_out() {
  [[ -n $missing ]] && echo "ok - $1 # SKIP there is no $missing here"
}

heading() {
  missing=
}

needs() {
  missing=
  command -v "$1" >/dev/null || missing=$1
}

saves() {
  mkdir -p "$(dirname "$1")" && printf '%s\n' "$2" >"$1"
}

runs() {
  left_out "$1" && return
  shown=$output
  timeout 280 bash -e -c "$2" >"$output" 2>&1 </dev/null || fail "$1"
  echo "ok - $1"
}

serves() {
  stop
  left_out "$1" && return
  # `timeout` ends the server and its child processes even if this script is killed.
  shown=$log
  timeout 290 bash -e -c "$2" >"$log" 2>&1 </dev/null &
  server=$!
  until curl -sf "http://$ADDRESS/healthz" >/dev/null; do
    kill -0 "$server" 2>/dev/null || fail "$1"
    sleep 0.2
  done
  echo "ok - $1"
}

shows() {
  left_out "$1" && return
  local title=$1 pattern tries
  shift
  for pattern in "$@"; do
    for tries in {1..50}; do
      # shellcheck disable=SC2053 # the right side is a pattern
      while IFS= read -r line || [[ -n $line ]]; do [[ $line == $pattern ]] && continue 3; done <"$shown"
      [[ $shown == "$output" ]] && break
      sleep 0.1
    done
    echo "# there is no line like $pattern in:"
    fail "$title"
  done
  echo "ok - $title"
}
