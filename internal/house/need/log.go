package need

import "time"

// Fsync is how often logs in tests are synced: nothing in them loses the machine's
// power, and a shorter interval can end while nats-server still sets up the store, which
// the race detector reports in nats-server itself.
const Fsync = time.Minute
