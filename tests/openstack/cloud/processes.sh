# shellcheck shell=bash
# Starting, finding and waiting for daemons. Each has a pid file in $RUN, named after it, and a process group of its own.

alive() { [ -s $RUN/$1.pid ] && kill -0 "$(cat $RUN/$1.pid)" 2>/dev/null; }

# run NAME COMMAND…: starts a daemon unless it runs. It keeps no descriptor of ours: a lock that the caller holds (that of
# openstack-up, or a test's turn) would last as long as the daemon.
run() {
  local name=$1 fd; shift
  alive $name && return 0
  # A test that has stopped several starts one of them: OSDEV_AWAY names those that stay away.
  case " ${OSDEV_AWAY:-} " in *" $name "*) return 0;; esac
  (
    for fd in $(ls /proc/$BASHPID/fd); do [ "$fd" -le 2 ] || eval "exec $fd>&-"; done
    # Not where the caller is: that folder may go while the daemon stays.
    cd /
    exec setsid nohup "$@"
  ) >>$LOG/$name.out 2>&1 </dev/null &
  echo $! > $RUN/$name.pid
}

# api NAME PORT MODULE [VARIABLE=…]: an API behind the fault injector. Without the chunked options uploads to Glance fail.
api() {
  local name=$1 port=$2 module=$3; shift 3
  run $name env OSDEV_APP=$module OSDEV_SERVICE=$name "$@" $VENV/bin/uwsgi --http-socket 127.0.0.1:$port \
    --module osdevfakes.fault:application --processes 1 --threads $THREADS --enable-threads --lazy-apps --die-on-term --need-app \
    --buffer-size 65535 --http-chunked-input --http-auto-chunked --http-raw-body --chunked-input-limit 67108864 --chunked-input-timeout 60 \
    --add-header 'Connection: close' --logto $LOG/$name.access --procname-prefix-spaced osdev-$name
}

wait_http() {
  local name=$1 url=$2 _
  for _ in $(seq 1 240); do
    case $(curl -s -o /dev/null -m 5 -w '%{http_code}' "$url" || true) in 200|300|401|204) return 0;; esac
    alive $name || { say "$name died; see $LOG/$name.out"; tail -5 $LOG/$name.out $LOG/$name.access 2>/dev/null; return 1; }
    sleep 0.5
  done
  say "$name not ready at $url"; return 1
}

wait_port() {
  local _
  for _ in $(seq 1 240); do (exec 3<>/dev/tcp/127.0.0.1/$1) 2>/dev/null && return 0; sleep 0.25; done
  say "nothing on port $1"; return 1
}

# Says which daemons have died, and fails where one has. Most have no port that would tell.
all_alive() {
  local file name dead=
  for file in "$RUN"/*.pid; do
    name=$(basename "$file" .pid)
    case " ${OSDEV_AWAY:-} " in *" $name "*) continue;; esac
    case $name in *.self) continue;; esac
    alive "$name" || { say "$name died; see $LOG/$name.out"; tail -5 "$LOG/$name.out" 2>/dev/null; dead=1; }
  done
  [ -z "$dead" ]
}
