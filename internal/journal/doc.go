// Package journal is the log: the one durable, ordered list of everything that
// happened, on NATS JetStream. Whatever enters Spotter is appended here before it
// is acknowledged to its sender, and everything else follows from here.
//
// # Guarantees
//
//  1. When Append returns without error, every event is on disk (fsynced, under
//     the default setting) and survives kill -9 and, with fsync, a power cut.
//  2. An event that is appended again within Window is stored once; later copies
//     are stored again and carry the same ID, by which followers recognise them.
//  3. Followers see events in one order, the order of their sequences, without a
//     gap, whoever appended them.
//  4. A slow follower never delays an append or another follower.
//
// The server is embedded by default, and is then the MQTT broker as well; with
// Options.URL the same code runs on an external server or cluster. nats.go and
// nats-server are imported here and nowhere else.
//
// All methods of Log may be called concurrently; a Follower belongs to one
// goroutine.
package journal
