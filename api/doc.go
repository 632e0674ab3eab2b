// Package api serves Spotter over HTTP: typed operations with their OpenAPI
// description, the streams of alerts and of what happens now, and who may use
// them. It reads the view, writes to the log, and keeps nothing of its own but the
// answers of backtests for a while.
//
// # Guarantees
//
//  1. An operation is described in /openapi.json, and guarded, by the same value
//     that registers it: there is no route under /api/v1 without a token but on a
//     server opened with Open.
//  2. A write is answered once the view has applied it, or with 202 after 2
//     seconds; either way the log has it on disk.
//  3. A stream of alerts that is resumed from the id of its last event continues
//     without a gap or a repeat, or begins with the event reset.
//  4. A slow client delays nobody: each reads at its own pace, and is cut off
//     when it takes nothing for 10 seconds.
//  5. Every error is an RFC 9457 problem document; it names the field at fault and
//     never repeats what was sent, a token or a cause within the server.
//
// Echo and huma are imported here and nowhere else. All methods of Server may be
// called concurrently.
package api
