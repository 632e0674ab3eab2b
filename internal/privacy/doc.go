// Package privacy carries out what people may ask for about themselves: everything
// that is known of them, in one archive, and to be forgotten; and it lets go of what
// is older than somebody wants to keep it.
//
// # Erase
//
// A request is an event (journal.KindErase), filed under the athlete. Each follower
// forgets the athlete when it comes to that event. The Coordinator then goes through
// the other stores, puts into the log what other people's data needs in the place of
// the athlete's events, and removes those, the request last: as long as the log has
// the request, a restart begins again, and every step can be repeated. What is left
// is a receipt (journal.KindErased), which names each store and holds a keyed hash of
// the athlete's id, but not the id.
//
// By that hash the Tombstones recognise later data of the same person, which is not
// stored until somebody allows it again.
package privacy
