# The service `nats-volumes` of docker-compose.yml: gives each volume to the user who
# is to write there, because the image has no such folder whose owner it could take.
set -euo pipefail
owner=${1:?}
shift
chown "$owner" "$@"
