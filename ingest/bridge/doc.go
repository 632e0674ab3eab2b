// Package bridge takes the reps of sensors that do not speak MQTT to the topics of the
// wire contract: it reads what a sensor notifies over Bluetooth LE, finds the reps in
// it, and sends each until the broker has acknowledged it.
//
// What is damaged is dropped and told, never mended: a rep that is invented is worse
// than one that is missing. The time of a rep is that of its arrival, because these
// sensors have no clock but the one that counts since their start.
package bridge
