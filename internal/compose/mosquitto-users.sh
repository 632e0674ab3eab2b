# The service `mosquitto-users` of docker-compose.yml: keeps Mosquitto's users. Each
# start gives Spotter and the health check theirs. An operator adds those of the
# devices: `add NAME`, `revoke NAME` and `list`.
set -eu
umask 077
users=/mosquitto/config secrets=/run/secrets/spotter acl=/etc/mosquitto/acl

# put NAME PASSWORD makes a user, or gives one another password. The password is on
# no command line: printf is the shell's own.
put() {
  printf '%s:%s\n' "$1" "$2" >"$users/.one"
  mosquitto_passwd -U "$users/.one"
  without "$1" >"$users/.rest"
  cat "$users/.rest" "$users/.one" >"$users/.new"
  rm "$users/.one" "$users/.rest"
  mv "$users/.new" "$users/passwd"
}

without() {
  [ ! -f "$users/passwd" ] || awk -F: -v name="$1" '$1 != name' "$users/passwd"
}

# named NAME fails where it is none of a device.
named() {
  case "${1:-}" in
    spotter | health) echo "$1 is a user of the stack's own" >&2; exit 2 ;;
    '' | *[!a-z0-9_-]* | [_-]*) echo "name the device: 1 to 64 of a-z 0-9 _ -, starting with a letter or digit" >&2; exit 2 ;;
  esac
  if [ ${#1} -gt 64 ]; then
    echo "the name has more than 64 characters" >&2
    exit 2
  fi
}

case "${1:-}" in
  start)
    # Mosquitto wants these files to be its own, and readable by nobody else.
    cat "$acl" >"$users/.acl"
    mv "$users/.acl" "$users/acl"
    put spotter "$(cat "$secrets/mqtt-password")"
    put health "$(cat "$secrets/mqtt-health-password")"
    ;;
  add)
    named "${2:-}"
    password=$(LC_ALL=C tr -dc a-z0-9 </dev/urandom | head -c 32)
    put "$2" "$password"
    printf 'username %s\npassword %s\n' "$2" "$password"
    ;;
  revoke)
    named "${2:-}"
    if ! cut -d: -f1 "$users/passwd" | grep -qxF -e "$2"; then
      echo "there is no user $2" >&2
      exit 1
    fi
    without "$2" >"$users/.new"
    mv "$users/.new" "$users/passwd"
    ;;
  list) cut -d: -f1 "$users/passwd" ;;
  *)
    echo "say: add NAME, revoke NAME or list" >&2
    exit 2
    ;;
esac
