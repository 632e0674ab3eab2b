# The service `secrets` of docker-compose.yml: makes every secret at the first start
# and hands each service its own. `show NAME` prints one.
set -euo pipefail
umask 077
master=/secrets given=/for

if [ "${1:-}" = show ]; then
  name=${2:?name the secret: $(ls "$master" | tr '\n' ' ')}
  if [[ ! $name =~ ^[a-z-]+$ || ! -s $master/$name ]]; then
    echo "there is no secret $name; there are: $(ls "$master" | tr '\n' ' ')" >&2
    exit 1
  fi
  cat "$master/$name"
  echo
  exit
fi

# A secret is made once and in one step, so that a start that was cut off leaves
# either none or a whole one.
generate() {
  [ -s "$master/$1" ] && return
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$master/.$1"
  mv "$master/.$1" "$master/$1"
}

# hand FILE FOLDER USER:GROUP gives standard input to those who may read it.
hand() {
  local new="$given/$2/.$1"
  rm -f "$new"
  cat >"$new"
  chmod 0400 "$new"
  chown "$3" "$new"
  mv -f "$new" "$given/$2/$1"
}

# give SECRET FOLDER USER:GROUP
give() { hand "$@" <"$master/$1"; }

secret() { cat "$master/$1"; }

# urls SCHEME USER SECRET PORT: the three servers, with commas between.
urls() {
  local password
  password=$(secret "$3")
  for n in 1 2 3; do
    printf '%s://%s:%s@nats-%d:%d' "$1" "$2" "$password" "$n" "$4"
    [ "$n" = 3 ] || printf ,
  done
}

for name in influx-admin-password influx-token grafana-admin-password \
  spotter-admin-token spotter-metrics-token \
  mqtt-password mqtt-health-password nats-password nats-route-password; do
  generate "$name"
done

give influx-admin-password influxdb 1000:1000
give influx-token influxdb 1000:1000

give influx-token grafana 472:0
give grafana-admin-password grafana 472:0

give spotter-metrics-token prometheus 65534:65534

give influx-token spotter 65532:65532
give spotter-admin-token spotter 65532:65532
give spotter-metrics-token spotter 65532:65532
give mqtt-password spotter 65532:65532
urls nats spotter nats-password 4222 | hand nats-url spotter 65532:65532

give mqtt-password mosquitto 1883:1883
give mqtt-health-password mosquitto 1883:1883
# Where mosquitto_sub looks for its options: the health check shows no password.
printf -- '-u health\n-P %s\n' "$(secret mqtt-health-password)" | hand mosquitto_sub mosquitto 1883:1883

{
  printf 'SPOTTER_PASSWORD: "%s"\n' "$(secret nats-password)"
  printf 'ROUTE_PASSWORD: "%s"\n' "$(secret nats-route-password)"
  printf 'ROUTES: ["%s"]\n' "$(urls nats route nats-route-password 6222 | sed 's/,/", "/g')"
} | hand nats.conf nats 4222:4222
