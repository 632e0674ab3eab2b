// Package ingest takes messages to events in the log: decode, validate, identify,
// append, acknowledge. What cannot be used becomes an event as well, one that puts
// it into quarantine with its bytes and the reason.
//
// # Guarantees
//
//  1. A delivery is acknowledged exactly once, and only after every event in it is
//     durably in the log; never when the append failed.
//  2. What was received and acknowledged is in an event or in quarantine; of a message
//     that is too large the first part, its size and its hash. Only bar velocity is
//     left out, and counted, while the disk is nearly full. A message that cannot be
//     used never holds up the next one.
//  3. What is held in memory is bounded by Options.Queue and Options.QueueBytes;
//     beyond that Offer waits, and with it the broker.
//
// The package knows neither MQTT nor HTTP: ingest/mqtt and the API feed it.
package ingest
